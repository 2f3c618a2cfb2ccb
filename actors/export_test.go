package actors

import (
	"context"
	"time"
)

// Sweep runs one sweep as of now.
func (s *System) Sweep(now time.Time) { s.sweepOnce(now) }

// Waiting is the weight of what waits.
func (s *System) Waiting() int64 { return s.load.now.Load() }

// RunningOf is how many actors of one kind run.
func (s *System) RunningOf(kind string) (n int) {
	s.each(func(r running) {
		if r.name().Kind == kind {
			n++
		}
	})
	return n
}

// Running counts the actors in the registry, without the timers.
func (s *System) Running() int {
	n := 0
	s.each(func(r running) {
		if a, ok := r.(*durable); !ok || a.kind.Name != timerKind {
			n++
		}
	})
	return n
}

// OpenFiles counts the durable actors, without the timers, whose file is open.
func (s *System) OpenFiles() int {
	n := 0
	s.each(func(r running) {
		if a, ok := r.(*durable); ok && a.kind.Name != timerKind && a.memory.Load() > 0 {
			n++
		}
	})
	return n
}

// Plant turns on a fault that the model test must notice.
func (s *System) Plant(fault string) {
	switch fault {
	case "answer early":
		s.hooks.answerEarly = true
	case "forget verdicts":
		s.hooks.forgetVerdict = true
	case "trust timers":
		s.hooks.trustTimer = true
	case "skip undo":
		s.hooks.skipUndo = true
	case "no once":
		s.hooks.noOnceID = true
	case "no owner check":
		s.hooks.noOwnerCheck = true
	case "let fenced out":
		s.hooks.letFencedOut = true
	}
}

// Everything counts the actors in the registry.
func (s *System) Everything() int {
	n := 0
	s.each(func(running) { n++ })
	return n
}

// Lined counts the activations that wait for a place.
func (s *System) Lined() int {
	s.admission.mu.Lock()
	defer s.admission.mu.Unlock()
	return s.admission.line.size
}

// Jobs counts the jobs that wait for a worker.
func (s *System) Jobs() int {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	return s.pool.queue.size
}

// Dir returns the folder of working copies.
func (s *System) Dir() string { return s.config.Dir }

// Retire releases all actors and takes no new ones, as the first part of Stop.
func (s *System) Retire(ctx context.Context) error {
	s.stopping.Store(true)
	return s.release(ctx, func(*durable) bool { return true })
}

// SetMonotonic gives a System that has not started another monotonic clock.
func (s *System) SetMonotonic(now func() time.Duration) { s.pulse.now = now }

// Pauses is how many pauses of the process were noticed.
func (s *System) Pauses() int64 { return s.pulse.pauses.Load() }
