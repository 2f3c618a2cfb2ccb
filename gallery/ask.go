package gallery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/tenant"
)

// Pauses between attempts of an ask that must arrive.
const (
	retryFirst = 20 * time.Millisecond
	retryMost  = time.Second
)

func (g *Gallery) tenant(ctx context.Context, id easel.TenantID, m actors.Message) (actors.Message, error) {
	return g.c.Asker.Ask(ctx, actors.Request{To: tenant.Key(id), Message: m})
}

func (g *Gallery) canvas(ctx context.Context, id easel.TenantID, image easel.ID, m actors.Message) (actors.Message, error) {
	return g.c.Asker.Ask(ctx, actors.Request{To: canvas.Key(id, image), Message: m})
}

// as is the end of an ask: the answer as an R.
func as[R actors.Message](m actors.Message, err error) (R, error) {
	r, ok := m.(R)
	if err == nil && !ok {
		return r, fmt.Errorf("gallery: answer is a %T", m)
	}
	return r, err
}

// insist asks until the answer is definite or ctx ends. ask must be harmless to
// repeat: the outcome of an attempt that failed may be unknown.
func insist(ctx context.Context, ask func() (actors.Message, error)) (actors.Message, error) {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		m, err := ask()
		switch easel.CodeOf(err) {
		case easel.CodeUnavailable, easel.CodeOverloaded:
		default:
			return m, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		case <-timer.C:
		}
	}
}

// ending returns a context for ending what was begun, which the caller's leaving
// does not end.
func (g *Gallery) ending(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), g.c.Settle)
}

// partTime is how long a saga tries to clear up after an outage, before its caller
// hears of it. What is not cleared up by then clears itself up: images ask, and
// leases run out.
const partTime = time.Second

// parting is ending after a failure: during an outage it does not last, because
// what failed would fail again, and somebody waits unless ctx has ended.
func (g *Gallery) parting(ctx context.Context, failure error) (context.Context, context.CancelFunc) {
	if easel.CodeOf(failure).Temporary() && ctx.Err() == nil {
		return context.WithTimeout(context.WithoutCancel(ctx), min(partTime, g.c.Settle))
	}
	return g.ending(ctx)
}

// outage gives a failure of the blob store the code that a client sees. Others
// pass.
func outage(err error) error {
	if errors.Is(err, blob.ErrUnavailable) {
		return &easel.Error{Code: easel.CodeUnavailable, Message: "the store cannot be reached", Err: err}
	}
	return err
}

func author(p easel.Principal) tenant.Author {
	return tenant.Author{User: p.User, Name: p.Name, Role: p.Role}
}

func drawer(p easel.Principal) canvas.Author {
	return canvas.Author{User: p.User, Name: p.Name, Role: p.Role}
}
