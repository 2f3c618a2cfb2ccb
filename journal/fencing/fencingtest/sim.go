// Package fencingtest runs the machines of package fencing on one thread and in
// virtual time: a scheduler that a seed drives, a store in memory, and processes
// that reach it over links which delay, lose, cut off and repeat, and that pause
// or die at any step. The same seed is the same history, down to its hash.
//
// An Owner here does what package journal does with the same machines, with
// lists of entries in place of pages. Nothing of it may be used by more than
// one goroutine.
package fencingtest

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Sim is a scheduler of one thread.
type Sim struct {
	Now  time.Time
	Rand *rand.Rand

	hash  uint64
	made  uint64
	queue queue
	trace func(string)
}

// Event is something that will happen.
type Event struct {
	due   time.Time
	order uint64
	f     func() // nil: called off
}

// Stop calls the event off.
func (e *Event) Stop() { e.f = nil }

// New makes a scheduler whose draws depend on seed only.
func New(seed uint64) *Sim {
	return &Sim{Now: time.Unix(1_000_000, 0), Rand: rand.New(rand.NewPCG(seed, 0))}
}

// Trace has every note shown to f as well.
func (s *Sim) Trace(f func(string)) { s.trace = f }

// Note adds to the trace.
func (s *Sim) Note(format string, args ...any) {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%x %d ", s.hash, s.Now.UnixNano())
	_, _ = fmt.Fprintf(h, format, args...)
	s.hash = h.Sum64()
	if s.trace != nil {
		s.trace(fmt.Sprintf("%s "+format, append([]any{s.Now.Format("04:05.000000")}, args...)...))
	}
}

// Hash stands for all that was noted.
func (s *Sim) Hash() uint64 { return s.hash }

// After lets f happen after d.
func (s *Sim) After(d time.Duration, f func()) *Event {
	s.made++
	e := &Event{due: s.Now.Add(max(0, d)), order: s.made, f: f}
	heap.Push(&s.queue, e)
	return e
}

// Next is when something happens next; ok is false if nothing ever does.
func (s *Sim) Next() (at time.Time, ok bool) {
	for len(s.queue) > 0 && s.queue[0].f == nil {
		heap.Pop(&s.queue)
	}
	if len(s.queue) == 0 {
		return time.Time{}, false
	}
	return s.queue[0].due, true
}

// Step lets the next thing happen. It reports whether there was one.
func (s *Sim) Step() bool {
	if _, ok := s.Next(); !ok {
		return false
	}
	e := heap.Pop(&s.queue).(*Event)
	if e.due.After(s.Now) {
		s.Now = e.due
	}
	e.f()
	return true
}

// Run lets everything happen for d.
func (s *Sim) Run(d time.Duration) {
	end := s.Now.Add(d)
	for {
		at, ok := s.Next()
		if !ok || at.After(end) {
			s.Now = end
			return
		}
		s.Step()
	}
}

type queue []*Event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if !q[i].due.Equal(q[j].due) {
		return q[i].due.Before(q[j].due)
	}
	return q[i].order < q[j].order
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*Event)) }
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}
