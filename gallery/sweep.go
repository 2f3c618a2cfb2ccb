package gallery

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/tenant"
)

// DrainDrops deletes the blobs in the tenants' deletion queues. CodeConflict if
// it is already running.
func (g *Gallery) DrainDrops(ctx context.Context) (Report, error) {
	return g.chore(ctx, "drain deletion queues", &g.draining, func(p *progress) error {
		return g.eachTenant(ctx, p, func(t easel.TenantID) error { return g.drain(ctx, p, t) })
	})
}

// drain deletes blobs before their entries leave the queue, so that a crash in
// between only deletes again.
func (g *Gallery) drain(ctx context.Context, p *progress, t easel.TenantID) error {
	for after := int64(0); ; {
		reply, err := as[tenant.DropsReply](g.tenant(ctx, t, tenant.Drops{After: after, Limit: page}))
		if err != nil {
			return err
		}
		var deleted []int64
		for _, d := range reply.Drops {
			err := g.c.Blobs.Delete(ctx, d.Blob)
			if err == nil {
				deleted = append(deleted, d.Seq)
			}
			p.note(ctx, true, err)
			after = d.Seq
		}
		if len(deleted) > 0 {
			if _, err := g.tenant(ctx, t, tenant.Dropped{Seqs: deleted}); err != nil {
				return err
			}
		}
		if len(reply.Drops) < page {
			return nil
		}
	}
}

// SweepOrphans queues blobs older than Grace that no row names for deletion.
// CodeConflict if it is already running.
func (g *Gallery) SweepOrphans(ctx context.Context) (Report, error) {
	return g.chore(ctx, "sweep orphans", &g.sweeping, func(p *progress) error {
		for after := ""; ; {
			found, err := g.c.Blobs.List(ctx, "t/", after, page)
			if err != nil {
				return fmt.Errorf("list blobs: %w", err)
			}
			if err := g.sweep(ctx, p, found); err != nil {
				return err
			}
			if len(found) < page {
				return nil
			}
			after = found[len(found)-1].Key
		}
	})
}

// sweep asks the tenants of a page of blobs, which are in the order of tenants.
func (g *Gallery) sweep(ctx context.Context, p *progress, found []blob.Info) error {
	oldest := g.c.Now().Add(-g.c.Grace)
	byTenant := map[easel.TenantID][]string{}
	for _, o := range found {
		owner, _, ok := strings.Cut(strings.TrimPrefix(o.Key, "t/"), "/")
		if ok && o.Modified.Before(oldest) {
			byTenant[easel.TenantID(owner)] = append(byTenant[easel.TenantID(owner)], o.Key)
		}
	}
	for t, keys := range byTenant {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.Tenants++
		reply, err := as[tenant.SweepReply](g.tenant(ctx, t, tenant.Sweep{Blobs: keys}))
		if easel.CodeOf(err) == easel.CodeNotFound {
			var arriving bool
			if arriving, err = g.arriving(ctx, t); arriving {
				continue
			}
			if err == nil {
				// An import may have ended between the question and the look.
				reply, err = as[tenant.SweepReply](g.tenant(ctx, t, tenant.Sweep{Blobs: keys}))
			}
		}
		if easel.CodeOf(err) == easel.CodeNotFound {
			// The tenant was never born, so there is no queue and no row.
			for _, key := range keys {
				p.note(ctx, true, g.c.Blobs.Delete(ctx, key))
			}
			continue
		}
		p.Done += reply.Queued
		p.note(ctx, false, err)
	}
	return nil
}

// importPrefix begins the names of the objects that package archive keeps for as
// long as the import of a tenant has not ended.
const importPrefix = "import/"

// arriving reports whether a tenant is being imported: its blobs come first and its
// own file last, and the import may take days and several runs.
func (g *Gallery) arriving(ctx context.Context, t easel.TenantID) (bool, error) {
	_, err := g.c.Blobs.Stat(ctx, importPrefix+string(t))
	if errors.Is(err, blob.ErrNotFound) {
		return false, nil
	}
	return err == nil, outage(err)
}
