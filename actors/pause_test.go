package actors_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// stopwatch is the monotonic clock of a process that can be paused: it goes on
// while nothing else does.
type stopwatch struct {
	start time.Time
	extra atomic.Int64
}

func (s *stopwatch) now() time.Duration { return time.Since(s.start) + time.Duration(s.extra.Load()) }

func (s *stopwatch) pause(d time.Duration) { s.extra.Add(int64(d)) }

func pausable(t *testing.T, f *fabric) (*member, *stopwatch) {
	t.Helper()
	m := f.add("n1", tally(t)("n1"))
	watch := &stopwatch{start: time.Now()}
	m.SetMonotonic(watch.now)
	f.see([]string{"n1"}, "n1")
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m, watch
}

func TestPausedProcessTrustsNothingItHolds(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		m, watch := pausable(t, f)
		m.want(t, key("a"), add{1}, 1)
		m.want(t, key("b"), add{1}, 1)
		claims := m.gate.claims.Load()
		watch.pause(3 * time.Second)
		// The first to run may be an actor, before the ticker has noticed.
		m.want(t, key("a"), value{}, 1)
		if got := m.gate.claims.Load() - claims; got < 1 {
			t.Fatal("it answered without claiming anew")
		}
		time.Sleep(time.Second)
		if m.Pauses() != 1 {
			t.Errorf("%d pauses, want 1", m.Pauses())
		}
		claims = m.gate.claims.Load()
		m.want(t, key("b"), add{1}, 2)
		if m.gate.claims.Load() == claims {
			t.Error("an idle actor was kept")
		}
	})
}

func TestShortOrBusyMomentsAreNoPause(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		m, watch := pausable(t, f)
		m.want(t, key("a"), add{1}, 1)
		claims := m.gate.claims.Load()
		for range 10 {
			watch.pause(1500 * time.Millisecond)
			time.Sleep(300 * time.Millisecond)
			m.want(t, key("a"), value{}, 1)
		}
		if got := m.gate.claims.Load(); got != claims {
			t.Errorf("%d claims more", got-claims)
		}
		if m.Pauses() != 0 {
			t.Errorf("%d pauses", m.Pauses())
		}
	})
}

// TestPauseFailsNoRequest pauses a node whose actors are busy: what was on its way
// is tried again.
func TestPauseFailsNoRequest(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		f.distance = 20 * time.Millisecond
		m, watch := pausable(t, f)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 20 {
					if _, err := m.Ask(t.Context(), actors.Request{To: key("a"), Message: add{1}}); err != nil {
						t.Errorf("ask: %v", err)
					}
				}
			})
		}
		for range 5 {
			time.Sleep(100 * time.Millisecond)
			watch.pause(3 * time.Second)
		}
		wg.Wait()
		m.want(t, key("a"), value{}, 80)
	})
}

// TestRequestThatWasHeldBackForLongHasNoSecondEffect hands a request to its node
// again, as a node does that was paused and then finds it in its socket.
func TestRequestThatWasHeldBackForLongHasNoSecondEffect(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		n := &scripted{owner: "n9", lines: []string{"ok"}, begin: time.Now()}
		asker := scriptedNode(t, n, func(c *actors.Config) { c.Node = "n2" })
		if err := asker.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer asker.Stop(t.Context())
		if _, err := asker.Ask(t.Context(), actors.Request{To: key("a"), Message: add{1}}); err != nil {
			t.Fatal(err)
		}
		m, _ := pausable(t, f)
		deliver := func() error {
			c := make(chan error, 1)
			m.Deliver(t.Context(), n.asked[0], func(_ actors.Message, err error) { c <- err })
			return <-c
		}
		for _, wait := range []time.Duration{0, time.Second, 9 * time.Minute} {
			time.Sleep(wait)
			if err := deliver(); err != nil {
				t.Fatalf("after %v: %v", wait, err)
			}
		}
		for _, wait := range []time.Duration{2 * time.Minute, 3 * time.Minute, time.Hour} {
			time.Sleep(wait)
			if err := deliver(); err != nil && easel.CodeOf(err) != easel.CodeUnavailable {
				t.Errorf("%v later: %v", wait, err)
			}
		}
		m.want(t, key("a"), value{}, 1)
		// Another actor has not even the first verdict.
		n.asked[0].To = key("b")
		if err := deliver(); easel.CodeOf(err) != easel.CodeUnavailable {
			t.Errorf("what came an hour late is done: %v", err)
		}
	})
}
