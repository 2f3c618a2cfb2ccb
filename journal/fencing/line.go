package fencing

import (
	"errors"
	"time"
)

// Window is how many slots of one term are on their way at once.
const Window = 4

// LineOptions say how a Line works.
type LineOptions[W any] struct {
	Number uint64 // of the term
	Nonce  string
	// Established: the head names the term. Until then nothing is sent.
	Established bool
	// Fresh: the actor has no history, so that the first slot is a birth.
	Fresh bool
	// Linger is how long an append waits for others; 0: for none.
	Linger time.Duration
	// MaxSlot bounds what goes into one slot together, as counted by Size; one
	// append may be larger.
	MaxSlot int
	Size    func(W) int
	// Payload makes the content of a slot.
	Payload func(birth bool, batch []W) ([]byte, error)
	Bugs    Bugs
}

// Line is the appends of one term: those that wait, the slots on their way, and
// the answers, which are in order. It belongs to one owner at a time, who calls
// its methods one after the other.
type Line[W any] struct {
	opts         LineOptions[W]
	established  bool
	establishing bool
	err          error // why the term has ended
	leaving      bool
	hurry        bool

	waiting   []W // in no slot yet
	bytes     int // of waiting
	since     time.Time
	lingering bool

	next       uint64 // seq of the next slot
	sum        uint32 // that ended the last slot made
	durable    uint64 // slots that are durable, without a gap
	flying     int    // slots under way
	flights    []*Flight[W]
	delivering bool
	broken     bool // a slot was answered with an error
}

// Flight is a slot on its way, or appends that never became one. Flights are
// answered in the order in which they are in line. Key and body never change, so
// that a slot may be sent any number of times.
type Flight[W any] struct {
	Seq     uint64
	Body    []byte
	Waits   []W // who is answered with it
	durable bool
}

// Work is what a Line wants done, in any order.
type Work[W any] struct {
	Establish bool          // write the first head, then call Established
	Send      []*Flight[W]  // Put each, then call Sent
	Linger    time.Duration // call Wake after so long, or before
	Deliver   bool          // call Deliver until there is nothing to answer
	Ended     error         // the term has just ended; this is why
	Early     []W           // a planted bug: answer them now
}

// NewLine makes the empty line of a term that was claimed.
func NewLine[W any](opts LineOptions[W]) *Line[W] {
	return &Line[W]{opts: opts, established: opts.Established}
}

// Err returns why the term has ended, or nil.
func (l *Line[W]) Err() error { return l.err }

// IsEstablished reports whether the head names the term.
func (l *Line[W]) IsEstablished() bool { return l.established }

// Leaving reports whether Leave was called.
func (l *Line[W]) Leaving() bool { return l.leaving }

// Slots is how many slots are durable, without a gap.
func (l *Line[W]) Slots() uint64 { return l.durable }

// AtRest reports whether all appends were answered.
func (l *Line[W]) AtRest() bool {
	return len(l.flights) == 0 && len(l.waiting) == 0 && !l.delivering
}

// Append takes one append. refusal says why it cannot be taken, if so: that ends
// the term, because what comes after a gap is no history.
func (l *Line[W]) Append(now time.Time, w W, refusal error) Work[W] {
	var work Work[W]
	if l.leaving && !l.opts.Bugs.AppendAfterClose && refusal == nil {
		refusal = ErrClosed
	}
	if l.err == nil && refusal == nil {
		if len(l.waiting) == 0 {
			l.since = now
		}
		l.waiting = append(l.waiting, w)
		l.bytes += l.opts.Size(w)
		l.pump(now, &work)
		return work
	}
	l.end(refusal, &work)
	l.flights = append(l.flights, &Flight[W]{Waits: []W{w}})
	l.deliver(&work)
	return work
}

// End ends the term for good. What is under way may still become durable, but is
// answered with err unless it already is.
func (l *Line[W]) End(err error) Work[W] {
	var work Work[W]
	l.end(err, &work)
	return work
}

func (l *Line[W]) end(err error, work *Work[W]) {
	if l.err != nil {
		return
	}
	l.err, work.Ended = err, err
	if len(l.waiting) > 0 {
		l.flights = append(l.flights, &Flight[W]{Waits: l.waiting})
		l.waiting, l.bytes = nil, 0
	}
	l.deliver(work)
}

// Leave refuses all further appends, and lets nothing linger.
func (l *Line[W]) Leave(now time.Time) Work[W] {
	var work Work[W]
	l.leaving = true
	l.pump(now, &work)
	return work
}

