package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/sqlite/sqlitetest"
)

// follower is a file as the journal would restore it: the template and all sets
// captured since.
type follower struct {
	d     *sqlite.DB
	s     *sqlite.Schema
	path  string
	image []byte
}

func follow(t testing.TB) *follower {
	t.Helper()
	f := &follower{s: schema(t)}
	f.path = sqlitetest.File(t, f.s)
	f.image, _ = os.ReadFile(f.path)
	f.open(t)
	t.Cleanup(func() { _ = f.d.Close() })
	return f
}

func (f *follower) open(t testing.TB) {
	t.Helper()
	d, err := sqlite.Open(f.path, f.s)
	if err != nil {
		t.Fatal(err)
	}
	f.d = d
}

func (f *follower) capture(t testing.TB) {
	t.Helper()
	set := capture(t, f.d)
	for i, p := range set.Pages {
		if p.No == 0 || p.No > set.Size || i > 0 && p.No <= set.Pages[i-1].No || len(p.Data) != int(set.PageSize) {
			t.Fatalf("bad set: page %d of %d at %d, %d bytes", p.No, set.Size, i, len(p.Data))
		}
	}
	f.image = apply(f.image, set)
}

// same captures, closes, compares the file with the image byte by byte, checks
// it, and opens it again.
func (f *follower) same(t testing.TB) {
	t.Helper()
	f.capture(t)
	if err := f.d.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, f.image) {
		t.Fatalf("file of %d bytes and image of %d bytes differ", len(file), len(f.image))
	}
	f.open(t)
	f.check(t)
}

func (f *follower) check(t testing.TB) {
	t.Helper()
	tx := begin(t, f.d)
	var got string
	if err := tx.Row("PRAGMA integrity_check", nil, &got); err != nil || got != "ok" {
		t.Fatalf("integrity: %s, %v", got, err)
	}
	if err := f.d.Commit(); err != nil {
		t.Fatal(err)
	}
}

