package canvas_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/opcodec"
	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/sqlite/sqlitetest"
	"github.com/easelhq/easel/tenant"
)

const (
	owner = easel.TenantID("00000000000000000000000000000001")
	image = easel.ID("0000000000000000000000000000000a")
)

var (
	ann   = canvas.Author{User: "ann", Name: "Ann", Role: easel.Annotator}
	bob   = canvas.Author{User: "bob", Name: "Bob", Role: easel.Annotator}
	vera  = canvas.Author{User: "vera", Name: "Vera", Role: easel.Viewer}
	adam  = canvas.Author{User: "adam", Name: "Adam", Role: easel.Admin}
	epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// tester is what a *testing.T and a *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
}

// world is one image in a real file, under a runtime that does what it is told.
type world struct {
	tb      tester
	db      *sqlite.DB
	state   *canvas.State
	options canvas.Options
	now     time.Time
	commit  int64
	durable int64 // moved by hand if held
	held    bool

	alarms    map[string]time.Time
	published []actors.Message
	told      []actors.Request
	jobs      []func(context.Context) actors.Message
	ungated   bool // the last answer
}

// turn is one message's turn in a world.
type turn struct {
	*world
	tx        *sqlite.Tx
	published []actors.Message
	told      []actors.Request
	jobs      []func(context.Context) actors.Message
	alarms    map[string]time.Time
	ungated   bool
}

func (t *turn) Key() actors.Key                           { return canvas.Key(owner, image) }
func (t *turn) Now() time.Time                            { return t.now }
func (t *turn) Tx() *sqlite.Tx                            { return t.tx }
func (t *turn) Publish(m actors.Message)                  { t.published = append(t.published, m) }
func (t *turn) Tell(r actors.Request)                     { t.told = append(t.told, r) }
func (t *turn) SetAlarm(name string, due time.Time)       { t.alarms[name] = due }
func (t *turn) ClearAlarm(name string)                    { delete(t.alarms, name) }
func (t *turn) Go(w func(context.Context) actors.Message) { t.jobs = append(t.jobs, w) }
func (t *turn) Durable() int64                            { return t.durable }
func (t *turn) Commit() int64                             { return t.commit + 1 }
func (t *turn) Ungated()                                  { t.ungated = true }

func unborn(tb testing.TB, o canvas.Options) *world {
	tb.Helper()
	kind, err := canvas.Kind(o, nil)
	if err != nil {
		tb.Fatal(err)
	}
	w := &world{tb: tb, db: sqlitetest.Open(tb, kind.Schema), options: o, now: epoch, alarms: map[string]time.Time{}}
	w.restart()
	return w
}

func born(tb testing.TB, o canvas.Options) *world {
	tb.Helper()
	w := unborn(tb, o)
	w.must(birth)
	return w
}

var birth = canvas.Birth{Image: easel.Image{
	ID: image, Filename: "cat.png", ContentType: "image/png", Size: 12, SHA256: "ab", UploadedBy: "ann",
	CreatedAt: easel.At(epoch),
}}

// restart makes the state anew from the file, as after a crash.
func (w *world) restart() {
	w.tb.Helper()
	w.state = canvas.New(canvas.Key(owner, image), w.options)
	if _, err := w.run(func(t *turn) (actors.Message, error) { return nil, w.state.Start(t) }); err != nil {
		w.tb.Fatal(err)
	}
}

// run makes one turn: f's effects are kept only if it returns no error.
func (w *world) run(f func(*turn) (actors.Message, error)) (actors.Message, error) {
	w.tb.Helper()
	tx, err := w.db.Begin()
	if err != nil {
		w.tb.Fatal(err)
	}
	t := &turn{world: w, tx: tx, alarms: maps.Clone(w.alarms)}
	answer, failed := f(t)
	if failed != nil {
		if err := w.db.Rollback(); err != nil {
			w.tb.Fatal(err)
		}
		return nil, failed
	}
	if err := w.db.Commit(); err != nil {
		w.tb.Fatal(err)
	}
	set, err := w.db.Capture()
	if err != nil {
		w.tb.Fatal(err)
	}
	if !set.Empty() {
		w.commit++
	}
	if !w.held {
		w.durable = w.commit
	}
	w.published = append(w.published, t.published...)
	w.told = append(w.told, t.told...)
	w.jobs = append(w.jobs, t.jobs...)
	w.alarms, w.ungated = t.alarms, t.ungated
	return answer, nil
}

