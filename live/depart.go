package live

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// How a node's sockets go when it stops. What a node that they come to has to do for
// each of them (token, room, hello, what was missed) takes milliseconds, but less for
// those of one image that come together: the image takes their hellos in one turn.
const (
	// leaveTogether is how many sockets of one image are sent to other nodes at once.
	leaveTogether = 16
	// leaveEvery is the time given to each, unless there are so many that all of them
	// would take longer than leaveWithin.
	leaveEvery  = 5 * time.Millisecond
	leaveWithin = 3 * time.Second
	// returnEvery is by how much the time grows for each socket over which those
	// that have nowhere else to go are asked to come back, up to returnWithin.
	returnEvery  = 2 * time.Millisecond
	returnWithin = time.Second
)

// Disperse asks everyone who is here to come back at once, image by image: each goes
// on until it is asked, and nobody stands in line where all of them come to. It is for
// a node that others stand in for. Who joins meanwhile, because it knows no other
// address, stays until Drain. Errors: ctx ended before everyone was asked.
func (r *Rooms) Disperse(ctx context.Context) error {
	seats := r.all()
	slices.SortFunc(seats, func(a, b *Seat) int { return strings.Compare(a.room.ID, b.room.ID) })
	each := min(leaveEvery, leaveWithin/time.Duration(max(1, len(seats))))
	next := time.NewTimer(0)
	defer next.Stop()
	begun := time.Now()
	for i := 0; i < len(seats); {
		next.Reset(time.Until(begun.Add(time.Duration(i) * each)))
		select {
		case <-next.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		for room, most := seats[i].room, i+leaveTogether; i < min(most, len(seats)) && seats[i].room == room; i++ {
			seats[i].Bye("draining", 0, CloseDraining)
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
