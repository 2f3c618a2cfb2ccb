package journal

import (
	"context"

	"github.com/easelhq/easel/pages"
)

// term is one ownership of one actor in a node's log.
type term struct {
	node     *Node
	name     Name
	owner    uint64
	number   uint64
	template [32]byte // of an actor that had no history

	// unborn is the appending goroutine's own: the next batch is the first.
	unborn bool

	// Guarded by node.mu.
	fresh   bool
	next    uint64 // seq of the next batch
	pending int    // appends that were not answered
	idle    chan struct{}
	err     error // why nothing more may be appended
	cut     error // why not even what was appended may be written any more
}

var _ Term = (*term)(nil)

// endLocked ends the term for good: what was not written is not.
func (t *term) endLocked(why error) {
	if t.cut == nil {
		t.cut = why
	}
	if t.err == nil {
		t.err = why
	}
}

// Fresh implements Term.
func (t *term) Fresh() bool {
	t.node.mu.Lock()
	defer t.node.mu.Unlock()
	return t.fresh && t.next == 1
}

// Append implements Term.
func (t *term) Append(s pages.Set, done func(error)) { t.node.append(t, s, done) }

// Validate implements Term.
func (t *term) Validate(context.Context) error {
	t.node.mu.Lock()
	defer t.node.mu.Unlock()
	if t.err != nil {
		return t.err
	}
	if t.node.stopping {
		return ErrClosed
	}
	return nil
}

// Release implements Term.
func (t *term) Release(ctx context.Context) error {
	n := t.node
	n.mu.Lock()
	err := t.err
	if err == nil && n.stopping {
		err = ErrClosed
	}
	if t.err == nil {
		t.err = ErrClosed
	}
	idle := t.idleLocked()
	n.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
		return ctx.Err()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.terms[t.name] == t {
		delete(n.terms, t.name)
	}
	return err
}

// HandOver implements Term: a release costs nothing here.
func (t *term) HandOver(ctx context.Context) error { return t.Release(ctx) }

// idleLocked returns a channel that is closed once all appends are answered.
func (t *term) idleLocked() <-chan struct{} {
	if t.idle == nil {
		t.idle = make(chan struct{})
		if t.pending == 0 {
			close(t.idle)
			idle := t.idle
			t.idle = nil
			return idle
		}
	}
	return t.idle
}
