package sqlite_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/sqlite/sqlitetest"
)

// A schema and ops in the shape of an image's: annotations with two indexes and
// an op log.
const createShapes = `
CREATE TABLE shape (id TEXT PRIMARY KEY, label TEXT NOT NULL, x REAL, y REAL, w REAL, h REAL, ver INTEGER NOT NULL, by TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX shape_label ON shape (label, ver);
CREATE TABLE oplog (ver INTEGER PRIMARY KEY, by TEXT NOT NULL, at INTEGER NOT NULL, ops BLOB NOT NULL) STRICT;
CREATE TABLE meta (id INTEGER PRIMARY KEY, ver INTEGER NOT NULL) STRICT;
INSERT INTO meta VALUES (1, 0);
`

func shapes(b testing.TB) *sqlite.Schema {
	b.Helper()
	s, err := sqlite.NewSchema("shape", []string{createShapes})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

var opBody = []byte(strings.Repeat(`{"k":"put","annotation":{"label":"cat","x":0.25}}`, 6))

func op(b testing.TB, tx *sqlite.Tx, i int) {
	// UUIDv7-like: time first, so that keys grow.
	id := fmt.Sprintf("%012x7%03x8%015x", i/3, i%4096, uint64(i)*0x9E3779B97F4A7C15>>4)
	if _, err := tx.Exec("INSERT INTO shape (id, label, x, y, w, h, ver, by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", id, "label", 0.25, 0.5, 0.125, 0.0625, i, "user-1"); err != nil {
		b.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO oplog (ver, by, at, ops) VALUES (?, ?, ?, ?)", i, "user-1", int64(1790000000000)+int64(i), opBody); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkTwoStatementsAndCapture(b *testing.B) {
	d := sqlitetest.Open(b, shapes(b))
	b.ReportAllocs()
	pages, i := 0, 0
	for b.Loop() {
		i++
		tx, err := d.Begin()
		if err != nil {
			b.Fatal(err)
		}
		op(b, tx, i)
		if err = d.Commit(); err != nil {
			b.Fatal(err)
		}
		set, err := d.Capture()
		if err != nil {
			b.Fatal(err)
		}
		pages += len(set.Pages)
	}
	b.ReportMetric(float64(pages)/float64(i), "pages/op")
	b.ReportMetric(float64(pages*sqlite.PageSize)/float64(i), "bytes-captured/op")
}

func BenchmarkReadRow(b *testing.B) {
	d := sqlitetest.Open(b, shapes(b))
	tx := begin(b, d)
	for i := range 1000 {
		op(b, tx, i)
	}
	b.ReportAllocs()
	for b.Loop() {
		var by string
		var at int64
		if err := tx.Row("SELECT by, at FROM oplog WHERE ver = ?", []any{500}, &by, &at); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead1000Rows(b *testing.B) {
	d := sqlitetest.Open(b, shapes(b))
	tx := begin(b, d)
	for i := range 1000 {
		op(b, tx, i)
	}
	b.ReportAllocs()
	for b.Loop() {
		rows, err := tx.Query("SELECT id, label, x, y, w, h, ver, by FROM shape")
		if err != nil {
			b.Fatal(err)
		}
		var id, label, by string
		var x, y, w, h float64
		var ver int64
		n := 0
		for rows.Next() {
			if err := rows.Scan(&id, &label, &x, &y, &w, &h, &ver, &by); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if err := rows.Close(); err != nil || n != 1000 {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkReopen(b *testing.B) {
	s := shapes(b)
	path := sqlitetest.File(b, s)
	for b.Loop() {
		d, err := sqlite.Open(path, s)
		if err != nil {
			b.Fatal(err)
		}
		tx := begin(b, d)
		if err := tx.Row("SELECT ver FROM meta", nil, new(int64)); err != nil {
			b.Fatal(err)
		}
		if err := d.Commit(); err != nil {
			b.Fatal(err)
		}
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// TestCostOfAnOpenFile: two descriptors, no goroutine, no -shm, and Memory says
// about what the process grows by.
func TestCostOfAnOpenFile(t *testing.T) {
	s := shapes(t)
	const n = 100
	rss, fds, goroutines := residentBytes(t), descriptors(t), runtime.NumGoroutine()
	dbs := make([]*sqlite.DB, n)
	var told int64
	for i := range dbs {
		dbs[i] = sqlitetest.Open(t, s)
		for j := range 100 {
			tx := begin(t, dbs[i])
			op(t, tx, j)
			if err := dbs[i].Commit(); err != nil {
				t.Fatal(err)
			}
			capture(t, dbs[i])
		}
		told += dbs[i].Memory()
	}
	if got := descriptors(t) - fds; got != 2*n {
		t.Errorf("%d descriptors for %d files", got, n)
	}
	if got := runtime.NumGoroutine() - goroutines; got != 0 {
		t.Errorf("%d goroutines", got)
	}
	debug.FreeOSMemory()
	grown := residentBytes(t) - rss
	t.Logf("grew by %d KB a file, Memory says %d KB", grown/n>>10, told/n>>10)
	if grown/n > 400<<10 || told < grown/3 || told > grown*3 {
		t.Errorf("grew by %d bytes a file, Memory says %d", grown/n, told/n)
	}
}

func residentBytes(t testing.TB) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc")
	}
	n, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n * int64(os.Getpagesize())
}

func descriptors(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc")
	}
	return len(list)
}

func BenchmarkBulk500(b *testing.B) {
	d := sqlitetest.Open(b, shapes(b))
	b.ReportAllocs()
	i, captured := 0, 0
	for b.Loop() {
		tx := begin(b, d)
		for range 500 {
			i++
			op(b, tx, i)
		}
		if err := d.Commit(); err != nil {
			b.Fatal(err)
		}
		captured += len(capture(b, d).Pages)
	}
	b.ReportMetric(float64(captured*sqlite.PageSize)/float64(i/500), "bytes-captured/op")
}
