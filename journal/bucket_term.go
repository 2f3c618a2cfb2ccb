package journal

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/pages"
)

// bucketTerm is one ownership of one actor in a bucket. It has no goroutine
// while nothing is under way.
type bucketTerm struct {
	b        *Bucket
	name     Name
	number   uint64
	nonce    string
	template string        // that the first batch starts from, if this term appends it
	stop     chan struct{} // closed when the term ends

	// busy is held, over I/O, by the one that reads or changes what follows.
	busy    chan struct{}
	head    bucketHead // as last written by this term
	version blob.Version
	fences  []fence // of older terms
	files   int     // made by this term
	untidy  bool    // something may have been left behind; see tidy

	checks checks

	mu sync.Mutex // guards what follows
	// established: the head names this term. Until then nothing is appended.
	established  bool
	establishing bool
	err          error // why the term has ended
	leaving      bool  // Release was called
	refs         []slotRef
	compacting   bool
	compactAt    int // length of refs

	in   inbox
	out  outbox
	idle chan struct{} // closed when all appends are answered; nil if nobody waits
}

// inbox is appends that are in no slot yet.
type inbox struct {
	waiting   []waiter
	bytes     int       // of waiting
	since     time.Time // when waiting began to fill
	lingering bool
}

// outbox is the term's slots.
type outbox struct {
	next       uint64 // seq of the next slot
	sum        uint32 // that ended the last slot made
	durable    uint64 // slots that are durable, without a gap
	flying     int    // slots under way
	line       []*flight
	delivering bool
	broken     bool // a slot was answered with an error
}

// waiter is one append.
type waiter struct {
	set   pages.Set
	bytes int
	begun time.Time
	done  func(error)
}

// flight is a slot on its way, or appends that never became one. Flights are
// answered in the order in which they are in line.
type flight struct {
	seq     uint64
	body    []byte
	durable bool
	waits   []waiter
}

var _ Term = (*bucketTerm)(nil)

func (b *Bucket) newTerm(name Name, number uint64, nonce string) *bucketTerm {
	return &bucketTerm{
		b: b, name: name, number: number, nonce: nonce,
		stop: make(chan struct{}), busy: make(chan struct{}, 1), compactAt: b.hooks.compactSlots,
	}
}

// Fresh implements Term.
func (t *bucketTerm) Fresh() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head.Last == 0 && len(t.refs) == 0
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
	closed := t.b.open()
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.err != nil:
	case closed != nil || t.leaving:
		t.refuseLocked(ErrClosed, w)
		return
	case held > t.b.maxHeld:
		t.endLocked(unavailable("too much waits", errTooMuch))
	default:
		if len(t.in.waiting) == 0 {
			t.in.since = w.begun
		}
		t.in.waiting = append(t.in.waiting, w)
		t.in.bytes += w.bytes
		t.pumpLocked()
		return
	}
	t.refuseLocked(t.err, w)
}

var errTooMuch = errors.New("the limit of held bytes is reached")

// refuseLocked answers an append after all before it.
func (t *bucketTerm) refuseLocked(err error, w waiter) {
	t.endLocked(err)
	t.out.line = append(t.out.line, &flight{waits: []waiter{w}})
	t.deliverLocked()
}

// endLocked ends the term for good. What is under way may still become durable,
// but is answered with err unless it already is.
func (t *bucketTerm) endLocked(err error) {
	if t.err != nil {
		return
	}
	t.err = err
	close(t.stop)
	t.b.forget(t)
	if errors.Is(err, ErrFenced) {
		t.b.metrics.fenced.Inc()
	}
	if len(t.in.waiting) > 0 {
		t.out.line = append(t.out.line, &flight{waits: t.in.waiting})
		t.in.waiting, t.in.bytes = nil, 0
	}
	for _, r := range t.refs {
		t.b.release(r)
	}
	t.refs = nil
	t.deliverLocked()
}

// retain keeps a slot's bytes for compaction if there is room for them.
func (b *Bucket) retain(r slotRef) slotRef {
	if b.retained.Add(int64(len(r.body))) > retainBytes {
		b.retained.Add(-int64(len(r.body)))
		r.body = nil
	}
	return r
}

func (b *Bucket) release(r slotRef) { b.retained.Add(-int64(len(r.body))) }
