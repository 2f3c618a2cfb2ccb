package live

import (
	"context"
	"math/rand/v2"
	"time"
)

// How a node's sockets go when it stops. What a node that they come to has to do for
// each of them (token, room, what was missed) takes about a millisecond.
const (
	// leaveEvery lies between two sockets that are sent to other nodes, unless there
	// are so many that this would take longer than leaveWithin.
	leaveEvery  = 10 * time.Millisecond
	leaveWithin = 3 * time.Second
	// returnEvery is by how much the time grows for each socket over which those
	// that have nowhere else to go are asked to come back, up to returnWithin.
	returnEvery  = 2 * time.Millisecond
	returnWithin = time.Second
)

// Disperse asks everyone who is here to come back at once, one after another: each
// goes on until it is asked, and nobody stands in line where all of them come to. It
// is for a node that others stand in for. Who joins meanwhile, because it knows no
// other address, stays until Drain. Errors: ctx ended before everyone was asked.
func (r *Rooms) Disperse(ctx context.Context) error {
	seats := r.all()
	step := min(leaveEvery, leaveWithin/time.Duration(max(1, len(seats))))
	next := time.NewTimer(0)
	defer next.Stop()
	begun := time.Now()
	for i, s := range seats {
		next.Reset(time.Until(begun.Add(time.Duration(i) * step)))
		select {
		case <-next.C:
			s.Bye("draining", 0, CloseDraining)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Drain lets nobody in any more and asks everyone to come back, over a time that
// grows with their number, up to a second. It returns when all have left. Errors: ctx
// ended before that.
func (r *Rooms) Drain(ctx context.Context) error {
	r.mu.Lock()
	r.draining = true
	r.mu.Unlock()
	seats := r.all()
	spread := min(returnWithin, time.Duration(len(seats))*returnEvery)
	for _, s := range seats {
		s.Bye("draining", rand.N(spread), CloseDraining)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for len(r.all()) > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
