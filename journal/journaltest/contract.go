package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/pages"
)

// Run is the contract of journal.Journal. open returns a journal on a home that
// is empty, and sees to it that it is closed after the test.
func Run(t *testing.T, open func(t *testing.T) journal.Journal) {
	tests := []struct {
		name string
		test func(*testing.T, journal.Journal)
	}{
		{"claim of the unborn finds nothing", claimUnborn},
		{"birth is fresh until the first batch", birthFresh},
		{"birth of the born claims", birthBorn},
		{"appends are answered in order", appendsInOrder},
		{"append never calls back from within", appendReturnsFirst},
		{"restore gives every batch back", restoreAll},
		{"an empty batch is kept in order", emptyBatch},
		{"a newer claim fences the older term", claimFences},
		{"a released term is of no use", released},
		{"a term that was handed over is of no use", handedOver},
		{"erased actors stay erased", erased},
		{"erasing nothing is no error", eraseNothing},
		{"names are listed by whole segments", namesBelow},
		{"bad names are refused", badNames},
		{"actors append at once", manyActors},
		{"a closed journal refuses", closed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

const actor = journal.Name("image/t/a")

func birth(t *testing.T, j journal.Journal, name journal.Name) journal.Term {
	t.Helper()
	term, err := j.Birth(t.Context(), name, Template())
	if err != nil {
		t.Fatalf("birth of %s: %v", name, err)
	}
	return term
}

func claim(t *testing.T, j journal.Journal, name journal.Name) journal.Term {
	t.Helper()
	term, err := j.Claim(t.Context(), name)
	if err != nil {
		t.Fatalf("claim of %s: %v", name, err)
	}
	return term
}

func appendBatches(t *testing.T, term journal.Term, name journal.Name, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		if err := Append(term, Batch(name, i)); err != nil {
			t.Fatalf("append of batch %d of %s: %v", i, name, err)
		}
	}
}

func wantState(t *testing.T, term journal.Term, name journal.Name, want int) {
	t.Helper()
	b, err := Restored(t.Context(), term, t.TempDir())
	if err != nil {
		t.Fatalf("restore %s: %v", name, err)
	}
	if !bytes.Equal(b, State(name, want)) {
		got, ok := Find(name, b, 0, want+10)
		t.Fatalf("%s is restored as of batch %d (known: %v), want %d", name, got, ok, want)
	}
}

func claimUnborn(t *testing.T, j journal.Journal) {
	for range 2 {
		if _, err := j.Claim(t.Context(), actor); !errors.Is(err, journal.ErrNotFound) {
			t.Fatalf("claim: %v, want ErrNotFound", err)
		}
	}
}

func birthFresh(t *testing.T, j journal.Journal) {
	term := birth(t, j, actor)
	if !term.Fresh() {
		t.Error("the term of a new actor is not fresh")
	}
	wantState(t, term, actor, 0)
	if _, err := j.Claim(t.Context(), actor); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("claim before the first batch: %v, want ErrNotFound", err)
	}
	appendBatches(t, term, actor, 1, 1)
	if term.Fresh() {
		t.Error("the term is fresh after a batch")
	}
	wantState(t, claim(t, j, actor), actor, 1)
}

func birthBorn(t *testing.T, j journal.Journal) {
	appendBatches(t, birth(t, j, actor), actor, 1, 3)
	term := birth(t, j, actor)
	if term.Fresh() {
		t.Error("the second birth is fresh")
	}
	wantState(t, term, actor, 3)
}

func appendsInOrder(t *testing.T, j journal.Journal) {
	term := birth(t, j, actor)
	const n = 50
	var got []int
	var wg sync.WaitGroup
	wg.Add(n)
	for i := 1; i <= n; i++ {
		term.Append(Batch(actor, i), func(err error) {
			defer wg.Done()
			if err != nil {
				t.Errorf("batch %d: %v", i, err)
			}
			got = append(got, i)
		})
	}
	wg.Wait()
	if !slices.IsSorted(got) || len(got) != n {
		t.Errorf("answered in order %v", got)
	}
}

func appendReturnsFirst(t *testing.T, j journal.Journal) {
	term := birth(t, j, actor)
	for i := 1; i <= 20; i++ {
		var mu sync.Mutex
		done := make(chan error, 1)
		mu.Lock()
		term.Append(Batch(actor, i), func(err error) {
			mu.Lock() // would never return if called from within Append
			defer mu.Unlock()
			done <- err
		})
		mu.Unlock()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

func restoreAll(t *testing.T, j journal.Journal) {
	term := birth(t, j, actor)
	for i := 1; i <= 30; i++ {
		appendBatches(t, term, actor, i, i)
		wantState(t, term, actor, i)
	}
}

func emptyBatch(t *testing.T, j journal.Journal) {
	term := birth(t, j, actor)
	appendBatches(t, term, actor, 1, 1)
	if err := Append(term, pages.Set{}); err != nil {
		t.Fatal(err)
	}
	appendBatches(t, term, actor, 2, 2)
	wantState(t, claim(t, j, actor), actor, 2)
}

func claimFences(t *testing.T, j journal.Journal) {
	first := birth(t, j, actor)
	appendBatches(t, first, actor, 1, 2)
	if err := first.Validate(t.Context()); err != nil {
		t.Errorf("validate: %v", err)
	}
	second := claim(t, j, actor)
	if err := Append(first, Batch(actor, 3)); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("append of the fenced: %v, want ErrFenced", err)
	}
	if err := first.Validate(t.Context()); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("validate of the fenced: %v, want ErrFenced", err)
	}
	if err := Append(first, Batch(actor, 3)); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("second append of the fenced: %v, want ErrFenced", err)
	}
	wantState(t, second, actor, 2)
	appendBatches(t, second, actor, 3, 4)
	wantState(t, second, actor, 4)
}

