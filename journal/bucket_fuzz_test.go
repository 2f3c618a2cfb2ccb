package journal_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

func FuzzSlot(f *testing.F) {
	f.Add([]byte{})
	f.Add(journal.EncodeSlot(0, nil))
	f.Add(journal.EncodeSlot(3, []byte("payload")))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		_, payload, err := journal.DecodeSlot(b)
		if err == nil && len(payload) > len(b) {
			t.Errorf("a payload of %d bytes from %d", len(payload), len(b))
		}
		if !bytes.Equal(b, before) {
			t.Error("the input was changed")
		}
		// What is payload here is found again behind a header.
		whole := journal.EncodeSlot(1, b)
		if _, payload, err = journal.DecodeSlot(whole); err != nil || !bytes.Equal(payload, b) {
			t.Errorf("decoded %q, %v", payload, err)
		}
		if _, _, err = journal.DecodeSlot(whole[:len(whole)-1]); err == nil {
			t.Error("a torn slot is taken for whole")
		}
	})
}

func FuzzBucketHead(f *testing.F) {
	store := journaltest.NewStore()
	b, err := journal.OpenBucket(journal.BucketOptions{Store: store, Owner: "node"})
	if err != nil {
		f.Fatal(err)
	}
	defer b.Close()
	term, err := b.Birth(f.Context(), "image/t/a", journaltest.Template())
	if err != nil {
		f.Fatal(err)
	}
	if err := journaltest.Append(term, journaltest.Batch("image/t/a", 1)); err != nil {
		f.Fatal(err)
	}
	seed := func() {
		for _, key := range store.Keys() {
			if strings.HasSuffix(key, "/head") {
				f.Add(store.Bytes(key))
			}
		}
	}
	seed()
	if err := term.Release(f.Context()); err != nil {
		f.Fatal(err)
	}
	seed()
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := journal.RecodeBucketHead(b)
		if err != nil {
			return
		}
		third, err := journal.RecodeBucketHead(again)
		if err != nil || !bytes.Equal(again, third) {
			t.Errorf("a head is not stable: %v\n%s\n%s", err, again, third)
		}
	})
}
