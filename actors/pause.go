package actors

import (
	"errors"
	"sync/atomic"
	"time"
)

const (
	// pulseEvery is how often the process looks whether it runs.
	pulseEvery = 250 * time.Millisecond
	// maxPause is how long it may not have run before nothing that it holds in
	// memory is trusted: other nodes may have taken its actors meanwhile.
	maxPause = 2 * time.Second
)

// errPaused is why actors are dropped after a pause.
var errPaused = errors.New("actors: the process was paused")

// pulse notices that the process did not run for a while. The journal fences what
// it would write then, and its reads are confirmed; but it would find out about
// each actor only when that is used.
type pulse struct {
	now    func() time.Duration // never goes back
	last   atomic.Int64         // when the process was last seen to run
	pauses atomic.Int64
}

func newPulse(now func() time.Duration) pulse { return pulse{now: now} }

// monotonic returns the time since start by the monotonic clock.
func monotonic(start time.Time) func() time.Duration {
	return func() time.Duration { return time.Since(start) }
}

// beat notes that the process runs, and returns how long it had not if that is a
// pause; one caller gets to know of each.
func (p *pulse) beat() (pause time.Duration) {
	now := int64(p.now())
	last := p.last.Load()
	if now <= last || !p.last.CompareAndSwap(last, now) {
		return 0
	}
	gap := time.Duration(now - last)
	if gap <= maxPause {
		return 0
	}
	p.pauses.Add(1)
	return gap
}

// watchPulse beats until the system stops.
func (s *System) watchPulse() {
	s.pulse.last.Store(int64(s.pulse.now()))
	t := time.NewTicker(pulseEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.beat()
		case <-s.ctx.Done():
			return
		}
	}
}

// beat drops all actors if the process was paused.
func (s *System) beat() {
	gap := s.pulse.beat()
	if gap == 0 {
		return
	}
	s.metrics.pauses.Inc()
	s.log.Warn("the process was paused; all actors are dropped and claimed anew", "pause", gap)
	s.each(func(r running) {
		if a, ok := r.(*durable); ok {
			a.mail.post(func() {}) // draining is what looks
		}
	})
}

// fencePaused drops the actor if the process was paused since it was claimed. It
// is asked before anything is taken from the mailbox, so that whoever runs first
// after the pause answers nothing either.
func (a *durable) fencePaused() {
	if !a.sys.shared || a.term == nil {
		return
	}
	if a.sys.pulse.stale() {
		a.sys.beat()
	}
	if a.pauses != a.sys.pulse.pauses.Load() {
		a.log.Info("actor is dropped after a pause of the process")
		a.deactivate(errPaused)
	}
}

// stale reports whether the last beat is so long ago that there was a pause. It
// keeps the pulse alive, too: a process in which actors work is not paused, however
// late its ticker is.
func (p *pulse) stale() bool {
	now, last := int64(p.now()), p.last.Load()
	switch gap := time.Duration(now - last); {
	case gap > maxPause:
		return true
	case gap > pulseEvery:
		p.last.CompareAndSwap(last, now)
	}
	return false
}
