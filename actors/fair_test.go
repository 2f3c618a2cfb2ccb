package actors_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
)

// turnstile is a journal that holds the claims of counters up, and notes the order
// in which they come.
type turnstile struct {
	journal.Journal
	open chan struct{} // closed: they pass

	mu    sync.Mutex // guards what follows
	shut  bool
	order []journal.Name
}

func (j *turnstile) Claim(ctx context.Context, n journal.Name) (journal.Term, error) {
	j.mu.Lock()
	wait := j.shut && strings.HasPrefix(string(n), "counter/")
	if wait {
		j.order = append(j.order, n)
	}
	j.mu.Unlock()
	if wait {
		select {
		case <-j.open:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return j.Journal.Claim(ctx, n)
}

// TestStormOfOneShareDelaysNoOther: 60 cold actors of one tenant are asked for,
// and then one of another. In a line by arrival that one would be the last.
func TestStormOfOneShareDelaysNoOther(t *testing.T) {
	const storm, places = 60, 1 // with one place the order of the claims is that of the line
	gate := &turnstile{open: make(chan struct{})}
	w := start(t, t.TempDir(), func(c *actors.Config) {
		gate.Journal = c.Journal
		c.Journal, c.Activations = gate, places
	})
	for i := range storm {
		w.want(t, fmt.Sprintf("greedy/%d", i), add{1}, 1)
	}
	w.want(t, "modest/1", add{1}, 1)
	until(t, "all sleep", func() bool {
		w.Sweep(time.Now().Add(time.Hour))
		return w.Running() == 0
	})
	gate.mu.Lock()
	gate.shut = true
	gate.mu.Unlock()
	var all sync.WaitGroup
	ask := func(id string) {
		all.Go(func() {
			if _, err := w.do(t, id, value{}); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range storm {
		ask(fmt.Sprintf("greedy/%d", i))
	}
	until(t, "the storm is in line", func() bool { return w.Lined() == storm-places })
	ask("modest/1")
	until(t, "the other is in line", func() bool { return w.Lined() == storm-places+1 })
	close(gate.open)
	all.Wait()
	// One of the storm had the place already, and one has its turn first.
	if at := slices.Index(gate.order, "counter/modest/1"); at < 0 || at > places+1 {
		t.Errorf("the other came at place %d of %d", at, len(gate.order))
	}
}

// TestJobsOfOneShareDelayNoOther: the same for jobs.
func TestJobsOfOneShareDelayNoOther(t *testing.T) {
	const storm = 100
	w := start(t, t.TempDir())
	blocked := make(chan struct{})
	var before atomic.Int64
	for range storm {
		if _, err := w.do(t, "greedy/1", errand{func() { <-blocked; before.Add(1) }}); err != nil {
			t.Fatal(err)
		}
	}
	served := make(chan int64, 1)
	if _, err := w.do(t, "modest/1", errand{func() { served <- before.Load() }}); err != nil {
		t.Fatal(err)
	}
	until(t, "all jobs are in line", func() bool { return w.Jobs() == storm+1-4 })
	close(blocked)
	if n := <-served; n > storm/2 {
		t.Errorf("%d of %d jobs of another tenant were done first", n, storm)
	}
	until(t, "all jobs are done", func() bool { return before.Load() == storm })
}

// TestWorkingCopiesStayBelowTheirLimit looks at the disk.
func TestWorkingCopiesStayBelowTheirLimit(t *testing.T) {
	const count, limit = 40, 300 << 10
	w := start(t, t.TempDir(), func(c *actors.Config) { c.WorkBytes = limit })
	id := func(i int) string { return fmt.Sprintf("t/%02d", i) }
	for i := range count {
		w.want(t, id(i), add{1}, 1)
	}
	if got := diskUse(t, w.Dir()); got < limit {
		t.Fatalf("%d actors take %d bytes: too few for this test", count, got)
	}
	until(t, "the disk is below its limit", func() bool {
		w.Sweep(time.Now())
		return diskUse(t, w.Dir()) <= limit
	})
	if got := w.Running(); got != count {
		t.Errorf("%d of %d actors are still owned", got, count)
	}
	// The most recently used keep theirs, and the others come back.
	if _, err := os.Stat(copyOf(w.Dir(), id(count-1))); err != nil {
		t.Errorf("the one that was used last lost its working copy: %v", err)
	}
	if _, err := os.Stat(copyOf(w.Dir(), id(0))); err == nil {
		t.Error("the one that was used first kept its working copy")
	}
	for i := range count {
		w.want(t, id(i), add{1}, 2)
	}
}

func copyOf(dir, id string) string {
	return filepath.Join(dir, "counter", id[len(id)-2:], strings.ReplaceAll(id, "/", "+")+".db")
}

// diskUse adds up the working copies of counters.
func diskUse(t *testing.T, dir string) int64 {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "counter", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, f := range files {
		if info, err := os.Stat(f); err == nil { // it may go meanwhile
			sum += info.Size()
		}
	}
	return sum
}

// TestStartPutsOldWorkingCopiesAside: however many there are, they are deleted
// after the start, also if that was cut short once.
func TestStartPutsOldWorkingCopiesAside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "work")
	for _, old := range []string{"work/counter/aa", "work.old/work123/counter/bb"} {
		path := filepath.Join(filepath.Dir(dir), old)
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "t+aa.db"), []byte("not a database"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := start(t, t.TempDir(), func(c *actors.Config) { c.Dir = dir })
	w.want(t, "t/aa", add{1}, 1)
	until(t, "the old copies are gone", func() bool {
		_, err := os.Stat(dir + ".old")
		return os.IsNotExist(err)
	})
	w.want(t, "t/aa", add{1}, 2)
}
