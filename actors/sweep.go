package actors

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// sweepInterval is how often idle actors are looked for.
const sweepInterval = time.Second

// sweep closes and releases idle actors until the system stops.
func (s *System) sweep() {
	t := time.NewTicker(sweepInterval)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.sweepOnce(s.now())
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *System) sweepOnce(now time.Time) {
	for _, key := range s.nudges.take() {
		s.nudge(key)
	}
	var open, copies ranking
	s.each(func(r running) {
		a, ok := r.(*durable)
		if !ok {
			return
		}
		used := a.lastUsed.Load()
		idle := now.Sub(time.Unix(0, used))
		memory := a.memory.Load()
		switch {
		case idle >= s.config.ReleaseAfter:
			a.mail.post(a.retire)
		case memory > 0 && idle >= s.config.CloseAfter:
			a.mail.post(a.rest)
		case memory > 0:
			open.add(a, used, memory)
		}
		if a.disk.Load() > 0 {
			copies.add(a, used, a.copyBytes())
		}
	})
	open.trim(s.config.OpenBytes, func(a *durable) { a.mail.post(a.rest) })
	s.metrics.work.Set(float64(copies.bytes))
	copies.trim(s.config.WorkBytes, func(a *durable) { a.mail.post(a.shed) })
}

// ranking is actors with what they take of something that is bounded.
type ranking struct {
	list  []ranked
	bytes int64
}

type ranked struct {
	a           *durable
	used, bytes int64
}

func (r *ranking) add(a *durable, used, bytes int64) {
	r.list = append(r.list, ranked{a, used, bytes})
	r.bytes += bytes
}

// trim calls let for the least recently used, until the others take no more than
// limit.
func (r *ranking) trim(limit int64, let func(*durable)) {
	if r.bytes <= limit {
		return
	}
	slices.SortFunc(r.list, func(x, y ranked) int { return cmp.Compare(x.used, y.used) })
	left := r.bytes
	for _, x := range r.list {
		if left <= limit {
			return
		}
		left -= x.bytes
		let(x.a)
	}
}

// Stop ends the jobs of turns, releases all actors, durable ones first and timers
// last, and returns when nothing runs any more or ctx ends; then it drops the rest, as a crash would.
func (s *System) Stop(ctx context.Context) error {
	s.stopping.Store(true)
	s.pool.cutOff(ctx)
	isTimer := func(a *durable) bool { return a.kind.Name == timerKind }
	err := s.release(ctx, func(a *durable) bool { return !isTimer(a) })
	if err == nil {
		err = s.release(ctx, isTimer)
	}
	s.spawning.Lock()
	s.cancel()
	s.spawning.Unlock()
	s.trips.each(func(t *trip) { t.end(nil, errStopping()) })
	s.pool.wait()
	s.wg.Wait()
	s.end.Do(func() {
		s.quit()
		if err := s.cradles.close(); err != nil {
			s.log.Warn("cradle did not close", "err", err)
		}
		if s.config.Proto == nil {
			s.proto.Shutdown() // panics when called twice
		}
	})
	return err
}

// quit ends all that still run. Their asks end with the system's context, so it
// takes no time, except for a behavior that never returns.
func (s *System) quit() {
	s.each(func(a running) { a.mailbox().post(a.quit) })
	t := time.NewTicker(time.Millisecond)
	defer t.Stop()
	for range 1000 {
		left := false
		s.each(func(running) { left = true })
		if !left {
			return
		}
		<-t.C
	}
	s.each(s.drop)
}

// maxReleases is how many actors are given up at once to a home that is far away.
const maxReleases = 128

// release retires actors until none that match are left.
func (s *System) release(ctx context.Context, match func(*durable) bool) error {
	t := time.NewTicker(2 * time.Millisecond)
	defer t.Stop()
	for {
		left, busy := 0, 0
		s.each(func(r running) {
			a, ok := r.(*durable)
			if !ok || !match(a) {
				return
			}
			left++
			if s.shared && busy >= maxReleases {
				return
			}
			busy++
			if a.leaving.CompareAndSwap(false, true) {
				a.mail.post(func() {
					defer a.leaving.Store(false)
					a.goAway()
				})
			}
		})
		if left == 0 {
			return nil
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
