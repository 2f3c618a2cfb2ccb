package ws_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/live"
	"github.com/easelhq/easel/transport/ws"
)

// dialSmall connects with a small receive buffer, so that a client that does not
// read is noticed soon.
func (s *stage) dialSmall(t *testing.T, key actors.Key, token string) *client {
	t.Helper()
	d := websocket.Dialer{
		Subprotocols: []string{"easel.v1", "bearer." + token},
		NetDial: func(network, addr string) (net.Conn, error) {
			c, err := net.Dial(network, addr)
			if err == nil {
				err = c.(*net.TCPConn).SetReadBuffer(32 << 10)
			}
			return c, err
		},
	}
	c, _, err := d.DialContext(t.Context(), s.url+imageID(key), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &client{Conn: c, t: t}
}

func TestSlowReaderIsCutOffAndNobodyElse(t *testing.T) {
	s := start(t, live.Options{Queues: live.Queues{Live: 256 << 10}}, ws.Config{})
	key := s.Image()
	slow := s.dialSmall(t, key, "slow_viewer")
	slow.say(`{"t":"hello","client":"tab"}`)
	w := slow.want("welcome")
	slow.want("snap")
	fast, _ := s.join(t, key, "fast_viewer", "tab")
	deadline := time.Now().Add(20 * time.Second)
	var last int64
	for left := false; !left; {
		if time.Now().After(deadline) {
			t.Fatal("the slow reader is still there")
		}
		last = s.Put(key, 100)
		for {
			f, err := fast.next()
			if err != nil {
				t.Fatalf("fast reader: %v", err)
			}
			left = left || f.T == "left" && f.Conn == w.Conn
			if f.T == "ops" && f.Ver == last {
				break
			}
		}
	}
	// What the slow one was sent is whole, and ends with the reason.
	slow.wantClose(4508)
	again, w := s.hello(t, key, "slow_viewer", fmt.Sprintf(`{"t":"hello","client":"tab","since":{"epoch":"%s","ver":%d}}`, w.Epoch, last-1))
	if !w.Recovered {
		t.Fatalf("welcome = %+v", w)
	}
	if got := again.want("ops"); got.Ver != last {
		t.Fatalf("resumed at %d, want %d", got.Ver, last)
	}
}

func TestReaderThatTakesNoSnapshotIsCutOff(t *testing.T) {
	s := start(t, live.Options{Queues: live.Queues{Chunk: 16 << 10}}, ws.Config{Stall: 300 * time.Millisecond})
	key := s.Image()
	for range 16 {
		s.Put(key, 500)
	}
	slow := s.dialSmall(t, key, "slow_viewer")
	slow.say(`{"t":"hello","client":"tab"}`)
	slow.want("welcome")
	fast, w := s.join(t, key, "fast_viewer", "tab")
	_ = w
	if got := fast.want("left"); got.Conn == "" {
		t.Errorf("left = %s", got.raw)
	}
	slow.wantClose(4508)
}

// What the kernel takes of a write that then waits is progress of its first moment,
// so the time of a stall cannot be that of a write: it would last up to twice.
func TestWritesAreLookedAfterWithinAStall(t *testing.T) {
	stall := time.Hour
	s := start(t, live.Options{}, ws.Config{Stall: stall})
	s.join(t, s.Image(), "ann_annotator", "tab")
	s.waits.mu.Lock()
	defer s.waits.mu.Unlock()
	if s.waits.most <= 0 || s.waits.most > stall/4 {
		t.Errorf("a write was given %v", s.waits.most)
	}
}

func TestSnapshotComesInChunks(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	for range 6 {
		s.Put(key, 500)
	}
	c, w := s.hello(t, key, "ann_annotator", `{"t":"hello","client":"tab"}`)
	c.say(put("1", idA)) // live ops wait behind the snapshot
	seen := map[string]bool{}
	for i := 0; ; i++ {
		f, err := c.next()
		if err != nil {
			t.Fatal(err)
		}
		if f.T == "ack" {
			i--
			continue
		}
		if f.T != "snap" || f.I != i || len(f.raw) > 256<<10 || f.Ver != w.Ver {
			t.Fatalf("chunk %d: %s %d, %d bytes, version %d", i, f.T, f.I, len(f.raw), f.Ver)
		}
		for _, a := range f.Annotations {
			seen[string(a.ID)] = true
		}
		if f.Last {
			break
		}
	}
	if len(seen) != 3000 {
		t.Errorf("%d annotations", len(seen))
	}
	if got := c.want("ops"); got.Ver != w.Ver+1 {
		t.Errorf("ops %d after snapshot of %d", got.Ver, w.Ver)
	}
}
