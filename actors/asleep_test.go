package actors_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

func asleep(c *actors.Config) { c.Kinds[0].BornAsleep = true }

// copies counts the working copies of counters.
func copies(t *testing.T, w *world) (n int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(w.Dir(), "counter"), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".db") && !strings.Contains(path, "cradle") {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestABirthAsleepMakesNoFile(t *testing.T) {
	home := t.TempDir()
	w := start(t, home, asleep)
	var wg sync.WaitGroup
	for i := range int64(100) {
		wg.Go(func() { w.want(t, fmt.Sprint("a", i), add{i}, i) })
	}
	wg.Wait()
	if files, open := copies(t, w), w.OpenFiles(); files != 0 || open != 0 {
		t.Fatalf("%d working copies, %d open", files, open)
	}
	for i := range int64(100) {
		w.want(t, fmt.Sprint("a", i), add{1}, i+1)
	}
	if files, open := copies(t, w), w.OpenFiles(); files != 100 || open != 100 {
		t.Fatalf("%d working copies, %d open", files, open)
	}
	if err := w.journal.Close(); err != nil { // the crash
		t.Fatal(err)
	}
	again := start(t, home, asleep)
	for i := range int64(100) {
		again.want(t, fmt.Sprint("a", i), value{}, i+1)
	}
}

func TestWhatFollowsABirthAsleepWaitsForIt(t *testing.T) {
	w := start(t, t.TempDir(), asleep)
	w.journal.hold()
	answers := make(chan actors.Message, 3)
	ask := func(m actors.Message) {
		got, err := w.do(t, "a", m)
		if err != nil {
			t.Error(err)
		}
		answers <- got
	}
	go ask(add{1})
	until(t, "it is born", func() bool { return w.journal.held() == 1 })
	go ask(add{2})
	select {
	case m := <-answers:
		t.Fatalf("%v before anything was durable", m)
	case <-time.After(20 * time.Millisecond):
	}
	w.journal.open()
	first, second := <-answers, <-answers
	if first != (total{1}) || second != (total{3}) {
		t.Fatalf("%v, %v", first, second)
	}
	w.want(t, "a", value{}, 3)
}

func TestABirthAsleepThatFailsLeavesNothing(t *testing.T) {
	w := start(t, t.TempDir(), asleep)
	for name, m := range map[string]actors.Message{"refused": fail{easel.CodeConflict}, "failed": fail{easel.CodeInternal}, "panicked": explode{}} {
		if _, err := w.do(t, name, m); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := w.do(t, name, value{}); easel.CodeOf(err) != easel.CodeNotFound {
			t.Errorf("%s: %v", name, err)
		}
		w.want(t, name, add{1}, 1) // and nothing is in the way of another
		w.want(t, name, value{}, 1)
	}
}

func TestABirthAsleepGoesOnAfterAPanic(t *testing.T) {
	w := start(t, t.TempDir(), asleep)
	free := make(chan struct{})
	go func() { _, _ = w.do(t, "a", stall{free}) }()
	until(t, "it stalls", func() bool { return w.Running() == 1 })
	for i := range 30 { // of which most are one batch
		var m actors.Message = add{1}
		if i%10 == 5 {
			m = explode{}
		}
		w.Tell(actors.Request{To: key("a"), Message: m})
	}
	close(free)
	until(t, "all are done", func() bool {
		got, err := w.do(t, "a", value{})
		return err == nil && got == (total{27})
	})
}

func TestAnAlarmOfABirthAsleepRings(t *testing.T) {
	w := start(t, t.TempDir(), asleep)
	if _, err := w.do(t, "a", remind{Name: "x", In: 20 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	until(t, "it rings", func() bool {
		got, err := w.do(t, "a", rang{})
		return err == nil && got == (rang{"x"})
	})
}
