package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/easelhq/easel/sqlite"
)

func TestExportIsAPlainCompactFile(t *testing.T) {
	schema, err := sqlite.NewSchema("export", []string{"CREATE TABLE a (x TEXT NOT NULL) STRICT;"})
	if err != nil {
		t.Fatal(err)
	}
	template, err := schema.Template()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "it's here")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if err := os.WriteFile(from, template.Bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(from, schema)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []string{"stays", "deleted"} {
		if _, err := tx.Exec("INSERT INTO a VALUES (?)", x); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Exec("DELETE FROM a WHERE x = 'deleted'"); err != nil {
		t.Fatal(err)
	}
	if err := db.Export(to); err == nil {
		t.Error("exported within a transaction")
	}
	if err := db.Commit(); err != nil {
		t.Fatal(err)
	}
	if wrong, err := db.Check(); err != nil || len(wrong) > 0 {
		t.Errorf("check: %v, %v", wrong, err)
	}
	if err := db.Export(to); err != nil {
		t.Fatal(err)
	}
	if err := db.Export(to); err == nil {
		t.Error("overwrote a file")
	}
	b, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if b[18] != 1 || b[19] != 1 {
		t.Errorf("mode %d, %d", b[18], b[19])
	}
	// It can be opened again once it says that it is in WAL mode.
	if _, err := sqlite.Open(to, schema); err == nil {
		t.Error("a plain file was opened as a working copy")
	}
	if err := sqlite.SetMode(to, sqlite.WAL); err != nil {
		t.Fatal(err)
	}
	again, err := sqlite.Open(to, schema)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	tx, err = again.Begin()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.Row("SELECT count(*) FROM a", nil, &n); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestCheckFindsDamage(t *testing.T) {
	schema, err := sqlite.NewSchema("check", []string{"CREATE TABLE a (x TEXT NOT NULL) STRICT; CREATE INDEX ax ON a (x);"})
	if err != nil {
		t.Fatal(err)
	}
	template, err := schema.Template()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "db")
	b := append([]byte(nil), template.Bytes...)
	b[len(b)-sqlite.PageSize+4] = 5 // the last page says that it has five cells
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(path, schema)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if wrong, err := db.Check(); err != nil || len(wrong) == 0 {
		t.Errorf("check: %v, %v", wrong, err)
	}
}
