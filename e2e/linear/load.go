package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"sync"
	"time"
)

// Style is how a client makes sure that a write takes effect once.
type Style int

// Styles of clients.
const (
	Plain     Style = iota // not at all: an unanswered write has an unknown outcome
	Keyed                  // by an Idempotency-Key
	Sequenced              // by seq
)

// Attempt is one try of a call.
type Attempt struct {
	Call
	Style  Style
	Client int    // its number
	Key    string // Keyed: of this call
	Seq    int64  // Sequenced: from 1
}

// Target is where an image lives. Its methods are called by many goroutines.
type Target interface {
	// Try makes one attempt. ok is false if no answer came or a temporary one:
	// done then says whether it may have taken effect. If nothing is there to be
	// asked, it waits until there is.
	Try(ctx context.Context, a Attempt) (answer Answer, ok, done bool)
}

// Load is a number of clients that work on one image.
type Load struct {
	Target  Target
	History *History
	Clients int // their styles take turns
	Seed    uint64
	Most    int // calls after which clients stop; 0: none

	clients []*client // once made, they go on in each Run

	mu    sync.Mutex // guards known
	known []thing    // annotations that some client was told of, the newest last
}

// thing is an annotation that clients know of, perhaps not as it is now.
type thing struct {
	name, id, by string
	x            float64
	rev          int64
}

// keepKnown bounds known; beyond mostLive of them clients mostly delete.
const (
	keepKnown = 60
	mostLive  = 25
)

// Run keeps the clients busy until stop is closed, and returns when every write
// that can be repeated was answered.
func (l *Load) Run(ctx context.Context, stop <-chan struct{}) {
	for i := len(l.clients); i < l.Clients; i++ {
		c := &client{load: l, number: i, style: Style(i % 3), r: rand.New(rand.NewPCG(l.Seed, uint64(i)))}
		l.clients = append(l.clients, c)
	}
	var all sync.WaitGroup
	for _, c := range l.clients {
		all.Go(func() {
			for ctx.Err() == nil && (l.Most == 0 || l.History.Len() < l.Most) {
				select {
				case <-stop:
					return
				default:
					c.once(ctx)
				}
			}
		})
	}
	all.Wait()
}

// Look reads everything once, when nobody works any more.
func (l *Load) Look(ctx context.Context) {
	c := &client{load: l, number: l.Clients, r: rand.New(rand.NewPCG(l.Seed, 1<<32))}
	c.read(ctx, Call{Kind: List})
	c.read(ctx, Call{Kind: Count})
}

// client makes one call after the other.
type client struct {
	load   *Load
	number int
	style  Style
	r      *rand.Rand
	names  int
	seq    int64
	last   *Attempt // the last write that was answered
	told   Answer
}

func (c *client) once(ctx context.Context) {
	switch n := c.r.IntN(100); {
	case n < 18:
		c.read(ctx, Call{Kind: List})
	case n < 23:
		c.read(ctx, Call{Kind: Count})
	case n < 40:
		if t, ok := c.pick(); ok && n < 27 {
			c.read(ctx, Call{Kind: List, Name: t.name})
		} else if ok && t.id != "" {
			c.read(ctx, Call{Kind: One, Name: t.name, ID: t.id})
		}
	case n < 45 && c.last != nil && c.style != Plain:
		c.again(ctx)
	default:
		c.write(ctx)
	}
}

// read makes a read; without an answer it is no call.
func (c *client) read(ctx context.Context, call Call) {
	for ctx.Err() == nil {
		s := c.load.History.Begin(c.number)
		if a, ok, _ := c.load.Target.Try(ctx, Attempt{Call: call, Client: c.number}); ok {
			c.load.History.End(s, call, a)
			return
		}
		c.pause(ctx)
	}
}

