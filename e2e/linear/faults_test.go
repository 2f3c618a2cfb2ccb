package linear_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/pages"
)

// faults is a journal whose appends are slow and sometimes fail: before they
// have landed, or after. It ends as a process ends: from one instant on nothing
// that was not yet there lands.
type faults struct {
	journal.Journal
	fail int

	mu   sync.Mutex // guards what follows
	r    *rand.Rand
	dead bool
}

func newFaults(inner journal.Journal, seed uint64, fail int) *faults {
	return &faults{Journal: inner, fail: fail, r: rand.New(rand.NewPCG(seed, 7))}
}

func (f *faults) die() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
}

func (f *faults) Claim(ctx context.Context, name journal.Name) (journal.Term, error) {
	t, err := f.Journal.Claim(ctx, name)
	return f.wrap(t, err)
}

func (f *faults) Birth(ctx context.Context, name journal.Name, template journal.Template) (journal.Term, error) {
	t, err := f.Journal.Birth(ctx, name, template)
	return f.wrap(t, err)
}

func (f *faults) wrap(t journal.Term, err error) (journal.Term, error) {
	if err != nil {
		return nil, err
	}
	s := &slow{Term: t, f: f, wake: make(chan struct{}, 1)}
	go s.run()
	return s, nil
}

// fate is what becomes of an append.
type fate int

const (
	lands fate = iota
	failsBefore
	failsAfter
)

func (f *faults) next() (fate, time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wait := time.Duration(f.r.IntN(2000)) * time.Microsecond
	if f.fail == 0 || f.r.IntN(f.fail) > 0 {
		return lands, wait
	}
	return failsBefore + fate(f.r.IntN(2)), wait
}

// slow is a term of faults. Appends are passed on in order, one at a time.
type slow struct {
	journal.Term
	f    *faults
	wake chan struct{}

	mu     sync.Mutex // guards what follows
	queue  []pending
	over   bool // an append has failed, or the term was released
	ending bool // run ends once the queue is empty
}

type pending struct {
	set  pages.Set
	done func(error)
}

func (s *slow) Append(set pages.Set, done func(error)) {
	s.mu.Lock()
	s.queue = append(s.queue, pending{set, done})
	s.mu.Unlock()
	s.nudge()
}

func (s *slow) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *slow) run() {
	for range s.wake {
		for {
			s.mu.Lock()
			if len(s.queue) == 0 {
				ended := s.ending
				s.mu.Unlock()
				if ended {
					return
				}
				break
			}
			p, over := s.queue[0], s.over
			s.queue = s.queue[1:]
			s.mu.Unlock()
			s.append(p, over)
		}
	}
}

func (s *slow) append(p pending, over bool) {
	fate, wait := s.f.next()
	time.Sleep(wait)
	s.f.mu.Lock()
	if s.f.dead {
		over = true
	}
	var landed chan error
	if !over && fate != failsBefore {
		// Under the lock: what is passed on was passed on before the end.
		landed = make(chan error, 1)
		s.Term.Append(p.set, func(err error) { landed <- err })
	}
	s.f.mu.Unlock()
	err := journal.ErrUnavailable
	if landed != nil {
		if failed := <-landed; failed != nil || fate == lands {
			err = failed
		}
	}
	if err != nil {
		s.mu.Lock()
		s.over = true
		s.mu.Unlock()
	}
	p.done(err)
}

// Release lets the term go as it is: a process that dies flushes nothing.
func (s *slow) Release(ctx context.Context) error {
	s.mu.Lock()
	s.ending = true
	over := s.over
	s.mu.Unlock()
	s.nudge()
	s.f.mu.Lock()
	dead := s.f.dead
	s.f.mu.Unlock()
	if dead || over {
		return journal.ErrClosed
	}
	return s.Term.Release(ctx)
}
