package journal_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// opens counts what an FS is asked to open and list.
type opens struct {
	journal.OS
	files, dirs atomic.Int64
}

func (o *opens) Open(path string) (journal.File, error) {
	o.files.Add(1)
	return o.OS.Open(path)
}

func (o *opens) ReadDir(path string) ([]string, error) {
	o.dirs.Add(1)
	return o.OS.ReadDir(path)
}

// TestSleepersLeaveTheLog: once the log rests, what it held of actors that nobody
// owns is in their own files, and costs neither memory nor time at start.
func TestSleepersLeaveTheLog(t *testing.T) {
	const sleeping = 50
	dir := filepath.Join(t.TempDir(), "journal")
	n, err := journal.OpenNode(journal.NodeOptions{Dir: dir, TidyAfter: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	name := func(i int) journal.Name { return journal.Name(fmt.Sprintf("image/t/%d", i)) }
	var owned journal.Term
	for i := range sleeping + 1 {
		term, err := n.Birth(t.Context(), name(i), journaltest.Template())
		if err != nil {
			t.Fatal(err)
		}
		for b := 1; b <= 3; b++ {
			if err := journaltest.Append(term, journaltest.Batch(name(i), b)); err != nil {
				t.Fatal(err)
			}
		}
		if owned = term; i == sleeping {
			break
		}
		if err := term.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "only the owned actor is in the index", func() bool { return n.Indexed() == 1 })
	if err := journaltest.Append(owned, journaltest.Batch(name(sleeping), 4)); err != nil {
		t.Fatal(err)
	}
	if err := owned.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "nothing is in the index", func() bool { return n.Indexed() == 0 })
	waitFor(t, "one segment is left", func() bool {
		left, err := filepath.Glob(filepath.Join(dir, "log", "*"))
		return err == nil && len(left) == 1
	})
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	count := &opens{}
	again, err := journal.OpenNode(journal.NodeOptions{Dir: dir, FS: count})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if files, dirs := count.files.Load(), count.dirs.Load(); files > 2 || dirs > 1 {
		t.Errorf("the start opened %d files and listed %d folders", files, dirs)
	}
	for i := range sleeping + 1 {
		term, err := again.Claim(t.Context(), name(i))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := journaltest.Restored(t.Context(), term, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := journaltest.Find(name(i), raw, 1, 9); got != 3 && (i < sleeping || got != 4) {
			t.Errorf("%s is at batch %d", name(i), got)
		}
	}
}

func waitFor(t *testing.T, what string, fact func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !fact() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
