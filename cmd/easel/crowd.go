package main

import (
	"net"
	"sync"
	"syscall"
)

// crowd is a listener that has at most so many connections open at once. Whoever
// comes beyond waits in the kernel's queue: without a bound, strangers who open
// connections and say nothing would take the file descriptors that actors and the
// journal need, and every request would fail.
type crowd struct {
	net.Listener
	places chan struct{} // holds one for each open connection
	over   chan struct{} // closed with the listener
	end    sync.Once
}

func newCrowd(l net.Listener, most int) *crowd {
	return &crowd{Listener: l, places: make(chan struct{}, most), over: make(chan struct{})}
}

// Accept implements net.Listener.
func (c *crowd) Accept() (net.Conn, error) {
	select {
	case c.places <- struct{}{}:
	case <-c.over:
		return nil, net.ErrClosed
	}
	conn, err := c.Listener.Accept()
	if err != nil {
		<-c.places
		return nil, err
	}
	leave := sync.OnceFunc(func() { <-c.places })
	if tcp, ok := conn.(*net.TCPConn); ok {
		return &visitor{tcp, leave}, nil
	}
	return &guest{conn, leave}, nil
}

// Close implements net.Listener.
func (c *crowd) Close() error {
	c.end.Do(func() { close(c.over) })
	return c.Listener.Close()
}

// visitor is a connection with a place. It has all methods of a TCPConn, which
// the HTTP server and sockets look for.
type visitor struct {
	*net.TCPConn
	leave func()
}

// Close implements net.Conn.
func (v *visitor) Close() error {
	defer v.leave()
	return v.TCPConn.Close()
}

// guest is a connection of another kind.
type guest struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (g *guest) Close() error {
	defer g.leave()
	return g.Conn.Close()
}

// Of the file descriptors, some are not for connections: two of each open actor,
// which costs about handleBytes of memory, and a few of the journal and the store.
const (
	handleBytes = 220 << 10
	otherFiles  = 256
)

// mostConnections returns how many connections there may be if the process may
// have files file descriptors and spend openBytes on actors' files.
func mostConnections(files uint64, openBytes int64) int {
	const plenty = 1 << 20
	files = min(files, plenty)
	kept := min(2*uint64(max(openBytes, 0))/handleBytes+otherFiles, files/2)
	return int(files - kept)
}

// fileLimit returns how many file descriptors this process may have.
func fileLimit() uint64 {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 1024 // the least that is usual
	}
	return r.Cur
}
