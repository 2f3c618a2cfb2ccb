package transport_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
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

// longLists answers every list with one that is too long to be shared.
type longLists struct{ actors.Asker }

func (l longLists) Ask(ctx context.Context, r actors.Request) (actors.Message, error) {
	if _, ok := r.Message.(canvas.List); ok {
		return canvas.Listing{Body: bytes.Repeat([]byte(" "), 16<<20), Epoch: "e"}, nil
	}
	return l.Asker.Ask(ctx, r)
}

func TestLongListsOnTheirWayAreBounded(t *testing.T) {
	w, get := longListsOnTheirWay(t, time.Hour) // longer than this test
	w.do(get).wantError(t, 503, easel.CodeOverloaded)
}

func TestWhoReadsNothingOfALongListMakesRoomForAnother(t *testing.T) {
	w, get := longListsOnTheirWay(t, 300*time.Millisecond)
	for deadline := time.Now().Add(10 * time.Second); ; { // until the one who reads nothing is cut off
		if res := w.do(get); res.status == 200 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("still %d", res.status)
		}
	}
}

// longListsOnTheirWay makes a world with room for one long list, which is on its way
// to who reads nothing of it, and returns the request of another.
func longListsOnTheirWay(t *testing.T, stall time.Duration) (*world, request) {
	t.Helper()
	w := newWorld(t, func(c *transport.Config) {
		c.Actors, c.Limits.Lists, c.Stall = longLists{c.Actors}, 20<<20, stall
	})
	ada := w.token("ada", "", "")
	path := "/api/annotations/by-image/" + string(easel.NewID())
	c, err := net.Dial("tcp", strings.TrimPrefix(w.server.URL, "http://"))
	must(t, err)
	t.Cleanup(func() { c.Close() })
	must(t, c.(*net.TCPConn).SetReadBuffer(4<<10))
	_, err = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+ada+"\r\n\r\n")
	must(t, err)
	_, err = io.ReadFull(c, make([]byte, 1)) // it is on its way, and read no further
	must(t, err)
	return w, request{method: "GET", path: path, token: ada}
}
