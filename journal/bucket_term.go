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

	waiting    []waiter
	bytes      int       // of waiting
	since      time.Time // when waiting began to fill
	lingering  bool
	next       uint64 // seq of the next slot
	sum        uint32 // that ended the last slot made
	durable    uint64 // slots that are durable, without a gap
	flying     int    // slots under way
	line       []*flight
	delivering bool
	broken     bool          // a slot was answered with an error
	idle       chan struct{} // closed when all appends are answered; nil if nobody waits
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
		if len(t.waiting) == 0 {
			t.since = w.begun
		}
		t.waiting = append(t.waiting, w)
		t.bytes += w.bytes
		t.pumpLocked()
		return
	}
	t.refuseLocked(t.err, w)
}

var errTooMuch = errors.New("the limit of held bytes is reached")

// refuseLocked answers an append after all before it.
func (t *bucketTerm) refuseLocked(err error, w waiter) {
	t.endLocked(err)
	t.line = append(t.line, &flight{waits: []waiter{w}})
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
	if len(t.waiting) > 0 {
		t.line = append(t.line, &flight{waits: t.waiting})
		t.waiting, t.bytes = nil, 0
	}
	for _, r := range t.refs {
		t.b.release(r)
	}
	t.refs = nil
	t.deliverLocked()
}

// pumpLocked sends what waits, as far as the window allows.
func (t *bucketTerm) pumpLocked() {
	if t.err != nil || len(t.waiting) == 0 {
		return
	}
	if !t.established {
		if !t.establishing {
			t.establishing = true
			t.b.spawn(t.establish)
		}
		return
	}
	for len(t.waiting) > 0 && t.flying < slotWindow {
		if t.lingerLocked() {
			return
		}
		f, err := t.freezeLocked()
		if err != nil {
			t.line = append(t.line, f)
			t.endLocked(err)
			return
		}
		t.line = append(t.line, f)
		t.flying++
		t.b.spawn(func() { t.send(f) })
	}
}

// lingerLocked reports whether what waits shall wait longer for company.
func (t *bucketTerm) lingerLocked() bool {
	if t.b.linger <= 0 || t.leaving || t.bytes >= maxSlot || t.b.open() != nil {
		return false
	}
	left := min(t.b.linger, t.b.linger-t.b.now().Sub(t.since))
	if left <= 0 {
		return false
	}
	if !t.lingering {
		t.lingering = true
		t.b.spawn(func() {
			timer := time.NewTimer(left)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-t.stop:
			case <-t.b.life.Done():
			}
			t.mu.Lock()
			defer t.mu.Unlock()
			t.lingering = false
			t.pumpLocked()
		})
	}
	return true
}

// freezeLocked makes the next slot of what waits. Its bytes never change again.
func (t *bucketTerm) freezeLocked() (*flight, error) {
	n, bytes := 0, 0
	for n < len(t.waiting) && (n == 0 || bytes+t.waiting[n].bytes <= maxSlot) {
		bytes += t.waiting[n].bytes
		n++
	}
	f := &flight{seq: t.next, waits: t.waiting[:n:n]}
	t.waiting = t.waiting[n:]
	t.bytes -= bytes
	t.since = t.b.now()
	sets := make([]pages.Set, n)
	for i, w := range f.waits {
		sets[i] = w.set
		f.waits[i].set = pages.Set{}
	}
	set, err := pages.Merge(sets...)
	if err != nil {
		return f, err
	}
	facts := slotFacts{Kind: slotData, Prev: t.sum, Term: t.number, Seq: t.next, Nonce: t.nonce, Watermark: t.durable}
	var prefix []byte
	if t.next == 0 && t.head.Last == 0 && len(t.refs) == 0 {
		facts.Kind, prefix = slotBirth, templateBytes(t.template)
	}
	e := t.b.encoders.Get().(*pages.Encoder)
	payload, err := e.Encode(prefix, set)
	t.b.encoders.Put(e)
	if err != nil {
		return f, err
	}
	f.body, t.sum = encodeSlot(facts, payload)
	t.next++
	t.b.metrics.batches.Observe(float64(n))
	return f, nil
}

