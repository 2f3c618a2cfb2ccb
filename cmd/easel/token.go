package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/auth"
)

// tokenCommand prints a token that the node of the same configuration believes.
type tokenCommand struct {
	tenant string
	user   string
	role   string
	name   string
	ttl    time.Duration
}

func (t *tokenCommand) flags(fs *flag.FlagSet) {
	fs.StringVar(&t.tenant, "tenant", "", "tenant; none is the user's personal one")
	fs.StringVar(&t.user, "user", "", "user, the token's sub (required)")
	fs.StringVar(&t.role, "role", "", "owner, admin, reviewer, annotator or viewer (default: owner of a personal tenant, else annotator)")
	fs.StringVar(&t.name, "name", "", "display name")
	fs.DurationVar(&t.ttl, "ttl", time.Hour, "how long the token is valid (default 1h)")
}

func (t *tokenCommand) run(ctx context.Context, sh shell) error {
	c, err := loader{
		command: "token",
		only:    []string{"data", "jwt-secret", "jwt-issuer", "jwt-audience"},
		extra:   t.flags,
	}.load(sh)
	if err != nil {
		return err
	}
	if err := t.check(); err != nil {
		return err
	}
	if len(c.Identity.Secrets) == 0 {
		if err := os.MkdirAll(c.Store.Data, 0o700); err != nil {
			return badKey("data", "%v", err)
		}
	}
	list, made, err := loadSecrets(c)
	if err != nil {
		return err
	}
	if made {
		fmt.Fprintf(sh.stderr, "easel: made a new secret in %s; a node must be started with the same --data\n", c.Store.Data)
	}
	tokens, err := auth.NewTokens(ctx, auth.TokenConfig{
		Secrets: secretBytes(list), Issuer: c.Identity.Issuer, Audience: c.Identity.Audience,
	})
	if err != nil {
		return err
	}
	signed, err := tokens.Sign(auth.Grant{User: t.user, Tenant: t.tenant, Role: easel.Role(t.role), Name: t.name, TTL: t.ttl})
	if err != nil {
		return &usageError{message: err.Error()}
	}
	_, err = fmt.Fprintln(sh.stdout, signed)
	return err
}

func (t *tokenCommand) check() error {
	switch {
	case t.user == "":
		return badKey("user", "is required")
	case strings.HasPrefix(t.tenant, "user:"):
		return badKey("tenant", "must not start with user:, which names personal tenants; leave it out for the user's own")
	case t.role != "" && !easel.Role(t.role).Valid():
		return badKey("role", "must be one of owner, admin, reviewer, annotator, viewer, not %q", t.role)
	case t.ttl < time.Second:
		return badKey("ttl", "must be at least 1s, not %s", t.ttl)
	default:
		return nil
	}
}
