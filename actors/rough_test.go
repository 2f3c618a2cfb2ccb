package actors_test

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/pages"
)

// rough is a journal that fails as a test says. The zero value of a function
// field never fails.
type rough struct {
	journal.Journal

	mu      sync.Mutex // guards what follows
	claim   func(journal.Name) error
	restore func(journal.Name) error
	// append decides about one append: nil, an error with which nothing is
	// written, or a lie, with which it is written all the same.
	append func(journal.Name) error
	claims map[string]int // by kind
	held   int            // terms that were neither released nor ended by an error
}

// lie is an append's error that came after the write.
type lie struct{ error }

func (l lie) Unwrap() error { return l.error }

func withRough(r *rough) option {
	return func(c *actors.Config) {
		r.Journal, r.claims = c.Journal, map[string]int{}
		c.Journal = r
	}
}

// set changes what fails.
func (r *rough) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *rough) Claim(ctx context.Context, n journal.Name) (journal.Term, error) {
	if err := r.refuse(n); err != nil {
		return nil, err
	}
	t, err := r.Journal.Claim(ctx, n)
	return r.wrap(n, t, err)
}

func (r *rough) Birth(ctx context.Context, n journal.Name, tpl journal.Template) (journal.Term, error) {
	t, err := r.Journal.Birth(ctx, n, tpl)
	return r.wrap(n, t, err)
}

func (r *rough) refuse(n journal.Name) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	kind, _, _ := strings.Cut(string(n), "/")
	r.claims[kind]++
	if r.claim != nil {
		return r.claim(n)
	}
	return nil
}

func (r *rough) wrap(n journal.Name, t journal.Term, err error) (journal.Term, error) {
	if err != nil {
		return nil, err
	}
	r.set(func() { r.held++ })
	return &roughTerm{Term: t, r: r, name: n}, nil
}

type roughTerm struct {
	journal.Term
	r     *rough
	name  journal.Name
	ended bool  // guarded by r.mu
	err   error // guarded by r.mu
}

func (t *roughTerm) end() {
	if !t.ended {
		t.ended = true
		t.r.held--
	}
}

func (t *roughTerm) Restore(ctx context.Context, path string) error {
	t.r.mu.Lock()
	f := t.r.restore
	t.r.mu.Unlock()
	if f != nil {
		if err := f(t.name); err != nil {
			return err
		}
	}
	return t.Term.Restore(ctx, path)
}

func (t *roughTerm) Append(s pages.Set, done func(error)) {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if t.err == nil && t.r.append != nil {
		if t.err = t.r.append(t.name); t.err != nil {
			t.end()
			if errors.As(t.err, new(lie)) {
				err := t.err
				t.Term.Append(s, func(error) { done(err) })
				return
			}
		}
	}
	if err := t.err; err != nil {
		go done(err)
		return
	}
	t.Term.Append(s, done)
}

func (t *roughTerm) Release(ctx context.Context) error {
	t.r.set(t.end)
	return t.Term.Release(ctx)
}

func (t *roughTerm) HandOver(ctx context.Context) error {
	t.r.set(t.end)
	return t.Term.HandOver(ctx)
}

func isTimer(n journal.Name) bool { return strings.HasPrefix(string(n), "timer/") }
