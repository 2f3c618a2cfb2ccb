package actors_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// heavy is a message of which two may wait on a node.
type heavy struct{}

func (heavy) MessageName() string { return "test.heavy" }
func (heavy) Weight() int         { return 30_000 }

func TestWhatWaitsOnANodeIsBounded(t *testing.T) {
	w := start(t, t.TempDir())
	w.want(t, "a", add{1}, 1)
	w.want(t, "b", add{1}, 1)
	free := make(chan struct{})
	answers := make(chan error, 10)
	ask := func(ctx context.Context, id string, m actors.Message) {
		_, err := w.Ask(ctx, actors.Request{To: key(id), Message: m})
		answers <- err
	}
	go ask(t.Context(), "a", stall{free})
	until(t, "the actor is blocked", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := w.Ask(ctx, actors.Request{To: key("a"), Message: peek{}})
		return err != nil
	})
	leaving, leave := context.WithCancel(t.Context())
	go ask(t.Context(), "a", heavy{})
	go ask(leaving, "a", heavy{})
	waiting(t, w, 60_000)
	_, err := w.Ask(t.Context(), actors.Request{To: key("b"), Message: heavy{}})
	if e, ok := errors.AsType[*easel.Error](err); !ok || e.Code != easel.CodeOverloaded || e.RetryAfter <= 0 {
		t.Errorf("one too many: %v, want overloaded with a time to retry", err)
	}
	w.want(t, "b", add{1}, 2) // what weighs little goes on
	leave()
	waiting(t, w, 30_000) // who has given up does not count
	close(free)
	for range 3 {
		<-answers
	}
	waiting(t, w, 0)
	if _, err := w.Ask(t.Context(), actors.Request{To: key("b"), Message: heavy{}}); easel.CodeOf(err) != easel.CodeInvalid {
		t.Errorf("after all were answered: %v, want what the actor says", err)
	}
}

// waiting returns once so much waits.
func waiting(t *testing.T, w *world, want int64) {
	t.Helper()
	until(t, "so much waits", func() bool { return w.Waiting() == want })
}
