package actors

import (
	"context"
	"strings"
	"sync"
)

// share names whose part of a bounded resource an actor uses: the first segment
// of its identity. All actors "<tenant>/…" are one share, as is "<tenant>".
func (k Key) share() string {
	first, _, _ := strings.Cut(k.ID, "/")
	return first
}

// lanes is a queue that is fair between shares: each share waits in a lane of its
// own, and the lanes take turns. A share with a thousand in line delays another's
// only one by one. It costs nothing while nothing waits.
type lanes[T any] struct {
	byShare map[string]*lane[T]
	turns   []*lane[T] // of those with something in them, the next one first
	size    int
}

type lane[T any] struct {
	share string
	items []T
}

// push puts an item at the end of its share's lane.
func (l *lanes[T]) push(share string, item T) {
	ln := l.byShare[share]
	if ln == nil {
		if l.byShare == nil {
			l.byShare = map[string]*lane[T]{}
		}
		ln = &lane[T]{share: share}
		l.byShare[share] = ln
		l.turns = append(l.turns, ln)
	}
	ln.items = append(ln.items, item)
	l.size++
}

// waiting returns how many items of a share are in line.
func (l *lanes[T]) waiting(share string) int {
	if ln := l.byShare[share]; ln != nil {
		return len(ln.items)
	}
	return 0
}

// pop takes the first item of the lane whose turn it is.
func (l *lanes[T]) pop() (item T, ok bool) {
	if len(l.turns) == 0 {
		return item, false
	}
	ln := l.turns[0]
	l.turns[0] = nil
	l.turns = l.turns[1:]
	var none T
	item, ln.items[0] = ln.items[0], none
	ln.items = ln.items[1:]
	if len(ln.items) > 0 {
		l.turns = append(l.turns, ln)
	} else {
		delete(l.byShare, ln.share)
	}
	if l.size--; l.size == 0 {
		*l = lanes[T]{} // of a storm nothing is left
	}
	return item, true
}

// places is a bounded number of places, given to those who wait by turns of their
// shares.
type places struct {
	mu   sync.Mutex // guards the fields below
	free int
	line lanes[*seat]
}

// seat is one who waits.
type seat struct {
	given chan struct{} // closed with the lock held
	left  bool          // it waits no more
}

func newPlaces(n int) *places { return &places{free: n} }

// take waits for a place until ctx ends.
func (p *places) take(ctx context.Context, share string) error {
	p.mu.Lock()
	if p.free > 0 {
		p.free--
		p.mu.Unlock()
		return nil
	}
	s := &seat{given: make(chan struct{})}
	p.line.push(share, s)
	p.mu.Unlock()
	select {
	case <-s.given:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-s.given:
		p.giveLocked() // it came too late
	default:
		s.left = true
	}
	return context.Cause(ctx)
}

// give returns a place, to the next in line.
func (p *places) give() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.giveLocked()
}

func (p *places) giveLocked() {
	for {
		s, ok := p.line.pop()
		if !ok {
			p.free++
			return
		}
		if !s.left {
			close(s.given)
			return
		}
	}
}
