package fencing_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/easelhq/easel/journal/fencing"
	"github.com/easelhq/easel/journal/fencing/fencingtest"
)

// written returns a bucket in which an owner that went away has left two slots,
// with their keys.
func written(t *testing.T) (*fencingtest.Sim, *fencingtest.Store, []string) {
	t.Helper()
	sim, store := fencingtest.New(1), fencingtest.NewStore()
	owner := fencingtest.NewProcess(sim, store, "first", fencing.Bugs{})
	owner.Calm = true
	acked := 0
	owner.Claim(fought, true, func(o *fencingtest.Owner, err error) {
		if err != nil {
			t.Fatal(err)
		}
		o.Append("a", func(error) {
			acked++
			o.Append("b", func(error) { acked++ })
		})
	})
	sim.Run(time.Second)
	var slots []string
	for _, key := range store.Keys() {
		if strings.Contains(key, "/log/") {
			slots = append(slots, key)
		}
	}
	if acked != 2 || len(slots) != 2 {
		t.Fatalf("%d acknowledged, slots %v", acked, slots)
	}
	return sim, store, slots
}

func TestClaimTellsDamageFromTheEnd(t *testing.T) {
	recode := func(body []byte, change func(*fencing.Slot)) []byte {
		f, payload, _, err := fencing.DecodeSlot(body)
		if err != nil {
			t.Fatal(err)
		}
		change(&f)
		out, _ := fencing.EncodeSlot(f, payload)
		return out
	}
	flip := func(body []byte) []byte {
		out := append([]byte(nil), body...)
		out[len(out)-6] ^= 1
		return out
	}
	tests := []struct {
		name   string
		damage func(store *fencingtest.Store, slots []string)
		want   int // entries; -1: ErrCorrupt
	}{
		{"nothing", func(*fencingtest.Store, []string) {}, 2},
		{"the newest is torn", func(s *fencingtest.Store, k []string) { s.Damage(k[1], s.Bytes(k[1])[:70]) }, 1},
		{"the newest is missing, which nobody can tell", func(s *fencingtest.Store, k []string) { s.Damage(k[1], nil) }, 1},
		{"one is missing that the next vouches for", func(s *fencingtest.Store, k []string) { s.Damage(k[0], nil) }, -1},
		{"one is torn that the next vouches for", func(s *fencingtest.Store, k []string) { s.Damage(k[0], s.Bytes(k[0])[:70]) }, -1},
		{"a bit is wrong", func(s *fencingtest.Store, k []string) { s.Damage(k[1], flip(s.Bytes(k[1]))) }, -1},
		{"one does not follow the one before", func(s *fencingtest.Store, k []string) {
			s.Damage(k[1], recode(s.Bytes(k[1]), func(f *fencing.Slot) { f.Prev++ }))
		}, -1},
		{"one is of another term", func(s *fencingtest.Store, k []string) {
			s.Damage(k[1], recode(s.Bytes(k[1]), func(f *fencing.Slot) { f.Term++ }))
		}, -1},
		{"something else lies there", func(s *fencingtest.Store, k []string) { s.Damage(k[1]+"x", []byte("x")) }, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sim, store, slots := written(t)
			tt.damage(store, slots)
			next := fencingtest.NewProcess(sim, store, "next", fencing.Bugs{})
			next.Calm = true
			over := false
			next.Claim(fought, true, func(o *fencingtest.Owner, err error) {
				over = true
				switch {
				case tt.want < 0 && !errors.Is(err, fencing.ErrCorrupt):
					t.Errorf("%v, want ErrCorrupt", err)
				case tt.want >= 0 && (err != nil || len(o.History) != tt.want):
					t.Errorf("%v, %v; want %d entries", o, err, tt.want)
				}
			})
			if sim.Run(time.Second); !over {
				t.Error("the claim does not end")
			}
		})
	}
}

func TestHoldKnowsWhatALookAtTheHeadSays(t *testing.T) {
	h := &fencing.Hold{Name: fought, Dir: "d/", Nonce: nonce}
	mine := h.First("me")
	encode := func(change func(*fencing.Head)) fencing.Answer {
		head := mine
		change(&head)
		body, err := fencing.EncodeHead(head)
		if err != nil {
			t.Fatal(err)
		}
		return fencing.Answer{Body: body}
	}
	tests := []struct {
		name        string
		established bool
		answer      fencing.Answer
		want        error
	}{
		{"its own", true, encode(func(*fencing.Head) {}), nil},
		{"its own, whose write had no answer", false, encode(func(*fencing.Head) {}), nil},
		{"none before the actor is born", false, fencing.Answer{Err: fencing.ErrAbsent}, nil},
		{"none any more", true, fencing.Answer{Err: fencing.ErrAbsent}, fencing.ErrCorrupt},
		{"of another actor", true, encode(func(h *fencing.Head) { h.Name = "image/t/other" }), fencing.ErrCorrupt},
		{"damaged", true, fencing.Answer{Body: []byte("head")}, fencing.ErrCorrupt},
		{"closed", true, encode(func(h *fencing.Head) { h.State = fencing.Closed }), fencing.ErrFenced},
		{"erased", true, encode(func(h *fencing.Head) { h.State = fencing.Erased }), fencing.ErrFenced},
		{"of a newer claim", true, encode(func(h *fencing.Head) {
			h.Term, h.Nonce = 2, strings.Repeat("ab", 16)
			h.Chain = append(h.Chain[:1:1], fencing.LogTerm{Term: 2, Nonce: h.Nonce})
		}), fencing.ErrFenced},
		{"no answer", true, fencing.Answer{Err: fencing.ErrUnavailable}, fencing.ErrUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := h.Valid(tt.established, tt.answer); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func TestTidyRemovesNothingUnderAnotherHead(t *testing.T) {
	old := strings.Repeat("ab", 16)
	const span = "snap/0000000000000000-0000000000000003-"
	file, own := span+old+"-1", span+nonce+"-1" // a late head may still name its own
	for _, version := range []string{"mine", "another"} {
		h := fencing.Hold{Name: fought, Dir: "d/", Nonce: nonce, Version: "mine"}
		h.Head = h.First("me")
		body, err := fencing.EncodeHead(h.Head)
		if err != nil {
			t.Fatal(err)
		}
		m := fencing.NewTidy(h)
		m.Begin()
		m.Step(fencing.Answer{Names: []string{"head", file, own}})
		m.Step(fencing.Answer{Body: body, Version: version})
		dead, err := m.Result()
		if want := map[string]int{"mine": 1}[version]; len(dead) != want || err != nil {
			t.Errorf("head of version %s: %v, %v", version, dead, err)
		}
	}
}
