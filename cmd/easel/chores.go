package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/cron"
	"github.com/easelhq/easel/gallery"
)

// choresOff is the schedule of nodes that do none.
const choresOff = "off"

// choresJob names the job that does all chores, one after the other. Its actor
// sees to it that one node of a cluster does them.
const choresJob = "chores"

// chores is what is done by a schedule: what nobody can reach any more is removed.
type chores struct {
	asker   actors.Asker // by which runs tell how they fare
	list    []chore
	now     func() time.Time
	log     *slog.Logger
	runs    *prometheus.CounterVec // by chore and outcome
	removed *prometheus.CounterVec // by chore
}

type chore struct {
	name string
	run  func(context.Context) (gallery.Report, error)
}

func newChores(g *gallery.Gallery, now func() time.Time, log *slog.Logger, r prometheus.Registerer) *chores {
	c := &chores{
		now: now, log: log,
		list: []chore{{"purge_images", g.PurgeImages}, {"sweep_orphans", g.SweepOrphans}, {"drain_drops", g.DrainDrops}},
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "easel_chore_runs_total", Help: "Runs of scheduled chores, by outcome.",
		}, []string{"chore", "outcome"}),
		removed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "easel_chore_removed_total", Help: "Images, blobs and rows that chores removed.",
		}, []string{"chore"}),
	}
	r.MustRegister(c.runs, c.removed)
	return c
}

// job is the chores as one job.
func (c *chores) job() cron.Job { return cron.Job{Name: choresJob, Run: c.once} }

// arm tells the job its schedule, as soon as the durable home can be reached.
func (c *chores) arm(ctx context.Context, a actors.Asker, schedule string) {
	if schedule == choresOff {
		schedule = ""
	}
	_, err := backoff.Retry(ctx, func() (cron.State, error) {
		s, err := cron.Start(ctx, a, choresJob, schedule)
		if err != nil && !easel.CodeOf(err).Temporary() {
			err = backoff.Permanent(err)
		}
		return s, err
	}, backoff.WithMaxElapsedTime(0))
	switch {
	case err == nil, ctx.Err() != nil:
	case schedule == "" && easel.CodeOf(err) == easel.CodeNotFound: // never switched on
	default:
		c.log.ErrorContext(ctx, "chores cannot be scheduled", "err", err)
	}
}

// once does every chore. One that fails does not keep the others from running.
func (c *chores) once(ctx context.Context) error {
	var failures []error
	for _, job := range c.list {
		began := c.now()
		report, err := job.run(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.removed.WithLabelValues(job.name).Add(float64(report.Done))
		outcome := "ok"
		switch {
		case easel.CodeOf(err) == easel.CodeConflict:
			outcome = "running"
		case err != nil:
			outcome = "failed"
			failures = append(failures, err)
			c.log.ErrorContext(ctx, "chore failed", "chore", job.name, "err", err)
		}
		c.runs.WithLabelValues(job.name, outcome).Inc()
		c.log.InfoContext(ctx, "chore ended", "chore", job.name, "outcome", outcome,
			"tenants", report.Tenants, "removed", report.Done, "failed", report.Failed, "took", c.now().Sub(began))
	}
	return errors.Join(failures...)
}
