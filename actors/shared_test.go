package actors_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
)

// contested is a journal that other processes could claim from. What it says of
// a counter's ownership is the test's to decide.
type contested struct {
	journal.Journal
	verdict chan error
}

func (contested) Shared() bool { return true }

func (c contested) Claim(ctx context.Context, n journal.Name) (journal.Term, error) {
	t, err := c.Journal.Claim(ctx, n)
	return c.wrap(n, t, err)
}

func (c contested) Birth(ctx context.Context, n journal.Name, tpl journal.Template) (journal.Term, error) {
	t, err := c.Journal.Birth(ctx, n, tpl)
	return c.wrap(n, t, err)
}

func (c contested) wrap(n journal.Name, t journal.Term, err error) (journal.Term, error) {
	if err != nil || !strings.HasPrefix(string(n), "counter/") {
		return t, err
	}
	return contestedTerm{t, c.verdict}, nil
}

type contestedTerm struct {
	journal.Term
	verdict chan error
}

func (t contestedTerm) Validate(ctx context.Context) error {
	select {
	case err := <-t.verdict:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestReadWaitsUntilTheOwnershipIsConfirmed(t *testing.T) {
	verdict := make(chan error, 1)
	w := start(t, t.TempDir(), func(c *actors.Config) { c.Journal = contested{c.Journal, verdict} })
	w.want(t, "a", add{5}, 5) // its own commit confirms it
	for _, read := range []actors.Message{value{}, peek{}} {
		answered := make(chan actors.Message, 1)
		go func() {
			m, _ := w.Ask(t.Context(), actors.Request{To: key("a"), Message: read})
			answered <- m
		}()
		select {
		case m := <-answered:
			t.Fatalf("%s = %v before the ownership was confirmed", read.MessageName(), m)
		case <-time.After(30 * time.Millisecond):
		}
		verdict <- nil
		if got := <-answered; got != (total{5}) {
			t.Fatalf("%s = %v, want 5", read.MessageName(), got)
		}
	}
	// Another process owns it now: the read fails, and the next one claims anew.
	verdict <- journal.ErrFenced
	if _, err := w.do(t, "a", value{}); easel.CodeOf(err) != easel.CodeUnavailable {
		t.Fatalf("read of a fenced actor: %v", err)
	}
	verdict <- nil
	w.want(t, "a", value{}, 5)
}

// TestOwnershipIsLookedAtWhileTheFileOpens: a read that opens the file asks for both
// at once, and is answered after both.
func TestOwnershipIsLookedAtWhileTheFileOpens(t *testing.T) {
	verdict, opening := make(chan error), make(chan struct{})
	w := start(t, t.TempDir(), func(c *actors.Config) {
		c.Journal = contested{c.Journal, verdict}
		c.Kinds[0].New = func(actors.Key) actors.Behavior {
			opening <- struct{}{}
			<-opening
			return &counter{}
		}
	})
	read := func(m actors.Message) chan error {
		answered := make(chan error, 1)
		go func() {
			got, err := w.do(t, "a", m)
			if err == nil && got != (total{5}) {
				t.Errorf("%s = %v, want 5", m.MessageName(), got)
			}
			answered <- err
		}()
		return answered
	}
	begin := func(m actors.Message) chan error {
		answered := read(m)
		<-opening
		return answered
	}

	answered := begin(add{5}) // its own commit confirms it
	opening <- struct{}{}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	w.sleep(t)

	answered = begin(value{})
	verdict <- nil // it is asked before the file is open
	select {
	case err := <-answered:
		t.Fatalf("answered before the file is open: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	opening <- struct{}{}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}

	// The answer may take longer than the opening.
	w.sleep(t)
	answered = begin(value{})
	opening <- struct{}{}
	select {
	case err := <-answered:
		t.Fatalf("answered before the ownership was confirmed: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	verdict <- journal.ErrFenced
	if err := <-answered; easel.CodeOf(err) != easel.CodeUnavailable {
		t.Fatalf("read of a fenced actor: %v", err)
	}
}

// sureAdd is an add that says that it may be repeated.
type sureAdd struct{ add }

func (sureAdd) Idempotent() bool { return true }

type sureCounter struct{ *counter }

func (c sureCounter) Receive(t *actors.Turn, m actors.Message) (actors.Message, error) {
	if sure, ok := m.(sureAdd); ok {
		m = sure.add
	}
	return c.counter.Receive(t, m)
}

// TestFailedLookDoesNotEndAWrite: its append says what became of it.
func TestFailedLookDoesNotEndAWrite(t *testing.T) {
	verdict := make(chan error)
	w := start(t, t.TempDir(), func(c *actors.Config) {
		c.Journal = contested{c.Journal, verdict}
		c.Kinds[0].New = func(actors.Key) actors.Behavior { return sureCounter{&counter{}} }
	})
	for n := int64(1); n <= 3; n++ {
		w.journal.hold() // so that the look is mostly answered first
		answered := make(chan error, 1)
		go func() {
			got, err := w.do(t, "a", sureAdd{add{1}})
			if err == nil && got != (total{n}) {
				t.Errorf("%v after %d", got, n)
			}
			answered <- err
		}()
		verdict <- journal.ErrUnavailable
		w.journal.open()
		if err := <-answered; err != nil {
			t.Fatal(err)
		}
		w.sleep(t)
	}
}

// sleep releases all actors.
func (w *world) sleep(t *testing.T) {
	t.Helper()
	w.clock.forward(time.Hour)
	w.Sweep(w.clock.now())
	until(t, "all actors are released", func() bool { return w.Running() == 0 })
}
