package tenant_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/tenant"
)

func imageKey(id easel.ID) actors.Key {
	return actors.Key{Kind: tenant.ImageKind, ID: home + "/" + string(id)}
}

// verdicts takes the verdicts that were told since it was called last.
func (w *world) verdicts() map[actors.Key]tenant.Verdict {
	w.t.Helper()
	out := map[actors.Key]tenant.Verdict{}
	for _, r := range w.told {
		out[r.To] = r.Message.(tenant.Verdict)
	}
	w.told = nil
	return out
}

func TestDecisionNeverChanges(t *testing.T) {
	ids := []easel.ID{easel.NewID(), easel.NewID()}
	bulk := easel.NewID()
	commit, abort := tenant.Decide{Bulk: bulk, Commit: true, Images: ids}, tenant.Decide{Bulk: bulk}
	tests := []struct {
		name  string
		steps []actors.Message
		want  bool
	}{
		{"commit", []actors.Message{commit, commit, tenant.Outcome{Bulk: bulk}}, true},
		{"commit, then abort", []actors.Message{commit, abort, tenant.Outcome{Bulk: bulk}}, true},
		{"abort, then commit", []actors.Message{abort, commit, tenant.Outcome{Bulk: bulk}}, false},
		{"asked before it was decided", []actors.Message{tenant.Outcome{Bulk: bulk}, commit, tenant.Outcome{Bulk: bulk}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tenant.Options{})
			for i, m := range tt.steps {
				if got := must[tenant.Decision](w, m).Commit; got != tt.want {
					t.Fatalf("step %d: %v", i, got)
				}
			}
			w.pass(3 * 24 * time.Hour) // still known
			if got := must[tenant.Decision](w, tenant.Outcome{Bulk: bulk}).Commit; got != tt.want {
				t.Fatalf("after days: %v", got)
			}
		})
	}
}

func TestCommitIsToldUntilConfirmed(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	a, b, bulk := easel.NewID(), easel.NewID(), easel.NewID()
	verdict := tenant.Verdict{Bulk: bulk, Commit: true}
	must[tenant.Decision](w, tenant.Decide{Bulk: bulk, Commit: true, Images: []easel.ID{a, b, b}})
	if got := w.verdicts(); len(got) > 0 {
		t.Fatalf("told at once: %v", got)
	}
	w.pass(time.Second)
	if diff := cmp.Diff(map[actors.Key]tenant.Verdict{imageKey(a): verdict, imageKey(b): verdict}, w.verdicts()); diff != "" {
		t.Fatal(diff)
	}
	for range 2 {
		must[tenant.Empty](w, tenant.Confirm{Bulk: bulk, Image: a})
		must[tenant.Empty](w, tenant.Confirm{Bulk: bulk, Image: easel.NewID()})
		must[tenant.Empty](w, tenant.Confirm{Bulk: easel.NewID(), Image: a})
	}
	times := 0
	for range 60 {
		w.pass(time.Minute)
		if got := w.verdicts(); len(got) > 0 {
			times++
			if diff := cmp.Diff(map[actors.Key]tenant.Verdict{imageKey(b): verdict}, got); diff != "" {
				t.Fatal(diff)
			}
		}
	}
	if times < 10 || times > 20 {
		t.Errorf("told %d times in an hour", times)
	}
	must[tenant.Empty](w, tenant.Confirm{Bulk: bulk, Image: b})
	w.pass(time.Hour)
	if got := w.verdicts(); len(got) > 0 {
		t.Fatalf("told after all have confirmed: %v", got)
	}
	w.pass(8 * 24 * time.Hour)
	if len(w.alarms) > 0 {
		t.Errorf("alarms left: %v", w.alarms)
	}
	if must[tenant.Decision](w, tenant.Outcome{Bulk: bulk}).Commit {
		t.Error("a bulk is never forgotten")
	}
}

func TestImageThatAsksIsToldTheVerdict(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	id, bulk := easel.NewID(), easel.NewID()
	if _, err := w.askFrom(actors.Ref{Node: "n", Key: imageKey(id)}, tenant.Outcome{Bulk: bulk}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[actors.Key]tenant.Verdict{imageKey(id): {Bulk: bulk}}, w.verdicts()); diff != "" {
		t.Fatal(diff)
	}
}

func TestPurgedImageIsNotWaitedFor(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	m, bulk := w.list("a"), easel.NewID()
	must[tenant.Decision](w, tenant.Decide{Bulk: bulk, Commit: true, Images: []easel.ID{m.ID}})
	m.DeletedAt = easel.At(w.now)
	must[tenant.Empty](w, tenant.Sync{Image: m, Seq: 1})
	must[tenant.Empty](w, tenant.Purged{ID: m.ID})
	w.pass(time.Hour)
	if got := w.verdicts(); len(got) > 0 {
		t.Fatalf("told %v", got)
	}
}

