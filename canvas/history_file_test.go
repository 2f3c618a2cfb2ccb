package canvas_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/opcodec"
	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/sqlite/sqlitetest"
)

// opened is an image in an existing file.
func opened(tb testing.TB, path string, o canvas.Options) *world {
	tb.Helper()
	kind, err := canvas.Kind(o, nil)
	if err != nil {
		tb.Fatal(err)
	}
	db, err := sqlite.Open(path, kind.Schema)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	w := &world{tb: tb, db: db, options: o, now: epoch, alarms: map[string]time.Time{}}
	w.restart()
	return w
}

// TestTheHistoryOfTheFirstReleaseIsKept: a file that version 0.1 has made has its
// whole past, and lets go of it like any other.
func TestTheHistoryOfTheFirstReleaseIsKept(t *testing.T) {
	file, err := os.ReadFile("testdata/image-v0.1.db")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "image.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	w := opened(t, path, canvas.Options{Archive: newShelf(), OpLogKeep: 1})
	w.archive()
	if log := w.must(canvas.Log{}).(canvas.LogReply); len(log.Batches) != 1 || log.Batches[0].Ver != 3 {
		t.Fatalf("the log has %+v", log.Batches)
	}
	for ver, want := range []string{"[]", "[cat dog gone]", "[lynx dog]", "[lynx dog é<b>]"} {
		s := w.scenery(int64(ver))
		labels := []string{}
		for n := 1; n < 5; n++ {
			if a := s.One(id(n)); a != nil {
				labels = append(labels, a.Label)
			}
		}
		if fmt.Sprint(labels) != want {
			t.Errorf("version %d: %v, want %s", ver, labels, want)
		}
	}
	row := w.must(canvas.Locate{Row: true}).(canvas.Located).Image
	if row.Filename != "cat.png" || row.DeletedAt != 0 {
		t.Errorf("the row of birth is %+v", row)
	}
	begun := w.must(canvas.BeginRevert{By: rita, Annotation: id(3)}).(canvas.RevertBegun)
	if begun.Deleted != 2 {
		t.Errorf("the deleted one: %+v", begun)
	}
	then := w.scenery(1)
	w.toVersion(1)
	for n := 1; n < 5; n++ {
		was, got := then.One(id(n)), w.scenery(w.ver()).One(id(n))
		if (was == nil) != (got == nil) || was != nil && !was.Draft().Equal(got.Draft()) {
			t.Errorf("%s is %+v, was %+v", id(n), got, was)
		}
	}
	if back := w.must(canvas.One{ID: id(3)}).(canvas.OneReply).Annotation; back.Rev != 2 {
		t.Errorf("back with rev %d", back.Rev)
	}
}

