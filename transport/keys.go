package transport

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/auth"
	"github.com/easelhq/easel/tenant"
)

type keyBody struct {
	Name need[string]     `json:"name" minLength:"1" maxLength:"100"`
	Role need[easel.Role] `json:"role" enum:"viewer,annotator,reviewer,admin,owner" doc:"At most one's own."`
	TTL  maybe[int64]     `json:"ttl" required:"false" minimum:"1" doc:"Seconds; without it the key does not expire."`
}

type keyAnswer struct {
	ID        easel.ID   `json:"id"`
	Key       string     `json:"key" doc:"easel_<tenant hash>_<id>_<secret>"`
	Role      easel.Role `json:"role"`
	ExpiresAt easel.Time `json:"expires_at" nullable:"true" doc:"null: does not expire."`
}

type serviceKeysAnswer struct {
	Keys       []tenant.KeyInfo `json:"keys"`
	NextCursor *string          `json:"next_cursor" doc:"null at the end."`
}

func keyRoutes() []Route {
	return []Route{
		{
			Method: http.MethodGet, Path: "/api/keys", Tag: "Service keys", Summary: "The tenant's service keys, newest first",
			Access: Token, Role: easel.Admin, Params: pageParams(), Answer: jsonAnswer[serviceKeysAnswer](http.StatusOK),
			Errors: []easel.Code{easel.CodeInvalid}, serve: (*call).listKeys,
		},
		{
			Method: http.MethodPost, Path: "/api/keys", Tag: "Service keys", Summary: "Make a service key",
			Doc:    "The key itself is in this answer only.",
			Access: Token, Role: easel.Admin, Body: jsonBody[keyBody](), Answer: jsonAnswer[keyAnswer](http.StatusCreated),
			Errors: []easel.Code{easel.CodeRateLimited}, serve: (*call).createKey,
		},
		{
			Method: http.MethodDelete, Path: "/api/keys/{id}", Tag: "Service keys", Summary: "Revoke a service key; it stops working at once, on other nodes within a second",
			Access: Token, Role: easel.Admin, Answer: noContent(), Errors: []easel.Code{easel.CodeNotFound}, serve: (*call).deleteKey,
		},
	}
}

func (c *call) listKeys() error {
	limit, err := c.query.limit()
	if err != nil {
		return err
	}
	cursor, _ := c.query.find("cursor")
	reply, err := askTenant[tenant.KeyListReply](c, tenant.KeyList{By: c.member(), Limit: limit, Cursor: cursor}, actors.Once{})
	if err != nil {
		return err
	}
	return c.answer(serviceKeysAnswer{Keys: list(reply.Keys), NextCursor: next(reply.Next)})
}

func (c *call) createKey() error {
	in, body, err := decode[keyBody](c)
	if err != nil {
		return err
	}
	secret := c.newSecret()
	reply, err := askTenant[tenant.KeyCreated](c, tenant.KeyCreate{
		By: c.member(), Name: in.Name.Value, Role: in.Role.Value, TTL: in.TTL.Value, Tenant: c.p.TenantName, Secret: tenant.HashSecret(secret),
	}, c.once(body))
	if err != nil {
		return err
	}
	return c.answer(keyAnswer{ID: reply.ID, Key: auth.FormatKey(c.p.Tenant, reply.ID, secret), Role: reply.Role, ExpiresAt: reply.ExpiresAt})
}

// newSecret returns a secret for a service key of at least 256 bits. A request with
// an Idempotency-Key gets the same at each repeat, though it is kept nowhere.
func (c *call) newSecret() string {
	if c.key == "" {
		return rand.Text() + rand.Text() // 260 bits
	}
	m := hmac.New(sha256.New, c.c.URLKey)
	m.Write([]byte("easel service key 1\x00" + c.key))
	return hex.EncodeToString(m.Sum(nil))
}

func (c *call) deleteKey() error {
	id, err := c.pathID("id")
	if err != nil {
		return err
	}
	if _, err := askTenant[tenant.Empty](c, tenant.KeyDelete{By: c.member(), ID: id}, c.once(nil)); err != nil {
		return err
	}
	c.c.Auth.Revoke(id)
	return c.done()
}
