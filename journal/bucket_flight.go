package journal

import (
	"context"
	"errors"
	"time"

	"github.com/easelhq/easel/pages"
)

// pumpLocked sends what waits, as far as the window allows.
func (t *bucketTerm) pumpLocked() {
	if t.err != nil || len(t.in.waiting) == 0 {
		return
	}
	if !t.established {
		if !t.establishing {
			t.establishing = true
			t.b.spawn(t.establish)
		}
		return
	}
	for len(t.in.waiting) > 0 && t.out.flying < slotWindow {
		if t.lingerLocked() {
			return
		}
		f, err := t.freezeLocked()
		if err != nil {
			t.out.line = append(t.out.line, f)
			t.endLocked(err)
			return
		}
		t.out.line = append(t.out.line, f)
		t.out.flying++
		t.b.spawn(func() { t.send(f) })
	}
}

// lingerLocked reports whether what waits shall wait longer for company.
func (t *bucketTerm) lingerLocked() bool {
	if t.b.linger <= 0 || t.leaving || t.in.bytes >= maxSlot || t.b.open() != nil {
		return false
	}
	left := min(t.b.linger, t.b.linger-t.b.now().Sub(t.in.since))
	if left <= 0 {
		return false
	}
	if !t.in.lingering {
		t.in.lingering = true
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
			t.in.lingering = false
			t.pumpLocked()
		})
	}
	return true
}

// freezeLocked makes the next slot of what waits. Its bytes never change again.
func (t *bucketTerm) freezeLocked() (*flight, error) {
	n, bytes := 0, 0
	for n < len(t.in.waiting) && (n == 0 || bytes+t.in.waiting[n].bytes <= maxSlot) {
		bytes += t.in.waiting[n].bytes
		n++
	}
	f := &flight{seq: t.out.next, waits: t.in.waiting[:n:n]}
	t.in.waiting = t.in.waiting[n:]
	t.in.bytes -= bytes
	t.in.since = t.b.now()
	sets := make([]pages.Set, n)
	for i, w := range f.waits {
		sets[i] = w.set
		f.waits[i].set = pages.Set{}
	}
	set, err := pages.Merge(sets...)
	if err != nil {
		return f, err
	}
	facts := slotFacts{Kind: slotData, Prev: t.out.sum, Term: t.number, Seq: t.out.next, Nonce: t.nonce, Watermark: t.out.durable}
	var prefix []byte
	if t.out.next == 0 && t.head.Last == 0 && len(t.refs) == 0 {
		facts.Kind, prefix = slotBirth, templateBytes(t.template)
	}
	e := t.b.encoders.Get().(*pages.Encoder)
	payload, err := e.Encode(prefix, set)
	t.b.encoders.Put(e)
	if err != nil {
		return f, err
	}
	f.body, t.out.sum = encodeSlot(facts, payload)
	t.out.next++
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
	t.out.flying--
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
	if t.out.delivering || len(t.out.line) == 0 {
		return
	}
	t.out.delivering = true
	t.b.spawn(t.deliver)
}

// deliver answers those at the front of the line, in order.
func (t *bucketTerm) deliver() {
	for {
		t.mu.Lock()
		if len(t.out.line) == 0 || !t.out.line[0].durable && t.err == nil {
			t.out.delivering = false
			t.restLocked()
			t.mu.Unlock()
			return
		}
		f := t.out.line[0]
		t.out.line = t.out.line[1:]
		waits := f.waits
		f.waits = nil
		var err error
		if f.durable && !t.out.broken {
			t.landedLocked(f)
		} else {
			// Also if it is durable: what comes after a gap is no history.
			t.out.broken, err = true, t.err
		}
		t.pumpLocked()
		t.mu.Unlock()
		t.answer(waits, err)
	}
}

// landedLocked notes a slot that is durable, as are all before it.
func (t *bucketTerm) landedLocked(f *flight) {
	t.out.durable = f.seq + 1
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
	return len(t.out.line) == 0 && len(t.in.waiting) == 0 && !t.out.delivering
}
