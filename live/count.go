package live

// Sockets returns how many seats are taken on this node: WebSockets and event
// streams.
func (r *Rooms) Sockets() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seats)
}
