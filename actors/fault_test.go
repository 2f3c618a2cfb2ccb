package actors_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
)

// together sends messages that are handled in one turn, and returns the errors
// of their answers in the same order.
func (w *world) together(t *testing.T, id string, messages ...actors.Message) []error {
	t.Helper()
	w.journal.hold()
	for range 4 { // as many commits as may be on their way
		go func() { _, _ = w.Ask(t.Context(), actors.Request{To: key(id), Message: add{0}}) }()
		time.Sleep(5 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	errs := make([]error, len(messages))
	var wg sync.WaitGroup
	for i, m := range messages {
		wg.Go(func() { _, errs[i] = w.Ask(ctx, actors.Request{To: key(id), Message: m}) })
		time.Sleep(3 * time.Millisecond)
	}
	w.journal.open()
	wg.Wait()
	if ctx.Err() != nil {
		t.Errorf("some were never answered: %v", errs)
	}
	return errs
}

func TestStoppedSystemAnswers(t *testing.T) {
	w := start(t, t.TempDir(), withParrots(new(bool)))
	w.want(t, "a", add{1}, 1)
	w.parrot(t, say{"hello"})
	if err := w.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, to := range []actors.Key{{Kind: "parrot", ID: "p"}, key("a")} {
		done := make(chan error, 1)
		go func() {
			_, err := w.Ask(t.Context(), actors.Request{To: to, Message: say{"anybody?"}})
			done <- err
		}()
		select {
		case err := <-done:
			if easel.CodeOf(err) != easel.CodeUnavailable {
				t.Errorf("%s after Stop: %v", to, err)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%s after Stop: no answer", to)
		}
	}
}

func TestStopAnswersWhatIsHeldWhenItsTimeIsOver(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{1}, 1)
	w.journal.hold()
	var wg sync.WaitGroup
	answered := make(chan error, 20)
	for range 20 {
		wg.Go(func() {
			_, err := w.Ask(t.Context(), actors.Request{To: key("a"), Message: add{1}})
			answered <- err
		})
	}
	time.Sleep(20 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.Stop(ctx); err == nil {
		t.Error("Stop: no error although a commit was on its way")
	}
	for range 20 {
		select {
		case err := <-answered:
			if easel.CodeOf(err) != easel.CodeUnavailable {
				t.Errorf("add: %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("an asker was never answered")
		}
	}
	w.journal.open()
}

func TestFullDiskAnswersEveryoneAndLosesNothing(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{1}, 1)
	errs := w.together(t, "a", add{1}, cram{}, add{1}, value{}, add{1})
	if easel.CodeOf(errs[1]) != easel.CodeUnavailable {
		t.Errorf("write to a full disk: %v", errs[1])
	}
	want := int64(1)
	for _, i := range []int{0, 2, 4} {
		switch {
		case errs[i] == nil:
			want++
		case easel.CodeOf(errs[i]) != easel.CodeUnavailable:
			t.Errorf("message %d: %v", i, errs[i])
		}
	}
	w.want(t, "a", peek{}, want)
	w.want(t, "a", value{}, want)
	w.want(t, "a", add{1}, want+1)
}

func TestTimerOutlivesAFailedTick(t *testing.T) {
	r := &rough{}
	w := start(t, t.TempDir(), withRough(r))
	if _, err := w.do(t, "a", remind{"soon", 100 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	var failed atomic.Bool
	r.set(func() {
		r.append = func(n journal.Name) error {
			if isTimer(n) && failed.CompareAndSwap(false, true) {
				return journal.ErrUnavailable
			}
			return nil
		}
	})
	until(t, "the tick fails", failed.Load)
	until(t, "soon", func() bool { return w.rang(t, "a") == "soon" })
}

func TestAlarmOfAnUnknownTurnRings(t *testing.T) {
	r := &rough{}
	w := start(t, t.TempDir(), withRough(r))
	w.want(t, "a", add{1}, 1)
	var failed atomic.Bool
	r.set(func() {
		r.append = func(n journal.Name) error {
			if isTimer(n) && failed.CompareAndSwap(false, true) {
				return journal.ErrUnavailable
			}
			return nil
		}
	})
	if _, err := w.do(t, "a", remind{"soon", time.Millisecond}); easel.CodeOf(err) != easel.CodeUnavailable {
		t.Fatalf("remind: %v", err)
	}
	// Nobody asks again: what the file holds must ring all the same.
	until(t, "the actor comes back by itself", func() bool { return w.OpenFiles() == 1 })
	if got := w.rang(t, "a"); got != "" && got != "soon" {
		t.Fatalf("rang = %q", got)
	}
}

func TestUnreachableTimersWakeAtLast(t *testing.T) {
	home := t.TempDir()
	w := start(t, home)
	if _, err := w.do(t, "a", remind{"overdue", 50 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if err := w.journal.Close(); err != nil {
		t.Fatal(err)
	}
	r := &rough{claim: func(journal.Name) error { return journal.ErrUnavailable }}
	again := start(t, home, withRough(r))
	again.clock.forward(time.Second)
	until(t, "timers were refused", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.claims["timer"] >= 64
	})
	r.set(func() { r.claim = nil })
	until(t, "the alarm rings by itself", func() bool { return again.Running() == 1 })
}

func TestCorruptActorIsCheap(t *testing.T) {
	r := &rough{}
	w := start(t, t.TempDir(), withRough(r))
	if _, err := w.do(t, "a", remind{"never", 50 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	w.clock.forward(time.Hour)
	r.set(func() {
		r.claim = func(n journal.Name) error {
			if isTimer(n) {
				return nil
			}
			return journal.ErrCorrupt
		}
		clear(r.claims)
	})
	w.Sweep(w.clock.now())
	until(t, "it is released", func() bool { return w.Running() == 0 })
	for range 100 {
		if _, err := w.do(t, "a", value{}); easel.CodeOf(err) != easel.CodeInternal {
			t.Fatalf("value of a corrupt actor: %v", err)
		}
	}
	r.mu.Lock()
	claims := r.claims["counter"]
	r.mu.Unlock()
	if claims > 3 {
		t.Fatalf("%d requests asked the journal %d times", 100, claims)
	}
	// It is not closed for ever: an operator may have put it right.
	r.set(func() { r.claim = nil })
	w.clock.forward(time.Hour)
	until(t, "it opens again", func() bool { _, err := w.do(t, "a", value{}); return err == nil })
}

func TestUngatedAnswerKeepsTheRest(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{1}, 1)
	if _, err := w.do(t, "a", hasty{}); err != nil {
		t.Fatal(err)
	}
	until(t, "what was published arrives", func() bool {
		m, err := w.do(t, "a", heard{})
		return err == nil && m == total{6}
	})
}

func TestUngatedAnswerWithAVerdictWaits(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{1}, 1)
	w.journal.hold()
	done := make(chan error, 1)
	go func() {
		_, err := w.once(t, "a", peek{}, actors.Once{ID: "k", Hash: "h"})
		done <- err
	}()
	select {
	case <-done:
		t.Error("answered before the verdict was durable")
	case <-time.After(50 * time.Millisecond):
	}
	w.journal.open()
}

func TestTwoAlarmsOfATurnBothWait(t *testing.T) {
	// The first registration of a turn must not let out what waits for the second.
	r := &rough{}
	w := start(t, t.TempDir(), withRough(r))
	w.want(t, "a", add{1}, 1)
	var timers atomic.Int32
	r.set(func() {
		r.append = func(n journal.Name) error {
			if isTimer(n) && timers.Add(1) > 1 {
				return journal.ErrUnavailable
			}
			return nil
		}
	})
	errs := w.together(t, "a", remind{"late", 2 * time.Hour}, remind{"early", time.Hour})
	if timers.Load() > 1 && (errs[0] == nil || errs[1] == nil) {
		t.Fatalf("answers = %v although the timer did not store the second entry", errs)
	}
}

func TestReleaseTwiceKeepsTheNextActivation(t *testing.T) {
	w := start(t, t.TempDir())
	for i := range int64(200) {
		w.want(t, "a", add{1}, i+1)
		for range 8 {
			w.Sweep(w.clock.now().Add(time.Hour))
		}
		w.want(t, "a", value{}, i+1)
	}
}

func TestMessageThatComesWithTheReleaseIsAnswered(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{1}, 1)
	until := make(chan struct{})
	go func() { _, _ = w.Ask(t.Context(), actors.Request{To: key("a"), Message: stall{until}}) }()
	time.Sleep(5 * time.Millisecond)
	w.Sweep(w.clock.now().Add(time.Hour))
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := w.Ask(ctx, actors.Request{To: key("a"), Message: add{1}})
		done <- err
	}()
	time.Sleep(5 * time.Millisecond)
	close(until)
	if err := <-done; err != nil {
		t.Fatalf("add: %v", err)
	}
}

func TestFailedBirthsHoldNoTerm(t *testing.T) {
	r := &rough{}
	w := start(t, t.TempDir(), withRough(r))
	for i := range 20 {
		_, _ = w.do(t, fmt.Sprint("x", i), fail{easel.CodeInvalid})
	}
	until(t, "all terms are released", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.held == 0
	})
}

func TestAlarmRingsAfterTheClockWentBack(t *testing.T) {
	w := start(t, t.TempDir())
	w.clock.forward(24 * time.Hour)
	if _, err := w.do(t, "a", remind{"one", time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	until(t, "one", func() bool { return w.rang(t, "a") == "one" })
	w.clock.forward(-24 * time.Hour)
	if _, err := w.do(t, "a", remind{"two", time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	until(t, "two", func() bool { return w.rang(t, "a") == "one two" })
}

func TestCrashedEphemeralIsGone(t *testing.T) {
	w := start(t, t.TempDir(), withParrots(new(bool)))
	_, _ = w.Ask(t.Context(), actors.Request{To: actors.Key{Kind: "parrot", ID: "p"}, Message: stumble{}})
	until(t, "nothing runs", func() bool { return w.Running() == 0 })
}

func TestPanicInACallbackOfTheCompanionHarmsNoTurn(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{1}, 1)
	w.journal.hold()
	done := make(chan error, 1)
	go func() {
		_, err := w.Ask(t.Context(), actors.Request{To: key("a"), Message: add{1}})
		done <- err
	}()
	if _, err := w.do(t, "a", trip{}); err != nil { // panics in a moment
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	w.journal.open()
	if err := <-done; err != nil {
		t.Fatalf("add: %v", err)
	}
}

func TestOverdueAlarmsRestoreFewActorsAtOnce(t *testing.T) {
	const all = 100 // of which 8 at once
	home := t.TempDir()
	w := start(t, home)
	for i := range all {
		if _, err := w.do(t, fmt.Sprint("a", i), remind{"x", time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.journal.Close(); err != nil {
		t.Fatal(err)
	}
	var now, most atomic.Int32
	r := &rough{restore: func(n journal.Name) error {
		if !isTimer(n) {
			if c := now.Add(1); c > most.Load() {
				most.Store(c)
			}
			time.Sleep(time.Millisecond)
			now.Add(-1)
		}
		return nil
	}}
	again := start(t, home, withRough(r), func(c *actors.Config) {
		c.Activations, c.OpenBytes = 8, 1<<30
		c.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	})
	until(t, "all have rung", func() bool { return again.OpenFiles() == all })
	if most.Load() > 8 {
		t.Fatalf("%d actors were restored at once, want at most 8", most.Load())
	}
}

func TestUnreachableHomeIsAskedOnceATurn(t *testing.T) {
	r := &rough{}
	w := start(t, t.TempDir(), withRough(r))
	var slowed atomic.Bool
	r.set(func() {
		clear(r.claims)
		r.claim = func(n journal.Name) error {
			if isTimer(n) {
				return nil
			}
			if slowed.CompareAndSwap(false, true) {
				time.Sleep(50 * time.Millisecond) // what follows becomes one turn
			}
			return journal.ErrUnavailable
		}
	})
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if _, err := w.do(t, "a", add{1}); easel.CodeOf(err) != easel.CodeUnavailable {
				t.Errorf("add: %v", err)
			}
		})
	}
	wg.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.claims["counter"] > 10 {
		t.Fatalf("40 messages asked the home %d times", r.claims["counter"])
	}
}

func TestAlarmSetAgainForgetsItsFailures(t *testing.T) {
	w := start(t, t.TempDir())
	if _, err := w.do(t, "a", remind{"panics", time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	until(t, "it has failed", func() bool { m, err := w.do(t, "a", attempts{"panics"}); return err == nil && m != total{0} })
	if _, err := w.do(t, "a", remind{"panics", time.Hour}); err != nil {
		t.Fatal(err)
	}
	if m, err := w.do(t, "a", attempts{"panics"}); err != nil || m != (total{0}) {
		t.Fatalf("attempts = %v, %v, want 0", m, err)
	}
}
