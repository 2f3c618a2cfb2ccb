// Package freeport finds ports for tests whose processes must be told in advance
// where to listen, or listen again where an earlier process did.
//
// Asking the system for any port and closing it again does not do for that: the next
// process that asks for any port may be given the same one. So these ports are below
// the range from which systems give ports (32768 and up on Linux, 49152 elsewhere),
// and a port is kept for its test by a socket on another address of this machine.
package freeport

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
	"testing"
)

// The ports that are given out: lowest, and how many.
const (
	lowest = 20000
	many   = 12000
)

// Loopback returns HOST:PORT on 127.0.0.1 where nothing listens for TCP or UDP, and
// which no other test is given before this one ends.
func Loopback(t testing.TB) string {
	t.Helper()
	for range many {
		port := strconv.Itoa(lowest + rand.IntN(many))
		kept, err := keep(t, port)
		if err != nil {
			continue // another test's
		}
		addr := net.JoinHostPort("127.0.0.1", port)
		if free(t, addr) {
			t.Cleanup(kept)
			return addr
		}
		kept()
	}
	t.Fatal("no port is free")
	return ""
}

// keep takes the port on 127.0.0.2, until the function that it returns is called.
// Where that is no address of the machine, as on macOS, chance has to do.
func keep(t testing.TB, port string) (end func(), err error) {
	var c net.ListenConfig
	l, err := c.Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.2", port))
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = l.Close() }, nil
}

// free reports whether anybody could listen at addr.
func free(t testing.TB, addr string) bool {
	var c net.ListenConfig
	tcp, err := c.Listen(t.Context(), "tcp", addr)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := c.ListenPacket(t.Context(), "udp", addr)
	if err != nil {
		return false
	}
	_ = udp.Close()
	return true
}
