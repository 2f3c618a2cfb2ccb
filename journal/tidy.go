package journal

import (
	"context"
	"errors"
)

// requestTidy has what sleeps moved out of the log if nothing was written since
// seen batches had been. It returns how many were written by now.
func (n *Node) requestTidy(seen uint64) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.batches != seen || n.broken != nil || n.stopping {
		return n.batches
	}
	for name, c := range n.index {
		if n.terms[name] != nil {
			continue
		}
		n.tidying = true
		if c.refs[len(c.refs)-1].seg == n.active && !n.rollWanted {
			// Only segments that are not written to any more are compacted.
			n.rollWanted = true
			n.wake()
		}
	}
	return n.batches
}

// tidy covers with their own files what segments up to upto hold of actors that
// nobody owns. The index then holds none of them, and a segment goes when no
// owned actor is left in it either.
func (n *Node) tidy(ctx context.Context, upto uint64) error {
	for _, name := range n.sleepers(upto) {
		begun := n.now()
		err := n.compactActor(ctx, name, upto)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			return err
		}
		if err := n.throttle(ctx, n.now().Sub(begun)); err != nil {
			return err
		}
	}
	return n.dropSegments()
}

// sleepers returns, once for each request, the actors without a term of which
// segments up to upto hold batches.
func (n *Node) sleepers(upto uint64) []Name {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.tidying {
		return nil
	}
	n.tidying = n.rollWanted // then the new segment asks again
	var names []Name
	for name, c := range n.index {
		if n.terms[name] == nil && c.refs[0].seg.seq <= upto {
			names = append(names, name)
		}
	}
	return names
}

// dropChainLocked takes an actor out of the index. A map keeps the room of all
// that it ever held, so an empty one is made anew.
func (n *Node) dropChainLocked(name Name) {
	delete(n.index, name)
	if len(n.index) == 0 {
		n.index = map[Name]*chain{}
	}
}
