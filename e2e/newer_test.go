package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/migrations"
	"github.com/easelhq/easel/sqlite"
)

// TestNewerFilesAreRefusedAndUntouched: a store that a newer program has written to
// is served as far as it is understood, and not changed where it is not.
func TestNewerFilesAreRefusedAndUntouched(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store := "dir:" + filepath.Join(root, "store")
	n := newSite(t, "--store="+store, "--chores=off")
	ada := n.as("acme", "ada", "")
	newer, older := ada.upload(t, "newer.png", picture(9, 9, 1)), ada.upload(t, "older.png", picture(9, 9, 2))
	ada.draw(t, newer.ID, "cat")
	n.stop(t)

	name := migrateAhead(t, filepath.Join(root, "store", "journal"), newer.ID)
	before := copyOf(t, filepath.Join(root, "store", "journal"), name)
	n = newSite(t, "--store="+store, "--chores=off")
	ada = n.as("acme", "ada", "")
	for _, path := range []string{"", "/messages", "/sqlite"} {
		ada.refused(t, "internal", "GET", "/api/images/"+newer.ID+path, nil)
	}
	ada.refused(t, "internal", "POST", "/api/annotations", raw(drawing(newer.ID, "dog", "")))
	ada.must(t, http.StatusOK, "GET", "/api/images/"+older.ID, nil)
	ada.draw(t, older.ID, "dog")
	if said := n.stderr.String(); !strings.Contains(said, "newer schema than this binary") {
		t.Errorf("the log does not say why:\n%s", said)
	}
	n.stop(t)
	if after := copyOf(t, filepath.Join(root, "store", "journal"), name); string(before) != string(after) {
		t.Error("the newer file was changed")
	}
	wantExit(t, 1, "actor_newer", "verify", "--store="+store)
	out := filepath.Join(root, "out")
	wantExit(t, 0, "exported acme", "export", "--store="+store, "--tenant=acme", "--to="+out)
	into := filepath.Join(root, "into")
	wantExit(t, 2, "this program knows up to", "import", "--store=dir:"+into, "--from="+out)
	for path := range treeOf(t, filepath.Join(into, "blobs")) {
		t.Errorf("%s was written all the same", path)
	}
}

// migrateAhead brings an image's file to a schema that this binary does not have.
func migrateAhead(t *testing.T, dir, image string) journal.Name {
	t.Helper()
	scripts, err := migrations.Image()
	if err != nil {
		t.Fatal(err)
	}
	schema, err := actors.NewSchema(canvas.KindName, append(scripts, "CREATE TABLE future (x INTEGER) STRICT;"))
	if err != nil {
		t.Fatal(err)
	}
	node, err := journal.OpenNode(journal.NodeOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	var name journal.Name
	if err := node.Names(t.Context(), canvas.KindName, func(n journal.Name) bool {
		if strings.HasSuffix(string(n), image) {
			name = n
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	term, err := node.Claim(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "image")
	if err := term.Restore(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(path, schema)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	set, err := db.Capture()
	if err != nil || set.Empty() {
		t.Fatalf("nothing was migrated: %v", err)
	}
	done := make(chan error, 1)
	term.Append(set, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := term.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	return name
}

// copyOf returns an actor's file.
func copyOf(t *testing.T, dir string, name journal.Name) []byte {
	t.Helper()
	view, err := journal.View(journal.NodeOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	path := filepath.Join(t.TempDir(), "copy")
	if _, err := view.Copy(t.Context(), name, path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestAMigrationIsOneTransaction opens every file of the stores that released
// binaries have written, with a migration too many that fails at its end: the file
// stays what it was, and opens with the right ones.
func TestAMigrationIsOneTransaction(t *testing.T) {
	t.Parallel()
	scripts, err := migrations.Image()
	if err != nil {
		t.Fatal(err)
	}
	good, err := actors.NewSchema(canvas.KindName, scripts)
	if err != nil {
		t.Fatal(err)
	}
	bad, err := actors.NewSchema(canvas.KindName, append(scripts, "DELETE FROM annotation; INSERT INTO nowhere VALUES (1);"))
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range oldVersions(t) {
		dir := filepath.Join(oldStores, version, "dir", "journal")
		view, err := journal.View(journal.NodeOptions{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer view.Close()
		files := 0
		err = view.Names(t.Context(), canvas.KindName, func(n journal.Name) bool {
			files++
			path := filepath.Join(t.TempDir(), "image")
			if _, err := view.Copy(t.Context(), n, path); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := sqlite.Open(path, bad); err == nil || !strings.Contains(err.Error(), "migration") {
				t.Errorf("%s: %v", n, err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
				t.Errorf("%s: half a migration is left: %v", n, err)
			}
			if err := os.RemoveAll(path + "-wal"); err != nil { // as the runtime does with a copy that it does not trust
				t.Fatal(err)
			}
			db, err := sqlite.Open(path, good)
			if err != nil {
				t.Fatalf("%s: %v", n, err)
			}
			if set, err := db.Capture(); err != nil || set.Empty() {
				t.Errorf("%s: what the migrations changed is not captured: %v", n, err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			if got, err := sqlite.Version(path); err != nil || got != good.Version() {
				t.Errorf("%s: schema %d, %v", n, got, err)
			}
			return true
		})
		if err != nil || files == 0 {
			t.Errorf("%d files, %v", files, err)
		}
	}
}