func (f *follower) fill(t testing.TB, from, n, size int) {
	t.Helper()
	tx := begin(t, f.d)
	for i := from; i < from+n; i++ {
		if _, err := tx.Exec("INSERT INTO note (id, n, body) VALUES (?, ?, ?)", fmt.Sprintf("%06d", i), i%17, randomBytes(uint64(i), size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.d.Commit(); err != nil {
		t.Fatal(err)
	}
}

func randomBytes(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// spill grows the open transaction past the page cache, so that frames without
// a commit reach the WAL.
func spill(t testing.TB, tx *sqlite.Tx, prefix string) {
	t.Helper()
	for i := range 300 {
		if _, err := tx.Exec("INSERT INTO note (id, n, body) VALUES (?, ?, ?)", fmt.Sprint(prefix, i), i, randomBytes(uint64(i), 4000)); err != nil {
			t.Fatal(err)
		}
	}
}

// plain runs a statement outside of a transaction of ours, as VACUUM needs.
func plain(t testing.TB, f *follower, query string) {
	t.Helper()
	if err := f.d.ExecOutside(query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func TestCaptureFollowsTheFileByteForByte(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*testing.T, *follower)
	}{
		{"one row", func(t *testing.T, f *follower) { f.fill(t, 0, 1, 10) }},
		{"growth", func(t *testing.T, f *follower) { f.fill(t, 0, 500, 3000) }},
		{"several commits before one capture", func(t *testing.T, f *follower) {
			for i := range 20 {
				f.fill(t, i*10, 10, 100)
			}
		}},
		{"many captures", func(t *testing.T, f *follower) {
			for i := range 200 {
				f.fill(t, i*5, 5, 2000)
				f.capture(t)
			}
		}},
		{"read-only transaction", func(t *testing.T, f *follower) {
			f.fill(t, 0, 10, 10)
			f.capture(t)
			ids(t, f.d)
			if got := capture(t, f.d); !got.Empty() {
				t.Errorf("a read captures %d pages", len(got.Pages))
			}
		}},
		{"rollback", func(t *testing.T, f *follower) {
			f.fill(t, 0, 10, 10)
			if err := put(begin(t, f.d), "undone"); err != nil {
				t.Fatal(err)
			}
			if err := f.d.Rollback(); err != nil {
				t.Fatal(err)
			}
		}},
		{"spill, then commit", func(t *testing.T, f *follower) {
			f.fill(t, 0, 10, 10)
			spill(t, begin(t, f.d), "s")
			if err := f.d.Commit(); err != nil {
				t.Fatal(err)
			}
		}},
		{"spill, then rollback", func(t *testing.T, f *follower) {
			f.fill(t, 0, 10, 10)
			f.capture(t)
			spill(t, begin(t, f.d), "s")
			if err := f.d.Rollback(); err != nil {
				t.Fatal(err)
			}
			if got := capture(t, f.d); !got.Empty() {
				t.Errorf("a rolled back spill captures %d pages", len(got.Pages))
			}
		}},
		{"spill, rollback, then a commit in front of its frames", func(t *testing.T, f *follower) {
			f.fill(t, 0, 10, 10)
			spill(t, begin(t, f.d), "s")
			if err := f.d.Rollback(); err != nil {
				t.Fatal(err)
			}
			f.fill(t, 100, 3, 10)
			f.capture(t)
			f.fill(t, 200, 3, 10)
		}},
		{"spill within a savepoint that is undone", func(t *testing.T, f *follower) {
			tx := begin(t, f.d)
			if err := put(tx, "stays"); err != nil {
				t.Fatal(err)
			}
			if err := tx.Savepoint(); err != nil {
				t.Fatal(err)
			}
			spill(t, tx, "s")
			if err := tx.RollbackTo(); err != nil {
				t.Fatal(err)
			}
			if err := put(tx, "stays too"); err != nil {
				t.Fatal(err)
			}
			if err := f.d.Commit(); err != nil {
				t.Fatal(err)
			}
		}},
		{"delete and vacuum", func(t *testing.T, f *follower) {
			f.fill(t, 0, 400, 3000)
			f.capture(t)
			before := len(f.image)
			exec(t, f.d, "DELETE FROM note WHERE n > 2")
			plain(t, f, "VACUUM")
			f.capture(t)
			if len(f.image) >= before {
				t.Errorf("%d bytes before, %d after", before, len(f.image))
			}
		}},
		{"growth and vacuum in one capture", func(t *testing.T, f *follower) {
			f.fill(t, 0, 100, 3000)
			exec(t, f.d, "DELETE FROM note")
			plain(t, f, "VACUUM")
		}},
		{"schema changes", func(t *testing.T, f *follower) {
			f.fill(t, 0, 100, 300)
			exec(t, f.d, "ALTER TABLE note ADD COLUMN label TEXT")
			exec(t, f.d, "CREATE INDEX note_x ON note (x, n)")
			f.capture(t)
			exec(t, f.d, "ALTER TABLE note RENAME COLUMN label TO title")
			exec(t, f.d, "ALTER TABLE note DROP COLUMN title")
			exec(t, f.d, "DROP INDEX note_x")
			f.fill(t, 100, 10, 10)
		}},
		{"long WAL without a capture", func(t *testing.T, f *follower) {
			for i := range 150 {
				f.fill(t, i*20, 20, 1000) // beyond the automatic checkpoint that SQLite would make
			}
		}},
		{"big value", func(t *testing.T, f *follower) { f.fill(t, 0, 1, 3<<20) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := follow(t)
			tt.do(t, f)
			f.same(t)
			f.fill(t, 900000, 3, 50) // and it goes on
			f.same(t)
		})
	}
}

func TestCaptureStopsWhenAnotherRestartedTheWAL(t *testing.T) {
	for _, mode := range []string{"RESTART", "TRUNCATE"} {
		t.Run(mode, func(t *testing.T) {
			f := follow(t)
			f.fill(t, 0, 10, 100)
			f.capture(t)
			plain(t, f, "PRAGMA wal_checkpoint("+mode+")")
			f.fill(t, 10, 1, 100)
			if _, err := f.d.Capture(); !errors.Is(err, sqlite.ErrNotCaptured) {
				t.Fatalf("got %v", err)
			}
			if _, err := f.d.Capture(); !errors.Is(err, sqlite.ErrNotCaptured) {
				t.Errorf("and then: %v", err)
			}
		})
	}
}

func TestCaptureStopsAtDamagedWAL(t *testing.T) {
	for _, tt := range []struct {
		name string
		off  int64 // from the first frame that was not captured
	}{{"page", 24 + 1000}, {"page number", 2}, {"salt", 9}, {"checksum", 20}} {
		t.Run(tt.name, func(t *testing.T) {
			f := follow(t)
			f.fill(t, 0, 1, 10)
			f.capture(t)
			end := size(t, f.path+"-wal")
			f.fill(t, 1, 1, 10)
			flip(t, f.path+"-wal", end+tt.off)
			if _, err := f.d.Capture(); !errors.Is(err, sqlite.ErrNotCaptured) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestOpenRefusesFileThatWasNotClosed(t *testing.T) {
	f := follow(t)
	f.fill(t, 0, 1, 10)
	file, wal := read(t, f.path), read(t, f.path+"-wal")
	if err := f.d.Close(); err != nil {
		t.Fatal(err)
	}
	// As a crash before Close would leave it.
	write(t, f.path, file)
	write(t, f.path+"-wal", wal)
	if _, err := sqlite.Open(f.path, f.s); !errors.Is(err, sqlite.ErrUnclean) {
		t.Errorf("got %v", err)
	}
	if !bytes.Equal(read(t, f.path), file) || !bytes.Equal(read(t, f.path+"-wal"), wal) {
		t.Error("files were changed")
	}
	if err := sqlite.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Error("WAL is still there")
	}
	write(t, f.path, f.image)
	f.open(t)
}

// TestCaptureProperty runs random transactions, savepoints, roll-backs, vacuums
// and reopenings, with captures in between, and compares the bytes.
func TestCaptureProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := follow(t)
		defer func() { _ = f.d.Close() }()
		model := map[string]bool{}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"tx", "tx", "tx", "capture", "vacuum", "reopen"}).Draw(rt, "step") {
			case "tx":
				transaction(t, rt, f.d, model)
			case "capture":
				f.capture(t)
			case "vacuum":
				plain(t, f, "VACUUM")
			case "reopen":
				f.same(t)
			}
		}
		f.same(t)
		var want []string
		for k := range model {
			want = append(want, k)
		}
		slices.Sort(want)
		if got := ids(t, f.d); !slices.Equal(got, want) {
			rt.Fatalf("rows %v, want %v", got, want)
		}
	})
}

func transaction(t testing.TB, rt *rapid.T, d *sqlite.DB, model map[string]bool) {
	tx := begin(t, d)
	states := []map[string]bool{clone(model)}
	for range rapid.IntRange(0, 10).Draw(rt, "ops") {
		now := states[len(states)-1]
		key := fmt.Sprint("k", rapid.IntRange(0, 40).Draw(rt, "key"))
		var err error
		switch rapid.SampledFrom([]string{"put", "put", "big", "del", "save", "back", "release"}).Draw(rt, "op") {
		case "put":
			_, err = tx.Exec("INSERT OR REPLACE INTO note (id, n) VALUES (?, ?)", key, len(key))
			now[key] = true
		case "big":
			_, err = tx.Exec("INSERT OR REPLACE INTO note (id, body) VALUES (?, ?)", key, make([]byte, 200<<10))
			now[key] = true
		case "del":
			_, err = tx.Exec("DELETE FROM note WHERE id = ?", key)
			delete(now, key)
		case "save":
			err = tx.Savepoint()
			states = append(states, clone(now))
		case "back":
			if len(states) > 1 {
				err = tx.RollbackTo()
				states = states[:len(states)-1]
			}
		case "release":
			if len(states) > 1 {
				err = tx.Release()
				states = append(states[:len(states)-2], now)
			}
		}
		if err != nil {
			rt.Fatal(err)
		}
	}
	if rapid.Bool().Draw(rt, "commit") {
		if err := d.Commit(); err != nil {
			rt.Fatal(err)
		}
		clear(model)
		for k := range states[len(states)-1] {
			model[k] = true
		}
		return
	}
	if err := d.Rollback(); err != nil {
		rt.Fatal(err)
	}
}

func clone(m map[string]bool) map[string]bool {
	c := make(map[string]bool, len(m))
	for k := range m {
		c[k] = true
	}
	return c
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func size(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// flip changes one bit of a file.
func flip(t testing.TB, path string, off int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := f.ReadAt(b[:], off); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b[:], off); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCaptureNoticesEveryBit: whatever byte of a new frame is damaged, it is not
// taken for a change.
func TestCaptureNoticesEveryBit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := follow(t)
		defer func() { _ = f.d.Close() }()
		f.fill(t, 0, 1, 10)
		f.capture(t)
		end := size(t, f.path+"-wal")
		f.fill(t, 1, 1, 10)
		flip(t, f.path+"-wal", rapid.Int64Range(end, size(t, f.path+"-wal")-1).Draw(rt, "offset"))
		if _, err := f.d.Capture(); !errors.Is(err, sqlite.ErrNotCaptured) {
			rt.Fatalf("got %v", err)
		}
	})
}

func TestOpenRefusesFileOutsideOfWALMode(t *testing.T) {
	s := schema(t)
	path := sqlitetest.File(t, s)
	file := read(t, path)
	file[18], file[19] = 1, 1
	write(t, path, file)
	if d, err := sqlite.Open(path, s); err == nil {
		t.Errorf("opened; close: %v", d.Close())
	}
	if !bytes.Equal(read(t, path), file) {
		t.Error("the file was changed")
	}
}
