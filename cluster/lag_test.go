package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/cluster"
	"github.com/easelhq/easel/wire"
)

func TestLagIsWhatDiffersFromTheFastest(t *testing.T) {
	type reading struct{ sent, received, behind time.Duration }
	const s, h = time.Second, time.Hour
	tests := []struct {
		name     string
		readings []reading
	}{
		{"the first says nothing", []reading{{5 * s, 900 * h, 0}}},
		{"clocks that have nothing to do with each other", []reading{{900 * h, s, 0}, {900*h + s, 2 * s, 0}, {900*h + 2*s, 4 * s, s - 2*s/10}}},
		{"a slow one", []reading{{0, 10 * s, 0}, {s, 16 * s, 5*s - 6*s/10}}},
		{"a faster one later", []reading{{0, 10 * s, 0}, {s, 8 * s, 0}, {2 * s, 10 * s, s}}},
		{"an hour in a socket", []reading{{0, 10 * s, 0}, {s, 10*s + h, h - s - h/10}}},
		{"a clock that runs a twentieth faster for a day", []reading{{0, 0, 0}, {24 * h, 24*h + 24*h/20, 0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var l actors.Lag
			for i, r := range tt.readings {
				if got := l.Behind(r.sent, r.received); got != r.behind {
					t.Errorf("reading %d: %s behind, want %s", i, got, r.behind)
				}
			}
		})
	}
}

// TestLateRequestIsNotServed has a request arrive that lay in a socket while the
// process was paused: whoever asked has given up, and it may have been done since.
func TestLateRequestIsNotServed(t *testing.T) {
	tests := []struct {
		name   string
		sent   uint64 // as the other run counts
		budget uint64
		served bool
	}{
		{"in time", 10 * 3600_000, 5000, true},
		{"half a minute late", 10*3600_000 - 30_000, 5000, true},
		{"an hour late", 9 * 3600_000, 5000, false},
		{"of a node that does not tell", 0, 5000, true},
		{"that is not waited for", 9 * 3600_000, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			codec, err := actors.NewCodec(echo{})
			if err != nil {
				t.Fatal(err)
			}
			local := &recording{mute: mute{codec}}
			n := cluster.Deaf(local)
			for _, q := range []*wire.Request{later(10*3600_000, 5000), later(tt.sent, tt.budget)} {
				if err := cluster.Act(n, q); err != nil {
					t.Fatal(err)
				}
			}
			if want := map[bool]int{true: 2, false: 1}[tt.served]; local.delivered != want {
				t.Errorf("%d requests were served, want %d", local.delivered, want)
			}
		})
	}
}

// recording counts what it is given.
type recording struct {
	mute
	delivered int
}

func (r *recording) Deliver(ctx context.Context, q actors.Request, reply func(actors.Message, error)) {
	r.delivered++
	r.mute.Deliver(ctx, q, reply)
}

// later is a request of the peer "p".
func later(sent, budget uint64) *wire.Request {
	return &wire.Request{
		Version: wire.Version, Id: 1, Origin: &wire.Origin{Node: "p", Incarnation: "p", Address: "127.0.0.1:1"},
		To: &wire.Actor{Kind: "test", Id: "x"}, BudgetMs: budget, SentMs: sent,
		Payload: &wire.Payload{Name: echo{}.MessageName(), Body: []byte("{}"), Size: 2},
	}
}
