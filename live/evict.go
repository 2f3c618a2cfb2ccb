package live

import "github.com/easelhq/easel"

// Evict ends all connections of a tenant on this node with a close.
func (r *Rooms) Evict(id easel.TenantID, c Close) {
	for _, s := range r.all() {
		if s.tenant == id {
			s.Close(c)
		}
	}
}
