package journal

import (
	"context"
	"errors"
)

// Erase implements Journal.
func (n *Node) Erase(ctx context.Context, name Name) error {
	if err := name.Check(); err != nil {
		return err
	}
	leave, err := n.enter(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	if err := n.writable(); err != nil {
		return err
	}
	number, err := n.fence(ctx, name, ErrFenced)
	if err != nil {
		return err
	}
	h, sleeping, err := n.readHead(name)
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return err
	}
	if err == nil && !sleeping && !n.alive(name) {
		return n.writable() // a birth that was fenced may have failed just now
	}
	// An erasure that was cut short is done again from the start.
	tomb := head{Name: name, Term: max(number, h.Term) + 1, Erased: true}
	if err := n.putHead(tomb); err != nil {
		return err
	}
	n.mu.Lock()
	n.forgetLocked(name)
	n.absolveLocked(name)
	n.mu.Unlock()
	return n.sweep(tomb)
}

// forgetLocked takes an actor out of the index.
func (n *Node) forgetLocked(name Name) {
	if c := n.index[name]; c != nil {
		for _, r := range c.refs {
			r.seg.live--
			r.seg.erased = true
		}
		n.dropChainLocked(name)
	}
}

func (n *Node) syncDir(path string) error {
	if n.hooks.noDirSync {
		return nil
	}
	return n.fs.SyncDir(path)
}