func TestClaimIsHeldByOne(t *testing.T) {
	w := newWorld(t, tenant.Options{ClaimFor: 15 * time.Second})
	a, b := easel.NewID(), easel.NewID()
	if got := must[tenant.Claimed](w, tenant.Claim{Key: "k", Holder: a}); got.Done {
		t.Fatalf("%+v", got)
	}
	e := w.refused(easel.CodeConflict, tenant.Claim{Key: "k", Holder: b})
	if e.RetryAfter != 15*time.Second {
		t.Errorf("retry after %v", e.RetryAfter)
	}
	w.pass(10 * time.Second)
	must[tenant.Claimed](w, tenant.Claim{Key: "k", Holder: a})
	w.pass(10 * time.Second)
	w.refused(easel.CodeConflict, tenant.Claim{Key: "k", Holder: b})
	w.pass(5 * time.Second)
	must[tenant.Claimed](w, tenant.Claim{Key: "k", Holder: b})
	w.refused(easel.CodeConflict, tenant.Claim{Key: "k", Holder: a})
	w.refused(easel.CodeConflict, tenant.Settle{Key: "k", Holder: a, Answer: []byte(`1`)})
	for range 2 {
		must[tenant.Empty](w, tenant.Settle{Key: "k", Holder: b, Hash: "h", Answer: []byte(`{"x":1}`)})
	}
	w.refused(easel.CodeConflict, tenant.Settle{Key: "k", Holder: b, Hash: "h", Answer: []byte(`2`)})
	want := tenant.Claimed{Done: true, Hash: "h", Answer: []byte(`{"x":1}`)}
	w.pass(23 * time.Hour)
	if diff := cmp.Diff(want, must[tenant.Claimed](w, tenant.Claim{Key: "k", Holder: a})); diff != "" {
		t.Fatal(diff)
	}
	w.pass(2 * time.Hour)
	if got := must[tenant.Claimed](w, tenant.Claim{Key: "k", Holder: a}); got.Done {
		t.Fatal("a verdict is kept for ever")
	}
	// Given up, it is free at once.
	must[tenant.Empty](w, tenant.Settle{Key: "k", Holder: a})
	must[tenant.Empty](w, tenant.Settle{Key: "k", Holder: a})
	must[tenant.Claimed](w, tenant.Claim{Key: "k", Holder: b})
	failure := &easel.Error{Code: easel.CodeGone, Message: "gone", Details: []easel.Detail{{Path: "a", Message: "b"}}}
	must[tenant.Empty](w, tenant.Settle{Key: "k", Holder: b, Hash: "h", Error: failure})
	got := must[tenant.Claimed](w, tenant.Claim{Key: "k", Holder: a})
	if diff := cmp.Diff(tenant.Claimed{Done: true, Hash: "h", Error: failure}, got); diff != "" {
		t.Fatal(diff)
	}
	w.pass(48 * time.Hour)
	if len(w.alarms) > 0 {
		t.Errorf("alarms left: %v", w.alarms)
	}
}

func TestClaimEndsWithTheLifeOfItsNode(t *testing.T) {
	old, young := easel.ID("0190000000007000800000000000000f"), easel.ID("01900000000170008000000000000000")
	claim := func(node string, life easel.ID) tenant.Claim {
		return tenant.Claim{Key: "k", Holder: easel.NewID(), Node: node, Life: life}
	}
	for _, tt := range []struct {
		name        string
		held, asked tenant.Claim
		free        bool
	}{
		{"the node lives again", claim("a", old), claim("a", young), true},
		{"the node lives", claim("a", old), claim("a", old), false},
		{"an earlier life asks, or its clock was set back", claim("a", young), claim("a", old), false},
		{"another node asks", claim("a", old), claim("b", young), false},
		{"nobody knows who holds it", claim("", ""), claim("a", young), false},
		{"nobody knows who asks", claim("a", old), claim("", ""), false},
		{"nobody knows either", claim("", ""), claim("", ""), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tenant.Options{})
			must[tenant.Claimed](w, tt.held)
			if !tt.free {
				w.refused(easel.CodeConflict, tt.asked)
				return
			}
			must[tenant.Claimed](w, tt.asked)
			w.refused(easel.CodeConflict, tt.held)
			w.refused(easel.CodeConflict, tenant.Settle{Key: "k", Holder: tt.held.Holder, Answer: []byte(`1`)})
			must[tenant.Empty](w, tenant.Settle{Key: "k", Holder: tt.asked.Holder, Answer: []byte(`2`)})
		})
	}
	t.Run("a verdict outlives the node", func(t *testing.T) {
		w := newWorld(t, tenant.Options{})
		held := claim("a", old)
		must[tenant.Claimed](w, held)
		must[tenant.Empty](w, tenant.Settle{Key: "k", Holder: held.Holder, Answer: []byte(`1`)})
		if got := must[tenant.Claimed](w, claim("a", young)); !got.Done {
			t.Errorf("got %+v", got)
		}
	})
}

func TestLostClaimStopsReadyAndDecide(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	old, young := easel.NewID(), easel.NewID()
	must[tenant.Claimed](w, tenant.Claim{Key: "k", Holder: old})
	w.pass(time.Minute)
	must[tenant.Claimed](w, tenant.Claim{Key: "k", Holder: young})
	late := &tenant.Settle{Key: "k", Holder: old, Answer: []byte(`1`)}
	m := w.image(easel.NewID(), "a")
	must[tenant.Empty](w, tenant.Reserve{ID: m.ID, By: annotator})
	w.refused(easel.CodeConflict, tenant.Ready{Image: m, Settle: late})
	if n := len(must[tenant.ImagesReply](w, tenant.Images{}).Images); n != 0 {
		t.Fatal("listed without the claim")
	}
	bulk := easel.NewID()
	w.refused(easel.CodeConflict, tenant.Decide{Bulk: bulk, Commit: true, Settle: late})
	if must[tenant.Decision](w, tenant.Outcome{Bulk: bulk}).Commit {
		t.Fatal("committed without the claim")
	}
	now := &tenant.Settle{Key: "k", Holder: young, Answer: []byte(`1`)}
	for range 2 {
		must[tenant.Empty](w, tenant.Ready{Image: m, Settle: now})
	}
}

func TestPrototypesHaveDistinctNames(t *testing.T) {
	names := []string{}
	for _, m := range tenant.Prototypes() {
		names = append(names, m.MessageName())
	}
	slices.Sort(names)
	if n := len(slices.Compact(slices.Clone(names))); n != len(names) {
		t.Fatalf("names repeat: %v", names)
	}
}
