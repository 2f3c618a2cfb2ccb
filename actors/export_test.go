package actors

import "time"

// Sweep runs one sweep as of now.
func (s *System) Sweep(now time.Time) { s.sweepOnce(now) }

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
