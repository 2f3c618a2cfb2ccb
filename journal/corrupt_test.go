package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// atRest returns a file system that holds a bit of everything: snapshots,
// merges, heads, sealed segments and a last one, all of it at rest.
func atRest(t *testing.T) (*journaltest.FS, *model) {
	t.Helper()
	fsys := journaltest.NewFS()
	m := newModel(t.TempDir(), modelActors)
	rng := rand.New(rand.NewPCG(1, 2))
	for life := range 5 {
		n, err := journal.OpenNode(journal.NodeOptions{Dir: "/store", FS: fsys, CompactBytes: 8192})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.claim(t, n); err != nil {
			t.Fatal(err)
		}
		for range 6 {
			if life == 4 {
				break // the last life leaves its batches in segments
			}
			if !m.write(rng, 20) {
				t.Fatal("write failed")
			}
			if err := n.Compact(); err != nil {
				t.Fatal(err)
			}
		}
		if !m.write(rng, 20) {
			t.Fatal("write failed")
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range m.actors {
		a.whole = journaltest.State(a.name, a.acked)
	}
	return fsys, m
}

func TestDamageIsNoticedOrHarmless(t *testing.T) {
	t.Parallel()
	fsys, m := atRest(t)
	rng := rand.New(rand.NewPCG(3, 4))
	noticed := map[string]int{}
	files := fsys.Files()
	per := 30
	if testing.Short() {
		per = 10
	}
	d := newDamager(t, "bit flips, folder", len(files), per)
	for object, part := range d.all() {
		f := files[object]
		bit := part.bit(rng, f.Size*8)
		broken := fsys.Clone()
		if err := broken.Flip(f.Path, bit); err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("%s bit %d", f.Path, bit)
		bad := claimDamaged(t, broken, m, what)
		if again := claimDamaged(t, broken, m, what); again != bad {
			t.Errorf("%s: %d actors are closed, after another start %d", what, bad, again)
		}
		d.did(t, kindOf(f.Path), bad > 0)
		if bad > 0 {
			noticed[kindOf(f.Path)]++
		}
		if strings.HasPrefix(f.Path, "/store/actors/") && bad > 1 {
			t.Errorf("%s bit %d: damage of one actor closes %d", f.Path, bit, bad)
		}
	}
	for _, kind := range []string{"head", "l1", "snap", "log"} {
		if noticed[kind] == 0 && d.many(kind) {
			t.Errorf("no damage of %s was noticed: %s", kind, d)
		}
	}
	t.Log(d)
}

func kindOf(path string) string {
	if strings.HasPrefix(path, "/store/log/") {
		return "log"
	}
	if strings.Contains(path, "/templates/") {
		return "templates"
	}
	kind, _, _ := strings.Cut(filepath.Base(path), "-")
	return kind
}

// claimDamaged claims all actors, checks that each is whole or corrupt, and
// returns how many are corrupt.
func claimDamaged(t *testing.T, fsys *journaltest.FS, m *model, what string) int {
	t.Helper()
	n, err := journal.OpenNode(journal.NodeOptions{Dir: "/store", FS: fsys})
	if err != nil {
		t.Errorf("%s: open: %v", what, err)
		return 0
	}
	defer n.Close()
	bad := 0
	for _, a := range m.actors {
		term, err := n.Birth(t.Context(), a.name, journaltest.Template())
		if err == nil {
			var b []byte
			b, err = journaltest.Restored(t.Context(), term, m.dir)
			if err == nil && !bytes.Equal(b, a.whole) {
				i, _ := journaltest.Find(a.name, b, 0, a.acked)
				t.Errorf("%s: %s is restored as of batch %d, want %d", what, a.name, i, a.acked)
			}
		}
		if err != nil {
			bad++
			if !errors.Is(err, journal.ErrCorrupt) {
				t.Errorf("%s: %s: %v, want ErrCorrupt", what, a.name, err)
			}
		}
	}
	return bad
}

func TestMissingFilesAreNoticed(t *testing.T) {
	fsys, m := atRest(t)
	files := fsys.Files()
	for i, f := range files {
		if strings.HasPrefix(f.Path, "/store/log/") && (i+1 == len(files) || !strings.HasPrefix(files[i+1].Path, "/store/log/")) {
			continue // the last segment has nobody to vouch for it
		}
		if strings.HasSuffix(f.Path, "/head") {
			continue // so has a head
		}
		broken := fsys.Clone()
		if err := broken.Remove(f.Path); err != nil {
			t.Fatal(err)
		}
		claimDamaged(t, broken, m, f.Path+" removed")
	}
}
