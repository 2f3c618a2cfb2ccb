package auth

import (
	"sync"

	"github.com/easelhq/easel"
)

// bars are the tenants that nobody may speak for any more.
type bars struct {
	mu  sync.Mutex // guards ids
	ids map[easel.TenantID]struct{}
}

// Bar ends a tenant on this node: whatever credential names it, the answer is
// CodeGone from now on.
func (a *Authenticator) Bar(id easel.TenantID) {
	a.barred.mu.Lock()
	defer a.barred.mu.Unlock()
	if a.barred.ids == nil {
		a.barred.ids = map[easel.TenantID]struct{}{}
	}
	a.barred.ids[id] = struct{}{}
}

// Admits returns CodeGone for a tenant that was barred.
func (a *Authenticator) Admits(id easel.TenantID) error {
	a.barred.mu.Lock()
	defer a.barred.mu.Unlock()
	if _, gone := a.barred.ids[id]; gone {
		return erased(nil)
	}
	return nil
}

func erased(cause error) error {
	return &easel.Error{Code: easel.CodeGone, Message: "the tenant was erased", Err: cause}
}
