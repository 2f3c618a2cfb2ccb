package tenant_test

import (
	"errors"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/migrations"
	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/sqlite/sqlitetest"
	"github.com/easelhq/easel/tenant"
)

const home = "0123456789abcdef0123456789abcdef"

var (
	viewer    = tenant.Author{User: "vera", Role: easel.Viewer}
	annotator = tenant.Author{User: "anna", Role: easel.Annotator}
	reviewer  = tenant.Author{User: "rita", Role: easel.Reviewer}
	admin     = tenant.Author{User: "adam", Role: easel.Admin}
	owner     = tenant.Author{User: "olga", Role: easel.Owner}
)

// world is a tenant with a file and no runtime: messages and alarms become turns
// one after the other, at a time that the test sets.
type world struct {
	t      *testing.T
	db     *sqlite.DB
	state  *tenant.State
	now    time.Time
	told   []actors.Request
	alarms map[string]time.Time
}

func newWorld(t *testing.T, o tenant.Options) *world {
	t.Helper()
	scripts, err := migrations.Tenant()
	if err != nil {
		t.Fatal(err)
	}
	schema, err := actors.NewSchema("tenant", scripts)
	if err != nil {
		t.Fatal(err)
	}
	return &world{
		t: t, db: sqlitetest.Open(t, schema), state: tenant.New(o),
		now:    time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC),
		alarms: map[string]time.Time{},
	}
}

// turn is what a State sees of the world. What it sets and tells counts only if
// the turn is committed.
type turn struct {
	w      *world
	tx     *sqlite.Tx
	from   actors.Ref
	told   []actors.Request
	alarms map[string]time.Time
}

func (t *turn) Key() actors.Key                     { return tenant.Key(home) }
func (t *turn) Now() time.Time                      { return t.w.now }
func (t *turn) From() actors.Ref                    { return t.from }
func (t *turn) Tx() *sqlite.Tx                      { return t.tx }
func (t *turn) Tell(r actors.Request)               { t.told = append(t.told, r) }
func (t *turn) SetAlarm(name string, due time.Time) { t.alarms[name] = due }

func (w *world) turn(from actors.Ref, f func(*turn) error) error {
	w.t.Helper()
	tx, err := w.db.Begin()
	if err != nil {
		w.t.Fatal(err)
	}
	t := &turn{w: w, tx: tx, from: from, alarms: map[string]time.Time{}}
	if err := f(t); err != nil {
		if undo := w.db.Rollback(); undo != nil {
			w.t.Fatal(undo)
		}
		return err
	}
	if err := w.db.Commit(); err != nil {
		w.t.Fatal(err)
	}
	w.told = append(w.told, t.told...)
	for name, due := range t.alarms {
		w.alarms[name] = due
	}
	return nil
}

func (w *world) askFrom(from actors.Ref, m actors.Message) (answer actors.Message, err error) {
	w.t.Helper()
	err = w.turn(from, func(t *turn) error {
		var err error
		answer, err = w.state.Receive(t, m)
		return err
	})
	if err != nil && easel.CodeOf(err) == easel.CodeInternal {
		w.t.Fatalf("%s: %v", m.MessageName(), err)
	}
	return answer, err
}

func (w *world) ask(m actors.Message) (actors.Message, error) {
	w.t.Helper()
	return w.askFrom(actors.Ref{}, m)
}

// must asks and expects an answer of type R.
func must[R actors.Message](w *world, m actors.Message) R {
	w.t.Helper()
	answer, err := w.ask(m)
	if err != nil {
		w.t.Fatalf("%s: %v", m.MessageName(), err)
	}
	r, ok := answer.(R)
	if !ok {
		w.t.Fatalf("%s: answer %T", m.MessageName(), answer)
	}
	return r
}

// refused asks and expects an error of code.
func (w *world) refused(code easel.Code, m actors.Message) *easel.Error {
	w.t.Helper()
	_, err := w.ask(m)
	if got := easel.CodeOf(err); got != code {
		w.t.Fatalf("%s: got %q (%v), want %q", m.MessageName(), got, err, code)
	}
	e, ok := errors.AsType[*easel.Error](err)
	if !ok {
		w.t.Fatalf("%s: error %T", m.MessageName(), err)
	}
	return e
}

// pass lets time pass and fires what is due then, in the order of time.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	end := w.now.Add(d)
	for {
		name := ""
		for n, due := range w.alarms {
			if !due.After(end) && (name == "" || due.Before(w.alarms[name])) {
				name = n
			}
		}
		if name == "" {
			w.now = end
			return
		}
		if due := w.alarms[name]; due.After(w.now) {
			w.now = due
		}
		delete(w.alarms, name)
		if err := w.turn(actors.Ref{}, func(t *turn) error { return w.state.Alarm(t, name) }); err != nil {
			w.t.Fatalf("alarm %s: %v", name, err)
		}
	}
}

func (w *world) used() tenant.Amounts {
	w.t.Helper()
	return must[tenant.UsageReply](w, tenant.Usage{}).Used
}

// image returns a row as a gallery makes it.
func (w *world) image(id easel.ID, filename string) easel.Image {
	return easel.Image{
		ID: id, Filename: filename, ContentType: "image/png", Size: 10, SHA256: "ab",
		UploadedBy: annotator.User, CreatedAt: easel.At(w.now), Metadata: []byte(`{}`),
	}
}

// list makes an image that is listed.
func (w *world) list(filename string) easel.Image {
	w.t.Helper()
	m := w.image(easel.NewID(), filename)
	must[tenant.Empty](w, tenant.Reserve{ID: m.ID, By: annotator, Filename: filename})
	must[tenant.Empty](w, tenant.Ready{Image: m})
	return m
}
