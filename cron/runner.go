package cron

import (
	"context"
	"sync"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// runner does one run of a job, on the node that began it. The job's actor may move
// meanwhile: it is told by message how the run fares, wherever it is.
type runner struct {
	asker actors.Asker
	job   actors.Key
	run   int64
}

// do does the work. What it returns is told to the job once more, at most once: that
// the run was cut off, or its end if nobody heard of that in time.
func (r runner) do(ctx context.Context, work func(context.Context) error) actors.Message {
	inside, cut := context.WithCancel(ctx)
	defer cut()
	var beating sync.WaitGroup
	over, rest := context.WithCancel(inside)
	beating.Go(func() { r.beat(over, cut) })
	m := ended{Run: r.run}
	if err := guarded(inside, work); err != nil {
		m.Failure = err.Error()
	}
	rest()
	beating.Wait()
	switch {
	case ctx.Err() != nil:
		return yielded{r.run}
	case inside.Err() != nil:
		return nil // it was begun again elsewhere
	}
	for range lease / retryEvery {
		if r.told(ctx, m) {
			return nil
		}
	}
	return m
}

// beat tells the job that the run goes on until ctx ends, and cuts it off when it
// was begun again elsewhere.
func (r runner) beat(ctx context.Context, cut func()) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		_, err := r.asker.Ask(ctx, actors.Request{To: r.job, Message: alive{r.run}})
		if easel.CodeOf(err) == easel.CodeConflict {
			cut()
			return
		}
	}
}

// told tells the job that the run has ended. false: nobody heard it, and some time
// has passed.
func (r runner) told(ctx context.Context, m ended) bool {
	_, err := r.asker.Ask(ctx, actors.Request{To: r.job, Message: m})
	if !easel.CodeOf(err).Temporary() {
		return true
	}
	wait := time.NewTimer(retryEvery)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
	return false
}
