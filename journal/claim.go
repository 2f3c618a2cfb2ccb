package journal

import (
	"context"
	"fmt"
)

// AskFirst implements Journal: there is nobody to ask.
func (n *Node) AskFirst(AskFirst) {}

// Claim implements Journal.
func (n *Node) Claim(ctx context.Context, name Name) (Term, error) {
	return n.claim(ctx, name, nil)
}

// Birth implements Journal.
func (n *Node) Birth(ctx context.Context, name Name, t Template) (Term, error) {
	return n.claim(ctx, name, &t)
}

func (n *Node) claim(ctx context.Context, name Name, birth *Template) (Term, error) {
	if err := name.Check(); err != nil {
		return nil, err
	}
	leave, err := n.enter(ctx, name)
	if err != nil {
		return nil, err
	}
	defer leave()
	// Before anything is looked up: what a write of unknown outcome left behind
	// must be neither found nor missed.
	if err := n.writable(); err != nil {
		return nil, err
	}
	h, sleeping, err := n.readHead(name)
	if err != nil {
		return nil, err
	}
	if h.Erased {
		return nil, ErrErased
	}
	var template [32]byte
	if birth == nil {
		if !sleeping && !n.alive(name) {
			return nil, ErrNotFound
		}
	} else if template, err = n.keepTemplate(*birth); err != nil {
		return nil, err
	}
	number, err := n.fence(ctx, name, ErrFenced)
	if err != nil {
		return nil, err
	}

	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.serviceableLocked(name, h.Last); err != nil {
		return nil, err
	}
	t := &term{node: n, name: name, owner: ownerOf(name), number: max(number, h.Term), next: h.Last + 1}
	if c := n.index[name]; c != nil {
		last := c.refs[len(c.refs)-1]
		if err := c.gap(h.Last); err != nil {
			return nil, n.corruptLocked(name, err)
		}
		t.number, t.next = max(t.number, last.term), max(t.next, last.seq+1)
	}
	if t.next == 1 {
		if birth == nil {
			return nil, ErrNotFound
		}
		t.unborn, t.fresh, t.template = true, true, template
	}
	t.number++
	n.terms[name] = t
	return t, nil
}

// alive reports whether the actor has batches in live segments, or might have.
func (n *Node) alive(name Name) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.index[name] != nil || n.damaged.concerns(name)
}

// serviceableLocked returns why no term of the actor can be given out, of whose
// history its own files cover the batches up to last.
func (n *Node) serviceableLocked(name Name, last uint64) error {
	if err := n.writableLocked(); err != nil {
		return err
	}
	return n.damaged.check(name, last)
}

// writable returns why the log takes nothing at present.
func (n *Node) writable() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.writableLocked()
}

func (n *Node) writableLocked() error {
	switch {
	case n.stopping:
		return ErrClosed
	case n.broken != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, n.broken)
	default:
		return nil
	}
}

// enter waits for the actor's gate; leave opens it again.
func (n *Node) enter(ctx context.Context, name Name) (leave func(), err error) {
	gate := n.gates[ownerOf(name)%gateCount]
	select {
	case gate <- struct{}{}:
		return func() { <-gate }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fence ends the term that is held of an actor, if one is, and waits until
// everything it appended has been answered. It returns that term's number.
func (n *Node) fence(ctx context.Context, name Name, why error) (uint64, error) {
	n.mu.Lock()
	old := n.terms[name]
	if old == nil {
		n.mu.Unlock()
		return 0, nil
	}
	old.endLocked(why)
	idle := old.idleLocked()
	n.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.terms[name] == old {
		delete(n.terms, name)
	}
	return old.number, nil
}
