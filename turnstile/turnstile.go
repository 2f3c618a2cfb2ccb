// Package turnstile bounds how many do something that is dear at once, and lets no
// tenant take all the room for it.
//
// A Turnstile may be used by many goroutines. It starts none, and remembers only
// those tenants who are in or wait.
package turnstile

import (
	"context"
	"sync"

	"github.com/easelhq/easel"
)

// Turnstile lets a number in at once, and of each tenant at most half as many.
type Turnstile struct {
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

// New makes a turnstile that lets n in, at least one of each tenant.
func New(n int) *Turnstile {
	return &Turnstile{all: make(chan struct{}, n), each: max(n/2, 1), by: map[easel.TenantID]*queue{}}
}

// Enter waits until there is room, or until ctx ends, whose error it returns then.
// Whoever is in calls leave once.
func (s *Turnstile) Enter(ctx context.Context, t easel.TenantID) (leave func(), err error) {
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
