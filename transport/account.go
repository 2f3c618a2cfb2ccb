package transport

import (
	"net/http"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/tenant"
)

type meAnswer struct {
	UserID string     `json:"user_id"`
	Tenant string     `json:"tenant" doc:"user:SUB for a personal tenant."`
	Role   easel.Role `json:"role"`
	Name   string     `json:"name"`
}

type ticketBody struct {
	ImageID need[easel.ID] `json:"image_id" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$"`
}

type ticketAnswer struct {
	Ticket    string     `json:"ticket"`
	ExpiresAt easel.Time `json:"expires_at"`
}

type usageAnswer struct {
	Used   tenant.Amounts `json:"used"`
	Limits usageLimits    `json:"limits" doc:"What is not there has no limit."`
}

type usageLimits struct {
	Images int64 `json:"images,omitempty"`
	Bytes  int64 `json:"bytes,omitempty"`
	Rates
}

func accountRoutes() []Route {
	return []Route{
		{
			Method: http.MethodGet, Path: "/api/me", Tag: "Account", Summary: "Who the token says you are",
			Access: Token, Role: easel.Viewer, Answer: jsonAnswer[meAnswer](http.StatusOK), serve: (*call).me,
		},
		{
			Method: http.MethodGet, Path: "/api/users/{id...}", Tag: "Account", Summary: "A member of the tenant",
			Doc:    "A member is anyone whose token for the tenant was seen.",
			Access: Token, Role: easel.Viewer, Answer: jsonAnswer[tenant.MemberReply](http.StatusOK),
			Errors: []easel.Code{easel.CodeNotFound}, serve: (*call).user,
		},
		{
			Method: http.MethodPost, Path: "/api/tickets", Tag: "Account", Summary: "A ticket for one image, for where a header cannot be set",
			Doc:    "Valid for 60 s as ?ticket= on file, thumbnail, tiles, events and live of the image, for the same user and role.",
			Access: Token, Role: easel.Viewer, Body: jsonBody[ticketBody](), Answer: jsonAnswer[ticketAnswer](http.StatusCreated),
			Errors: []easel.Code{easel.CodeNotFound, easel.CodeGone}, serve: (*call).ticket,
		},
		{
			Method: http.MethodGet, Path: "/api/usage", Tag: "Account", Summary: "What the tenant uses, and its limits",
			Access: Token, Role: easel.Viewer, Answer: jsonAnswer[usageAnswer](http.StatusOK), serve: (*call).usage,
		},
	}
}

func (c *call) me() error {
	return c.answer(meAnswer{UserID: c.p.User, Tenant: c.p.TenantName, Role: c.p.Role, Name: c.p.Name})
}

func (c *call) user() error {
	reply, err := askTenant[tenant.MemberReply](c, tenant.Member{User: c.r.PathValue("id")}, actors.Once{})
	if err != nil {
		return err
	}
	return c.answer(reply)
}

func (c *call) ticket() error {
	in, _, err := decode[ticketBody](c)
	if err != nil {
		return err
	}
	if _, err := askImage[canvas.ImageReply](c, in.ImageID.Value, canvas.Look{}, actors.Once{}); err != nil {
		return err
	}
	ticket, until := c.c.Auth.NewTicket(c.p, in.ImageID.Value)
	return c.answer(ticketAnswer{Ticket: ticket, ExpiresAt: until})
}

func (c *call) usage() error {
	reply, err := askTenant[tenant.UsageReply](c, tenant.Usage{}, actors.Once{})
	if err != nil {
		return err
	}
	return c.answer(usageAnswer{Used: reply.Used, Limits: usageLimits{Images: reply.Limits.Images, Bytes: reply.Limits.Bytes, Rates: c.c.Rates}})
}
