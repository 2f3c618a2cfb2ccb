package journal_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// segmentsIn counts the segments of a log.
func segmentsIn(fsys *journaltest.FS) int {
	n := 0
	for _, f := range fsys.Files() {
		if strings.HasPrefix(f.Path, "/store/log/") {
			n++
		}
	}
	return n
}

// TestErasureFreesADamagedSegment: what cannot be read is kept until nobody misses
// it any more.
func TestErasureFreesADamagedSegment(t *testing.T) {
	const hurt, well = journal.Name("image/t/hurt"), journal.Name("image/t/well")
	for _, restart := range []bool{false, true} {
		fsys := journaltest.NewFS()
		open := func() *journal.Node {
			t.Helper()
			n, err := journal.OpenNode(journal.NodeOptions{Dir: "/store", FS: fsys, CompactBytes: 1})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		n := open()
		for _, name := range []journal.Name{hurt, well} {
			term, err := n.Birth(t.Context(), name, journaltest.Template())
			if err != nil {
				t.Fatal(err)
			}
			if err := journaltest.Append(term, journaltest.Batch(name, 1)); err != nil {
				t.Fatal(err)
			}
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		const payload int64 = 2*64 + 64 + int64(len(hurt)) + 40 // of the first record
		if err := fsys.Flip("/store/log/0000000000000001", payload*8); err != nil {
			t.Fatal(err)
		}
		n = open()
		if _, err := n.Claim(t.Context(), hurt); !errors.Is(err, journal.ErrCorrupt) {
			t.Fatalf("claim of the damaged: %v, want ErrCorrupt", err)
		}
		if err := n.Compact(); err != nil {
			t.Fatal(err)
		}
		kept := segmentsIn(fsys)
		if kept < 2 {
			t.Fatalf("%d segments are left: the damaged one is gone", kept)
		}
		if err := n.Erase(t.Context(), hurt); err != nil {
			t.Fatal(err)
		}
		if restart {
			if err := n.Close(); err != nil {
				t.Fatal(err)
			}
			n = open()
		}
		if err := n.Compact(); err != nil {
			t.Fatal(err)
		}
		if left := segmentsIn(fsys); left != 1 {
			t.Errorf("restart %v: %d segments are left, want the active one", restart, left)
		}
		if _, err := n.Claim(t.Context(), hurt); !errors.Is(err, journal.ErrErased) {
			t.Errorf("claim of the erased: %v", err)
		}
		term, err := n.Claim(t.Context(), well)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := journaltest.Restored(t.Context(), term, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := journaltest.Find(well, raw, 0, 3); got != 1 {
			t.Errorf("the other is at batch %d", got)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
