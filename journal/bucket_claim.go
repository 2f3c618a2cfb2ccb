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
	for try := range claimTries {
		t, err := b.claimOnce(ctx, name, birth, try == 0)
		if _, again := errors.AsType[*fencing.Other](err); !again {
			return t, err
		}
		if err := rest(ctx, b.hooks.jitter(50*time.Millisecond)); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: %s is claimed by others all the time", ErrUnavailable, name)
}

// AskFirst implements Journal.
func (b *Bucket) AskFirst(ask AskFirst) { b.ask = ask }

// firstLook performs the first request of a claim, which reads the head. If that names
// an owner that has not released the actor, the owner is asked to, and the head read
// again.
func (b *Bucket) firstLook(ctx context.Context, name Name, r fencing.Request, polite bool) (fencing.Answer, error) {
	a := b.perform(ctx, r)
	if !polite || b.ask == nil || a.Err != nil {
		return a, nil //nolint:nilerr // an answer's error is for the claim to judge
	}
	h, err := fencing.DecodeHead(a.Body)
	if err != nil || h.State != fencing.Live || h.Owner == "" || h.Owner == b.owner {
		return a, nil //nolint:nilerr // the claim says what is wrong with the head
	}
	if err := b.ask(ctx, name, h.Owner); err != nil {
		return a, err
	}
	return b.perform(ctx, r), nil
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

// claimOnce claims under the head as it is now; polite asks its owner first.
func (b *Bucket) claimOnce(ctx context.Context, name Name, birth *Template, polite bool) (*bucketTerm, error) {
	c := fencing.NewClaim(fencing.Claimant{
		Name: string(name), Dir: b.actorKey(name), Owner: b.owner, Nonce: b.hooks.nonce(), Birth: birth != nil,
		Bugs: b.hooks.bugs,
	})
	r := c.Begin()
	a, err := b.firstLook(ctx, name, r, polite)
	if err != nil {
		return nil, err
	}
	for kept := 0; r != nil; {
		r = c.Step(a)
		for found := c.Found(); kept < len(found); kept++ {
			found[kept] = b.retain(found[kept])
		}
		if r != nil {
			a = b.perform(ctx, r)
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
