package journal

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/easelhq/easel/journal/fencing"
	"github.com/easelhq/easel/pages"
)

// bucketTerm is one ownership of one actor in a bucket: it performs what the
// machines of package fencing decide. It has no goroutine while nothing is under
// way.
type bucketTerm struct {
	b        *Bucket
	name     Name
	number   uint64
	template string        // that the first batch starts from, if this term appends it
	stop     chan struct{} // closed when the term ends

	// busy is held, over I/O, by the one that reads or changes what follows.
	busy   chan struct{}
	hold   fencing.Hold // its head is changed under mu too
	files  int          // made by this term
	hasty  bool         // what is superseded is deleted later; another process waits for the actor
	untidy bool         // something may have been left behind; see tidy

	checks checks

	mu         sync.Mutex // guards what follows
	line       *fencing.Line[waiter]
	refs       []fencing.Ref
	compacting bool
	compactAt  int           // length of refs
	idle       chan struct{} // closed when all appends are answered; nil if nobody waits
}

// waiter is one append.
type waiter struct {
	set   pages.Set
	bytes int
	begun time.Time
	done  func(error)
}

var _ Term = (*bucketTerm)(nil)

func (b *Bucket) newTerm(name Name, got fencing.Claimed) *bucketTerm {
	t := &bucketTerm{
		b: b, name: name, number: got.Number(), hold: got.Hold, refs: got.Refs,
		untidy: got.Was != "" && untidy(got.Was, got.Number()),
		stop:   make(chan struct{}), busy: make(chan struct{}, 1), compactAt: b.hooks.compactSlots,
	}
	t.line = fencing.NewLine(fencing.LineOptions[waiter]{
		Number: t.number, Nonce: got.Nonce, Established: got.Was != "", Fresh: got.Fresh(),
		Linger: b.linger, MaxSlot: maxSlot, Size: func(w waiter) int { return w.bytes },
		Payload: t.payload, Bugs: b.hooks.bugs,
	})
	return t
}

// Fresh implements Term.
func (t *bucketTerm) Fresh() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hold.Head.Last == 0 && len(t.refs) == 0
}

// enter waits until nobody else works on the actor's files.
func (t *bucketTerm) enter(ctx context.Context) (leave func(), err error) {
	select {
	case t.busy <- struct{}{}:
		return func() { <-t.busy }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Append implements Term. It never waits for the store.
func (t *bucketTerm) Append(s pages.Set, done func(error)) {
	w := waiter{set: s, bytes: 256 + len(s.Pages)*int(s.PageSize), begun: t.b.now(), done: done}
	held := t.b.held.Add(int64(w.bytes))
	t.b.metrics.held.Set(float64(held))
	refusal := t.b.open()
	t.mu.Lock()
	defer t.mu.Unlock()
	if refusal == nil && !t.line.Leaving() && held > t.b.maxHeld {
		refusal = unavailable("too much waits", errTooMuch)
	}
	t.doLocked(t.line.Append(w.begun, w, refusal))
}

var errTooMuch = errors.New("the limit of held bytes is reached")

// endLocked ends the term for good.
func (t *bucketTerm) endLocked(err error) { t.doLocked(t.line.End(err)) }

// doLocked sets going what the line wants done.
func (t *bucketTerm) doLocked(work fencing.Work[waiter]) {
	if work.Ended != nil {
		close(t.stop)
		t.b.forget(t)
		if errors.Is(work.Ended, ErrFenced) {
			t.b.metrics.fenced.Inc()
		}
		for _, r := range t.refs {
			t.b.release(r)
		}
		t.refs = nil
	}
	if work.Establish {
		t.b.spawn(t.establish)
	}
	for _, f := range work.Send {
		t.b.metrics.batches.Observe(float64(len(f.Waits)))
		t.b.spawn(func() { t.send(f) })
	}
	if work.Linger > 0 {
		t.b.spawn(func() { t.linger(work.Linger) })
	}
	if work.Deliver {
		t.b.spawn(t.deliver)
	}
	if len(work.Early) > 0 {
		t.b.spawn(func() { t.answer(work.Early, nil) })
	}
}

// retain keeps a slot's bytes for compaction if there is room for them.
func (b *Bucket) retain(r fencing.Ref) fencing.Ref {
	if b.retained.Add(int64(len(r.Body))) > retainBytes {
		b.retained.Add(-int64(len(r.Body)))
		r.Body = nil
	}
	return r
}

func (b *Bucket) release(r fencing.Ref) { b.retained.Add(-int64(len(r.Body))) }
