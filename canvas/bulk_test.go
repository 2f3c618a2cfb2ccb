package canvas_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/tenant"
)

var bulk = id(0xb0)

func prepare(ids ...easel.ID) canvas.Prepare {
	m := canvas.Prepare{Bulk: bulk, By: ann, IDs: ids, Coordinator: tenant.Key(owner)}
	for range ids {
		m.Drafts = append(m.Drafts, *draft("a"))
	}
	return m
}

func confirm() actors.Request {
	return actors.Request{To: tenant.Key(owner), Message: tenant.Confirm{Bulk: bulk, Image: image}}
}

func TestABulkTakesEffectAtItsCommitInAnyOrderOfMessages(t *testing.T) {
	commit, abort := canvas.Decide{Bulk: bulk, Commit: true}, canvas.Decide{Bulk: bulk}
	type step struct {
		m    actors.Message
		code easel.Code
	}
	for _, tc := range []struct {
		name  string
		steps []step
		live  int64
	}{
		{"commit", []step{{m: prepare(id(1), id(2))}, {m: commit}}, 2},
		{"abort", []step{{m: prepare(id(1), id(2))}, {m: abort}}, 0},
		{"repeats", []step{{m: prepare(id(1))}, {m: prepare(id(1))}, {m: commit}, {m: commit}, {m: prepare(id(1))}, {m: commit}}, 1},
		{"abort before prepare", []step{{m: abort}, {m: prepare(id(1)), code: easel.CodeConflict}, {m: abort}}, 0},
		{"commit before prepare", []step{{m: commit, code: easel.CodeNotFound}, {m: prepare(id(1))}, {m: commit}}, 1},
		{"abort after commit", []step{{m: prepare(id(1))}, {m: commit}, {m: abort, code: easel.CodeConflict}}, 1},
		{"commit after abort", []step{{m: prepare(id(1))}, {m: abort}, {m: commit, code: easel.CodeConflict}}, 0},
		{"verdicts", []step{{m: prepare(id(1))}, {m: tenant.Verdict{Bulk: bulk, Commit: true}}, {m: tenant.Verdict{Bulk: bulk, Commit: true}}}, 1},
		{"verdict about nothing", []step{{m: tenant.Verdict{Bulk: bulk, Commit: true}}}, 0},
		{"commit of a deleted image", []step{{m: prepare(id(1))}, {m: canvas.SoftDelete{By: ann}}, {m: commit}, {m: canvas.Restore{By: ann}}}, 1},
		{"prepare on a deleted image", []step{{m: canvas.SoftDelete{By: ann}}, {m: prepare(id(1)), code: easel.CodeGone}, {m: canvas.Restore{By: ann}}}, 0},
	} {
		for _, crash := range []bool{false, true} {
			t.Run(tc.name, func(t *testing.T) {
				w := born(t, canvas.Options{})
				for _, s := range tc.steps {
					if s.code != "" {
						w.fails(s.m, s.code)
					} else {
						w.must(s.m)
					}
					if crash {
						w.restart()
					}
				}
				got := w.must(canvas.Look{}).(canvas.ImageReply)
				wantVer := min(tc.live, 1)
				if got.Image.AnnotationCount != tc.live || got.Ver != wantVer {
					t.Errorf("%d annotations at version %d, want %d at %d", got.Image.AnnotationCount, got.Ver, tc.live, wantVer)
				}
				if n := len(w.must(canvas.Log{}).(canvas.LogReply).Batches); n != int(wantVer) {
					t.Errorf("%d batches logged", n)
				}
			})
		}
	}
}

func TestEveryDecisionIsConfirmed(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(prepare(id(1)))
	w.must(canvas.Decide{Bulk: bulk, Commit: true})
	w.must(tenant.Verdict{Bulk: bulk, Commit: true})
	if diff := cmp.Diff([]actors.Request{confirm(), confirm()}, w.told); diff != "" {
		t.Error(diff)
	}
}

