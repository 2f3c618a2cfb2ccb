package actors_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNothingIsShownBeforeItIsDurable(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{1}, 1)
	w.journal.hold()
	answered := make(chan error, 1)
	go func() {
		_, err := w.Ask(t.Context(), actors.Request{To: key("a"), Message: add{2}})
		answered <- err
	}()
	read := make(chan actors.Message, 1)
	until(t, "the turn is done", func() bool {
		// A read from memory is gated as soon as memory is ahead of the journal.
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := w.Ask(ctx, actors.Request{To: key("a"), Message: peek{}})
		return err != nil
	})
	go func() {
		m, _ := w.Ask(t.Context(), actors.Request{To: key("a"), Message: value{}})
		read <- m
	}()
	w.want(t, "a", heard{}, 1)
	select {
	case err := <-answered:
		t.Fatalf("answered (%v) before durable", err)
	case m := <-read:
		t.Fatalf("read %v before durable", m)
	case <-time.After(30 * time.Millisecond):
	}
	w.journal.open()
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != (total{3}) {
		t.Fatalf("read = %v, want 3", got)
	}
	w.want(t, "a", heard{}, 3)
}

func TestReadOfDurableStateIsUngated(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{1}, 1)
	w.want(t, "a", peek{}, 1)
}

func TestStateSurvivesACrash(t *testing.T) {
	home := t.TempDir()
	w := start(t, home)
	for i := range int64(100) {
		w.want(t, "a", add{1}, i+1)
	}
	// The crash: the home is taken away; what the system still wants is lost.
	if err := w.journal.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, home)
	again.want(t, "a", value{}, 100)
	again.want(t, "a", add{1}, 101)
}

func TestFailedMessageLeavesNothing(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{1}, 1)
	// All in one turn: they wait while commits are held up.
	w.journal.hold()
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			m := actors.Message(add{1})
			if i%2 == 0 {
				m = fail{easel.CodeConflict}
			}
			_, err := w.Ask(t.Context(), actors.Request{To: key("a"), Message: m})
			if got := easel.CodeOf(err); i%2 == 0 && got != easel.CodeConflict || i%2 == 1 && got != "" {
				t.Errorf("%s: %v", m.MessageName(), err)
			}
		})
	}
	time.AfterFunc(20*time.Millisecond, w.journal.open)
	wg.Wait()
	w.want(t, "a", value{}, 21)
	w.want(t, "a", peek{}, 21)
	w.want(t, "a", heard{}, 21)
	if got, err := w.do(t, "a", rang{}); err != nil || got != (rang{""}) {
		t.Fatalf("rang = %v, %v: an alarm of an undone message was called", got, err)
	}
}

func TestPanicKeepsTheState(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{5}, 5)
	for range 3 {
		if _, err := w.do(t, "a", explode{}); easel.CodeOf(err) != easel.CodeInternal {
			t.Fatalf("explode: %v", err)
		}
		w.want(t, "a", peek{}, 5)
	}
	w.want(t, "a", add{1}, 6)
	w.want(t, "a", value{}, 6)
}

func TestPanicWithinABatchKeepsTheOthers(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{1}, 1)
	w.journal.hold()
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			m := actors.Message(add{1})
			if i%3 == 0 {
				m = explode{}
			}
			_, err := w.Ask(t.Context(), actors.Request{To: key("a"), Message: m})
			if i%3 != 0 && err != nil {
				t.Errorf("add: %v", err)
			}
		})
	}
	time.AfterFunc(20*time.Millisecond, w.journal.open)
	wg.Wait()
	w.want(t, "a", value{}, 21)
	w.want(t, "a", heard{}, 21)
}

