package actors

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// moveEvery is the least time between two actors that are released because
	// they belong elsewhere.
	moveEvery = 5 * time.Millisecond
	// timerEvery is the time between two timers that are woken because they belong
	// here now. In a node by itself there is nobody to make room for.
	timerEvery = 50 * time.Millisecond
	// maxMoves is how many are being released at once.
	maxMoves = 32
	// activeFor is how long after its last message an actor is held to be in use: its
	// next owner will ask for it, and until then it works where it is; but no longer
	// than moveGrace.
	activeFor = 10 * time.Second
	moveGrace = 5 * time.Second
)

// Leaver is a Companion that has to tell others when its actor is lost to this
// node: released or dropped, so that another node may own it next. It is called
// only in a cluster.
type Leaver interface {
	// Leaving is called last: what the companion asks has no answer.
	Leaving(c *Context)
}

// moves is what a System does after the owners of actors have changed.
type moves struct {
	mu      sync.Mutex // guards what follows
	watch   []func(owner func(Key) string)
	running bool // a goroutine sees to a change
	again   bool // there was another one since it began
	timers  [timerCount]bool
}

// OnOwnersChanged makes f be called after every OwnersChanged, with the Owner of
// the Network. f must not block. It is registered before Start.
func (s *System) OnOwnersChanged(f func(owner func(Key) string)) {
	s.moves.mu.Lock()
	defer s.moves.mu.Unlock()
	s.moves.watch = append(s.moves.watch, f)
}

// OwnersChanged tells the System that Network.Owner may answer otherwise than
// before. Actors that belong elsewhere now are released when their new owner asks for
// them, or else after a while and only so many at a time; requests that wait for a
// node are tried again; timers that belong here now are woken; and whoever registered
// is told. It returns at once and may be called at any time.
func (s *System) OwnersChanged() {
	if s.config.Network == nil || !s.started.Load() {
		return
	}
	s.moves.mu.Lock()
	s.moves.again = true
	first := !s.moves.running
	s.moves.running = true
	s.moves.mu.Unlock()
	if first {
		s.spawn(s.settle)
	}
}

// settle follows the changes until there is no newer one and nothing is left to
// be released.
func (s *System) settle() {
	for s.nextChange() {
		s.trips.each(func(t *trip) { t.hurry() })
		s.moves.mu.Lock()
		watch := s.moves.watch
		s.moves.mu.Unlock()
		for _, f := range watch {
			f(s.config.Network.Owner)
		}
		s.wakeTimers()
		s.evict()
	}
}

// nextChange reports whether there is a change to see to; if not, the next one
// finds nobody at work.
func (s *System) nextChange() bool {
	s.moves.mu.Lock()
	defer s.moves.mu.Unlock()
	if !s.moves.again || s.ctx.Err() != nil {
		s.moves.running = false
		return false
	}
	s.moves.again = false
	return true
}

func (s *System) changedAgain() bool {
	s.moves.mu.Lock()
	defer s.moves.mu.Unlock()
	return s.moves.again
}

// wakeTimers wakes the timers that have come to this node, so that they wake
// whoever they keep: one each timerEvery, because the actors that somebody waits for
// have just come, too. A timer that a turn needs is awake before its time.
func (s *System) wakeTimers() {
	var came []Key
	for i := range timerCount {
		key := Key{Kind: timerKind, ID: fmt.Sprintf("%02d", i)}
		mine := s.mine(key)
		s.moves.mu.Lock()
		had := s.moves.timers[i]
		s.moves.timers[i] = mine
		s.moves.mu.Unlock()
		if mine && !had {
			came = append(came, key)
		}
	}
	switch {
	case s.config.Network == nil:
		for _, key := range came {
			s.nudge(key)
		}
	case len(came) > 0:
		s.spawn(func() { s.wakeEach(came) })
	}
}

func (s *System) wakeEach(timers []Key) {
	t := time.NewTicker(timerEvery)
	defer t.Stop()
	for i, key := range timers {
		if i > 0 {
			select {
			case <-t.C:
			case <-s.ctx.Done():
				return
			}
		}
		if s.mine(key) { // it may have gone on meanwhile
			s.nudge(key)
		}
	}
}

// evict releases what belongs elsewhere, until nothing is left or there is a newer
// change. What rests goes first: what is in use is asked for by its new owner, which
// makes a shorter pause, and only what nobody has asked for goes by itself.
func (s *System) evict() {
	begun, used := time.Now(), s.now().Add(-activeFor).UnixNano()
	var waiting []*durable
	s.each(func(r running) {
		if a, ok := r.(*durable); ok && s.elsewhere(a.key) {
			waiting = append(waiting, a)
		}
	})
	slices.SortFunc(waiting, func(x, y *durable) int { return cmp.Compare(x.lastUsed.Load(), y.lastUsed.Load()) })
	var leaving []*durable
	t := time.NewTicker(moveEvery)
	defer t.Stop()
	for len(waiting)+len(leaving) > 0 && !s.changedAgain() {
		leaving = slices.DeleteFunc(leaving, func(a *durable) bool { return !s.registered(a) || !s.elsewhere(a.key) })
		if len(leaving) < maxMoves && len(waiting) > 0 && (waiting[0].lastUsed.Load() < used || time.Since(begun) >= moveGrace) {
			leaving = append(leaving, waiting[0])
			waiting = waiting[1:]
		}
		for _, a := range leaving {
			if a.leaving.CompareAndSwap(false, true) {
				a.mail.post(a.moveAway)
			}
		}
		select {
		case <-t.C:
		case <-s.ctx.Done():
			return
		}
	}
}

// registered reports whether a is still the running actor of its key.
func (s *System) registered(a *durable) bool {
	sh := s.shard(a.key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.actors[a.key] == running(a)
}

// moveAway releases the actor if it still belongs elsewhere. What waits for it is
// then refused as moved; what is on its way is let finish.
func (a *durable) moveAway() {
	a.leaving.Store(false)
	if a.sys.elsewhere(a.key) {
		a.goAway()
	}
}

// bidFarewell lets the companion tell others that its actor is lost to this node.
func (a *durable) bidFarewell() {
	l, ok := a.companion.(Leaver)
	if !ok || a.sys.config.Network == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			a.sys.metrics.panics.WithLabelValues(a.kind.Name).Inc()
			a.log.Error("companion panicked", "panic", p, "stack", stack())
		}
	}()
	l.Leaving(a.companionContext(a.sys.ctx, Ref{}))
}
