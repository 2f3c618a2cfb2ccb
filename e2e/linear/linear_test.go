package linear_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/linear"
	"github.com/easelhq/easel/e2e/tally"
)

func linearFlags() (seconds *float64, seed *uint64) {
	return flag.Float64("linear.seconds", 3, "how long TestImageIsLinearizable works"),
		flag.Uint64("linear.seed", 0, "seed of the choices; 0 takes one from the clock")
}

var linearSeconds, linearSeed = linearFlags()

func seed(t *testing.T) uint64 {
	t.Helper()
	s := *linearSeed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat the choices with -linear.seed %d (not the scheduling)", s)
	return s
}

// episode works on one image for a while, over two crashes, and returns what
// was told.
func episode(t *testing.T, seed uint64, fail, calls int, b bugs) *linear.History {
	t.Helper()
	s := newStage(t, seed, fail, b)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	load := &linear.Load{Target: s, History: s.history, Clients: 9, Seed: seed, Most: calls}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		load.Run(ctx, nil)
	}()
	for crashes := range 2 {
		waitFor(s.history, calls*(crashes+1)/3, finished)
		s.crash()
	}
	<-finished
	load.Look(ctx)
	if ctx.Err() != nil {
		t.Fatal("the clients were not done in time")
	}
	return s.history
}

// waitFor returns once the history has so many calls, or the load is finished.
func waitFor(h *linear.History, calls int, finished <-chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for h.Len() < calls {
		select {
		case <-finished:
			return
		case <-tick.C:
		}
	}
}

// TestImageIsLinearizable works on real images whose journal is slow, fails and
// is cut, and looks for an order of all calls.
func TestImageIsLinearizable(t *testing.T) {
	first := seed(t)
	began := time.Now()
	calls, unknown := 0, 0
	report := tally.Report{Suite: "linearizability, in process"}
	for n := uint64(0); n < 2 || time.Since(began).Seconds() < *linearSeconds; n++ {
		fail := []int{0, 40, 8}[n%3]
		h := episode(t, first+n*1000, fail, 900, bugs{})
		if err := h.Check(time.Minute); err != nil {
			t.Fatalf("episode %d, one append in %d fails: %v", n, fail, err)
		}
		calls += h.Len()
		unknown += h.Unknown()
		report.Round, report.Acked = int(n)+1, calls-unknown
		report.Count(map[string]int{"crash": 2})
		if err := report.Write(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d calls are in order, %d of them with an unknown outcome", calls, unknown)
}
