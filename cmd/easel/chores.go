package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/robfig/cron/v3"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/gallery"
)

// choresOff is the schedule of a node that does none.
const choresOff = "off"

// chores is what a node does by a schedule: it removes what nobody can reach any
// more. One run of all of them follows another; none overlap.
type chores struct {
	schedule cron.Schedule
	list     []chore
	now      func() time.Time
	log      *slog.Logger
	runs     *prometheus.CounterVec // by chore and outcome
	removed  *prometheus.CounterVec // by chore
}

type chore struct {
	name string
	run  func(context.Context) (gallery.Report, error)
}

// newChores returns nil if the configuration wants none.
func newChores(schedule string, g *gallery.Gallery, now func() time.Time, log *slog.Logger, r prometheus.Registerer) (*chores, error) {
	if schedule == choresOff {
		return nil, nil
	}
	parsed, err := cron.ParseStandard(schedule)
	if err != nil {
		return nil, badKey("chores", "%v", err)
	}
	c := &chores{
		schedule: parsed, now: now, log: log,
		list: []chore{{"purge_images", g.PurgeImages}, {"sweep_orphans", g.SweepOrphans}, {"drain_drops", g.DrainDrops}},
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "easel_chore_runs_total", Help: "Runs of scheduled chores, by outcome.",
		}, []string{"chore", "outcome"}),
		removed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "easel_chore_removed_total", Help: "Images, blobs and rows that chores removed.",
		}, []string{"chore"}),
	}
	r.MustRegister(c.runs, c.removed)
	return c, nil
}

// run works by the schedule until ctx ends.
func (c *chores) run(ctx context.Context) {
	for {
		now := c.now().UTC()
		t := time.NewTimer(c.schedule.Next(now).Sub(now))
		select {
		case <-t.C:
			c.once(ctx)
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// once does every chore. One that fails does not keep the others from running.
func (c *chores) once(ctx context.Context) {
	for _, job := range c.list {
		began := c.now()
		report, err := job.run(ctx)
		c.removed.WithLabelValues(job.name).Add(float64(report.Done))
		outcome := "ok"
		switch {
		case ctx.Err() != nil:
			return
		case easel.CodeOf(err) == easel.CodeConflict:
			outcome = "running"
		case err != nil:
			outcome = "failed"
			c.log.ErrorContext(ctx, "chore failed", "chore", job.name, "err", err)
		}
		c.runs.WithLabelValues(job.name, outcome).Inc()
		c.log.InfoContext(ctx, "chore ended", "chore", job.name, "outcome", outcome,
			"tenants", report.Tenants, "removed", report.Done, "failed", report.Failed, "took", c.now().Sub(began))
	}
}
