package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel/pages"
	"github.com/easelhq/easel/sqlite"
)

func openCradle(t *testing.T, s *sqlite.Schema) *sqlite.Cradle {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cradle.db")
	c, err := sqlite.OpenCradle(path, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("the file is still there: %v", err)
		}
	})
	return c
}

// grown opens the file that a set makes out of the schema's template.
func grown(t *testing.T, s *sqlite.Schema, set pages.Set) *sqlite.DB {
	t.Helper()
	tmpl, err := s.Template()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "grown.db")
	if err := os.WriteFile(path, apply(bytes.Clone(tmpl.Bytes), set), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := sqlite.Open(path, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

func names(t *testing.T, d *sqlite.DB) (all []string) {
	t.Helper()
	rows, err := begin(t, d).Query("SELECT id FROM note ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Rollback(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCradleGivesEachTransactionAFileOfItsOwn(t *testing.T) {
	s := schema(t, "ALTER TABLE note ADD COLUMN more TEXT;")
	c := openCradle(t, s)
	for i, rows := range []int{1, 3, 5000, 2} { // 5,000 exceed the cache
		tx := begin(t, c.DB())
		var want []string
		for n := range rows {
			want = append(want, fmt.Sprintf("%d-%06d", i, n))
			if _, err := tx.Exec("INSERT INTO note (id, n, body) VALUES (?, ?, ?)", want[n], n, bytes.Repeat([]byte{byte(n)}, 900)); err != nil {
				t.Fatal(err)
			}
		}
		if !c.Wrote() {
			t.Error("the transaction wrote nothing")
		}
		set, err := c.Take()
		if err != nil {
			t.Fatal(err)
		}
		if !c.Sound() {
			t.Fatal("the cradle is not as the template is")
		}
		d := grown(t, s, set)
		if diff := cmp.Diff(want, names(t, d)); diff != "" {
			t.Error(diff)
		}
		if wrong, err := d.Check(); err != nil || len(wrong) > 0 {
			t.Errorf("%q, %v", wrong, err)
		}
		exec(t, d, "INSERT INTO note (id) VALUES ('later')") // it goes on like any other
		if got := names(t, c.DB()); got != nil {
			t.Errorf("left in the cradle: %q", got)
		}
	}
}

func TestCradleTakesNothingOfWhatDidNotHappen(t *testing.T) {
	c := openCradle(t, schema(t))
	for name, do := range map[string]func(tx *sqlite.Tx) error{
		"nothing": func(*sqlite.Tx) error { return nil },
		"a read":  func(tx *sqlite.Tx) error { return tx.Row("SELECT count(*) FROM note", nil, new(int)) },
		"a write of nothing": func(tx *sqlite.Tx) error {
			_, err := tx.Exec("DELETE FROM note WHERE id = 'x'")
			return err
		},
		"a write that was undone": func(tx *sqlite.Tx) error {
			if err := tx.Savepoint(); err != nil {
				return err
			}
			if _, err := tx.Exec("INSERT INTO note (id) VALUES ('x')"); err != nil {
				return err
			}
			return tx.RollbackTo()
		},
	} {
		if err := do(begin(t, c.DB())); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if set, err := c.Take(); err != nil || !set.Empty() || !c.Sound() {
			t.Errorf("%s: %d pages of %d, %v, sound %v", name, len(set.Pages), set.Size, err, c.Sound())
		}
	}
	if _, err := c.Take(); err == nil {
		t.Error("took what was not begun")
	}
}

func TestCradleKnowsThatItWasSpoilt(t *testing.T) {
	c := openCradle(t, schema(t))
	tx := begin(t, c.DB())
	if c.Sound() {
		t.Error("sound within a transaction")
	}
	if _, err := tx.Exec("INSERT INTO note (id) VALUES ('x')"); err != nil {
		t.Fatal(err)
	}
	if err := c.DB().Commit(); err != nil {
		t.Fatal(err)
	}
	if c.Sound() {
		t.Error("sound after a commit")
	}
}
