package auth

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/tenant"
)

// keyPrefix starts every service key; no JWT starts so, because its first
// segment is the base64url of an object.
const keyPrefix = "easel_"

// keyGood is how long a verified service key is believed. The contract lets a
// revoked key live for a second.
const keyGood = 500 * time.Millisecond

// KeyUser is what the users of service keys are called: this and the key's id.
const KeyUser = "key:"

// serviceKey is a presented key, taken apart.
type serviceKey struct {
	tenant easel.TenantID
	id     easel.ID
	secret string
}

// FormatKey returns the service key that parseKey takes apart.
func FormatKey(t easel.TenantID, id easel.ID, secret string) string {
	return keyPrefix + string(t) + "_" + string(id) + "_" + secret
}

// parseKey takes easel_<tenant hash>_<id>_<secret> apart; the secret may hold
// underscores.
func parseKey(s string) (serviceKey, bool) {
	rest, ok := strings.CutPrefix(s, keyPrefix)
	if !ok {
		return serviceKey{}, false
	}
	hash, rest, _ := strings.Cut(rest, "_")
	id, secret, _ := strings.Cut(rest, "_")
	k := serviceKey{easel.TenantID(hash), easel.ID(id), secret}
	// A tenant's hash has the form of an id.
	return k, easel.ID(hash).Valid() && k.id.Valid() && secret != "" && len(secret) <= 256
}

// serviceKey asks the key's tenant whether the key is good.
func (a *Authenticator) serviceKey(ctx context.Context, credential string) (easel.Principal, error) {
	k, ok := parseKey(credential)
	if !ok {
		return easel.Principal{}, unauthorized(badToken("malformed service key"))
	}
	now := a.now()
	if p, ok := a.keys.find(credential, now); ok && now.Before(p.Expires) {
		if _, revoked := a.revoked.find(p.Key, now); !revoked {
			return p, nil
		}
	}
	reply, err := actors.Ask[tenant.KeyReply](ctx, a.asker, actors.Request{
		To: tenant.Key(k.tenant), Message: tenant.KeyCheck{ID: k.id, Secret: k.secret},
	})
	switch easel.CodeOf(err) {
	case "":
	case easel.CodeUnauthorized, easel.CodeNotFound, easel.CodeGone: // not found: no such tenant
		return easel.Principal{}, unauthorized(err)
	default:
		return easel.Principal{}, err
	}
	if !reply.Role.Valid() {
		return easel.Principal{}, unauthorized(errors.New("key with an unknown role"))
	}
	p := easel.Principal{
		Tenant: k.tenant, TenantName: cmp.Or(reply.Tenant, string(k.tenant)),
		User: KeyUser + string(reply.ID), Name: reply.Name, Role: reply.Role, Key: reply.ID,
		Expires: never,
	}
	if reply.ExpiresAt != 0 {
		p.Expires = reply.ExpiresAt.Std()
	}
	a.keys.keep(credential, p, now.Add(keyGood))
	return p, nil
}

// Revoke ends a service key that was deleted on this node at once; the others
// believe it for half a second more. What they and requests under way found good
// before is forgotten by then, so the mark may be, too.
func (a *Authenticator) Revoke(id easel.ID) {
	a.revoked.keep(id, struct{}{}, a.now().Add(keyGood))
}

// never is when a key without an expiry ends.
var never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