// seasoned makes the file of an image of 50 annotations whose history has ops
// batches, without making the turns that it would have taken, and lets all of them
// be archived that are to be.
func seasoned(tb testing.TB, o canvas.Options, ops int) (path string, w *world) {
	tb.Helper()
	kind, err := canvas.Kind(o, nil)
	if err != nil {
		tb.Fatal(err)
	}
	path = sqlitetest.File(tb, kind.Schema)
	w = opened(tb, path, o)
	w.must(birth)
	var puts []easel.Op
	for i := range 50 {
		puts = append(puts, put(id(i), "a label"))
	}
	w.must(canvas.Apply{By: ann, Ops: puts})
	total, step := 0, max(o.OpLogKeep/4, 10)
	if o.OpLogKeep == 0 {
		step = 2_500
	}
	for ver := 1; ver < ops; {
		_, err := w.run(func(t *turn) (actors.Message, error) {
			if err := t.tx.Row(`SELECT total FROM log ORDER BY ver DESC LIMIT 1`, nil, &total); err != nil {
				return nil, err
			}
			for range min(step, ops-ver) {
				ver++
				d := draft(fmt.Sprint("label ", ver%100))
				a := easel.Annotation{
					ID: id(ver % 50), ImageID: image, Label: d.Label, X: d.X, Y: d.Y, Width: d.Width, Height: d.Height, Rev: int64(2 + ver/50),
					CreatedBy: "ann", CreatedAt: easel.At(epoch), UpdatedBy: "bob", UpdatedAt: easel.At(epoch) + easel.Time(ver),
				}
				body := opcodec.AppendBatch(nil, &easel.Batch{
					Ver: int64(ver), By: "bob", At: a.UpdatedAt, Ops: []easel.Effect{{Kind: easel.OpPatch, ID: a.ID, Annotation: &a}},
				})
				total += len(body)
				if _, err := t.tx.Exec(`INSERT INTO log (ver, at, live, total, body) VALUES (?, ?, 50, ?, ?)`,
					ver, int64(a.UpdatedAt), total, body); err != nil {
					return nil, err
				}
				if _, err := t.tx.Exec(`UPDATE annotation SET label = ?, rev = ?, updated_by = 'bob', updated_at = ? WHERE id = unhex(?)`,
					a.Label, a.Rev, int64(a.UpdatedAt), string(a.ID)); err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
		if err != nil {
			tb.Fatal(err)
		}
		w.now = epoch.Add(time.Duration(ver) * time.Millisecond)
		w.restart()
		w.archive()
	}
	return path, w
}

// TestAFileDoesNotGrowWithItsHistory compares files, and what is read of them when
// they are opened, of images with a short and a long history.
func TestAFileDoesNotGrowWithItsHistory(t *testing.T) {
	measure := func(ops int) (file, read int64) {
		t.Helper()
		o := canvas.Options{Archive: newShelf(), OpLogKeep: 200}
		path, w := seasoned(t, o, ops)
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		again := opened(t, path, o) // has read what an activation reads
		return info.Size(), again.db.Memory()
	}
	// The first is long enough for the log to be full.
	shortFile, shortRead := measure(1_000)
	longFile, longRead := measure(41_000)
	t.Logf("after 1,000 batches %d bytes, %d of memory when opened; after 41,000 %d, %d", shortFile, shortRead, longFile, longRead)
	// 200 more chunks are rows of about 60 bytes.
	if more := longFile - shortFile; more > 32<<10 {
		t.Errorf("40,000 batches more make the file %d bytes larger", more)
	}
	if more := longRead - shortRead; more > 16<<10 {
		t.Errorf("40,000 batches more make opening take %d bytes more", more)
	}
}

// BenchmarkOpen is the activation of an image of 50 annotations, from its file on.
// Its history must not matter.
func BenchmarkOpen(b *testing.B) {
	for _, ops := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("history=%d", ops), func(b *testing.B) {
			o := canvas.Options{Archive: newShelf()}
			path, w := seasoned(b, o, ops)
			if err := w.db.Close(); err != nil {
				b.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			kind, err := canvas.Kind(o, nil)
			if err != nil {
				b.Fatal(err)
			}
			// What making it has left in memory is no part of opening it, and slows the
			// collector down.
			now := w.now
			w, o.Archive = nil, newShelf()
			runtime.GC()
			for b.Loop() {
				db, err := sqlite.Open(path, kind.Schema)
				if err != nil {
					b.Fatal(err)
				}
				again := &world{tb: b, db: db, options: o, now: now, alarms: map[string]time.Time{}}
				again.restart()
				again.must(canvas.List{})
				if err := db.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(info.Size()), "file-bytes")
		})
	}
}

// BenchmarkPast is the state at a version of long ago, from objects in memory.
func BenchmarkPast(b *testing.B) {
	for _, ops := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("history=%d", ops), func(b *testing.B) {
			s := newShelf()
			_, w := seasoned(b, canvas.Options{Archive: s}, ops)
			size := 0
			for _, object := range s.objects {
				size += len(object)
			}
			for b.Loop() {
				w.body(at(int64(ops/2)), canvas.List{})
			}
			b.ReportMetric(float64(size), "object-bytes")
			b.ReportMetric(float64(len(s.objects)), "objects")
		})
	}
}

// TestSeasonedIsWhatTurnsMake keeps the short cut of the tests above honest.
func TestSeasonedIsWhatTurnsMake(t *testing.T) {
	_, w := seasoned(t, canvas.Options{Archive: newShelf(), OpLogKeep: 20}, 130)
	var now, then struct{ Annotations []easel.Annotation }
	if err := json.Unmarshal(w.must(canvas.List{}).(canvas.Listing).Body, &now); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(w.body(at(130), canvas.List{})), &then); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(now, then); diff != "" {
		t.Error(diff)
	}
}
