package journal

import (
	"context"
	"errors"
	"sync"

	"github.com/easelhq/easel/blob"
)

// checks are looks at the head that answer all who waited when they began.
type checks struct {
	mu      sync.Mutex // guards what follows
	running bool
	next    *check // of those who came after the running one began
}

type check struct {
	done chan struct{} // closed when err is set
	err  error
}

// Validate implements Term. It asks the store once for all who wait.
func (t *bucketTerm) Validate(ctx context.Context) error {
	if err := t.b.open(); err != nil {
		return err
	}
	t.mu.Lock()
	err := t.err
	t.mu.Unlock()
	if err != nil {
		return err
	}
	t.checks.mu.Lock()
	if t.checks.next == nil {
		t.checks.next = &check{done: make(chan struct{})}
	}
	c := t.checks.next
	if !t.checks.running {
		t.checks.running = true
		t.b.spawn(t.check)
	}
	t.checks.mu.Unlock()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *bucketTerm) check() {
	for {
		t.checks.mu.Lock()
		c := t.checks.next
		t.checks.next = nil
		t.checks.running = c != nil
		t.checks.mu.Unlock()
		if c == nil {
			return
		}
		c.err = t.validate(t.b.life)
		close(c.done)
	}
}

func (t *bucketTerm) validate(ctx context.Context) error {
	t.mu.Lock()
	established := t.established
	t.mu.Unlock()
	if !established {
		_, _, err := t.b.get(ctx, t.b.headKey(t.name))
		if errors.Is(err, blob.ErrNotFound) {
			return nil // nobody was born
		}
	}
	err := t.own(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return t.err
	}
	if errors.Is(err, ErrFenced) || errors.Is(err, ErrCorrupt) {
		t.endLocked(err)
	}
	return err
}
