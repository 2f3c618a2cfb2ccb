package journal

import (
	"context"
	"errors"

	"github.com/easelhq/easel/journal/fencing"
)

// Release implements Term. It compacts what is not covered and closes the head,
// so that the next claim finds one file and has nothing to seal. From here on
// nothing is appended, whether the head could be closed or not.
func (t *bucketTerm) Release(ctx context.Context) error { return t.giveUp(ctx, t.close) }

// HandOver implements Term. It closes the head as it is: the next owner reads the
// slots that are not covered, of which there are few, and covers them later.
func (t *bucketTerm) HandOver(ctx context.Context) error {
	return t.giveUp(ctx, func(ctx context.Context) error {
		for {
			if err := t.closeWith(ctx, nil); !errors.Is(err, fencing.ErrAdopted) {
				return err
			}
		}
	})
}

// giveUp ends the term by closing the head.
func (t *bucketTerm) giveUp(ctx context.Context, shut func(context.Context) error) error {
	if err := t.b.enter(); err != nil {
		return err
	}
	defer t.b.left()
	if err := t.drain(ctx); err != nil {
		return err
	}
	leave, err := t.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	t.mu.Lock()
	err, established := t.line.Err(), t.line.IsEstablished()
	t.mu.Unlock()
	if err != nil || !established {
		return err
	}
	err = shut(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endLocked(ErrClosed)
	return err
}

// drain refuses further appends and waits until all are answered.
func (t *bucketTerm) drain(ctx context.Context) error {
	t.mu.Lock()
	t.doLocked(t.line.Leave(t.b.now()))
	if t.line.AtRest() {
		t.mu.Unlock()
		return nil
	}
	if t.idle == nil {
		t.idle = make(chan struct{})
	}
	idle := t.idle
	t.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close writes the head that gives the ownership up. The caller holds busy.
func (t *bucketTerm) close(ctx context.Context) error {
	for {
		refs, more := t.some()
		var err error
		if more {
			_, err = t.compact(ctx, t.snapshotDue)
		} else if err = t.closeWith(ctx, refs); err == nil {
			t.tidyOnce(ctx)
			return nil
		}
		if err != nil && !errors.Is(err, fencing.ErrAdopted) {
			return err
		}
	}
}

// closeWith covers refs, all that is left, and closes the head at once. If they
// cannot be covered the closed head says how many there are.
func (t *bucketTerm) closeWith(ctx context.Context, refs []fencing.Ref) error {
	h, made := t.hold.Head, ""
	if len(refs) > 0 {
		extended, file, err := t.extend(ctx, refs, t.cheaper)
		if errors.Is(err, ErrFenced) || errors.Is(err, ErrCorrupt) {
			return err
		}
		if err == nil {
			h, made = extended, file
		} else {
			refs = nil
		}
	}
	return t.put(ctx, h.Close(t.hold.Nonce, t.end(), refs), made)
}

// end is the number of slots of a term at rest.
func (t *bucketTerm) end() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.line.Slots()
}
