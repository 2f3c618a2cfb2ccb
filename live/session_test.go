package live_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/live"
)

func TestOverfullQueueDropsPresenceFirstAndThenTheReader(t *testing.T) {
	w := newWorld(1, live.Options{})
	writer := w.join(t, 0, "a", ann)
	s, err := w.rooms[0].Enter("b", easel.Principal{User: "bob", Role: easel.Viewer}, live.Queues{Live: 3000})
	if err != nil {
		t.Fatal(err)
	}
	slow := &guest{t, w, w.rooms[0], s}
	slow.say(`{"t":"hello","client":"b"}`)
	w.run(2 * time.Second)
	slow.take()
	for i := range 10 {
		p := w.join(t, 0, fmt.Sprint("p", i), easel.Principal{User: "peer", Role: easel.Viewer})
		p.say(`{"t":"pres","state":{"draft":{"x":"` + strings.Repeat("x", 400) + `"}}}`)
	}
	w.run(time.Second)
	if slow.Closed() != nil {
		t.Fatal("closed because of presence")
	}
	if got := slow.take(); len(got) > 8 {
		t.Errorf("%d frames of presence in a queue of 3000 bytes", len(got))
	}
	for seq := 1; slow.Closed() == nil; seq++ {
		if seq > 30 {
			t.Fatal("not closed")
		}
		writer.say(putOp(seq, fmt.Sprint(seq)))
		w.flow()
	}
	if got := *slow.Closed(); got != live.CloseSlow {
		t.Errorf("closed %v", got)
	}
	if got := writer.types(); !strings.Contains(got, "left") {
		t.Errorf("the others were shown %q", got)
	}
}

func TestFrameHeader(t *testing.T) {
	w := newWorld(1, live.Options{})
	g := w.join(t, 0, "a", ann)
	g.say(`{"t":"chat","text":"` + strings.Repeat("x", 300) + `"}`)
	w.flow()
	items, _, _ := g.Take(nil, 1<<20)
	for _, it := range items {
		wire, text := it.Frame.WebSocket(), it.Frame.JSON()
		if wire[0] != 0x81 || wire[1] != 126 || len(wire) != len(text)+4 || int(wire[2])<<8|int(wire[3]) != len(text) {
			t.Errorf("frame of %d bytes with header % x", len(text), wire[:4])
		}
	}
	if len(items) != 1 {
		t.Errorf("%d frames", len(items))
	}
}

func TestBucket(t *testing.T) {
	now := time.Unix(100, 0)
	b := live.NewBucket(10, 20)
	steps := []struct {
		after time.Duration
		n     int
		wait  time.Duration
	}{
		{0, 20, 0},
		{0, 1, 100 * time.Millisecond},
		{100 * time.Millisecond, 1, 0},
		{time.Hour, 20, 0},
		{time.Second, 15, 500 * time.Millisecond},
		{time.Hour, 50, 0}, // more than it holds, when full
		{time.Second, 1, 2100 * time.Millisecond},
		{time.Hour, 1, 0},
		{-time.Minute, 1, 0}, // it read the clock before the one that came first
		{time.Minute, 18, 0},
		{0, 1, 100 * time.Millisecond},
	}
	for i, s := range steps {
		now = now.Add(s.after)
		if got := b.Take(now, s.n); got != s.wait {
			t.Errorf("step %d: wait %v, want %v", i, got, s.wait)
		}
	}
}

func BenchmarkFanOut(b *testing.B) {
	const sessions = 500
	w := newWorld(1, live.Options{})
	all := make([]*live.Session, sessions)
	for i := range all {
		conn := fmt.Sprint(i)
		s, err := w.rooms[0].Enter(conn, easel.Principal{User: conn, Role: easel.Viewer}, live.Queues{})
		if err != nil {
			b.Fatal(err)
		}
		in, _ := live.Parse([]byte(`{"t":"hello","client":"` + conn + `"}`))
		_ = w.rooms[0].Say(conn, in)
		all[i] = s
	}
	w.run(time.Second)
	var items []live.Item
	drain := func() {
		for _, s := range all {
			for more := true; more; {
				items, more, _ = s.Take(items[:0], 64<<10)
			}
		}
	}
	drain()
	box := easel.Annotation{ID: easel.ID(strings.Repeat("a", 32)), Label: "car", Width: 0.5, Height: 0.5}
	ver := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		ver++
		box.Rev = ver
		copied := box
		_, _ = w.rooms[0].Handle(accepted(ver, &copied))
		drain()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/sessions, "ns/delivery")
}
