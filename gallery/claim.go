package gallery

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/tenant"
)

// renewEvery is how often the lease of a claim is extended while the work goes
// on. It is a third of the tenant's default lease.
const renewEvery = 5 * time.Second

// claim is what became of an idempotency key. The zero claim is of a request
// without one.
type claim struct {
	g      *Gallery
	tenant easel.TenantID
	key    string
	holder easel.ID
	done   *tenant.Claimed // the verdict of an earlier request; nil: this one works
}

// claim takes the claim on key, or gets the verdict of the request that had it.
func (g *Gallery) claim(ctx context.Context, t easel.TenantID, key string) (claim, error) {
	if key == "" {
		return claim{}, nil
	}
	c := claim{g: g, tenant: t, key: key, holder: easel.NewID()}
	claimed, err := as[tenant.Claimed](g.tenant(ctx, t, c.lease()))
	if err == nil && claimed.Done {
		c.done = &claimed
	}
	return c, err
}

// lease returns the message that takes the claim or extends its lease.
func (c claim) lease() tenant.Claim {
	return tenant.Claim{Key: c.key, Holder: c.holder, Node: c.g.c.Node, Life: c.g.life}
}

// work extends the lease until release is called. The context that it returns
// ends when somebody else has taken the claim over.
func (c claim) work(ctx context.Context) (work context.Context, release func()) {
	if c.key == "" {
		return ctx, func() {}
	}
	work, lost := context.WithCancel(ctx)
	renewing, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { c.renew(renewing, lost) })
	return work, func() {
		stop()
		wg.Wait()
		lost()
	}
}

// renew extends the lease until ctx ends or somebody else has the claim.
func (c claim) renew(ctx context.Context, lost func()) {
	ticker := time.NewTicker(renewEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		_, err := c.g.tenant(ctx, c.tenant, c.lease())
		if easel.CodeOf(err) == easel.CodeConflict {
			lost()
			return
		}
	}
}

// settle returns the message that ends the claim with an answer in JSON; nil if
// there is no claim.
func (c claim) settle(hash string, answer []byte) *tenant.Settle {
	if c.key == "" {
		return nil
	}
	return &tenant.Settle{Key: c.key, Holder: c.holder, Hash: hash, Answer: answer}
}

// fail ends the claim after a failure: with the error, if it is one for good and
// hash says of what, else by giving the key free. If that does not get through,
// the lease runs out by itself.
func (c claim) fail(ctx context.Context, hash string, failure error) {
	if c.key == "" {
		return
	}
	m := tenant.Settle{Key: c.key, Holder: c.holder}
	if e, ok := errors.AsType[*easel.Error](failure); ok && hash != "" && !e.Code.Temporary() {
		m.Hash, m.Error = hash, e
	}
	if _, err := c.g.tenant(ctx, c.tenant, m); err != nil {
		c.g.c.Log.DebugContext(ctx, "claim not settled", "err", err)
	}
}

// errReused is the error of a key that was used with another body.
func errReused() error {
	return easel.Errorf(easel.CodeInvalid, "this idempotency key was used for another request")
}
