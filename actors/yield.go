package actors

import (
	"context"
	"strings"
	"time"

	"github.com/easelhq/easel/journal"
)

// An actor that belongs elsewhere goes on working where it is, until the node that it
// belongs on asks for it. So the pause of a planned move is what lies between the last
// turn here and the first one there, however long it takes until all know of the move.

const (
	// yieldWithin is how long a claim waits for the owner before to let go. Who says
	// nothing for so long is fenced.
	yieldWithin = time.Second
	// yieldAgain is the pause before an owner is asked again that stays.
	yieldAgain = 25 * time.Millisecond
	// An owner that is the right one by its own view stays for stayFor after it was
	// first asked, because who asks has only learnt of a change before it, and the
	// others will; and it stays while it is youngFor, so that two nodes whose views
	// differ do not take an actor from each other all the time.
	stayFor  = 300 * time.Millisecond
	youngFor = time.Second
)

// yield asks a node to release an actor: this one is about to claim it. -> yielded.
type yield struct{}

// yielded says what came of a yield.
type yielded struct {
	// Stays: the node owns the actor and keeps it for now. Otherwise it does not own
	// it any more, or never did.
	Stays bool `json:"stays,omitempty"`
}

// MessageName implements Message.
func (yield) MessageName() string { return "actors.yield" }

// MessageName implements Message.
func (yielded) MessageName() string { return "actors.yielded" }

// Idempotent implements Idempotent: an actor is released once.
func (yield) Idempotent() bool { return true }

// The steps of an activation, as other goroutines may know them.
const (
	stepAway    int32 = iota // absent, or not yet claimed
	stepOwned                // it may be asked
	stepParting              // it takes no more turns, and is about to be released
)

// askFirst implements journal.AskFirst: it returns when owner has released the actor,
// has lost it, or cannot be asked.
func (s *System) askFirst(ctx context.Context, name journal.Name, owner string) error {
	kind, id, _ := strings.Cut(string(name), "/")
	key := Key{Kind: kind, ID: id}
	if s.hooks.noOwnerCheck || s.kinds[kind] == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, yieldWithin)
	defer cancel()
	begun := time.Now()
	defer func() { s.metrics.yield.Observe(time.Since(begun).Seconds()) }()
	for s.yieldOf(ctx, key, owner) {
		t := time.NewTimer(yieldAgain)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
		if !s.mine(key) {
			return errElsewhere()
		}
	}
	return nil
}

// yieldOf asks owner for an actor, and reports whether it stays there.
func (s *System) yieldOf(ctx context.Context, key Key, owner string) (stays bool) {
	said := make(chan bool, 1)
	s.config.Network.Carry(ctx, owner, Request{To: key, Message: yield{}}, func(m Message, err error) {
		y, ok := m.(yielded)
		said <- err == nil && ok && y.Stays
	})
	select {
	case stays = <-said:
		return stays
	case <-ctx.Done():
		return false
	}
}

// takeYield answers a yield. It brings no actor to memory.
func (s *System) takeYield(key Key, reply func(Message, error)) {
	if reply == nil {
		return
	}
	sh := s.shard(key)
	sh.mu.Lock()
	a, ok := sh.actors[key].(*durable)
	sh.mu.Unlock()
	if !ok || a.step.Load() == stepAway || !a.mail.post(func() { a.giveWay(reply) }) {
		reply(yielded{}, nil)
	}
}

// giveWay releases the actor for another node, after what is on its way.
func (a *durable) giveWay(reply func(Message, error)) {
	switch {
	case a.term == nil:
		reply(yielded{}, nil)
	case a.step.Load() == stepOwned && a.sys.mine(a.key) && a.stays(a.sys.pulse.now()):
		reply(yielded{Stays: true}, nil)
	default:
		a.heirs = append(a.heirs, reply)
		a.step.Store(stepParting)
	}
}

// stays reports whether the actor is kept for now although it was asked for.
func (a *durable) stays(now time.Duration) bool {
	if a.wanted == 0 || now-a.wanted > yieldWithin {
		a.wanted = now
	}
	return now-a.claimed < youngFor || now-a.wanted < stayFor
}

// goAway makes the actor end as soon as nothing is on its way; it takes no more turns.
func (a *durable) goAway() {
	if a.term == nil {
		a.leave()
		return
	}
	a.step.Store(stepParting)
}

// part ends an actor that is to go, once nothing is on its way. What waits for it is
// then refused as moved, or finds the next activation.
func (a *durable) part() {
	if !a.idle() {
		return
	}
	asked, elsewhere := len(a.heirs) > 0, a.sys.elsewhere(a.key)
	if asked || elsewhere {
		a.sys.metrics.moved.WithLabelValues(a.kind.Name).Inc()
	}
	// Who used it lately will ask for it elsewhere.
	used := a.sys.now().Sub(time.Unix(0, a.lastUsed.Load())) < activeFor
	if asked || elsewhere && used {
		a.handOver()
	} else {
		a.release()
	}
	a.deactivate(nil)
	a.leave()
}

// inherit tells whoever waits for the actor that it is free.
func (a *durable) inherit() {
	heirs := a.heirs
	a.heirs = nil
	a.step.Store(stepAway)
	for _, reply := range heirs {
		reply(yielded{}, nil)
	}
}

// holds reports whether this node owns the actor and works for it, wherever it belongs.
func (s *System) holds(key Key) bool {
	if s.hooks.noOwnerCheck {
		return false
	}
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	a, ok := sh.actors[key].(*durable)
	return ok && a.step.Load() == stepOwned
}
