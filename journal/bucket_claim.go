package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/easelhq/easel/journal/fencing"
)

// claimTries is how often a claim begins anew because the head was changed.
const claimTries = 16

// Claim implements Journal.
func (b *Bucket) Claim(ctx context.Context, name Name) (Term, error) {
	t, err := b.claim(ctx, name, nil)
	if err != nil {
		return nil, err // a nil *bucketTerm would be a Term
	}
	return t, nil
}

// Birth implements Journal. The head is written by the first append, so that an
// actor of which nothing came leaves nothing.
func (b *Bucket) Birth(ctx context.Context, name Name, t Template) (Term, error) {
	term, err := b.claim(ctx, name, &t)
	if err != nil {
		return nil, err
	}
	return term, nil
}

// enter counts a call that Close waits for.
func (b *Bucket) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopping {
		return ErrClosed
	}
	b.running++
	return nil
}

func (b *Bucket) claim(ctx context.Context, name Name, birth *Template) (*bucketTerm, error) {
	if err := name.Check(); err != nil {
		return nil, err
	}
	if err := b.enter(); err != nil {
		return nil, err
	}
	defer b.left()
	if birth != nil {
		if err := b.keepTemplate(ctx, *birth); err != nil {
			return nil, err
		}
	}
	for range claimTries {
		t, err := b.claimOnce(ctx, name, birth)
		if _, again := errors.AsType[*fencing.Other](err); !again {
			return t, err
		}
		if err := rest(ctx, b.hooks.jitter(50*time.Millisecond)); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: %s is claimed by others all the time", ErrUnavailable, name)
}

func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *Bucket) claimOnce(ctx context.Context, name Name, birth *Template) (*bucketTerm, error) {
	c := fencing.NewClaim(fencing.Claimant{
		Name: string(name), Dir: b.actorKey(name), Owner: b.owner, Nonce: b.hooks.nonce(), Birth: birth != nil,
		Bugs: b.hooks.bugs,
	})
	kept := 0
	for r := c.Begin(); r != nil; {
		r = c.Step(b.perform(ctx, r))
		for found := c.Found(); kept < len(found); kept++ {
			found[kept] = b.retain(found[kept])
		}
	}
	got, err := c.Result()
	if err != nil {
		for _, r := range got.Refs {
			b.release(r)
		}
		return nil, b.judged(name, err)
	}
	t := b.newTerm(name, got)
	if birth != nil {
		t.template = birth.ID
	}
	if got.Was == "" {
		return t, nil // the first append writes the head
	}
	b.hold(t)
	if len(got.Head.Chain) > maxChain {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.compactSoonLocked()
	}
	return t, nil
}

// born reports whether an actor has a history, or had one when the head changed
// under this look.
func (b *Bucket) born(ctx context.Context, h fencing.Head) (bool, error) {
	m := fencing.Born{Dir: b.actorKey(Name(h.Name)), Head: h}
	for r := m.Begin(); r != nil; {
		r = m.Step(b.perform(ctx, r))
	}
	found, err := m.Result()
	return found, b.judged(Name(h.Name), err)
}
