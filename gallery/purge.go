package gallery

import (
	"context"
	"fmt"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/tenant"
)

// PurgeImages removes images that were soft-deleted longer than Retention ago,
// and half-made ones, with their blobs and histories. CodeConflict if it is
// already running.
func (g *Gallery) PurgeImages(ctx context.Context) (Report, error) {
	return g.chore(ctx, "purge images", &g.purging, func(p *progress) error {
		before := easel.At(g.c.Now().Add(-g.c.Retention))
		return g.eachTenant(ctx, p, func(t easel.TenantID) error { return g.purgeTenant(ctx, p, t, before) })
	})
}

func (g *Gallery) purgeTenant(ctx context.Context, p *progress, t easel.TenantID, before easel.Time) error {
	for after := easel.ID(""); ; {
		reply, err := as[tenant.ExpiredReply](g.tenant(ctx, t, tenant.Expired{Before: before, Limit: page, After: after}))
		if err != nil {
			return err
		}
		for _, gone := range reply.Images {
			if err := ctx.Err(); err != nil {
				return err
			}
			done, err := g.purge(ctx, t, gone, before)
			p.note(ctx, done, err)
			after = gone.ID
		}
		if len(reply.Images) < page {
			return nil
		}
	}
}

// purge removes one image for good; done is false if it is to stay after all. It
// can end after any step: the row goes last, and steps done before are done
// again without harm.
func (g *Gallery) purge(ctx context.Context, t easel.TenantID, gone tenant.Gone, before easel.Time) (done bool, err error) {
	if done, err := g.empty(ctx, t, gone, before); !done || err != nil {
		return false, err
	}
	if err := g.deleteBlobs(ctx, imagePrefix(t, gone.ID)); err != nil {
		return false, fmt.Errorf("delete blobs of image %s: %w", gone.ID, err)
	}
	if err := g.c.Histories.Erase(ctx, canvas.Key(t, gone.ID).Name()); err != nil {
		return false, fmt.Errorf("erase image %s: %w", gone.ID, err)
	}
	// Whoever has it in memory lets go of it now, with its working copy.
	if _, err := g.canvas(ctx, t, gone.ID, actors.Expel{}); err != nil {
		return false, fmt.Errorf("expel image %s: %w", gone.ID, err)
	}
	if _, err := g.tenant(ctx, t, tenant.Purged{ID: gone.ID}); err != nil {
		return false, fmt.Errorf("forget image %s: %w", gone.ID, err)
	}
	return true, nil
}

// empty makes the image's actor let go of all it holds. The tenant's row may be
// behind the image: one that was restored, or deleted again later, stays.
func (g *Gallery) empty(ctx context.Context, t easel.TenantID, gone tenant.Gone, before easel.Time) (done bool, err error) {
	purge := canvas.Purge{Before: before}
	look, err := as[canvas.ImageReply](g.canvas(ctx, t, gone.ID, canvas.Look{Deleted: true}))
	switch code := easel.CodeOf(err); {
	case code == easel.CodeNotFound, code == easel.CodeGone:
		return true, nil // never born, or emptied before
	case err != nil:
		return false, fmt.Errorf("look at image %s: %w", gone.ID, err)
	case gone.Doomed:
		// Never listed, so nobody knows of it: the one who may delete it is us.
		if _, err := g.canvas(ctx, t, gone.ID, canvas.SoftDelete{By: canvas.Author{Role: easel.Owner}}); err != nil {
			return false, fmt.Errorf("delete image %s: %w", gone.ID, err)
		}
		purge.Before = 0
	case look.Image.DeletedAt == 0 || look.Image.DeletedAt >= before:
		return false, nil
	}
	_, err = g.canvas(ctx, t, gone.ID, purge)
	switch easel.CodeOf(err) {
	case "", easel.CodeNotFound, easel.CodeGone:
		return true, nil
	case easel.CodeConflict: // restored in between, perhaps deleted again
		return false, nil
	default:
		return false, fmt.Errorf("purge image %s: %w", gone.ID, err)
	}
}

func (g *Gallery) deleteBlobs(ctx context.Context, prefix string) error {
	for {
		found, err := g.c.Blobs.List(ctx, prefix, "", page)
		if err != nil {
			return err
		}
		for _, o := range found {
			if err := g.c.Blobs.Delete(ctx, o.Key); err != nil {
				return err
			}
		}
		if len(found) < page {
			return nil
		}
	}
}
