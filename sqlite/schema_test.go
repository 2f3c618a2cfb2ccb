package sqlite_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	osexec "os/exec"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the plain driver, as another program would open the file

	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/sqlite/sqlitetest"
)

const printTemplate = "EASEL_TEST_PRINT_TEMPLATE"

func TestTemplateIsTheSameInEveryProcess(t *testing.T) {
	s := schema(t, "CREATE TABLE more (x INT) STRICT; INSERT INTO more VALUES (1);", "DROP TABLE more;", "ALTER TABLE note ADD COLUMN label TEXT;")
	tmpl, err := s.Template()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv(printTemplate) != "" {
		fmt.Println("id=" + tmpl.ID)
		return
	}
	if len(tmpl.ID) != 64 || len(tmpl.Bytes)%sqlite.PageSize != 0 {
		t.Errorf("ID %q of %d bytes", tmpl.ID, len(tmpl.Bytes))
	}
	again, err := schema(t, "CREATE TABLE more (x INT) STRICT; INSERT INTO more VALUES (1);", "DROP TABLE more;", "ALTER TABLE note ADD COLUMN label TEXT;").Template()
	if err != nil || !bytes.Equal(again.Bytes, tmpl.Bytes) {
		t.Errorf("differs within a process: %v", err)
	}
	for range 3 {
		cmd := osexec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTemplateIsTheSameInEveryProcess$")
		cmd.Env = append(os.Environ(), printTemplate+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "id="+tmpl.ID) {
			t.Fatalf("%v: want %s in\n%s", err, tmpl.ID, out)
		}
	}
}

func TestNewSchemaRefusesEmptyMigrations(t *testing.T) {
	for _, migrations := range [][]string{nil, {""}, {createNotes, " \n"}} {
		if _, err := sqlite.NewSchema("note", migrations); err == nil {
			t.Errorf("took %q", migrations)
		}
	}
}

func TestTemplateOfBadMigrationFails(t *testing.T) {
	for _, bad := range []string{"no such statement", "CREATE TABLE a (x INT); COMMIT;", "BEGIN; CREATE TABLE a (x INT);"} {
		s, err := sqlite.NewSchema("note", []string{createNotes, bad})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Template(); err == nil {
			t.Errorf("took %q", bad)
		}
	}
}

func TestClosedFileIsPlainForOthers(t *testing.T) {
	s := schema(t)
	path := sqlitetest.File(t, s)
	d, err := sqlite.Open(path, s)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, d, "INSERT INTO note (id, n) VALUES ('a', 7)")
	if err = d.Close(); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	var n, version int
	if err := other.QueryRowContext(t.Context(), "SELECT n FROM note").Scan(&n); err != nil || n != 7 {
		t.Errorf("got %d, %v", n, err)
	}
	if err := other.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version); err != nil || version != s.Version() {
		t.Errorf("version %d, %v", version, err)
	}
	var ok string
	if err := other.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&ok); err != nil || ok != "ok" {
		t.Errorf("integrity: %s, %v", ok, err)
	}
}
