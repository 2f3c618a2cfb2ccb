package transport_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/easelhq/easel/transport"
)

func TestClientThatTakesNoAnswerIsCutOff(t *testing.T) {
	w := newWorld(t, func(c *transport.Config) { c.Stall = 200 * time.Millisecond })
	address := strings.TrimPrefix(w.server.URL, "http://")
	c, err := net.Dial("tcp", address)
	must(t, err)
	defer c.Close()
	must(t, c.(*net.TCPConn).SetReadBuffer(4<<10))
	must(t, c.SetDeadline(time.Now().Add(20*time.Second)))
	// Requests without end and not one answer read: the server stops to read when
	// it cannot write, and must not stay so.
	requests := strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 1000)
	for err == nil {
		_, err = io.WriteString(c, requests)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		t.Fatal("the connection is still held")
	}
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("cut off by %v", err)
	}
}
