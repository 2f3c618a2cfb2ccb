package freeport_test

import (
	"net"
	"testing"

	"github.com/easelhq/easel/internal/freeport"
)

func TestPortsAreFreeAndGivenOnce(t *testing.T) {
	seen := map[string]bool{}
	for range 2000 {
		addr := freeport.Loopback(t)
		if seen[addr] {
			t.Fatalf("%s was given twice", addr)
		}
		if seen[addr] = true; len(seen)%2 == 0 {
			continue // not listened on, and kept all the same
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
}

// Whoever asks the system for any port must not get one of these.
func TestSystemDoesNotGiveThesePorts(t *testing.T) {
	given := net.ParseIP("127.0.0.1")
	for range 200 {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: given})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if port := l.Addr().(*net.TCPAddr).Port; port >= 20000 && port < 32000 {
			t.Fatalf("the system gave %d", port)
		}
	}
}