func TestAnIntentBlocksNobodyAndCannotFailLater(t *testing.T) {
	w := born(t, canvas.Options{MaxAnnotations: 3})
	w.must(prepare(id(1), id(2)))
	w.restart()
	w.must(write(bob, put(id(3), "b")))
	w.fails(write(bob, put(id(4), "b")), easel.CodeRateLimited) // the quota is promised
	w.fails(write(bob, del(id(3)), put(id(1), "b")), easel.CodeConflict)
	other := prepare(id(5))
	other.Bulk = id(0xb1)
	w.fails(other, easel.CodeRateLimited)
	w.fails(canvas.One{ID: id(1)}, easel.CodeNotFound)
	w.take()

	w.must(canvas.Decide{Bulk: bulk, Commit: true})
	published := w.take()
	if len(published) != 1 || published[0].(canvas.Accepted).Batch.Ver != 2 || len(published[0].(canvas.Accepted).Batch.Ops) != 2 {
		t.Errorf("got %+v", published)
	}
	if _, ok := w.alarms["intents"]; ok {
		t.Error("the alarm is still set")
	}
}

func TestPrepareRefusesWhatCouldNotBeCommitted(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(1), "a"), put(id(2), "a")))
	w.must(write(ann, del(id(2))))
	viewer, bad, uneven, twice := prepare(id(3)), prepare(id(3)), prepare(id(3)), prepare(id(3), id(3))
	viewer.By = vera
	bad.Drafts[0].Label = ""
	uneven.IDs = nil
	for _, tc := range []struct {
		name string
		m    canvas.Prepare
		code easel.Code
	}{
		{"viewer", viewer, easel.CodeForbidden},
		{"bad draft", bad, easel.CodeInvalid},
		{"no ids", uneven, easel.CodeInvalid},
		{"an id twice", twice, easel.CodeInvalid},
		{"a used id", prepare(id(1)), easel.CodeInvalid},
		{"a deleted id", prepare(id(2)), easel.CodeInvalid},
		{"nothing", prepare(), easel.CodeInvalid},
	} {
		t.Run(tc.name, func(t *testing.T) { w.fails(tc.m, tc.code) })
	}
}

func TestUndecidedBulksAskTheirCoordinator(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(prepare(id(1)))
	w.restart()
	asked := actors.Request{To: tenant.Key(owner), Message: tenant.Outcome{Bulk: bulk}}
	var gaps []time.Duration
	for range 3 {
		due := w.alarms["intents"]
		gaps = append(gaps, due.Sub(w.now))
		w.told = nil
		w.fire(due)
		if diff := cmp.Diff([]actors.Request{asked}, w.told); diff != "" {
			t.Fatal(diff)
		}
	}
	if gaps[1] <= gaps[0] || gaps[2] <= gaps[1] {
		t.Errorf("asked after %v, want growing gaps", gaps)
	}
	w.must(tenant.Verdict{Bulk: bulk})
	if _, ok := w.alarms["intents"]; ok {
		t.Error("the alarm is still set")
	}
}

func TestPurgeWaitsForIntents(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(9), "a")))
	w.must(prepare(id(1)))
	w.fails(canvas.Purge{}, easel.CodeConflict)
	w.must(canvas.SoftDelete{By: ann})
	w.fails(canvas.Purge{}, easel.CodeUnavailable)
	w.must(canvas.Decide{Bulk: bulk})
	w.fails(canvas.Purge{Before: w.must(canvas.Look{Deleted: true}).(canvas.ImageReply).Image.DeletedAt}, easel.CodeConflict)
	w.must(canvas.Purge{})
	w.told = nil
	for range 2 {
		w.must(canvas.Purge{})
		w.must(tenant.Verdict{Bulk: bulk}) // its receipt was lost
		w.fails(canvas.Look{Deleted: true}, easel.CodeNotFound)
		w.fails(canvas.Restore{By: ann}, easel.CodeNotFound)
		w.fails(canvas.One{ID: id(9)}, easel.CodeNotFound)
		w.fails(birth, easel.CodeGone)
		w.restart()
	}
	if diff := cmp.Diff([]actors.Request{confirm(), confirm()}, w.told); diff != "" {
		t.Error(diff)
	}
	if len(w.alarms) != 0 {
		t.Errorf("alarms %v are left", w.alarms)
	}
}
