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
	// as a deadline and a trace. It does not repeat: the System does.
	Carry(ctx context.Context, node string, r Request, reply func(Message, error))
}
