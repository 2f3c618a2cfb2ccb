package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/easelhq/easel"
)

// Identity is who a token is for.
type Identity struct {
	User   string     `json:"user_id"`
	Tenant string     `json:"tenant"`
	Role   easel.Role `json:"role"`
	Name   string     `json:"name"`
}

// Me returns who the token is for.
func (c *Client) Me(ctx context.Context) (Identity, error) {
	var out Identity
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/api/me"}, &out)
	return out, err
}

// User is a member of the tenant.
type User struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Role       easel.Role `json:"role"`
	LastSeenAt easel.Time `json:"last_seen_at"`
}

// User returns a member of the tenant; one that was never seen is CodeNotFound.
func (c *Client) User(ctx context.Context, id string) (User, error) {
	var out User
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/api/users/" + url.PathEscape(id)}, &out)
	return out, err
}

// Usage is what a tenant uses, and how much of it there may be; 0: no limit. The
// names are those of the API.
type Usage struct {
	Used   map[string]int64 `json:"used"`
	Limits map[string]int64 `json:"limits"`
}

// Usage returns what the tenant uses.
func (c *Client) Usage(ctx context.Context) (Usage, error) {
	var out Usage
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/api/usage"}, &out)
	return out, err
}

// ServiceKey is a key that programs use instead of a token.
type ServiceKey struct {
	ID        easel.ID   `json:"id"`
	Name      string     `json:"name"`
	Role      easel.Role `json:"role"`
	CreatedBy string     `json:"created_by"`
	CreatedAt easel.Time `json:"created_at"`
	ExpiresAt easel.Time `json:"expires_at"` // 0: never
}

// Keys yields the tenant's service keys, newest first. An error ends it.
func (c *Client) Keys(ctx context.Context) iter.Seq2[ServiceKey, error] {
	return pages[ServiceKey](ctx, c, "/api/keys", "keys", url.Values{})
}

// CreateKey makes a service key and returns it with the key itself, which nobody
// is told again. It does not expire if life is 0; seconds count.
func (c *Client) CreateKey(ctx context.Context, name string, role easel.Role, life time.Duration) (ServiceKey, string, error) {
	body, err := encode(struct {
		Name string     `json:"name"`
		Role easel.Role `json:"role"`
		TTL  int64      `json:"ttl,omitempty"`
	}{name, role, int64(life / time.Second)})
	if err != nil {
		return ServiceKey{}, "", err
	}
	var out struct {
		ServiceKey

		Key string `json:"key"`
	}
	_, err = c.call(ctx, request{method: http.MethodPost, path: "/api/keys", body: body}, &out)
	out.Name = name
	return out.ServiceKey, out.Key, err
}

// DeleteKey revokes a service key; it stops working at once, on other nodes within a second.
func (c *Client) DeleteKey(ctx context.Context, id easel.ID) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/api/keys/" + url.PathEscape(string(id))}, nil)
	return err
}

// Ticket returns a ticket for addresses of one image (?ticket=), for where no
// header can be set, and when it expires.
func (c *Client) Ticket(ctx context.Context, image easel.ID) (string, easel.Time, error) {
	body, err := encode(map[string]easel.ID{"image_id": image})
	if err != nil {
		return "", 0, err
	}
	var out struct {
		Ticket    string
		ExpiresAt easel.Time `json:"expires_at"`
	}
	_, err = c.call(ctx, request{method: http.MethodPost, path: "/api/tickets", body: body}, &out)
	return out.Ticket, out.ExpiresAt, err
}

// EraseTenant erases the tenant with all its data, for good. Its name says that
// this is meant.
func (c *Client) EraseTenant(ctx context.Context, name string) error {
	body, err := encode(map[string]string{"confirm": name})
	if err != nil {
		return err
	}
	_, err = c.call(ctx, request{method: http.MethodDelete, path: "/api/tenant", body: body}, nil)
	return err
}
