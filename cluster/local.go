package cluster

import (
	"context"

	"github.com/easelhq/easel/actors"
)

// Local is the part of this node that runs actors; *actors.System is one.
type Local interface {
	// Deliver runs a request that another node sent here, on this node only, and
	// calls reply once, on whatever goroutine; with actors.ErrMoved if the actor
	// belongs elsewhere. It does not block.
	Deliver(ctx context.Context, r actors.Request, reply func(actors.Message, error))

	// OwnersChanged is told after each change of who owns what, once Owner knows
	// of it; never concurrently with itself.
	OwnersChanged()

	// Codec turns messages of actors into bytes and back.
	Codec() *actors.Codec
}
