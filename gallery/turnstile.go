package gallery

import (
	"context"
	"sync"

	"github.com/easelhq/easel"
)

// turnstile bounds how many do something at once, and that one tenant never takes
// all the room: at least half is left to others.
type turnstile struct {
	all  chan struct{}
	each int

	mu sync.Mutex // guards by
	by map[easel.TenantID]*queue
}

// queue is those of one tenant who are in or wait.
type queue struct {
	in   chan struct{}
	size int
}

func newTurnstile(n int) *turnstile {
	return &turnstile{all: make(chan struct{}, n), each: max(n/2, 1), by: map[easel.TenantID]*queue{}}
}

// enter waits until there is room or ctx ends; then leave is nil.
func (s *turnstile) enter(ctx context.Context, t easel.TenantID) (leave func(), err error) {
	s.mu.Lock()
	q := s.by[t]
	if q == nil {
		q = &queue{in: make(chan struct{}, s.each)}
		s.by[t] = q
	}
	q.size++
	s.mu.Unlock()
	gone := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if q.size--; q.size == 0 {
			delete(s.by, t)
		}
	}
	select {
	case q.in <- struct{}{}:
	case <-ctx.Done():
		gone()
		return nil, ctx.Err()
	}
	select {
	case s.all <- struct{}{}:
	case <-ctx.Done():
		<-q.in
		gone()
		return nil, ctx.Err()
	}
	return func() {
		<-s.all
		<-q.in
		gone()
	}, nil
}
