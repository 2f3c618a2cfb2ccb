package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/easelhq/easel/gallery"
)

func TestChoresRunByScheduleAndNeverTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := newChores("17 3 * * *", nil, time.Now, newLogger(LogConfig{}, &output{}), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		var runs, at, most atomic.Int64
		job := func(ctx context.Context) (gallery.Report, error) {
			most.Store(max(most.Load(), at.Add(1)))
			defer at.Add(-1)
			runs.Add(1)
			select { // longer than the pause between two runs
			case <-time.After(30 * time.Hour):
			case <-ctx.Done():
			}
			return gallery.Report{Done: 2}, nil
		}
		c.list = []chore{{"a", job}, {"b", func(context.Context) (gallery.Report, error) { return gallery.Report{}, errors.New("disk") }}}
		ctx, cancel := context.WithTimeout(t.Context(), 10*24*time.Hour)
		defer cancel()
		c.run(ctx)
		if most.Load() != 1 || runs.Load() < 4 {
			t.Errorf("%d runs, %d at once", runs.Load(), most.Load())
		}
		if got := testutil.ToFloat64(c.runs.WithLabelValues("b", "failed")); got < 4 {
			t.Errorf("a failed chore was counted %v times", got)
		}
	})
}

func TestChoresCanBeOff(t *testing.T) {
	c, err := newChores(choresOff, nil, time.Now, newLogger(LogConfig{}, &output{}), prometheus.NewRegistry())
	if c != nil || err != nil {
		t.Errorf("%v, %v", c, err)
	}
}

func TestRetentionIsPassedOn(t *testing.T) {
	c, err := load(t, nil, "--retention=90m")
	if err != nil {
		t.Fatal(err)
	}
	p := NewProgram(c, env{}.lookup, &output{}, &output{})
	if got := p.galleryConfig(nil, nil, nil).Retention; got != 90*time.Minute {
		t.Errorf("got %v", got)
	}
}
