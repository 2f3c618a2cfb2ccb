package transport_test

import (
	"context"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/tenant"
	"github.com/easelhq/easel/transport"
)

// The first request that a node gets of a member waits for the tenant as long as any
// request waits for an actor: after a restart the tenant may be on the move.
func TestFirstRequestOfAMemberWaitsItsWholeTime(t *testing.T) {
	const patience = time.Hour
	w := newWorld(t, func(c *transport.Config) { c.Timeout = patience })
	asked := false
	w.asker.watch(func(ctx context.Context, r actors.Request) {
		if _, ok := r.Message.(tenant.Seen); !ok {
			return
		}
		asked = true
		if end, ok := ctx.Deadline(); !ok || time.Until(end) < patience/2 {
			t.Errorf("the tenant is asked until %v (%v)", end, ok)
		}
	})
	w.do(request{method: "GET", path: "/api/cluster", token: w.token("ann", "acme", easel.Admin)}).want(t, 200, nil)
	if !asked {
		t.Error("nobody was recorded")
	}
}