func TestOnce(t *testing.T) {
	home := t.TempDir()
	w := start(t, home)
	once := actors.Once{ID: "k1", Hash: "h"}
	for range 3 {
		if got, err := w.once(t, "a", add{7}, once); err != nil || got != (total{7}) {
			t.Fatalf("add = %v, %v, want 7", got, err)
		}
	}
	if _, err := w.once(t, "a", add{7}, actors.Once{ID: "k1", Hash: "other"}); easel.CodeOf(err) != easel.CodeInvalid {
		t.Fatalf("same id, other hash: %v", err)
	}
	// A permanent error is a verdict, a temporary one is not.
	if _, err := w.once(t, "a", fail{easel.CodeConflict}, actors.Once{ID: "k2"}); easel.CodeOf(err) != easel.CodeConflict {
		t.Fatalf("fail: %v", err)
	}
	if _, err := w.once(t, "a", add{1}, actors.Once{ID: "k2"}); easel.CodeOf(err) != easel.CodeConflict {
		t.Fatalf("repeat of a verdict: %v", err)
	}
	if _, err := w.once(t, "a", fail{easel.CodeUnavailable}, actors.Once{ID: "k3"}); easel.CodeOf(err) != easel.CodeUnavailable {
		t.Fatalf("fail: %v", err)
	}
	if got, err := w.once(t, "a", add{1}, actors.Once{ID: "k3"}); err != nil || got != (total{8}) {
		t.Fatalf("after a temporary error = %v, %v, want 8", got, err)
	}
	if err := w.journal.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, home)
	if got, err := again.once(t, "a", add{7}, once); err != nil || got != (total{7}) {
		t.Fatalf("repeat after a crash = %v, %v, want 7", got, err)
	}
	again.want(t, "a", value{}, 8)
}

// TestVerdictIsKeptForADay: and no longer, also of an actor that has dropped old ones
// meanwhile.
func TestVerdictIsKeptForADay(t *testing.T) {
	w := start(t, t.TempDir())
	once := func(id string) total {
		t.Helper()
		got, err := w.once(t, "a", add{1}, actors.Once{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		return got.(total)
	}
	first := once("first")
	w.clock.forward(24*time.Hour - time.Minute)
	for i := range 300 { // more than are stored between two looks at old ones
		once(fmt.Sprint("k", i))
	}
	w.Sweep(w.clock.now().Add(time.Hour)) // the next activation looks for old ones, too
	if got := once("first"); got != first {
		t.Errorf("repeated within a day, it is answered %v, not %v", got, first)
	}
	w.clock.forward(2 * time.Minute)
	if got := once("first"); got == first {
		t.Errorf("repeated after a day, it is answered %v again", got)
	}
}

func TestFullMailboxRefusesAndOthersGoOn(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{1}, 1)
	w.journal.hold()
	overloaded := make(chan error, 500)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 500 {
		wg.Go(func() {
			_, err := w.Ask(ctx, actors.Request{To: key("a"), Message: add{1}})
			overloaded <- err
		})
	}
	err := <-overloaded
	e, ok := errors.AsType[*easel.Error](err)
	if !ok || e.Code != easel.CodeOverloaded || e.RetryAfter <= 0 {
		t.Fatalf("first answer = %v, want overloaded with a time to retry", err)
	}
	// Another actor is not held up by the mailbox, only its own commit is.
	w.want(t, "b", heard{}, 1)
	cancel()
	w.journal.open()
	wg.Wait()
}

func TestUnbornActorIsNotFoundAndLeavesNothing(t *testing.T) {
	w := start(t, t.TempDir())
	for i := range 50 {
		if _, err := w.do(t, fmt.Sprintf("x%d", i), value{}); easel.CodeOf(err) != easel.CodeNotFound {
			t.Fatalf("value: %v", err)
		}
	}
	until(t, "nothing runs", func() bool { return w.Running() == 0 })
}

func TestFailedBirthLeavesNothing(t *testing.T) {
	w := start(t, t.TempDir())
	if _, err := w.do(t, "a", fail{easel.CodeInvalid}); easel.CodeOf(err) != easel.CodeInvalid {
		t.Fatalf("fail: %v", err)
	}
	if _, err := w.do(t, "a", value{}); easel.CodeOf(err) != easel.CodeNotFound {
		t.Fatalf("value of an actor whose birth failed: %v", err)
	}
	w.want(t, "a", add{1}, 1)
}

func TestAppendFailureIsUnknownThenConsistent(t *testing.T) {
	for _, cause := range []error{journal.ErrUnavailable, journal.ErrFenced} {
		t.Run(cause.Error(), func(t *testing.T) {
			w := start(t, t.TempDir())
			w.want(t, "a", add{1}, 1)
			w.journal.fail(cause)
			if _, err := w.do(t, "a", add{1}); easel.CodeOf(err) != easel.CodeUnavailable {
				t.Fatalf("add: %v", err)
			}
			w.journal.fail(nil)
			w.want(t, "a", value{}, 1)
			w.want(t, "a", add{1}, 2)
			w.want(t, "a", heard{}, 2)
		})
	}
}

func TestIdleActorsCloseAndLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	w := start(t, t.TempDir(), func(c *actors.Config) { c.Dir = dir })
	for i := range 20 {
		w.want(t, fmt.Sprint("a", i), add{1}, 1)
	}
	if got := w.OpenFiles(); got != 20 {
		t.Fatalf("open = %d, want 20", got)
	}
	w.clock.forward(time.Minute)
	w.Sweep(w.clock.now())
	until(t, "files are closed", func() bool { return w.OpenFiles() == 0 })
	if got := w.Running(); got != 20 {
		t.Fatalf("owned = %d, want 20", got)
	}
	w.want(t, "a3", add{1}, 2)
	w.clock.forward(time.Hour)
	w.Sweep(w.clock.now())
	until(t, "actors are released", func() bool { return w.Running() == 0 })
	left, err := filepath.Glob(filepath.Join(dir, "counter", "*", "*"))
	if err != nil || len(left) > 0 {
		t.Fatalf("working copies left: %v, %v", left, err)
	}
	w.want(t, "a3", value{}, 2)
}

