package gallery

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/tenant"
)

// page is how many rows or objects a chore asks for at once.
const page = 500

// reportEvery is how often a long chore says in the log how far it is.
const reportEvery = time.Minute

// chore runs one chore, unless it is running, and reports on it in the log.
func (g *Gallery) chore(ctx context.Context, name string, running *sync.Mutex, work func(*progress) error) (Report, error) {
	if !running.TryLock() {
		return Report{}, easel.Errorf(easel.CodeConflict, "%s is running already", name)
	}
	defer running.Unlock()
	start := g.c.Now()
	p := &progress{g: g, name: name, told: start}
	err := work(p)
	g.c.Log.InfoContext(ctx, "chore ended", "chore", name, "tenants", p.Tenants, "done", p.Done, "failed", p.Failed,
		"took", g.c.Now().Sub(start), "err", err)
	return p.Report, err
}

// progress is the report of a chore that runs.
type progress struct {
	Report
	g    *Gallery
	name string
	told time.Time
}

// note counts one more thing done, or left because of err.
func (p *progress) note(ctx context.Context, done bool, err error) {
	switch {
	case err != nil:
		p.Failed++
		p.g.c.Log.WarnContext(ctx, "chore left something for its next run", "chore", p.name, "err", err)
	case done:
		p.Done++
	}
	if now := p.g.c.Now(); now.Sub(p.told) >= reportEvery {
		p.told = now
		p.g.c.Log.InfoContext(ctx, "chore goes on", "chore", p.name, "tenants", p.Tenants, "done", p.Done, "failed", p.Failed)
	}
}

// tenants returns the ids of all tenants.
func (g *Gallery) tenants(ctx context.Context) ([]easel.TenantID, error) {
	var ids []easel.TenantID
	err := g.c.Histories.Names(ctx, tenant.KindName, func(name journal.Name) bool {
		if id, ok := strings.CutPrefix(string(name), tenant.KindName+"/"); ok {
			ids = append(ids, easel.TenantID(id))
		}
		return ctx.Err() == nil
	})
	if err == nil {
		err = ctx.Err()
	}
	return ids, err
}

// eachTenant calls work for every tenant. One that fails is left for the next
// run.
func (g *Gallery) eachTenant(ctx context.Context, p *progress, work func(easel.TenantID) error) error {
	ids, err := g.tenants(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.Tenants++
		if err := work(id); err != nil {
			p.note(ctx, false, err)
		}
	}
	return nil
}
