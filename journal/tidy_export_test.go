package journal

// Indexed counts the actors of which the log holds batches in memory's index.
func (n *Node) Indexed() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.index)
}
