package journal_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal/journaltest"
)

// link is one process's way to a store. Requests and answers take their time,
// get lost, land long after they were given up, or arrive in part; and the
// process may stop at any step, for a while or for ever.
type link struct {
	*journaltest.Store
	calm bool
	seed uint64
	late sync.WaitGroup // requests that land after they were given up

	mu    sync.Mutex     // guards what follows
	calls map[string]int // how often each request was made
	left  int            // requests until the process dies; negative: many
	until time.Time      // the process is paused
}

var errLink = fmt.Errorf("%w: planted", blob.ErrUnavailable)

// fate is what becomes of one request.
type fate struct {
	there, back, later time.Duration
	outcome            outcome
}

type outcome int

const (
	fine    outcome = iota
	failed          // no effect
	lost            // the answer is
	delayed         // it has its effect after it was given up
	cutOff          // half of the body is stored
	dead            // the process is
)

func (l *link) killAfter(requests int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = requests
}

func (l *link) dead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left == 0
}

func (l *link) pause(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = time.Now().Add(d)
}

// decide draws lots for a request, which depend on the seed and on what it is;
// half says whether it can be cut off.
func (l *link) decide(what string, half bool) fate {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[what]++
	h := fnv.New64a()
	fmt.Fprint(h, what, l.calls[what])
	rng := rand.New(rand.NewPCG(l.seed, h.Sum64()))
	if l.left == 0 {
		return fate{outcome: dead}
	}
	if l.left > 0 {
		l.left--
	}
	f := fate{there: delay(rng), back: delay(rng), later: time.Duration(rng.IntN(4000)) * time.Millisecond}
	switch p := rng.Float64(); {
	case p < 0.04:
		f.outcome = failed
	case p < 0.09:
		f.outcome = lost
	case p < 0.12:
		f.outcome = delayed
	case p < 0.15 && half:
		f.outcome = cutOff
	}
	return f
}

// delay is never the same twice, so that the order of events depends on the seed
// and hardly on the scheduler.
func delay(rng *rand.Rand) time.Duration {
	most := 4 * time.Millisecond
	switch rng.IntN(20) {
	case 0:
		most = 3 * time.Second
	case 1, 2:
		most = 80 * time.Millisecond
	}
	return 1 + time.Duration(rng.Int64N(int64(most)))
}

// wait lets d pass, and then the process's pause.
func (l *link) wait(ctx context.Context, d time.Duration) error {
	nap(ctx, d)
	l.mu.Lock()
	until := l.until
	l.mu.Unlock()
	nap(context.WithoutCancel(ctx), time.Until(until)) // a paused process does not look at its clock
	return ctx.Err()
}

func nap(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// call lets a request meet its fate. half may be nil.
func call[T any](ctx context.Context, l *link, what string, do, half func(context.Context) (T, error)) (T, error) {
	var nothing T
	if l.calm {
		return do(ctx)
	}
	f := l.decide(what, half != nil)
	if f.outcome == dead {
		return nothing, errLink
	}
	if err := l.wait(ctx, f.there); err != nil {
		return nothing, err
	}
	after := context.WithoutCancel(ctx)
	switch f.outcome {
	case failed:
		return nothing, errLink
	case delayed:
		l.late.Go(func() {
			nap(after, f.later)
			_, _ = do(after)
		})
		return nothing, errLink
	case cutOff:
		_, _ = half(after)
		return nothing, errLink
	case lost:
		_, _ = do(after)
		return nothing, errLink
	}
	answer, err := do(after)
	if l.dead() {
		return nothing, errLink
	}
	if e := l.wait(ctx, f.back); e != nil {
		return nothing, e
	}
	return answer, err
}

func (l *link) PutIfAbsent(ctx context.Context, key string, b []byte) (blob.Version, error) {
	put := func(b []byte) func(context.Context) (blob.Version, error) {
		return func(ctx context.Context) (blob.Version, error) { return l.Store.PutIfAbsent(ctx, key, b) }
	}
	half := put(b[:len(b)/2])
	if strings.HasSuffix(key, "/head") {
		half = nil
	}
	return call(ctx, l, "create "+key, put(b), half)
}

func (l *link) PutIfMatch(ctx context.Context, key string, b []byte, old blob.Version) (blob.Version, error) {
	return call(ctx, l, "replace "+key, func(ctx context.Context) (blob.Version, error) {
		return l.Store.PutIfMatch(ctx, key, b, old)
	}, nil)
}

func (l *link) Get(ctx context.Context, key string, r blob.Range) (io.ReadCloser, blob.Info, error) {
	type object struct {
		body io.ReadCloser
		info blob.Info
	}
	o, err := call(ctx, l, "get "+key, func(ctx context.Context) (o object, err error) {
		o.body, o.info, err = l.Store.Get(ctx, key, r)
		return o, err
	}, nil)
	return o.body, o.info, err
}

func (l *link) List(ctx context.Context, prefix, after string, limit int) ([]blob.Info, error) {
	return call(ctx, l, "list "+prefix, func(ctx context.Context) ([]blob.Info, error) {
		return l.Store.List(ctx, prefix, after, limit)
	}, nil)
}

func (l *link) Delete(ctx context.Context, key string) error {
	_, err := call(ctx, l, "delete "+key, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, l.Store.Delete(ctx, key)
	}, nil)
	return err
}
