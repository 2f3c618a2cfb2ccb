package transport

import (
	"context"
	"net/http"

	"github.com/easelhq/easel"
)

// Eraser erases tenants, see package archive.
type Eraser interface {
	Request(ctx context.Context, tenant easel.TenantID) error
}

type eraseBody struct {
	Confirm need[string] `json:"confirm" doc:"The tenant's name, as GET /api/me says it."`
}

type eraseAnswer struct {
	Tenant   string     `json:"tenant"`
	ErasedAt easel.Time `json:"erased_at"`
}

func eraseRoutes() []Route {
	return []Route{{
		Method: http.MethodDelete, Path: erasePath, Tag: "Account", Summary: "Erase the tenant with all its data, for good",
		Doc: "The body repeats the tenant's name as `confirm`. When the answer comes, nobody of the tenant is let in any more " +
			"(`gone`) and its sockets are closed with 4404; its data is removed in the background. " +
			"The name is never used again. A repeat gets the same answer.",
		Access: Token, Role: easel.Owner, Body: jsonBody[eraseBody](),
		Answer: jsonAnswer[eraseAnswer](http.StatusAccepted), serve: (*call).erase,
	}}
}

const erasePath = "/api/tenant"

func (c *call) erase() error {
	in, _, err := decode[eraseBody](c)
	if err != nil {
		return err
	}
	if in.Confirm.Value != c.p.TenantName {
		return easel.Invalid("confirm", "must be the tenant's name")
	}
	if c.c.Eraser == nil {
		return easel.Errorf(easel.CodeNotFound, "this node erases no tenants")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), c.c.Timeout)
	defer cancel()
	if err := c.c.Eraser.Request(ctx, c.p.Tenant); err != nil {
		return err
	}
	return c.answer(eraseAnswer{Tenant: c.p.TenantName, ErasedAt: easel.At(c.c.Now())})
}

// erasing reports whether the request is for the erasure of a tenant, which may be
// repeated when there is nobody left to be met.
func (c *call) erasing() bool { return c.route.Path == erasePath }
