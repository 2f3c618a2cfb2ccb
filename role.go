package easel

import "time"

// Role is what a token lets its bearer do in one tenant.
type Role string

// The roles, each of which may do all that the ones before it may.
const (
	Viewer    Role = "viewer"
	Annotator Role = "annotator"
	Reviewer  Role = "reviewer"
	Admin     Role = "admin"
	Owner     Role = "owner"
)

// rank orders the roles; an unknown role ranks 0 and may do nothing.
func (r Role) rank() int {
	switch r {
	case Viewer:
		return 1
	case Annotator:
		return 2
	case Reviewer:
		return 3
	case Admin:
		return 4
	case Owner:
		return 5
	default:
		return 0
	}
}

// Valid reports whether r is one of the five roles.
func (r Role) Valid() bool { return r.rank() > 0 }

// AtLeast reports whether r may do all that other may. An unknown role is never
// at least anything.
func (r Role) AtLeast(other Role) bool { return r.Valid() && r.rank() >= other.rank() }

// Principal is who a request comes from, as its token, key or ticket says.
type Principal struct {
	Tenant     TenantID  // hash of the tenant's kind, name and issuer
	TenantName string    // as in the token; "user:SUB" for a personal tenant
	User       string    // the token's sub
	Name       string    // display name; User when the token has none
	Role       Role      //
	Expires    time.Time // when the credential stops being valid
	Image      ID        // set for a ticket: the only image it opens
	Key        ID        // set for a service key: its id
}
