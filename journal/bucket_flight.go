package journal

import (
	"context"
	"time"

	"github.com/easelhq/easel/journal/fencing"
	"github.com/easelhq/easel/pages"
)

// payload makes the content of a slot: what waits, merged.
func (t *bucketTerm) payload(birth bool, batch []waiter) ([]byte, error) {
	sets := make([]pages.Set, len(batch))
	for i, w := range batch {
		sets[i] = w.set
		batch[i].set = pages.Set{}
	}
	set, err := pages.Merge(sets...)
	if err != nil {
		return nil, err
	}
	var prefix []byte
	if birth {
		prefix = templateBytes(t.template)
	}
	e := t.b.encoders.Get().(*pages.Encoder)
	defer t.b.encoders.Put(e)
	return e.Encode(prefix, set)
}

// linger wakes the line after d, or sooner if there is no time left.
func (t *bucketTerm) linger(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.stop:
	case <-t.b.life.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.doLocked(t.line.Wake(t.b.now(), t.b.open() != nil))
}

// establish makes the head of an actor that had none.
func (t *bucketTerm) establish() {
	ctx := context.Background() // the append is nobody's request
	leave, err := t.enter(ctx)
	if err == nil {
		defer leave()
		err = t.first(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.doLocked(t.line.Established(t.b.now(), err))
}

// first writes the first head of an actor. The caller holds busy.
func (t *bucketTerm) first(ctx context.Context) error {
	h := t.hold.First(t.b.owner)
	w, err := t.hold.Write(h)
	if err != nil {
		return err
	}
	var a fencing.Answer
	a.Version, a.Err = t.b.write(ctx, t.stop, w)
	if a.Err != nil {
		return a.Err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hold.Wrote(h, "", nil, a).Err
}

func (t *bucketTerm) send(f *fencing.Flight[waiter]) {
	key := t.b.logKey(t.name, t.number, t.hold.Nonce) + fencing.SlotName(f.Seq)
	err := t.b.putOnce(context.Background(), t.stop, key, f.Body)
	if err == nil {
		t.b.metrics.bytes.Add(float64(len(f.Body)))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.doLocked(t.line.Sent(t.b.now(), f, err))
}

// deliver answers what is decided, in order.
func (t *bucketTerm) deliver() {
	for {
		t.mu.Lock()
		d, work, ok := t.line.Deliver(t.b.now())
		t.doLocked(work)
		if !ok {
			t.restLocked()
			t.mu.Unlock()
			return
		}
		if d.Landed != nil {
			t.landedLocked(d.Landed)
		}
		t.mu.Unlock()
		t.answer(d.Waits, d.Err)
	}
}

// landedLocked notes a slot that is durable, as are all before it.
func (t *bucketTerm) landedLocked(f *fencing.Flight[waiter]) {
	t.refs = append(t.refs, t.b.retain(fencing.Ref{
		Term: t.number, Nonce: t.hold.Nonce, Seq: f.Seq, Size: len(f.Body), Body: f.Body,
	}))
	if len(t.refs) >= t.compactAt {
		t.compactSoonLocked()
	}
}

func (t *bucketTerm) compactSoonLocked() {
	if !t.compacting && !t.line.Leaving() && t.b.open() == nil {
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
	if t.idle != nil && t.line.AtRest() {
		close(t.idle)
		t.idle = nil
	}
}
