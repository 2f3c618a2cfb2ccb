package transport

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/easelhq/easel"
)

// maxLimiters bounds how many clients' and tenants' budgets are remembered.
const maxLimiters = 10_000

// limiters are the budgets of those who write.
type limiters struct {
	clients, tenants budget
}

// budget gives each name the same rate. A forgotten name starts with a full
// burst, so forgetting is only done to those that were idle, or at the bound.
type budget struct {
	each  rate.Limit
	burst int

	mu  sync.Mutex // guards set
	set map[string]*rate.Limiter
}

func newLimiters(l Limits) limiters {
	b := func(perSecond, burst int) budget {
		return budget{each: rate.Limit(perSecond), burst: max(burst, perSecond, easel.MaxOps), set: make(map[string]*rate.Limiter)}
	}
	return limiters{clients: b(l.ClientOps, l.ClientBurst), tenants: b(l.TenantOps, l.TenantOps)}
}

// take uses n of the name's budget, or returns CodeRateLimited with the time
// after which there is enough.
func (b *budget) take(name string, n int, now time.Time) error {
	if b.each <= 0 || n == 0 {
		return nil
	}
	r := b.of(name, now).ReserveN(now, n)
	wait := time.Second
	if r.OK() {
		if wait = r.DelayFrom(now); wait == 0 {
			return nil
		}
		r.CancelAt(now)
	}
	return &easel.Error{Code: easel.CodeRateLimited, Message: "too many ops a second", RetryAfter: wait}
}

func (b *budget) of(name string, now time.Time) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l, ok := b.set[name]; ok {
		return l
	}
	if len(b.set) >= maxLimiters {
		b.forgetLocked(now)
	}
	l := rate.NewLimiter(b.each, b.burst)
	b.set[name] = l
	return l
}

// forgetLocked removes those whose budget is full, and if everyone is busy, any
// tenth of them.
func (b *budget) forgetLocked(now time.Time) {
	for name, l := range b.set {
		if l.TokensAt(now) >= float64(b.burst) {
			delete(b.set, name)
		}
	}
	for name := range b.set {
		if len(b.set) < maxLimiters*9/10 {
			return
		}
		delete(b.set, name)
	}
}

// spend counts n ops of c against its tenant and, if it is one, its client.
func (c *call) spend(client string, n int) error {
	now := c.c.Now()
	if client != "" {
		if err := c.limits.clients.take(string(c.p.Tenant)+"/"+c.p.User+"\x00"+client, n, now); err != nil {
			return err
		}
	}
	return c.limits.tenants.take(string(c.p.Tenant), n, now)
}