// Wake tells that the time of Linger is over. In a hurry, nothing lingers from now on.
func (l *Line[W]) Wake(now time.Time, hurry bool) Work[W] {
	var work Work[W]
	l.lingering = false
	l.hurry = l.hurry || hurry
	l.pump(now, &work)
	return work
}

// Established tells what came of writing the first head: nil, *Other if another
// gave birth to the actor, or why it could not be written.
func (l *Line[W]) Established(now time.Time, err error) Work[W] {
	var work Work[W]
	if _, lost := errors.AsType[*Other](err); lost {
		err = ErrFenced
	}
	if err != nil {
		l.end(err, &work)
		return work
	}
	l.established = true
	l.pump(now, &work)
	return work
}

// Sent tells what came of putting a slot: nil if it is durable, *Other if its key
// holds something else, a seal for instance, or why there is no answer.
func (l *Line[W]) Sent(now time.Time, f *Flight[W], err error) Work[W] {
	var work Work[W]
	if _, clash := errors.AsType[*Other](err); clash {
		err = ErrFenced
	}
	l.flying--
	if err != nil {
		l.end(err, &work)
		return work
	}
	f.durable = true
	if l.opts.Bugs.AckOutOfOrder {
		work.Early, f.Waits = f.Waits, nil
	}
	l.pump(now, &work)
	l.deliver(&work)
	return work
}

// pump sends what waits, as far as the window allows.
func (l *Line[W]) pump(now time.Time, work *Work[W]) {
	if l.err != nil || len(l.waiting) == 0 {
		return
	}
	if !l.established {
		work.Establish = work.Establish || !l.establishing
		l.establishing = true
		return
	}
	for len(l.waiting) > 0 && l.flying < Window {
		if l.linger(now, work) {
			return
		}
		f, err := l.freeze(now)
		l.flights = append(l.flights, f)
		if err != nil {
			l.end(err, work)
			return
		}
		l.flying++
		work.Send = append(work.Send, f)
	}
}

// linger reports whether what waits shall wait longer for company.
func (l *Line[W]) linger(now time.Time, work *Work[W]) bool {
	if l.opts.Linger <= 0 || l.leaving || l.hurry || l.bytes >= l.opts.MaxSlot {
		return false
	}
	left := min(l.opts.Linger, l.opts.Linger-now.Sub(l.since))
	if left <= 0 {
		return false
	}
	if !l.lingering {
		l.lingering = true
		work.Linger = left
	}
	return true
}

// freeze makes the next slot of what waits. Its bytes never change again.
func (l *Line[W]) freeze(now time.Time) (*Flight[W], error) {
	n, bytes := 0, 0
	for n < len(l.waiting) {
		size := l.opts.Size(l.waiting[n])
		if n > 0 && bytes+size > l.opts.MaxSlot {
			break
		}
		bytes += size
		n++
	}
	f := &Flight[W]{Seq: l.next, Waits: l.waiting[:n:n]}
	l.waiting = l.waiting[n:]
	l.bytes -= bytes
	l.since = now
	facts := Slot{Kind: Data, Prev: l.sum, Term: l.opts.Number, Seq: l.next, Nonce: l.opts.Nonce, Watermark: l.durable}
	if l.next == 0 && l.opts.Fresh {
		facts.Kind = Birth
	}
	payload, err := l.opts.Payload(facts.Kind == Birth, f.Waits)
	if err != nil {
		return f, err
	}
	f.Body, l.sum = EncodeSlot(facts, payload)
	l.next++
	return f, nil
}

// deliver sees to it that what is decided is answered.
func (l *Line[W]) deliver(work *Work[W]) {
	if !l.delivering && len(l.flights) > 0 {
		l.delivering, work.Deliver = true, true
	}
}

// Delivery is the answer to some appends, which all get the same.
type Delivery[W any] struct {
	Waits []W
	Err   error
	// Landed is the slot, if it is a part of the history that this term goes on with.
	Landed *Flight[W]
}

// Deliver returns the next answer, in order; ok is false if there is none. Then it
// has to be called again only when Work says so.
func (l *Line[W]) Deliver(now time.Time) (d Delivery[W], work Work[W], ok bool) {
	if len(l.flights) == 0 || !l.flights[0].durable && l.err == nil {
		l.delivering = false
		return d, work, false
	}
	f := l.flights[0]
	l.flights = l.flights[1:]
	d.Waits, f.Waits = f.Waits, nil
	if f.durable && !l.broken {
		l.durable = f.Seq + 1
		if l.err == nil {
			d.Landed = f
		}
	} else {
		// Also if it is durable: what comes after a gap is no history.
		l.broken, d.Err = true, l.err
	}
	l.pump(now, &work)
	return d, work, true
}
