package cron_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/cron"
	"github.com/easelhq/easel/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 1, 1, 10, 30, 0, 0, time.UTC)

// node is one life of a node on a home.
type node struct {
	*actors.System
	home *journal.Node
}

// run starts a node whose clock says now and goes on from there.
func run(t *testing.T, home string, now time.Time, jobs ...cron.Job) *node {
	t.Helper()
	j, err := journal.OpenNode(journal.NodeOptions{Dir: home})
	if err != nil {
		t.Fatal(err)
	}
	late := &lateAsker{}
	kind, err := cron.Kind(late, jobs...)
	if err != nil {
		t.Fatal(err)
	}
	ahead := time.Until(now)
	s, err := actors.New(actors.Config{
		Dir: t.TempDir(), Journal: j, Kinds: []*actors.Kind{kind}, Messages: cron.Prototypes(),
		Now: func() time.Time { return time.Now().Add(ahead) },
	})
	if err != nil {
		t.Fatal(err)
	}
	late.System = s
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := &node{s, j}
	t.Cleanup(func() { n.stop(t) })
	return n
}

// lateAsker is a System for those who were made before it.
type lateAsker struct{ *actors.System }

// stop ends the node; a second time is fine.
func (n *node) stop(t *testing.T) {
	t.Helper()
	if n.System == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
	defer cancel()
	_ = n.Stop(ctx) // after a crash there is nothing to release to
	_ = n.home.Close()
	n.System = nil
}

func (n *node) arm(t *testing.T, job, spec string) cron.State {
	t.Helper()
	s, err := cron.Start(t.Context(), n, job, spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// until waits for a fact about a job.
func (n *node) until(t *testing.T, job, what string, fact func(cron.State) bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		s, err := actors.Ask[cron.State](t.Context(), n, actors.Request{To: cron.Key(job), Message: cron.Look{}})
		if err != nil {
			t.Fatal(err)
		}
		if fact(s) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never: %s (%+v)", what, s)
		}
		time.Sleep(time.Millisecond)
	}
}

// counted is a job that counts its runs.
func counted(name string, runs *atomic.Int64, err error) cron.Job {
	return cron.Job{Name: name, Run: func(context.Context) error { runs.Add(1); return err }}
}

func TestArmedJobIsDueByItsSchedule(t *testing.T) {
	n := run(t, t.TempDir(), start, counted("tidy", new(atomic.Int64), nil))
	s := n.arm(t, "tidy", "0 * * * *")
	if want := start.Add(30 * time.Minute).UnixMilli(); s.Next != want || s.Run != 0 {
		t.Errorf("got %+v, want it next at %d", s, want)
	}
	if s := n.arm(t, "tidy", "0 12 * * *"); s.Next != start.Add(90*time.Minute).UnixMilli() {
		t.Errorf("with another schedule it is due at %d", s.Next)
	}
}

func TestBadScheduleIsRefused(t *testing.T) {
	n := run(t, t.TempDir(), start, counted("tidy", new(atomic.Int64), nil))
	for _, spec := range []string{"every day", "99 * * * *", "0 0 31"} {
		if _, err := cron.Start(t.Context(), n, "tidy", spec); easel.CodeOf(err) != easel.CodeInvalid {
			t.Errorf("%q: %v", spec, err)
		}
	}
	if err := cron.Check("17 3 * * *"); err != nil {
		t.Error(err)
	}
	if err := cron.Check("17 3 * *"); err == nil {
		t.Error("four fields are taken for a schedule")
	}
}

