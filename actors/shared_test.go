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
