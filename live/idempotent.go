package live

import "github.com/easelhq/easel/actors"

// What may be repeated without a verdict. The feed keeps none: it has no file.

var _ actors.Idempotent = Attach{}

// Idempotent implements actors.Idempotent: it renews a lease.
func (Attach) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it ends a lease.
func (Detach) Idempotent() bool { return true }
