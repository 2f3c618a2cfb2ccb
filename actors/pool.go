package actors

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// maxJobs is how many jobs may wait for a worker, and maxShareJobs how many of one
// share; one more is dropped, and an alarm repeats it.
const (
	maxJobs      = 1 << 16
	maxShareJobs = maxJobs / 4
)

// pool runs the jobs of turns on a bounded number of goroutines, which end when
// there is nothing to do. Shares take turns.
type pool struct {
	ctx     context.Context //nolint:containedctx // the system's life, until it stops
	cut     context.CancelFunc
	workers int
	log     *slog.Logger
	dropped func()

	mu      sync.Mutex // guards the fields below
	queue   lanes[job]
	running int
	wg      sync.WaitGroup
}

type job struct {
	ctx  context.Context //nolint:containedctx // the trace of the turn it comes from
	work func(ctx context.Context) Message
	done func(Message)
}

func (p *pool) run(ctx context.Context, share string, work func(context.Context) Message, done func(Message)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil || p.queue.size >= maxJobs || p.queue.waiting(share) >= maxShareJobs {
		p.dropped()
		return
	}
	p.queue.push(share, job{ctx: context.WithoutCancel(ctx), work: work, done: done})
	if p.running < p.workers {
		p.running++
		p.wg.Go(p.serve)
	}
}

func (p *pool) serve() {
	for {
		j, ok := p.take()
		if !ok {
			return
		}
		p.one(j)
	}
}

func (p *pool) take() (job, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() == nil {
		if j, ok := p.queue.pop(); ok {
			return j, true
		}
	}
	p.running--
	return job{}, false
}

func (p *pool) one(j job) {
	defer func() {
		if r := recover(); r != nil {
			p.log.Error("job panicked", "panic", r, "stack", stack())
		}
	}()
	ctx, cancel := context.WithCancel(j.ctx)
	stop := context.AfterFunc(p.ctx, cancel)
	defer cancel()
	defer stop()
	j.done(j.work(ctx))
}

// wait returns when all workers have ended; the context must be over.
func (p *pool) wait() { p.wg.Wait() }

// cutFor is how long cutOff waits for jobs that do not end.
const cutFor = time.Second

// cutOff ends the context of all jobs and waits a little for what they have to say
// about that, while it can still be sent.
func (p *pool) cutOff(ctx context.Context) {
	p.mu.Lock()
	p.cut()
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, cutFor)
	defer cancel()
	t := time.NewTicker(2 * time.Millisecond)
	defer t.Stop()
	for {
		p.mu.Lock()
		running := p.running
		p.mu.Unlock()
		if running == 0 {
			return
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}