func released(t *testing.T, j journal.Journal)   { givenUp(t, j, journal.Term.Release) }
func handedOver(t *testing.T, j journal.Journal) { givenUp(t, j, journal.Term.HandOver) }

// givenUp gives an actor up twice in a row: the second owner has nothing of its own.
func givenUp(t *testing.T, j journal.Journal, giveUp func(journal.Term, context.Context) error) {
	term := birth(t, j, actor)
	appendBatches(t, term, actor, 1, 2)
	for range 2 {
		if err := giveUp(term, t.Context()); err != nil {
			t.Fatalf("give up: %v", err)
		}
		if err := Append(term, Batch(actor, 3)); err == nil {
			t.Error("a term that was given up appends")
		}
		if err := term.Validate(t.Context()); err == nil {
			t.Error("a term that was given up is valid")
		}
		term = claim(t, j, actor)
	}
	wantState(t, term, actor, 2)
	appendBatches(t, term, actor, 3, 3)
	if err := giveUp(term, t.Context()); err != nil {
		t.Fatalf("give up: %v", err)
	}
	wantState(t, claim(t, j, actor), actor, 3)
}

func erased(t *testing.T, j journal.Journal) {
	term := birth(t, j, actor)
	appendBatches(t, term, actor, 1, 3)
	for range 2 {
		if err := j.Erase(t.Context(), actor); err != nil {
			t.Fatalf("erase: %v", err)
		}
	}
	if err := Append(term, Batch(actor, 4)); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("append after erase: %v, want ErrFenced", err)
	}
	if _, err := j.Claim(t.Context(), actor); !errors.Is(err, journal.ErrErased) {
		t.Errorf("claim after erase: %v, want ErrErased", err)
	}
	if _, err := j.Birth(t.Context(), actor, Template()); !errors.Is(err, journal.ErrErased) {
		t.Errorf("birth after erase: %v, want ErrErased", err)
	}
	wantNames(t, j, "", nil)
}

func eraseNothing(t *testing.T, j journal.Journal) {
	if err := j.Erase(t.Context(), actor); err != nil {
		t.Fatal(err)
	}
	appendBatches(t, birth(t, j, actor), actor, 1, 1)
}

func wantNames(t *testing.T, j journal.Journal, prefix journal.Name, want []journal.Name) {
	t.Helper()
	var got []journal.Name
	err := j.Names(t.Context(), prefix, func(n journal.Name) bool {
		got = append(got, n)
		return true
	})
	if err != nil {
		t.Fatalf("names: %v", err)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("names below %q: %v, want %v", prefix, got, want)
	}
}

func namesBelow(t *testing.T, j journal.Journal) {
	for _, n := range []journal.Name{"timer/00", "timer/01", "timers/0", "image/t/a", "tenant/t"} {
		appendBatches(t, birth(t, j, n), n, 1, 1)
	}
	birth(t, j, "timer/02")
	wantNames(t, j, "timer", []journal.Name{"timer/00", "timer/01"})
	wantNames(t, j, "image/t", []journal.Name{"image/t/a"})
	wantNames(t, j, "", []journal.Name{"image/t/a", "tenant/t", "timer/00", "timer/01", "timers/0"})
	calls := 0
	if err := j.Names(t.Context(), "", func(journal.Name) bool { calls++; return false }); err != nil || calls != 1 {
		t.Errorf("names that is told to stop: %d calls, %v", calls, err)
	}
}

func badNames(t *testing.T, j journal.Journal) {
	for _, n := range []journal.Name{"", "/", "a//b", "A", "../x", "a/b/c/d/e", "a.b", "é"} {
		if _, err := j.Claim(t.Context(), n); err == nil || errors.Is(err, journal.ErrNotFound) {
			t.Errorf("claim of %q: %v", n, err)
		}
		if _, err := j.Birth(t.Context(), n, Template()); err == nil {
			t.Errorf("birth of %q succeeds", n)
		}
	}
}

func manyActors(t *testing.T, j journal.Journal) {
	var wg sync.WaitGroup
	for a := range 16 {
		name := journal.Name(fmt.Sprintf("image/t/%d", a))
		term := birth(t, j, name)
		wg.Go(func() {
			for i := 1; i <= 20; i++ {
				if err := Append(term, Batch(name, i)); err != nil {
					t.Errorf("batch %d of %s: %v", i, name, err)
					return
				}
			}
		})
	}
	wg.Wait()
	for a := range 16 {
		name := journal.Name(fmt.Sprintf("image/t/%d", a))
		wantState(t, claim(t, j, name), name, 20)
	}
}

func closed(t *testing.T, j journal.Journal) {
	term := birth(t, j, actor)
	appendBatches(t, term, actor, 1, 1)
	if err := j.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	done := make(chan error, 1)
	term.Append(Batch(actor, 2), func(err error) { done <- err })
	select {
	case err := <-done:
		if !errors.Is(err, journal.ErrClosed) {
			t.Errorf("append: %v, want ErrClosed", err)
		}
	case <-ctx.Done():
		t.Error("append to a closed journal is not answered")
	}
	if _, err := j.Claim(ctx, actor); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("claim: %v, want ErrClosed", err)
	}
	if err := j.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}