// establish makes the head of an actor that had none.
func (t *bucketTerm) establish() {
	ctx := context.Background() // the append is nobody's request
	leave, err := t.enter(ctx)
	if err == nil {
		defer leave()
		h := bucketHead{
			Name: t.name, State: stateLive, Term: t.number, Nonce: t.nonce, Owner: t.b.owner,
			Chain: []logTerm{{Term: t.number, Nonce: t.nonce}},
		}
		t.version, err = t.b.casHead(ctx, t.stop, h, "")
		if err == nil {
			t.mu.Lock()
			t.head = h
			t.mu.Unlock()
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, lost := errors.AsType[*errMoved](err); lost {
		err = ErrFenced // another gave birth to it, or erased it
	}
	if err != nil {
		t.endLocked(err)
		return
	}
	t.established = true
	t.pumpLocked()
}

func (t *bucketTerm) send(f *flight) {
	key := t.b.logKey(t.name, t.number, t.nonce) + slotName(f.seq)
	err := t.b.putOnce(context.Background(), t.stop, key, f.body)
	if _, clash := errors.AsType[*taken](err); clash {
		err = ErrFenced
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flying--
	if err != nil {
		t.endLocked(err)
		return
	}
	f.durable = true
	t.b.metrics.bytes.Add(float64(len(f.body)))
	if t.b.hooks.ackOutOfOrder {
		early := f.waits
		f.waits = nil
		t.b.spawn(func() { t.answer(early, nil) })
	}
	t.pumpLocked()
	t.deliverLocked()
}

// deliverLocked sees to it that what is decided is answered.
func (t *bucketTerm) deliverLocked() {
	if t.delivering || len(t.line) == 0 {
		return
	}
	t.delivering = true
	t.b.spawn(t.deliver)
}

// deliver answers those at the front of the line, in order.
func (t *bucketTerm) deliver() {
	for {
		t.mu.Lock()
		if len(t.line) == 0 || !t.line[0].durable && t.err == nil {
			t.delivering = false
			t.restLocked()
			t.mu.Unlock()
			return
		}
		f := t.line[0]
		t.line = t.line[1:]
		waits := f.waits
		f.waits = nil
		var err error
		if f.durable && !t.broken {
			t.landedLocked(f)
		} else {
			// Also if it is durable: what comes after a gap is no history.
			t.broken, err = true, t.err
		}
		t.pumpLocked()
		t.mu.Unlock()
		t.answer(waits, err)
	}
}

// landedLocked notes a slot that is durable, as are all before it.
func (t *bucketTerm) landedLocked(f *flight) {
	t.durable = f.seq + 1
	if t.err != nil {
		return
	}
	t.refs = append(t.refs, t.b.retain(slotRef{
		term: t.number, nonce: t.nonce, seq: f.seq, size: len(f.body), body: f.body,
	}))
	if len(t.refs) >= t.compactAt {
		t.compactSoonLocked()
	}
}

func (t *bucketTerm) compactSoonLocked() {
	if !t.compacting && !t.leaving && t.b.open() == nil {
		t.compacting = true
		t.b.spawn(t.compactLater)
	}
}

func (t *bucketTerm) answer(waits []waiter, err error) {
	for _, w := range waits {
		held := t.b.held.Add(-int64(w.bytes))
		t.b.metrics.held.Set(float64(held))
		if err == nil {
			t.b.metrics.appends.Observe(t.b.now().Sub(w.begun).Seconds())
		}
		w.done(err)
	}
}

// restLocked tells those who wait for all appends to be answered.
func (t *bucketTerm) restLocked() {
	if t.idle != nil && t.atRestLocked() {
		close(t.idle)
		t.idle = nil
	}
}

func (t *bucketTerm) atRestLocked() bool {
	return len(t.line) == 0 && len(t.waiting) == 0 && !t.delivering
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
