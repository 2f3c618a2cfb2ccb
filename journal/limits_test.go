package journal_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

func TestAppendOverMaxHeldIsRefused(t *testing.T) {
	fsys := journaltest.NewFS()
	n := open(t, journal.NodeOptions{Dir: "/store", FS: fsys, MaxHeld: 4096})
	term, err := n.Birth(t.Context(), "image/t/a", journaltest.Template())
	if err != nil {
		t.Fatal(err)
	}
	var stuck sync.Mutex // a disk that does not answer
	stuck.Lock()
	fsys.Fail(func(op journaltest.Op, _ string) error {
		if op == journaltest.OpSync {
			stuck.Lock()
			stuck.Unlock() //nolint:staticcheck // only waits
		}
		return nil
	})
	const batches = 50
	answers := make(chan error, batches)
	for i := 1; i <= batches; i++ {
		term.Append(journaltest.Batch("image/t/a", i), func(err error) { answers <- err })
	}
	stuck.Unlock()
	acked, refused := 0, 0
	for range batches {
		err := <-answers
		switch {
		case err == nil && refused == 0:
			acked++
		case errors.Is(err, journal.ErrUnavailable):
			refused++
		default:
			t.Fatalf("answer %v after %d refusals", err, refused)
		}
	}
	if acked == 0 || refused == 0 {
		t.Fatalf("%d acknowledged, %d refused", acked, refused)
	}
	again, err := n.Claim(t.Context(), "image/t/a")
	if err != nil {
		t.Fatal(err)
	}
	b, err := journaltest.Restored(t.Context(), again, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := journaltest.Find("image/t/a", b, acked, acked); !ok {
		t.Error("what was acknowledged is not what is restored")
	}
}

func TestLockDirSaysWhoHoldsIt(t *testing.T) {
	dir := t.TempDir()
	lock, err := journal.LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = journal.LockDir(dir)
	if !errors.Is(err, journal.ErrLocked) || !strings.Contains(err.Error(), "pid ") {
		t.Errorf("second lock: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	lock, err = journal.LockDir(dir)
	if err != nil {
		t.Fatalf("lock of a free folder: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
}

// A record that was acknowledged right before the power failed has no later one
// that vouches for it. Its damage must not be taken for a write that was cut off.
func TestDamageOfTheLastRecordIsNoticed(t *testing.T) {
	for _, back := range []int64{10, 70, 200, 300} { // from the end of the file, in bytes
		fsys := journaltest.NewFS()
		m := newModel(t.TempDir(), 2)
		n, err := journal.OpenNode(journal.NodeOptions{Dir: "/store", FS: fsys})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.claim(t, n); err != nil {
			t.Fatal(err)
		}
		for _, a := range m.actors {
			for a.acked < 3 {
				if err := journaltest.Append(a.term, journaltest.Batch(a.name, a.acked+1)); err != nil {
					t.Fatal(err)
				}
				a.acked++
			}
			a.tried = a.acked
			a.whole = journaltest.State(a.name, a.acked)
		}
		fsys.Off()
		n.Close() // fails: the power is off
		fsys = fsys.Restart(journaltest.LoseAll, nil)
		for _, f := range fsys.Files() {
			if strings.HasPrefix(f.Path, "/store/log/") && f.Size > 128 {
				if err := fsys.Flip(f.Path, (f.Size-back)*8+3); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 3 {
			if claimDamaged(t, fsys, m, "last record") == 0 {
				t.Errorf("damage %d bytes before the end is not noticed", back)
			}
		}
	}
}
