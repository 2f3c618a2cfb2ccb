package journal_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// hoarder is a store that may refuse to delete, as if whoever asked had died.
type hoarder struct {
	*journaltest.Store
	refuse atomic.Bool
}

func (h *hoarder) Delete(ctx context.Context, key string) error {
	if h.refuse.Load() {
		return errors.New("not now")
	}
	return h.Store.Delete(ctx, key)
}

// kinds counts the objects of an actor by the first part of their key.
func (h *hoarder) kinds(name journal.Name) map[string]int {
	prefix := "actors/" + strings.ReplaceAll(string(name), "/", ".") + "/"
	out := map[string]int{}
	for _, key := range h.Keys() {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			kind, _, _ := strings.Cut(rest, "/")
			out[kind]++
		}
	}
	return out
}

func appendUpTo(t *testing.T, term journal.Term, name journal.Name, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		if err := journaltest.Append(term, journaltest.Batch(name, i)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatACrashLeftBehindIsCollected: the owner dies after its heads and before
// its deletes; the next one finds what is superseded, and keeps the seals.
func TestWhatACrashLeftBehindIsCollected(t *testing.T) {
	const name = journal.Name("image/t/a")
	store := &hoarder{Store: journaltest.NewStore()}
	store.refuse.Store(true)
	dead := openBucket(t, journal.BucketOptions{Store: store}.WithCompactSlots(4))
	term, err := dead.Birth(t.Context(), name, journaltest.Template())
	if err != nil {
		t.Fatal(err)
	}
	appendUpTo(t, term, name, 1, 30)
	waitFor(t, "it was compacted", func() bool { return store.kinds(name)["l1"] > 0 })
	if got := store.kinds(name)["log"]; got != 30 {
		t.Fatalf("%d slots are there, want all 30", got)
	}
	store.refuse.Store(false)
	heir := openBucket(t, journal.BucketOptions{Store: store})
	again, err := heir.Claim(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	appendUpTo(t, again, name, 31, 31)
	if err := again.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := store.kinds(name)
	if got["log"] != 1 || got["l1"]+got["snap"] != 1 {
		t.Errorf("left are %v, want a seal and one file", got)
	}
	if err := journaltest.Append(term, journaltest.Batch(name, 32)); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("append of the dead: %v, want ErrFenced", err)
	}
	wantRestored(t, openBucket(t, journal.BucketOptions{Store: store}), 31)
}

// TestWhatAReleaseLeftBehindIsCollected: after a release nothing tells that its
// deletes did not take place; it is found after some more ownerships.
func TestWhatAReleaseLeftBehindIsCollected(t *testing.T) {
	const name = journal.Name("image/t/a")
	store := &hoarder{Store: journaltest.NewStore()}
	b := openBucket(t, journal.BucketOptions{Store: store})
	last := 0
	live := func() {
		t.Helper()
		term, err := b.Birth(t.Context(), name, journaltest.Template())
		if err != nil {
			t.Fatal(err)
		}
		appendUpTo(t, term, name, last+1, last+3)
		last += 3
		if err := term.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	store.refuse.Store(true)
	live()
	live()
	if got := store.kinds(name); got["log"] != 6 || got["snap"] != 2 {
		t.Fatalf("left are %v, want 6 slots and 2 snapshots", got)
	}
	store.refuse.Store(false)
	for range 8 {
		live()
	}
	if got := store.kinds(name); got["log"] != 0 || got["snap"]+got["l1"] != 1 {
		t.Errorf("left are %v, want one file", got)
	}
	wantRestored(t, b, last)
}