func TestOpenFilesAreBounded(t *testing.T) {
	w := start(t, t.TempDir(), func(c *actors.Config) { c.OpenBytes = 1 })
	for i := range 10 {
		w.want(t, fmt.Sprint("a", i), add{1}, 1)
	}
	w.Sweep(w.clock.now())
	until(t, "files are closed", func() bool { return w.OpenFiles() == 0 })
	w.want(t, "a1", value{}, 1)
}

func TestWorkComesBackAsAMessage(t *testing.T) {
	w := start(t, t.TempDir())
	if _, err := w.do(t, "a", workFor{4}); err != nil {
		t.Fatal(err)
	}
	// The turn that asked for work wrote nothing: the actor was never born.
	until(t, "the work came back", func() bool {
		got, _ := w.do(t, "a", value{})
		return got == total{4}
	})
}

func TestToldMessageOutlivesTheAsker(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "b", add{1}, 1)
	for i := range int64(20) {
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := w.Ask(ctx, actors.Request{To: key("a"), Message: add{1}}); err != nil {
			t.Fatal(err)
		}
		// The other actor is busy until after the asker has gone.
		w.journal.hold()
		if _, err := w.Ask(ctx, actors.Request{To: key("a"), Message: pass{"b", 1}}); err != nil {
			t.Fatal(err)
		}
		cancel()
		w.journal.open()
		until(t, "it arrives", func() bool {
			got, err := w.do(t, "b", value{})
			return err == nil && got == total{i + 2}
		})
	}
}

func TestManyWritersLoseNothing(t *testing.T) {
	home := t.TempDir()
	w := start(t, home)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				id := fmt.Sprint("a", (g+i)%4)
				for {
					_, err := w.Ask(t.Context(), actors.Request{To: key(id), Message: add{1}})
					if err == nil {
						break
					}
					if easel.CodeOf(err) != easel.CodeOverloaded {
						t.Errorf("add: %v", err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if err := w.journal.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, home)
	var sum int64
	for i := range 4 {
		m, err := again.do(t, fmt.Sprint("a", i), value{})
		if err != nil {
			t.Fatal(err)
		}
		sum += m.(total).N
	}
	if sum != 400 {
		t.Fatalf("sum = %d, want 400", sum)
	}
}

func TestStopRefusesAndReleases(t *testing.T) {
	home := t.TempDir()
	w := start(t, home)
	w.want(t, "a", add{1}, 1)
	if err := w.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.do(t, "a", value{}); easel.CodeOf(err) != easel.CodeUnavailable {
		t.Fatalf("after Stop: %v", err)
	}
}
