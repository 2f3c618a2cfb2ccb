package journal

import (
	"context"
	"errors"
	"slices"

	"github.com/easelhq/easel/journal/fencing"
)

// Release implements Term. It compacts what is not covered and closes the head,
// so that the next claim finds one file and has nothing to seal. From here on
// nothing is appended, whether the head could be closed or not.
func (t *bucketTerm) Release(ctx context.Context) error { return t.giveUp(ctx, t.close) }

// handOverSlots is how many slots the next owner may have to read one by one.
const handOverSlots = 8

// HandOver implements Term. It merges slots only if they are many and in memory, reads
// nothing, and deletes what it supersedes when the next owner has long begun.
func (t *bucketTerm) HandOver(ctx context.Context) error {
	return t.giveUp(ctx, func(ctx context.Context) error {
		t.hasty = true
		never := func(fencing.Head, headFile) bool { return false }
		for {
			if err := t.closeWith(ctx, t.handy(), never); !errors.Is(err, fencing.ErrAdopted) {
				return err
			}
		}
	})
}

// handy returns the batches that files do not cover if it is cheaper to merge them than
// to leave them to the next owner.
func (t *bucketTerm) handy() []fencing.Ref {
	refs, more := t.some()
	if more || len(refs) <= handOverSlots || len(t.hold.Head.L1) >= maxMerges ||
		slices.ContainsFunc(refs, func(r fencing.Ref) bool { return r.Body == nil }) {
		return nil
	}
	return refs
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
		} else if err = t.closeWith(ctx, refs, t.cheaper); err == nil {
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
func (t *bucketTerm) closeWith(ctx context.Context, refs []fencing.Ref, due func(fencing.Head, headFile) bool) error {
	h, made := t.hold.Head, ""
	if len(refs) > 0 {
		extended, file, err := t.extend(ctx, refs, due)
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

// removeLater deletes objects that nobody needs any more, in its own time; Close waits
// for it. What it cannot delete is found by whoever tidies the actor next.
func (b *Bucket) removeLater(name Name, keys []string) {
	if len(keys) == 0 || b.enter() != nil {
		return
	}
	go func() {
		defer b.left()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(b.life), b.deadline)
		defer cancel()
		if err := b.remove(ctx, keys); err != nil {
			b.log.DebugContext(ctx, "superseded objects were not all deleted", "actor", name, "err", err)
		}
	}()
}
