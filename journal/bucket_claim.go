package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/easelhq/easel/blob"
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
		if _, again := errors.AsType[*errMoved](err); !again {
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
	h, v, err := b.readHead(ctx, name)
	if errors.Is(err, blob.ErrNotFound) {
		if birth == nil {
			return nil, ErrNotFound
		}
		t := b.newTerm(name, 1, b.hooks.nonce())
		t.template = birth.ID
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	if h.State == stateErased {
		return nil, ErrErased
	}
	if birth == nil {
		if born, err := b.born(ctx, h); err != nil || !born {
			return nil, errors.Join(err, notFoundUnless(born || err != nil))
		}
	}
	nonce, before := b.hooks.nonce(), h.State
	h.State, h.Term, h.Nonce, h.Owner = stateLive, h.Term+1, nonce, b.owner
	h.Chain = append(h.Chain[:len(h.Chain):len(h.Chain)], logTerm{Term: h.Term, Nonce: nonce})
	if v, err = b.casHead(ctx, nil, h, v); err != nil {
		return nil, err
	}
	t := b.newTerm(name, h.Term, nonce)
	t.head, t.version, t.established = h, v, true
	t.untidy = untidy(before, h.Term)
	if birth != nil {
		t.template = birth.ID
	}
	if err := t.replay(ctx); err != nil {
		return nil, err
	}
	if birth == nil && t.Fresh() {
		return nil, ErrNotFound // it was not born after all
	}
	b.hold(t)
	if len(h.Chain) > maxChain {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.compactSoonLocked()
	}
	return t, nil
}

func notFoundUnless(found bool) error {
	if found {
		return nil
	}
	return ErrNotFound
}

// born reports whether an actor has a history, or had one when the head changed
// under this look.
func (b *Bucket) born(ctx context.Context, h bucketHead) (bool, error) {
	if found, err := b.holdsBatch(ctx, h); err != nil || found {
		return found, err
	}
	// Its first batch may have been covered, and deleted, since h was read.
	now, _, err := b.readHead(ctx, h.Name)
	return now.Last > 0 || now.Nonce != h.Nonce, err
}

func (b *Bucket) holdsBatch(ctx context.Context, h bucketHead) (bool, error) {
	if h.Last > 0 {
		return true, nil
	}
	for _, c := range h.Chain {
		if c.End != nil {
			if *c.End > 0 {
				return true, nil
			}
			continue
		}
		body, _, err := b.get(ctx, b.logKey(h.Name, c.Term, c.Nonce)+slotName(0))
		if errors.Is(err, blob.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		// Damage is for the claim to find.
		if f, _, _, err := decodeSlot(body); !errors.Is(err, errTorn) && f.Kind != slotSeal {
			return true, nil
		}
	}
	return false, nil
}
