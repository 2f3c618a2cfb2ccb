// Package sqlitetest opens new files for tests of what is kept in them.
package sqlitetest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/easelhq/easel/sqlite"
)

// Open opens a copy of the schema's template in a folder of the test, and closes
// it at the test's end.
func Open(t testing.TB, s *sqlite.Schema) *sqlite.DB {
	t.Helper()
	d, err := sqlite.Open(File(t, s), s)
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

// File writes a copy of the schema's template and returns its path.
func File(t testing.TB, s *sqlite.Schema) string {
	t.Helper()
	tmpl, err := s.Template()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "actor.db")
	if err := os.WriteFile(path, tmpl.Bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
