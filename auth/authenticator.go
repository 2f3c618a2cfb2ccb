package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/tenant"
)

const (
	tokenGood  = time.Minute     // how long a verified token is believed without another look
	memberGood = 4 * time.Minute // how often a member's last_seen_at is refreshed
	cacheSize  = 8192            // entries of each cache
	maxCached  = 2 << 10         // bytes of a token that is worth its place in memory
)

// Config is what an Authenticator is made of.
type Config struct {
	Tokens TokenConfig
	// Root is a secret of at least 32 bytes that every node of a cluster shares;
	// the ticket key is derived from it.
	Root  []byte
	Asker actors.Asker // tenants' actors
}

// Authenticator verifies credentials.
type Authenticator struct {
	tokens  *Tokens
	tickets *tickets
	asker   actors.Asker
	now     func() time.Time
	log     *slog.Logger

	verified *cache[string, easel.Principal] // by token
	keys     *cache[string, easel.Principal] // by service key
	revoked  *cache[easel.ID, struct{}]      // service keys, for as long as keys may hold them
	members  *cache[member, struct{}]
	barred   bars
}

// member is one face of a user: a change of role or name is recorded at once.
type member struct {
	tenant     easel.TenantID
	user, name string
	role       easel.Role
}

// New checks cfg and makes an Authenticator. Its key refresh ends with ctx.
func New(ctx context.Context, cfg Config) (*Authenticator, error) {
	if len(cfg.Root) < MinSecret {
		return nil, fmt.Errorf("auth: root secret has fewer than %d bytes", MinSecret)
	}
	tokens, err := NewTokens(ctx, cfg.Tokens)
	if err != nil {
		return nil, err
	}
	t, err := newTickets(cfg.Root, tokens.cfg.Now)
	if err != nil {
		return nil, err
	}
	return &Authenticator{
		tokens: tokens, tickets: t, asker: cfg.Asker, now: tokens.cfg.Now, log: tokens.cfg.Logger,
		verified: newCache[string, easel.Principal](cacheSize),
		keys:     newCache[string, easel.Principal](cacheSize),
		revoked:  newCache[easel.ID, struct{}](cacheSize),
		members:  newCache[member, struct{}](cacheSize),
	}, nil
}

// unauthorized is the one answer to every bad credential; why stays in the log.
func unauthorized(cause error) error {
	return &easel.Error{Code: easel.CodeUnauthorized, Message: "the credential is missing or not valid", Err: cause}
}

// Missing is the answer to a request without a credential.
func Missing() error { return unauthorized(errors.New("no credential")) }

// Header returns who an Authorization header speaks for: "Bearer" and a JWT or
// a service key. Errors: CodeUnauthorized; CodeUnavailable and CodeOverloaded if
// a key's tenant cannot be asked.
func (a *Authenticator) Header(ctx context.Context, header string) (easel.Principal, error) {
	scheme, credential, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return easel.Principal{}, unauthorized(errors.New("no bearer credential"))
	}
	return a.Bearer(ctx, strings.Trim(credential, " "))
}

// Bearer returns who a JWT or a service key speaks for. Errors as for Header.
func (a *Authenticator) Bearer(ctx context.Context, credential string) (easel.Principal, error) {
	if strings.HasPrefix(credential, keyPrefix) {
		return a.serviceKey(ctx, credential)
	}
	now := a.now()
	if p, ok := a.verified.find(credential, now); ok {
		return p, nil
	}
	p, err := a.tokens.Verify(ctx, credential)
	if err != nil {
		return easel.Principal{}, unauthorized(err)
	}
	until := now.Add(tokenGood)
	if p.Expires.Before(until) {
		until = p.Expires
	}
	if len(credential) <= maxCached {
		a.verified.keep(credential, p, until)
	}
	return p, nil
}

// Ticket returns who a ticket was made for, if it opens image now. Its
// Principal.Expires is that of the credential it was made with, so that a stream
// that was opened in time may go on. Errors: CodeUnauthorized.
func (a *Authenticator) Ticket(ticket string, image easel.ID) (easel.Principal, error) {
	p, err := a.tickets.open(ticket, image)
	if err != nil {
		return easel.Principal{}, unauthorized(err)
	}
	if !a.now().Before(p.Expires) {
		return easel.Principal{}, unauthorized(badToken("the ticket's credential has ended"))
	}
	if err := a.Admits(p.Tenant); err != nil {
		return easel.Principal{}, err
	}
	return p, nil
}

// NewTicket returns a ticket with which p may open image for a minute, and when
// it ends. The caller has checked that the image is one of p's tenant.
func (a *Authenticator) NewTicket(p easel.Principal, image easel.ID) (string, easel.Time) {
	ticket, until := a.tickets.sign(p, image)
	return ticket, easel.At(until)
}

// Meet records p as a member of its tenant, durably and before it returns, the
// first time that this process meets p with this role and name, and every few
// minutes after. Service keys are no members, and whoever comes with a ticket
// was recorded when it was made. CodeGone if the tenant was erased.
func (a *Authenticator) Meet(ctx context.Context, p easel.Principal) error {
	if err := a.Admits(p.Tenant); err != nil {
		return err
	}
	if p.Key != "" || p.Image != "" {
		return nil
	}
	m := member{p.Tenant, p.User, p.Name, p.Role}
	now := a.now()
	if _, ok := a.members.find(m, now); ok {
		return nil
	}
	_, err := a.asker.Ask(ctx, actors.Request{
		To: tenant.Key(p.Tenant), Message: tenant.Seen{User: p.User, Name: p.Name, Role: p.Role},
	})
	if easel.CodeOf(err) == easel.CodeNotFound {
		return erased(err) // being seen brings any other tenant to life
	}
	if err != nil {
		return err
	}
	a.members.keep(m, struct{}{}, now.Add(memberGood))
	return nil
}

// Sign returns a token of our own, see Tokens.Sign.
func (a *Authenticator) Sign(g Grant) (string, error) { return a.tokens.Sign(g) }
