package sqlite_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/easelhq/easel/pages"
	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/sqlite/sqlitetest"
)

const createNotes = `
CREATE TABLE note (id TEXT PRIMARY KEY, n INTEGER, x REAL, body BLOB) STRICT;
CREATE INDEX note_n ON note (n);
`

func schema(t testing.TB, migrations ...string) *sqlite.Schema {
	t.Helper()
	s, err := sqlite.NewSchema("note", append([]string{createNotes}, migrations...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// apply writes a set onto the bytes of a file.
func apply(file []byte, s pages.Set) []byte {
	if s.Empty() {
		return file
	}
	out := make([]byte, int(s.Size)*int(s.PageSize))
	copy(out, file)
	for _, p := range s.Pages {
		copy(out[int(p.No-1)*int(s.PageSize):], p.Data)
	}
	return out
}

func exec(t testing.TB, d *sqlite.DB, query string, args ...any) {
	t.Helper()
	tx, err := d.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
}

func capture(t testing.TB, d *sqlite.DB) pages.Set {
	t.Helper()
	s, err := d.Capture()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpenRefusesNewerFileAndLeavesItAlone(t *testing.T) {
	newer, older := schema(t, "CREATE TABLE more (x INT) STRICT;"), schema(t)
	path := sqlitetest.File(t, newer)
	before, _ := os.ReadFile(path)
	if _, err := sqlite.Open(path, older); !errors.Is(err, sqlite.ErrNewer) {
		t.Fatalf("got %v, want ErrNewer", err)
	}
	after, _ := os.ReadFile(path)
	if !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
	if names, _ := filepath.Glob(path + "*"); len(names) != 1 {
		t.Errorf("files: %v", names)
	}
}

func TestOpenMigratesOlderFileAndCaptureShowsIt(t *testing.T) {
	older, newer := schema(t), schema(t, "ALTER TABLE note ADD COLUMN label TEXT;", "CREATE TABLE more (x INT) STRICT;")
	path := sqlitetest.File(t, older)
	image, _ := os.ReadFile(path)
	d, err := sqlite.Open(path, newer)
	if err != nil {
		t.Fatal(err)
	}
	image = apply(image, capture(t, d))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(path)
	if !bytes.Equal(got, image) {
		t.Error("captured pages do not make the migrated file")
	}
	if v := binary.BigEndian.Uint32(got[60:]); v != 3 {
		t.Errorf("user_version is %d", v)
	}
}

func TestFailedMigrationLeavesFileAlone(t *testing.T) {
	path := sqlitetest.File(t, schema(t))
	before, _ := os.ReadFile(path)
	if _, err := sqlite.Open(path, schema(t, "CREATE TABLE more (x INT) STRICT;", "no such statement")); err == nil {
		t.Fatal("no error")
	}
	after, _ := os.ReadFile(path)
	if !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}

func TestOpenOfWhatIsNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if _, err := sqlite.Open(path, schema(t)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("no"), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(path, schema(t)); !sqlite.IsCorrupt(err) {
		t.Errorf("garbage: %v", err)
	}
}

func TestReopenedFileCapturesNothingAndBirthWritesOnlyWhatChanged(t *testing.T) {
	s := schema(t)
	path := sqlitetest.File(t, s)
	image, _ := os.ReadFile(path)
	d, err := sqlite.Open(path, s)
	if err != nil {
		t.Fatal(err)
	}
	if got := capture(t, d); !got.Empty() {
		t.Errorf("a new file captures %d pages", len(got.Pages))
	}
	exec(t, d, "INSERT INTO note (id, n) VALUES (?, ?)", "a", 1)
	set := capture(t, d)
	if len(set.Pages) != 3 { // the table, its key and the index, not the first page
		t.Errorf("birth writes %d pages", len(set.Pages))
	}
	image = apply(image, set)
	if err = d.Close(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, image) {
		t.Error("closed file differs from what was captured")
	}
	if names, _ := filepath.Glob(path + "*"); len(names) != 1 {
		t.Errorf("files after Close: %v", names)
	}
	d, err = sqlite.Open(path, s)
	if err != nil {
		t.Fatal(err)
	}
	if got := capture(t, d); !got.Empty() {
		t.Errorf("a reopened file captures %d pages", len(got.Pages))
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}
