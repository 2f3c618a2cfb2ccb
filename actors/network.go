package actors

import (
	"context"
	"errors"
)

// Errors of a Network, for its caller only: actors and askers never see them.
var (
	// ErrMoved: the node that was asked does not run the actor; its view of the
	// cluster is another. Nothing was done.
	ErrMoved = errors.New("actors: the actor belongs on another node")
	// ErrLost: the link to the node broke, or the node left, before the answer
	// came. Whether the request took effect is not known.
	ErrLost = errors.New("actors: no answer from the actor's node; the outcome is unknown")
)

// Network carries requests to the other nodes of a cluster. A System without one
// is alone. Its methods may be called by any goroutine and never block.
type Network interface {
	// Owner returns the name of the node that a durable actor belongs on, by this
	// node's view of the cluster; "" if it belongs nowhere at the moment.
	Owner(key Key) string

	// Carry takes r to a node, once, and calls reply (nil: nobody waits) exactly
	// once, on whatever goroutine: with the answer or the *easel.Error of the
	// actor there, or with ErrMoved or ErrLost. ctx bounds the wait, and travels
	// as what is left of it and a trace: no clock of one node means anything to
	// another. It does not repeat: the System does.
	Carry(ctx context.Context, node string, r Request, reply func(Message, error))
}

// Idempotent is a message that takes effect once even if it is handled more often,
// also late and after others: a read, or a write that carries its own sequence
// number or id. Others are made so by a Once when they might be repeated, which
// costs a row in the actor's file.
type Idempotent interface {
	Message
	// Idempotent reports whether that holds for this value.
	Idempotent() bool
}

func idempotent(m Message) bool {
	i, ok := m.(Idempotent)
	return ok && i.Idempotent()
}

// Idempotent implements Idempotent: the actor calls what is due.
func (wake) Idempotent() bool { return true }

// Idempotent implements Idempotent: an entry too many is a wake-up too many.
func (timerSet) Idempotent() bool { return true }

// Idempotent implements Idempotent: it names one entry.
func (timerWoken) Idempotent() bool { return true }

// Idempotent implements Idempotent: the timer looks once more.
func (timerTick) Idempotent() bool { return true }

// Deliver runs a request that came from another node, on this node only. reply
// (nil: nobody waits) is called once, on whatever goroutine, with the answer, an
// *easel.Error, or ErrMoved if r belongs on another node by this node's view, or
// if the System has not started or is stopping. It may be called at any time and
// does not block.
func (s *System) Deliver(ctx context.Context, r Request, reply func(Message, error)) {
	reply = outward(reply)
	if _, ours := r.Message.(yield); ours && s.started.Load() {
		s.takeYield(r.To, reply)
		return
	}
	if !s.started.Load() || s.isDurable(r.To) && !s.mine(r.To) && !s.holds(r.To) {
		if reply != nil {
			reply(nil, ErrMoved)
		}
		return
	}
	if s.late.tooLate(r.Once.ID) {
		if reply != nil {
			reply(nil, errLate)
		}
		return
	}
	s.local(ctx, r, reply)
}

func (s *System) isDurable(key Key) bool { return s.ephemerals[key.Kind] == nil }

// mine reports whether a durable actor belongs on this node.
func (s *System) mine(key Key) bool {
	n := s.config.Network
	return n == nil || s.hooks.noOwnerCheck || n.Owner(key) == s.node
}

// elsewhere reports whether a durable actor belongs on another node, and not just
// nowhere at the moment.
func (s *System) elsewhere(key Key) bool {
	n := s.config.Network
	if n == nil || s.hooks.noOwnerCheck {
		return false
	}
	owner := n.Owner(key)
	return owner != "" && owner != s.node
}
