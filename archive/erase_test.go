package archive_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/archive"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const doomed = easel.TenantID("0123456789abcdef0123456789abcdef")

// deaf answers every message, and loses those of which it is told to.
type deaf struct{ fail error }

func (d *deaf) Ask(context.Context, actors.Request) (actors.Message, error) {
	return actors.Empty{}, d.fail
}

// home is a bucket on a folder, with a clock of its own.
type home struct {
	t       *testing.T
	blobs   *blob.Dir
	objects *journaltest.Store
	journal *journal.Bucket
	actors  *deaf
	now     time.Time
	barred  map[easel.TenantID]int
}

func newHome(t *testing.T) *home {
	t.Helper()
	blobs, err := blob.OpenDir(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	h := &home{
		t: t, blobs: blobs, objects: journaltest.NewStore(), actors: &deaf{},
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), barred: map[easel.TenantID]int{},
	}
	h.journal, err = journal.OpenBucket(journal.BucketOptions{Store: h.objects})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.journal.Close() })
	return h
}

func (h *home) eraser() *archive.Eraser {
	return archive.NewEraser(archive.EraserConfig{
		Histories: h.journal, Blobs: h.blobs, Actors: h.actors, Log: slog.New(slog.DiscardHandler),
		Bar: func(id easel.TenantID) { h.barred[id]++ }, Now: func() time.Time { return h.now },
	})
}

// born makes an actor with some history.
func (h *home) born(name journal.Name) journal.Term {
	h.t.Helper()
	term, err := h.journal.Birth(h.t.Context(), name, journaltest.Template())
	if err != nil {
		h.t.Fatal(err)
	}
	for i := range 3 {
		if err := journaltest.Append(term, journaltest.Batch(name, i+1)); err != nil {
			h.t.Fatal(err)
		}
	}
	return term
}

func (h *home) put(key string) {
	h.t.Helper()
	if _, err := h.blobs.Put(h.t.Context(), key, strings.NewReader("of "+key)); err != nil {
		h.t.Fatal(err)
	}
}

// left returns the blobs and journal objects that hold something of the tenant.
func (h *home) left() (out []string) {
	h.t.Helper()
	found, err := h.blobs.List(h.t.Context(), "", "", 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, o := range found {
		if strings.Contains(o.Key, "/"+string(doomed)+"/") {
			out = append(out, o.Key)
		}
	}
	for _, key := range h.objects.Keys() {
		// A tombstone and a seal are all that may stay.
		b := h.objects.Bytes(key)
		if strings.Contains(key, string(doomed)) && !bytes.Contains(b, []byte(`"state":"erased"`)) && len(b) > 72 {
			out = append(out, key)
		}
	}
	return out
}

func (h *home) work(e *archive.Eraser, want int) {
	h.t.Helper()
	if done, err := e.Work(h.t.Context()); err != nil || done != want {
		h.t.Errorf("%d sweeps, %v, want %d", done, err, want)
	}
}

func TestErasureSweepsAgainForWhatArrivesLate(t *testing.T) {
	h := newHome(t)
	image := journal.Name("image/" + string(doomed) + "/" + strings.Repeat("1", 32))
	zombie := h.born(image)
	h.born("tenant/" + journal.Name(doomed))
	h.born("tenant/" + journal.Name(strings.Repeat("f", 32)))
	h.put("t/" + string(doomed) + "/i/1/original")
	h.put("newkind/" + string(doomed) + "/whatever")
	h.put("t/ffffffffffffffffffffffffffffffff/f/stays")
	e := h.eraser()
	for range 2 { // a repeat changes nothing
		if err := e.Request(t.Context(), doomed); err != nil {
			t.Fatal(err)
		}
	}
	if h.barred[doomed] == 0 {
		t.Error("the tenant was not barred")
	}
	if _, err := h.journal.Claim(t.Context(), "tenant/"+journal.Name(doomed)); !errors.Is(err, journal.ErrErased) {
		t.Errorf("the tenant can be claimed: %v", err)
	}
	h.work(e, 1)
	h.work(e, 0)
	if left := h.left(); len(left) > 0 {
		t.Errorf("left after the first sweep: %v", left)
	}

	// A request that was under way ends, and a node that was cut off comes back.
	late := journal.Name("image/" + string(doomed) + "/" + strings.Repeat("2", 32))
	h.born(late)
	h.put("t/" + string(doomed) + "/i/2/original")
	if err := journaltest.Append(zombie, journaltest.Batch(image, 4)); err == nil {
		t.Error("a zombie was acknowledged")
	}
	h.now = h.now.Add(11 * time.Minute)
	h.work(e, 1)
	if left := h.left(); len(left) > 0 {
		t.Errorf("left after the second sweep: %v", left)
	}
	h.put("t/" + string(doomed) + "/i/1/thumb-64")
	var log string
	for _, key := range h.objects.Keys() {
		if strings.Contains(key, strings.Repeat("1", 32)+"/log/") {
			log = key[:strings.LastIndexByte(key, '/')+1]
		}
	}
	if _, err := h.objects.PutIfAbsent(t.Context(), log+"00000000000000ff", bytes.Repeat([]byte("late"), 100)); err != nil {
		t.Fatal(err)
	}

	// Another process goes on a day later.
	e = h.eraser()
	if n, err := e.Load(t.Context()); err != nil || n != 1 {
		t.Errorf("%d erasures under way, %v", n, err)
	}
	h.now = h.now.Add(24 * time.Hour)
	h.work(e, 1)
	if left := h.left(); len(left) > 0 {
		t.Errorf("left after the last sweep: %v", left)
	}
	if n, err := e.Load(t.Context()); err != nil || n != 0 {
		t.Errorf("%d erasures under way, %v", n, err)
	}
	if _, err := h.blobs.Stat(t.Context(), "t/ffffffffffffffffffffffffffffffff/f/stays"); err != nil {
		t.Errorf("another tenant's blob: %v", err)
	}
	if _, err := h.journal.Claim(t.Context(), "tenant/"+journal.Name(strings.Repeat("f", 32))); err != nil {
		t.Errorf("another tenant: %v", err)
	}
}

func TestErasureGoesOnAfterACrashAnywhere(t *testing.T) {
	h := newHome(t)
	h.born("tenant/" + journal.Name(doomed))
	h.born("image/" + journal.Name(doomed) + "/" + journal.Name(strings.Repeat("1", 32)))
	h.put("t/" + string(doomed) + "/f/1")
	h.actors.fail = errors.New("crash")
	e := h.eraser()
	if err := e.Request(t.Context(), doomed); easel.CodeOf(err) != easel.CodeUnavailable {
		t.Errorf("a request of unknown outcome: %v", err)
	}
	if _, err := e.Work(t.Context()); err == nil {
		t.Error("a sweep that failed was taken for done")
	}
	h.actors.fail = nil
	h.work(h.eraser(), 1)
	if left := h.left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
