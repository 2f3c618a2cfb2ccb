package gallery

import (
	"context"

	"github.com/easelhq/easel"
)

// Turnstile lets n in at once; Enter is as enter.
type Turnstile struct{ s *turnstile }

// NewTurnstile makes one.
func NewTurnstile(n int) Turnstile { return Turnstile{newTurnstile(n)} }

// Enter waits for room.
func (t Turnstile) Enter(ctx context.Context, id easel.TenantID) (leave func(), err error) {
	return t.s.enter(ctx, id)
}

// Tenants counts those who are remembered.
func (t Turnstile) Tenants() int { return len(t.s.by) }