func (c *client) write(ctx context.Context) {
	call := Call{Kind: Write, By: "user" + strconv.Itoa(c.number%2)}
	n := 1
	if c.style == Sequenced {
		n += c.r.IntN(3)
	}
	for range n {
		call.Changes = append(call.Changes, c.change())
	}
	a := Attempt{Call: call, Style: c.style, Client: c.number}
	c.seq++
	a.Seq, a.Key = c.seq, fmt.Sprintf("key-%d-%d", c.number, c.seq)
	h := c.load.History
	s := h.Begin(c.number)
	for ctx.Err() == nil {
		answer, ok, done := c.load.Target.Try(ctx, a)
		switch {
		case ok:
			h.End(s, call, answer)
			c.learn(call, answer)
			c.last, c.told = &a, answer
			return
		case done && c.style == Plain:
			h.End(s, call, Answer{Unknown: true})
			return
		}
		c.pause(ctx)
	}
	h.End(s, call, Answer{Unknown: true})
}

// again repeats an answered write: the answer must be the same and there must be
// no second effect, which would be a change that no call explains.
func (c *client) again(ctx context.Context) {
	for ctx.Err() == nil {
		a, ok, _ := c.load.Target.Try(ctx, *c.last)
		if ok && !reflect.DeepEqual(a, c.told) {
			c.load.History.Wrong("client %d: %+v was answered %+v and then %+v", c.number, *c.last, c.told, a)
		}
		if ok {
			return
		}
		c.pause(ctx)
	}
}

// pause is between attempts, so that a failing target is not hammered.
func (c *client) pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(1+c.r.IntN(5)) * time.Millisecond):
	}
}

func (c *client) change() Change {
	x := float64(c.r.IntN(1000)) / 2048
	t, ok := c.pick()
	c.load.mu.Lock()
	crowded := len(c.load.known) > mostLive
	c.load.mu.Unlock()
	roll := c.r.IntN(100)
	if crowded {
		roll += 25
	}
	switch {
	case !ok || roll < 35:
		c.names++
		ch := Change{Kind: Put, Name: fmt.Sprintf("n%d-%d", c.number, c.names), X: x}
		if c.style == Sequenced && c.r.IntN(2) == 0 {
			ch.ID = fmt.Sprintf("%016x%016x", c.r.Uint64(), c.r.Uint64())
		}
		return ch
	case roll < 45 && c.style == Sequenced && t.id != "":
		// A put of an id that is there: equal, or not, or deleted meanwhile.
		if c.r.IntN(2) == 0 {
			x = t.x
		}
		return Change{Kind: Put, Name: t.name, ID: t.id, X: x}
	case t.id == "" || roll%25 == 7:
		return Change{Kind: Patch, Name: "never", ID: neverID, X: x}
	}
	ch := Change{Kind: Patch, Name: t.name, ID: t.id, X: x}
	if roll >= 80 {
		ch.Kind, ch.X = Delete, 0
	}
	if c.r.IntN(2) == 0 {
		ch.Base = t.rev
	}
	return ch
}

// neverID is an id that no annotation ever has.
const neverID = "00000000000070008000000000000000"

// pick chooses an annotation that somebody was told of, mostly a new one.
func (c *client) pick() (thing, bool) {
	l := c.load
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.known)
	if n == 0 {
		return thing{}, false
	}
	return l.known[n-1-min(c.r.IntN(n), c.r.IntN(n))], true
}

// learn shares what a write has told.
func (c *client) learn(call Call, a Answer) {
	if a.Code != "" {
		return
	}
	l := c.load
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, ch := range call.Changes {
		old, there := l.forget(ch.Name)
		switch {
		case ch.Kind == Delete && there && c.r.IntN(4) == 0:
			l.known = append(l.known, old) // to be found gone
		case ch.Kind == Delete || i >= len(a.Revs):
		default:
			t := thing{ch.Name, l.History.ID(ch.Name), call.By, ch.X, a.Revs[i]}
			if there {
				t.by = old.by
			}
			l.known = append(l.known, t)
		}
	}
	if over := len(l.known) - keepKnown; over > 0 {
		l.known = l.known[over:]
	}
}

// forget takes a name out of what is known.
func (l *Load) forget(name string) (t thing, ok bool) {
	for i := range l.known {
		if l.known[i].name == name {
			t = l.known[i]
			l.known = append(l.known[:i:i], l.known[i+1:]...)
			return t, true
		}
	}
	return thing{}, false
}
