package actors

import (
	"context"
	"time"
)

// output is one thing that an actor wants to say: exactly one field group is set.
type output struct {
	env     *envelope // an answer to env: message and err
	message Message
	err     error

	publish Message // for the companion

	tell *Request // for another actor

	job func(ctx context.Context) Message // for the pool

	ctx context.Context //nolint:containedctx // the trace of the message that caused it
}

// held is what one transaction wants to say, and what it waits for.
type held struct {
	life    int   // of the actor, in which it was made
	commit  int64 // leaves when this commit is durable
	timers  int   // and when so many entries of timers are durable
	alarms  bool  // it tells of turns that rely on a timer
	asked   bool  // the journal is being asked, or was, whether the ownership holds
	check   bool  // leaves when the answer is that it does
	outputs []output
	since   time.Time
}

// fail answers all who wait for h with err; what else h holds is lost.
func (h *held) fail(err error) {
	outputs := h.outputs
	h.outputs = nil
	for i := range outputs {
		if e := outputs[i].env; e != nil {
			e.answer(nil, err)
		}
	}
}

// gate holds outputs back, in order, until what they tell of is durable. It is
// a plain value, owned by its actor.
type gate struct {
	durable int64 // newest commit known to be durable
	queue   []*held
}

// hold adds h behind all that waits.
func (g *gate) hold(h *held) { g.queue = append(g.queue, h) }

// next returns the first held whose time has come, and removes it.
func (g *gate) next() *held {
	if len(g.queue) == 0 {
		return nil
	}
	h := g.queue[0]
	if h.timers > 0 || h.check || h.commit > g.durable {
		return nil
	}
	g.queue[0] = nil
	g.queue = g.queue[1:]
	if len(g.queue) == 0 {
		g.queue = nil
	}
	return h
}
