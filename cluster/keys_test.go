package cluster_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/easelhq/easel/cluster"
)

// Each end refuses the other if it has another key, whoever calls whom.
func TestBothEndsOfALinkMustHaveTheKey(t *testing.T) {
	ends := map[string]*tls.Config{}
	for name, key := range map[string]byte{"ours": 1, "ours, too": 1, "theirs": 2} {
		c, err := cluster.LinkTLS(bytes.Repeat([]byte{key}, cluster.KeyBytes))
		if err != nil {
			t.Fatal(err)
		}
		ends[name] = c
	}
	for _, tt := range []struct {
		client, server           string
		clientTrusts, serverDoes bool
	}{
		{"ours", "ours, too", true, true},
		{"ours", "theirs", false, false},
		{"theirs", "ours", false, false},
	} {
		client, server := handshake(t, ends[tt.client], ends[tt.server])
		if (client == nil) != tt.clientTrusts || (server == nil) != tt.serverDoes {
			t.Errorf("%s calls %s: the caller says %v, the called %v", tt.client, tt.server, client, server)
		}
	}
	// A caller that trusts everybody is refused all the same.
	gullible := ends["theirs"].Clone()
	gullible.InsecureSkipVerify = true //nolint:gosec // it is the attacker
	if _, server := handshake(t, gullible, ends["ours"]); server == nil {
		t.Error("a stranger was let in")
	}
	// And one that is called and asks for no certificate is not trusted.
	open := ends["theirs"].Clone()
	open.ClientAuth = tls.NoClientCert
	if client, _ := handshake(t, ends["ours"], open); client == nil {
		t.Error("a stranger was believed to be a node")
	}
}

// handshake connects two ends and returns what each thinks of the other.
func handshake(t *testing.T, callerSide, calledSide *tls.Config) (caller, called error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		b, err := l.Accept()
		if err != nil {
			done <- err
			return
		}
		defer b.Close()
		done <- tls.Server(b, calledSide).HandshakeContext(t.Context())
	}()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	c := tls.Client(a, callerSide)
	caller = c.HandshakeContext(t.Context())
	if caller == nil {
		// With TLS 1.3 the caller learns with the first read that it was refused.
		if _, err := c.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
			caller = err
		}
	}
	return caller, <-done
}
