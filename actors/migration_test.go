package actors_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/sqlite"
)

// migrateIn, in the environment, makes this binary migrate the counter of a store.
const migrateIn = "EASEL_TEST_MIGRATE_IN"

// doubling is a migration that must happen once and as a whole. It passes 8 MiB
// through the file, so that there is time to be killed in it, and much of it is on
// disk before it commits.
var doubling = []string{
	`CREATE TABLE big (n INTEGER NOT NULL, b BLOB NOT NULL) STRICT;
	WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4000)
	INSERT INTO big SELECT n, randomblob(1900) FROM c;`,
	`UPDATE entry SET n = n * 2; ALTER TABLE entry ADD COLUMN doubled INTEGER NOT NULL DEFAULT 1;`,
	`DELETE FROM big WHERE n > 1500;`,
}

func migrating(t *testing.T) option {
	t.Helper()
	schema, err := actors.NewSchema("counter", append([]string{
		`CREATE TABLE entry (n INTEGER NOT NULL) STRICT; CREATE TABLE rang (name TEXT NOT NULL) STRICT;`,
	}, doubling...))
	if err != nil {
		t.Fatal(err)
	}
	return func(c *actors.Config) { c.Kinds[0].Schema = schema }
}

// TestKilledMigrationIsDoneAgainAsAWhole kills a process with SIGKILL at several
// points of the activation that migrates a file. What is durable is the old file or
// the new one, the old program opens the old one, and the next activation migrates
// it, once.
func TestKilledMigrationIsDoneAgainAsAWhole(t *testing.T) {
	if dir := os.Getenv(migrateIn); dir != "" {
		migrateAndWait(t, dir)
		return
	}
	const sum = 500500
	before := t.TempDir()
	t.Run("made", func(t *testing.T) {
		w := start(t, before)
		for n := int64(1); n <= 1000; n++ {
			if _, err := w.do(t, "a", add{n}); err != nil {
				t.Fatal(err)
			}
		}
		w.want(t, "a", value{}, sum)
	})
	old := versionIn(t, before)
	next, undone := old+len(doubling), 0
	for _, at := range []struct {
		point   string
		reached func(s sizes) bool
	}{
		{"at the start", func(s sizes) bool { return true }},
		{"with a working copy", func(s sizes) bool { return s.file > 0 }},
		{"with the first pages written", func(s sizes) bool { return s.wal > 0 }},
		{"with a third written", func(s sizes) bool { return s.wal > 1500<<10 }},
		{"with two thirds written", func(s sizes) bool { return s.wal > 3<<20 }},
		{"on the way into the log", func(s sizes) bool { return s.log > 1<<20 }},
		{"answered", func(s sizes) bool { return s.answered }},
	} {
		t.Run(at.point, func(t *testing.T) {
			home := filepath.Join(t.TempDir(), "home")
			if err := os.CopyFS(filepath.Join(home, "journal"), os.DirFS(before)); err != nil {
				t.Fatal(err)
			}
			seen := killAt(t, home, at.reached)
			store := filepath.Join(home, "journal")
			version := versionIn(t, store)
			t.Logf("killed at %+v, durable is version %d", seen, version)
			if version != old && version != next || seen.answered && version != next {
				t.Errorf("version %d is durable, want %d or %d", version, old, next)
			}
			if version == old {
				undone++
				again := filepath.Join(t.TempDir(), "again")
				if err := os.CopyFS(again, os.DirFS(store)); err != nil {
					t.Fatal(err)
				}
				start(t, again).want(t, "a", value{}, sum)
			}
			for range 2 {
				t.Run("again", func(t *testing.T) {
					w := start(t, store, migrating(t))
					w.want(t, "a", value{}, 2*sum)
				})
			}
		})
	}
	if undone == 0 {
		t.Error("none was killed before its migration was durable")
	}
}

// migrateAndWait is the process that is killed.
func migrateAndWait(t *testing.T, home string) {
	t.Helper()
	w := start(t, filepath.Join(home, "journal"), migrating(t), func(c *actors.Config) { c.Dir = filepath.Join(home, "work") })
	fmt.Println("\nstarted")
	if _, err := w.do(t, "a", add{0}); err != nil {
		t.Fatal(err)
	}
	fmt.Println("\nanswered")
	select {}
}

// sizes are what a process that migrates has on disk, in bytes.
type sizes struct {
	file, wal int64
	log       int64 // more than at first
	answered  bool
}

// killAt starts a process that migrates and kills it as soon as it has reached a
// point. It returns how far it was seen.
func killAt(t *testing.T, home string, reached func(sizes) bool) sizes {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledMigrationIsDoneAgainAsAWhole$")
	// What it has made in a temporary folder it cannot remove: it is killed.
	cmd.Env = append(os.Environ(), migrateIn+"="+home, "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	first := logged(t, home)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 100)
	go func() {
		defer close(said)
		for s := bufio.NewScanner(out); s.Scan(); {
			said <- s.Text()
		}
	}()
	defer func() {
		_ = cmd.Process.Kill()
		for range said { // until its end of the pipe is closed
		}
		_ = cmd.Wait() // it was killed
	}()
	for line := range said {
		if line == "started" {
			break
		}
	}
	var s sizes
	for tick := time.NewTicker(100 * time.Microsecond); ; {
		s = sizes{answered: s.answered, log: logged(t, home) - first}
		_ = filepath.WalkDir(filepath.Join(home, "work"), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil // it comes and goes
			}
			if info, err := d.Info(); err == nil && strings.HasSuffix(path, "a.db-wal") {
				s.wal = info.Size()
			} else if err == nil && strings.HasSuffix(path, "a.db") {
				s.file = info.Size()
			}
			return nil
		})
		if reached(s) || s.answered {
			tick.Stop()
			return s
		}
		select {
		case line, ok := <-said:
			if !ok {
				t.Fatal("the process has ended by itself")
			}
			s.answered = line == "answered"
		case <-tick.C:
		}
	}
}

// logged is the size of a journal's segments.
func logged(t *testing.T, home string) (size int64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(home, "journal", "log"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// versionIn returns the version of the counter's file that is durable, and checks
// that file.
func versionIn(t *testing.T, store string) int {
	t.Helper()
	view, err := journal.View(journal.NodeOptions{Dir: store})
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	path := filepath.Join(t.TempDir(), "copy")
	if _, err := view.Copy(t.Context(), key("a").Name(), path); err != nil {
		t.Fatal(err)
	}
	version, err := sqlite.Version(path)
	if err != nil {
		t.Fatal(err)
	}
	return version
}
