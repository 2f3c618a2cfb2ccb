package tenant

import (
	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// KindName is the actor kind of tenants, and ImageKind that of the images whose
// actors a tenant talks to.
const (
	KindName  = "tenant"
	ImageKind = "image"
)

// Key names a tenant's actor.
func Key(id easel.TenantID) actors.Key { return actors.Key{Kind: KindName, ID: string(id)} }

// Author is who asks, as the edge has verified.
type Author struct {
	User string     `json:"user"` // the token's sub
	Name string     `json:"name,omitempty"`
	Role easel.Role `json:"role"`
}

// Empty is the answer of messages that have nothing to say.
type Empty struct{}

// MessageName implements actors.Message.
func (Empty) MessageName() string { return "tenant.empty" }

// Births reports whether m may bring a tenant to life. A tenant is born by the
// first request of somebody with a token for it, whatever that is; what only
// images and chores send wakes none that never was.
func Births(m actors.Message) bool {
	switch m.(type) {
	case Row, Sync, Outcome, Confirm, Ready, Abandon, Settle, KeyCheck, Expired, Purged, Drops, Dropped, Sweep:
		return false
	default:
		return true
	}
}

// Seen notes that a token of this user was accepted; -> Empty. Callers send it
// at most every few minutes for a user and role.
type Seen struct {
	User string     `json:"user"`
	Name string     `json:"name"`
	Role easel.Role `json:"role"`
}

// MessageName implements actors.Message.
func (Seen) MessageName() string { return "tenant.seen" }

// Member asks for one member; -> MemberReply. CodeNotFound if never seen.
type Member struct {
	User string `json:"user"`
}

// MessageName implements actors.Message.
func (Member) MessageName() string { return "tenant.member" }

// MemberReply is a member as GET /api/users/{id} shows it.
type MemberReply struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Role       easel.Role `json:"role"`
	LastSeenAt easel.Time `json:"last_seen_at"`
}

// MessageName implements actors.Message.
func (MemberReply) MessageName() string { return "tenant.member_reply" }

// Usage asks what the tenant uses; -> UsageReply.
type Usage struct{}

// MessageName implements actors.Message.
func (Usage) MessageName() string { return "tenant.usage" }

// UsageReply holds what a tenant uses and what it may use at most.
type UsageReply struct {
	Used   Amounts `json:"used"`
	Limits Amounts `json:"limits"` // 0: no limit
}

// MessageName implements actors.Message.
func (UsageReply) MessageName() string { return "tenant.usage_reply" }

// Amounts counts what a tenant holds. Bytes covers images (soft-deleted ones
// too), files and KV values.
type Amounts struct {
	Images  int64 `json:"images"`
	Bytes   int64 `json:"bytes"`
	Files   int64 `json:"files"`
	KVKeys  int64 `json:"kv_keys"`
	KVBytes int64 `json:"kv_bytes"`
	Members int64 `json:"members"`
	Keys    int64 `json:"keys"`
}
