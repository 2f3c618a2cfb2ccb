package actors

import (
	"sync"
	"time"

	"github.com/easelhq/easel"
)

// nudges are the actors that must be looked after although nobody asks for them:
// timers that lost their clock, and actors that may have alarms of which no timer
// knows. The sweep wakes them, until they have answered.
type nudges struct {
	mu   sync.Mutex // guards keys
	keys map[Key]struct{}
}

func (n *nudges) add(key Key) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.keys == nil {
		n.keys = map[Key]struct{}{}
	}
	n.keys[key] = struct{}{}
}

func (n *nudges) take() []Key {
	n.mu.Lock()
	defer n.mu.Unlock()
	keys := make([]Key, 0, len(n.keys))
	for key := range n.keys {
		keys = append(keys, key)
	}
	n.keys = nil
	return keys
}

// nudge wakes an actor, and has the next sweep do so again if it cannot be opened
// now.
func (s *System) nudge(key Key) {
	var m Message = wake{}
	if key.Kind == timerKind {
		m = timerTick{}
	}
	s.send(s.ctx, Request{To: key, Message: m}, func(_ Message, err error) {
		if easel.CodeOf(err).Temporary() && !s.stopping.Load() {
			s.nudges.add(key)
		}
	})
}

const (
	// corruptFor is how long a corrupt actor is refused without asking the
	// journal again.
	corruptFor = time.Minute
	// maxCorrupt bounds what is remembered.
	maxCorrupt = 1 << 14
)

// corrupt remembers which actors were found to be corrupt, so that each is
// reported once, and costs nothing however often it is asked for.
type corrupt struct {
	mu    sync.Mutex // guards until
	until map[Key]time.Time
}

// closed reports whether key is to be refused at once.
func (c *corrupt) closed(key Key, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	until, ok := c.until[key]
	// A clock that went back does not close it for longer.
	return ok && now.Before(until) && until.Sub(now) <= corruptFor
}

// note remembers key, and reports whether that is news.
func (c *corrupt) note(key Key, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, known := c.until[key]
	if c.until == nil || len(c.until) >= maxCorrupt {
		c.until = map[Key]time.Time{}
	}
	c.until[key] = now.Add(corruptFor)
	return !known
}

// forget is told of every actor that opens.
func (c *corrupt) forget(key Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.until, key)
}
