package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/cron"
	"github.com/easelhq/easel/gallery"
)

func TestChoreThatFailsDoesNotKeepTheOthersFromRunning(t *testing.T) {
	c := newChores(&gallery.Gallery{}, time.Now, newLogger(LogConfig{}, &output{}), prometheus.NewRegistry())
	disk := errors.New("disk")
	c.list = []chore{
		{"a", func(context.Context) (gallery.Report, error) { return gallery.Report{}, disk }},
		{"b", func(context.Context) (gallery.Report, error) { return gallery.Report{Done: 2}, nil }},
	}
	if err := c.once(t.Context()); !errors.Is(err, disk) {
		t.Errorf("got %v", err)
	}
	if got := testutil.ToFloat64(c.runs.WithLabelValues("a", "failed")); got != 1 {
		t.Errorf("the failed chore was counted %v times", got)
	}
	if got := testutil.ToFloat64(c.removed.WithLabelValues("b")); got != 2 {
		t.Errorf("%v removed", got)
	}
}

func TestChoresThatAreCutOffHaveNoOutcome(t *testing.T) {
	c := newChores(&gallery.Gallery{}, time.Now, newLogger(LogConfig{}, &output{}), prometheus.NewRegistry())
	ctx, cancel := context.WithCancel(t.Context())
	c.list = []chore{{"a", func(context.Context) (gallery.Report, error) { cancel(); return gallery.Report{}, nil }}}
	if err := c.once(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := testutil.CollectAndCount(c.runs); n != 0 {
		t.Errorf("%d outcomes", n)
	}
}

// asked is what an asker was asked, and its answer.
type asked struct {
	cron.Arm
	err error
}

func (a *asked) Ask(_ context.Context, r actors.Request) (actors.Message, error) {
	a.Arm = r.Message.(cron.Arm)
	return cron.State{}, a.err
}

func TestChoresAreArmedByTheConfiguration(t *testing.T) {
	c := newChores(&gallery.Gallery{}, time.Now, newLogger(LogConfig{}, &output{}), prometheus.NewRegistry())
	for spec, want := range map[string]string{"17 3 * * *": "17 3 * * *", choresOff: ""} {
		var a asked
		c.arm(t.Context(), &a, spec)
		if a.Schedule != want {
			t.Errorf("%q: armed with %q", spec, a.Schedule)
		}
	}
}

func TestRetentionIsPassedOn(t *testing.T) {
	c, err := load(t, nil, "--retention=90m")
	if err != nil {
		t.Fatal(err)
	}
	p := NewProgram(c, env{}.lookup, &output{}, &output{})
	if got := p.galleryConfig("", nil, nil, nil).Retention; got != 90*time.Minute {
		t.Errorf("got %v", got)
	}
}