func (w *world) send(m actors.Message) (actors.Message, error) {
	w.tb.Helper()
	return w.run(func(t *turn) (actors.Message, error) { return w.state.Receive(t, m) })
}

// must sends a message that has to succeed.
func (w *world) must(m actors.Message) actors.Message {
	w.tb.Helper()
	answer, err := w.send(m)
	if err != nil {
		w.tb.Fatalf("%s: %v", m.MessageName(), err)
	}
	return answer
}

// fails sends a message that has to fail with this code.
func (w *world) fails(m actors.Message, code easel.Code) *easel.Error {
	w.tb.Helper()
	answer, err := w.send(m)
	if got := easel.CodeOf(err); got != code {
		w.tb.Fatalf("%s: got %v, %v, want code %q", m.MessageName(), answer, err, code)
	}
	e, _ := err.(*easel.Error) //nolint:errorlint // canvas does not wrap
	return e
}

// fire runs all alarms that are due at a time, as the runtime does.
func (w *world) fire(at time.Time) {
	w.tb.Helper()
	w.now = at
	for _, name := range slices.Sorted(maps.Keys(w.alarms)) {
		if due, ok := w.alarms[name]; !ok || due.After(at) {
			continue
		}
		_, err := w.run(func(t *turn) (actors.Message, error) {
			delete(t.alarms, name)
			return nil, w.state.Alarm(t, name)
		})
		if err != nil {
			w.tb.Fatalf("alarm %s: %v", name, err)
		}
	}
}

// finish runs the jobs that turns have started and delivers their messages.
func (w *world) finish() {
	w.tb.Helper()
	jobs := w.jobs
	w.jobs = nil
	for _, job := range jobs {
		if m := job(w.tb.Context()); m != nil {
			w.must(m)
		}
	}
}

// take returns what was published since the last take.
func (w *world) take() []actors.Message {
	out := w.published
	w.published = nil
	return out
}

func draft(label string) *easel.Draft {
	return &easel.Draft{Label: label, X: 0.1, Y: 0.2, Width: 0.3, Height: 0.4}
}

func put(id easel.ID, label string) easel.Op {
	return easel.Op{Kind: easel.OpPut, ID: id, Draft: draft(label)}
}

func del(id easel.ID) easel.Op { return easel.Op{Kind: easel.OpDelete, ID: id} }

func relabel(id easel.ID, label string) easel.Op {
	return easel.Op{Kind: easel.OpPatch, ID: id, Set: &easel.Patch{Label: &label}}
}

func based(op easel.Op, rev int64) easel.Op {
	op.Base = rev
	return op
}

func write(by canvas.Author, ops ...easel.Op) canvas.Apply {
	return canvas.Apply{By: by, Ops: ops, Full: true}
}

func frame(by canvas.Author, seq int64, ops ...easel.Op) canvas.Apply {
	return canvas.Apply{By: by, Client: "tab", Seq: seq, Hash: opcodec.Hash(ops), Ops: ops}
}

// id returns the n-th id of a test.
func id(n int) easel.ID {
	const digits = "0123456789abcdef"
	b := []byte("10000000000000000000000000000000")
	for i := len(b) - 1; n > 0; i-- {
		b[i] = digits[n%16]
		n /= 16
	}
	return easel.ID(b)
}

func ptr[T any](v T) *T { return &v }

// labelsTold returns the labels of the only message that was told.
func labelsTold(w *world) map[string]int64 {
	w.tb.Helper()
	if len(w.told) != 1 {
		w.tb.Fatalf("told %+v", w.told)
	}
	return w.told[0].Message.(tenant.Sync).Labels
}
