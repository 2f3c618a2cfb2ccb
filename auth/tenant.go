package auth

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/easelhq/easel"
)

// PersonalPrefix starts the name of every personal tenant; no token may claim a
// tenant whose name starts so.
const PersonalPrefix = "user:"

// Team returns the id of the tenant called name. issuer is the token's issuer
// if it was signed with a key of a JWKS, and "" otherwise, so that two issuers
// cannot meet in one tenant.
func Team(issuer, name string) easel.TenantID { return tenantID("team", issuer, name) }

// Personal returns the id of the personal tenant of the user sub.
func Personal(issuer, sub string) easel.TenantID { return tenantID("user", issuer, sub) }

// tenantID joins its parts with NUL, which none of them may contain.
func tenantID(kind, issuer, name string) easel.TenantID {
	sum := sha256.Sum256([]byte("easel tenant\x00" + kind + "\x00" + issuer + "\x00" + name))
	return easel.TenantID(hex.EncodeToString(sum[:16]))
}