func TestJobIsSwitchedOffByAnEmptySchedule(t *testing.T) {
	home, runs := t.TempDir(), new(atomic.Int64)
	n := run(t, home, start, counted("tidy", runs, nil))
	if _, err := cron.Start(t.Context(), n, "tidy", ""); easel.CodeOf(err) != easel.CodeNotFound {
		t.Errorf("a job that was never armed: %v", err)
	}
	n.arm(t, "tidy", "0 * * * *")
	if s := n.arm(t, "tidy", ""); s.Next != 0 {
		t.Errorf("it is due at %d", s.Next)
	}
	if s := n.arm(t, "tidy", "0 0 31 2 *"); s.Next != 0 {
		t.Errorf("a day that never comes is at %d", s.Next)
	}
	n.stop(t)
	n = run(t, home, start.Add(24*time.Hour), counted("tidy", runs, nil))
	n.arm(t, "tidy", "")
	if runs.Load() != 0 {
		t.Error("it ran")
	}
}

func TestRunsThatWereMissedAreMadeUpForOnce(t *testing.T) {
	home, runs := t.TempDir(), new(atomic.Int64)
	first := run(t, home, start, counted("tidy", runs, errors.New("no space")))
	first.arm(t, "tidy", "0 * * * *")
	first.stop(t)
	if runs.Load() != 0 {
		t.Fatal("it ran before it was due")
	}
	late := start.Add(5 * time.Hour)
	second := run(t, home, late, counted("tidy", runs, errors.New("no space")))
	second.until(t, "tidy", "the run ends", func(s cron.State) bool { return s.Ended != 0 })
	second.until(t, "tidy", "the next run is noted", func(s cron.State) bool {
		return s.Run == 1 && s.Failure == "no space" && s.Next == late.Add(30*time.Minute).UnixMilli()
	})
	if runs.Load() != 1 {
		t.Errorf("it ran %d times", runs.Load())
	}
}

func TestRunOfADeadNodeIsBegunAgain(t *testing.T) {
	home := t.TempDir()
	begun := make(chan struct{}, 1)
	hang := cron.Job{Name: "tidy", Run: func(ctx context.Context) error {
		begun <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}}
	n := run(t, home, start, hang)
	n.arm(t, "tidy", "0 * * * *")
	n.stop(t)
	n = run(t, home, start.Add(time.Hour), hang)
	<-begun
	n.until(t, "tidy", "the run is noted", func(s cron.State) bool { return s.Run == 1 })
	if err := n.home.Close(); err != nil { // nothing more is kept of this node
		t.Fatal(err)
	}
	n.stop(t)
	runs := new(atomic.Int64)
	n = run(t, home, start.Add(time.Hour+2*time.Minute), counted("tidy", runs, nil))
	n.until(t, "tidy", "the second run ends", func(s cron.State) bool { return s.Run == 2 && s.Ended != 0 })
	if runs.Load() != 1 {
		t.Errorf("it was begun again %d times", runs.Load())
	}
}

func TestJobThatNobodyKnowsWaits(t *testing.T) {
	home, runs := t.TempDir(), new(atomic.Int64)
	n := run(t, home, start, counted("new", runs, nil))
	n.arm(t, "new", "0 * * * *")
	n.stop(t)
	n = run(t, home, start.Add(time.Hour), counted("other", runs, nil)) // an older program
	n.arm(t, "other", "0 0 1 1 *")
	n.stop(t)
	n = run(t, home, start.Add(2*time.Hour), counted("new", runs, nil))
	n.until(t, "new", "it runs", func(s cron.State) bool { return s.Ended != 0 })
}

func TestTwoJobsOfOneNameAreRefused(t *testing.T) {
	j := counted("tidy", new(atomic.Int64), nil)
	if _, err := cron.Kind(&lateAsker{}, j, j); err == nil {
		t.Error("no error")
	}
}

func TestRunThatPanicsIsNotTheLast(t *testing.T) {
	home := t.TempDir()
	bad := cron.Job{Name: "tidy", Run: func(context.Context) error { panic("a bug") }}
	n := run(t, home, start, bad)
	n.arm(t, "tidy", "0 * * * *")
	n.stop(t)
	n = run(t, home, start.Add(time.Hour), bad)
	n.until(t, "tidy", "the run fails and the next is planned", func(s cron.State) bool {
		return s.Ended != 0 && s.Failure == "panic: a bug" && s.Next > start.Add(time.Hour).UnixMilli()
	})
}
