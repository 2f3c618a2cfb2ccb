package journal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// TestClaimAsksTheOwnerFirst claims what another bucket owns: that one is asked by
// name, once, and what it releases has nothing to be sealed.
func TestClaimAsksTheOwnerFirst(t *testing.T) {
	const name = journal.Name("image/t/a")
	store := journaltest.NewStore()
	older := openBucket(t, journal.BucketOptions{Store: store, Owner: "older"})
	held, err := older.Birth(t.Context(), name, journaltest.Template())
	if err != nil {
		t.Fatal(err)
	}
	if err := journaltest.Append(held, journaltest.Batch(name, 1)); err != nil {
		t.Fatal(err)
	}
	younger := openBucket(t, journal.BucketOptions{Store: store, Owner: "younger"})
	var asked []string
	refusal := errors.New("it belongs elsewhere")
	answer := refusal
	younger.AskFirst(func(ctx context.Context, n journal.Name, owner string) error {
		asked = append(asked, owner+" for "+string(n))
		if answer == nil {
			return held.HandOver(ctx)
		}
		return answer
	})
	if _, err := younger.Claim(t.Context(), name); !errors.Is(err, refusal) {
		t.Errorf("claim: %v, want what the asker said", err)
	}
	if err := journaltest.Append(held, journaltest.Batch(name, 2)); err != nil {
		t.Fatalf("the owner, after a claim that was called off: %v", err)
	}
	answer = nil
	term, err := younger.Claim(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) != 2 || asked[1] != "older for image/t/a" {
		t.Errorf("asked: %q", asked)
	}
	logs := 0
	for _, key := range store.Keys() {
		if strings.Contains(key, "/log/") {
			logs++
		}
	}
	if logs != 2 {
		t.Errorf("%d objects in the log after two batches: there is a seal", logs)
	}
	b, err := journaltest.Restored(t.Context(), term, t.TempDir())
	if err != nil || string(b) != string(journaltest.State(name, 2)) {
		t.Errorf("restored %d bytes, %v", len(b), err)
	}
	// Nobody else owns it now: its own terms, and those that were closed, are nobody's to ask.
	for range 2 {
		if _, err := younger.Claim(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if len(asked) != 2 {
		t.Errorf("asked again: %q", asked)
	}
}

// TestOwnerThatSaysNothingIsFenced: asking is a courtesy, and changes nothing about
// who may append.
func TestOwnerThatSaysNothingIsFenced(t *testing.T) {
	const name = journal.Name("image/t/a")
	store := journaltest.NewStore()
	older := openBucket(t, journal.BucketOptions{Store: store, Owner: "older"})
	held, err := older.Birth(t.Context(), name, journaltest.Template())
	if err != nil {
		t.Fatal(err)
	}
	if err := journaltest.Append(held, journaltest.Batch(name, 1)); err != nil {
		t.Fatal(err)
	}
	younger := openBucket(t, journal.BucketOptions{Store: store, Owner: "younger"})
	younger.AskFirst(func(context.Context, journal.Name, string) error { return nil })
	term, err := younger.Claim(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := journaltest.Append(held, journaltest.Batch(name, 2)); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("append of the older owner: %v", err)
	}
	if err := journaltest.Append(term, journaltest.Batch(name, 2)); err != nil {
		t.Error(err)
	}
}

// TestHandOverLeavesLittleToRead hands over after few and after many batches: many are
// merged, so that the next owner reads one file, and are deleted in the end.
func TestHandOverLeavesLittleToRead(t *testing.T) {
	const name = journal.Name("image/t/a")
	for _, tt := range []struct{ batches, objects int }{{5, 5}, {40, 1}} {
		t.Run(fmt.Sprint(tt.batches, " batches"), func(t *testing.T) {
			store := journaltest.NewStore()
			older := openBucket(t, journal.BucketOptions{Store: store, Owner: "older"})
			term, err := older.Birth(t.Context(), name, journaltest.Template())
			if err != nil {
				t.Fatal(err)
			}
			for i := range tt.batches {
				if err := journaltest.Append(term, journaltest.Batch(name, i+1)); err != nil {
					t.Fatal(err)
				}
			}
			if err := term.HandOver(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := older.Close(); err != nil { // what it still deletes is deleted then
				t.Fatal(err)
			}
			held := 0
			for _, key := range store.Keys() {
				if strings.Contains(key, "/log/") || strings.Contains(key, "/l1/") {
					held++
				}
			}
			if held != tt.objects {
				t.Errorf("%d objects hold the batches, want %d: %q", held, tt.objects, store.Keys())
			}
			younger := openBucket(t, journal.BucketOptions{Store: store, Owner: "younger"})
			for range 3 { // each hands over what the one before has left
				if term, err = younger.Claim(t.Context(), name); err != nil {
					t.Fatal(err)
				}
				b, err := journaltest.Restored(t.Context(), term, t.TempDir())
				if err != nil || string(b) != string(journaltest.State(name, tt.batches)) {
					t.Fatalf("restored %d bytes, %v", len(b), err)
				}
				if err := term.HandOver(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
