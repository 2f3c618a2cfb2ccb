package journal_test

import (
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// awaitClaims claims all actors once the log can be written again.
func awaitClaims(t *testing.T, m *model, n *journal.Node) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		err := m.claim(t, n)
		if err == nil {
			return
		}
		if !errors.Is(err, journal.ErrUnavailable) {
			t.Fatal(err)
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

func TestNodeSurvivesFailingDisk(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		ops  []journaltest.Op
	}{
		{"sync fails", syscall.EIO, []journaltest.Op{journaltest.OpSync}},
		{"write fails in half", syscall.ENOSPC, []journaltest.Op{journaltest.OpWrite}},
		{"anything fails", syscall.EIO, []journaltest.Op{
			journaltest.OpSync, journaltest.OpWrite, journaltest.OpCreate,
			journaltest.OpRename, journaltest.OpRemove, journaltest.OpSyncDir, journaltest.OpMkdir,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(4) {
				rng := rand.New(rand.NewPCG(seed, 7))
				faults := rand.New(rand.NewPCG(seed, 8)) // guarded by the file system's lock
				fsys := journaltest.NewFS()
				m := newModel(t.TempDir(), modelActors)
				for range 4 {
					n, err := journal.OpenNode(journal.NodeOptions{Dir: "/store", FS: fsys, CompactBytes: 8192})
					if err != nil {
						t.Fatal(err)
					}
					awaitClaims(t, m, n)
					fsys.Fail(func(op journaltest.Op, _ string) error {
						for _, o := range tt.ops {
							if o == op && faults.IntN(12) == 0 {
								return tt.err
							}
						}
						return nil
					})
					for range 6 {
						if !m.write(rng, 12) {
							awaitClaims(t, m, n)
						}
					}
					n.Close() // may fail: the disk does
					fsys.Fail(nil)
					fsys = fsys.Restart(journaltest.Loss(rng.IntN(3)), rng)
				}
				n, err := journal.OpenNode(journal.NodeOptions{Dir: "/store", FS: fsys})
				if err != nil {
					t.Fatal(err)
				}
				if err := m.claim(t, n); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if err := n.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
