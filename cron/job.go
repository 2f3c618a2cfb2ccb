package cron

import (
	"context"
	"fmt"
	"time"

	schedule "github.com/robfig/cron/v3"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// Job is work that is done by a schedule.
type Job struct {
	Name string // [a-z0-9_-]+; names its actor for ever
	// Run does the work. Its context ends when the node stops, or when the run was
	// begun again elsewhere because nothing was heard of it; a run that was cut off
	// is begun again elsewhere, or at the next start. That its actor moves does not
	// cut it off.
	Run func(ctx context.Context) error
}

const (
	// lease is how long a run whose node has died goes unnoticed.
	lease = time.Minute
	// beatEvery is how often a run tells that it goes on.
	beatEvery = lease / 4
	// retryEvery is how often a run tells that it has ended until it is heard.
	retryEvery = time.Second
)

// alarm is the one alarm of a job.
const alarm = "due"

const jobSQL = `
CREATE TABLE job (
	one      INTEGER PRIMARY KEY CHECK (one = 1),
	schedule TEXT    NOT NULL,
	next     INTEGER NOT NULL, -- milliseconds since 1970
	run      INTEGER NOT NULL, -- counts the runs that were begun
	began    INTEGER NOT NULL,
	ended    INTEGER NOT NULL,
	failure  TEXT    NOT NULL
) STRICT;
INSERT INTO job VALUES (1, '', 0, 0, 0, 0, '');
`

// Kind returns the actor kind of the jobs that this program knows. All nodes of a
// cluster should know the same. Runs tell through a how they fare; it is used once
// the System that the kind belongs to has started.
func Kind(a actors.Asker, jobs ...Job) (*actors.Kind, error) {
	schema, err := actors.NewSchema(KindName, []string{jobSQL})
	if err != nil {
		return nil, err
	}
	work := make(map[string]func(context.Context) error, len(jobs))
	for _, j := range jobs {
		if work[j.Name] != nil {
			return nil, fmt.Errorf("cron: two jobs are called %q", j.Name)
		}
		work[j.Name] = j.Run
	}
	return &actors.Kind{
		Name: KindName, Schema: schema,
		New:    func(k actors.Key) actors.Behavior { return &job{asker: a, work: work[k.ID]} },
		Births: func(m actors.Message) bool { a, ok := m.(Arm); return ok && a.Schedule != "" },
	}, nil
}

// Start tells a job its schedule; it runs from then on, whether this node lives or
// not. An empty schedule is never due; for a job that never had another, it is
// CodeNotFound.
func Start(ctx context.Context, a actors.Asker, job, spec string) (State, error) {
	return actors.Ask[State](ctx, a, actors.Request{To: Key(job), Message: Arm{Schedule: spec}})
}

// Check returns an error if spec is no schedule.
func Check(spec string) error {
	_, err := schedule.ParseStandard(spec)
	return err
}

// job is the actor of one job.
type job struct {
	asker   actors.Asker
	work    func(context.Context) error // nil: this program does not know the job
	running int64                       // the run that this activation has begun; 0: none
}

// Start implements actors.Behavior.
func (*job) Start(*actors.Turn) error { return nil }

// Receive implements actors.Behavior.
func (j *job) Receive(t *actors.Turn, m actors.Message) (actors.Message, error) {
	switch m := m.(type) {
	case Arm:
		return arm(t, m)
	case Look:
		return state(t.Tx())
	case ended:
		return nil, j.finish(t, m)
	case alive:
		return nil, j.goOn(t, m)
	case yielded:
		return nil, j.yield(t, m)
	}
	return nil, easel.Errorf(easel.CodeInvalid, "a job does not understand %s", m.MessageName())
}

func arm(t *actors.Turn, m Arm) (actors.Message, error) {
	s, err := state(t.Tx())
	if err != nil || s.Schedule == m.Schedule {
		return s, err
	}
	if m.Schedule != "" {
		if err := Check(m.Schedule); err != nil {
			return nil, easel.Errorf(easel.CodeInvalid, "schedule: %v", err)
		}
	}
	if _, err := t.Tx().Exec(`UPDATE job SET schedule = ?`, m.Schedule); err != nil {
		return nil, err
	}
	if err := plan(t, m.Schedule); err != nil {
		return nil, err
	}
	return state(t.Tx())
}

// plan sets the alarm for when spec is due next.
func plan(t *actors.Turn, spec string) error {
	next := time.Time{}
	if spec != "" {
		s, err := schedule.ParseStandard(spec)
		if err != nil {
			return err
		}
		next = s.Next(t.Now().UTC())
	}
	if next.IsZero() { // never, as on 31 February
		t.ClearAlarm(alarm)
		_, err := t.Tx().Exec(`UPDATE job SET next = 0`)
		return err
	}
	t.SetAlarm(alarm, next)
	_, err := t.Tx().Exec(`UPDATE job SET next = ?`, next.UnixMilli())
	return err
}

func state(tx *sqlite.Tx) (State, error) {
	var s State
	err := tx.Row(`SELECT schedule, next, run, began, ended, failure FROM job`, nil,
		&s.Schedule, &s.Next, &s.Run, &s.Began, &s.Ended, &s.Failure)
	return s, err
}

// Alarm implements actors.Behavior: it begins a run, unless one of this activation
// has not ended.
func (j *job) Alarm(t *actors.Turn, _ string) error {
	t.SetAlarm(alarm, t.Now().Add(lease))
	if j.running != 0 || j.work == nil {
		return nil // a job that only newer nodes know waits for one of them
	}
	var run int64
	err := t.Tx().Row(`UPDATE job SET run = run + 1, began = max(?, ended + 1) RETURNING run`, []any{t.Now().UnixMilli()}, &run)
	if err != nil {
		return err
	}
	r := runner{asker: j.asker, job: t.Key(), run: run}
	work := j.work
	t.Go(func(ctx context.Context) actors.Message { return r.do(ctx, work) })
	j.running = run
	return nil
}

// going returns the state if the given run is the newest and has not ended.
func going(t *actors.Turn, run int64) (s State, ok bool, err error) {
	s, err = state(t.Tx())
	return s, err == nil && s.Run == run && s.Ended < s.Began, err
}

// goOn extends the lease of a run, also of one that an activation on another node
// has begun.
func (j *job) goOn(t *actors.Turn, m alive) error {
	_, ok, err := going(t, m.Run)
	if err != nil {
		return err
	}
	if !ok {
		return easel.Errorf(easel.CodeConflict, "the run was begun again, or has ended")
	}
	t.SetAlarm(alarm, t.Now().Add(lease))
	return nil
}

// yield has a run begun again at once, which its node can no longer end.
func (j *job) yield(t *actors.Turn, m yielded) error {
	_, ok, err := going(t, m.Run)
	if err != nil || !ok {
		return err
	}
	j.running = 0
	t.SetAlarm(alarm, t.Now())
	return nil
}

// guarded turns a panic into an error: a run without an end would be the last one.
func guarded(ctx context.Context, work func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return work(ctx)
}

// finish notes the end of a run and when the job is due next.
func (j *job) finish(t *actors.Turn, m ended) error {
	s, ok, err := going(t, m.Run)
	if err != nil || !ok {
		return err // begun again since, or said before
	}
	if _, err := t.Tx().Exec(`UPDATE job SET ended = max(?, began), failure = ?`, t.Now().UnixMilli(), m.Failure); err != nil {
		return err
	}
	if err := plan(t, s.Schedule); err != nil {
		return err
	}
	j.running = 0
	return nil
}
