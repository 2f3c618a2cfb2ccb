package journal

import (
	"context"
	"errors"
	"sync"

	"github.com/easelhq/easel/journal/fencing"
)

// checks are looks at the head that answer all who waited when they began.
type checks struct {
	mu    sync.Mutex // guards what follows
	looks fencing.Looks[chan error]
}

// Validate implements Term. It asks the store once for all who wait.
func (t *bucketTerm) Validate(ctx context.Context) error {
	if err := t.b.open(); err != nil {
		return err
	}
	t.mu.Lock()
	err := t.line.Err()
	t.mu.Unlock()
	if err != nil {
		return err
	}
	answer := make(chan error, 1) // exactly one comes
	t.checks.mu.Lock()
	if t.checks.looks.Ask(answer) {
		t.b.spawn(t.check)
	}
	t.checks.mu.Unlock()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *bucketTerm) check() {
	for again := true; again; {
		err := t.validate(t.b.life)
		var answered []chan error
		t.checks.mu.Lock()
		answered, again = t.checks.looks.Done()
		t.checks.mu.Unlock()
		for _, answer := range answered {
			answer <- err
		}
	}
}

func (t *bucketTerm) validate(ctx context.Context) error {
	t.mu.Lock()
	established := t.line.IsEstablished() // as it was before the look
	t.mu.Unlock()
	a := t.b.perform(ctx, fencing.Get{Key: t.b.headKey(t.name)})
	err := t.b.judged(t.name, t.hold.Valid(established, a))
	t.mu.Lock()
	defer t.mu.Unlock()
	if ended := t.line.Err(); ended != nil {
		return ended
	}
	if errors.Is(err, ErrFenced) || errors.Is(err, ErrCorrupt) {
		t.endLocked(err)
	}
	return err
}
