package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/archive"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/live"
)

// newCopies makes what hands images out as files. Its folder is beside the working
// copies.
func (p *Program) newCopies(h *house, j journal.Journal) (*archive.Copies, error) {
	r, ok := j.(journal.Reader)
	if !ok {
		return nil, errors.New("the home cannot be read beside its owners")
	}
	return archive.NewCopies(r, filepath.Join(filepath.Dir(h.work), "copies"))
}

// newEraser makes what erases tenants.
func (p *Program) newEraser(j journal.Journal, blobs blob.Store, e *edge) *archive.Eraser {
	bar := func(id easel.TenantID) {
		e.auth.Bar(id)
		e.rooms.Evict(id, live.CloseNoImage)
	}
	e.bar.Store(&bar)
	c := archive.EraserConfig{
		Histories: j, Blobs: blobs, Actors: e.actors, Now: time.Now, Log: p.log, Bar: bar,
	}
	if log, ok := j.(interface{ Purge(context.Context) error }); ok {
		c.Purge = log.Purge
	}
	return archive.NewEraser(c)
}

// eraseEvery is how often a node looks for tenants that others were asked to erase,
// if nobody has told it, and for sweeps that are due.
const eraseEvery = time.Minute

// erasures is an Eraser that also works at once when it is asked.
type erasures struct {
	*archive.Eraser
	tell  func(context.Context, easel.TenantID) // tells the other nodes
	asked chan struct{}                         // capacity 1
}

func newErasures(e *archive.Eraser, tell func(context.Context, easel.TenantID)) *erasures {
	return &erasures{e, tell, make(chan struct{}, 1)}
}

// Request implements transport.Eraser.
func (e *erasures) Request(ctx context.Context, id easel.TenantID) error {
	err := e.Eraser.Request(ctx, id)
	if err == nil {
		e.tell(ctx, id)
	}
	select {
	case e.asked <- struct{}{}:
	default: // it has been told already
	}
	return err
}

// run works until ctx ends.
func (e *erasures) run(ctx context.Context, p *Program) {
	tick := time.NewTicker(eraseEvery)
	defer tick.Stop()
	for {
		if _, err := e.Work(ctx); err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "erasing goes on later", "err", err)
		}
		select {
		case <-tick.C:
		case <-e.asked:
		case <-ctx.Done():
			return
		}
	}
}
