package canvas_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
)

func TestApplyDecidesByTheRulesOfConflict(t *testing.T) {
	// Before each case: 1 is live at rev 2, 2 is deleted, 3 never was.
	for _, tc := range []struct {
		name    string
		by      canvas.Author
		ops     []easel.Op
		code    easel.Code // "": accepted
		path    string     // of the first detail
		current bool
		results []easel.Result
		ver     int64 // 4 is the next
	}{
		{name: "put of a new id", ops: []easel.Op{put(id(3), "cat")}, results: []easel.Result{{ID: id(3), Rev: 1}}, ver: 4},
		{name: "put equal by the author is without effect", ops: []easel.Op{put(id(1), "dog")}, results: []easel.Result{{ID: id(1), Rev: 2}}, ver: 3},
		{name: "put equal by another", by: bob, ops: []easel.Op{put(id(1), "dog")}, code: easel.CodeConflict, path: "ops[0]", current: true},
		{name: "put with other content", ops: []easel.Op{put(id(1), "cat")}, code: easel.CodeConflict, path: "ops[0]", current: true},
		{name: "put of a deleted id", ops: []easel.Op{put(id(2), "cat")}, code: easel.CodeGone, path: "ops[0]"},
		{name: "put of a bad id", ops: []easel.Op{put("x", "cat")}, code: easel.CodeInvalid, path: "ops[0].id"},
		{name: "put of nothing", ops: []easel.Op{{Kind: easel.OpPut}}, code: easel.CodeInvalid, path: "ops[0].annotation"},
		{name: "put of a bad box", ops: []easel.Op{put("", "a"), {Kind: easel.OpPut, Draft: &easel.Draft{Label: "a", X: 2, Width: 0.1, Height: 0.1}}}, code: easel.CodeInvalid, path: "ops[1].annotation.x"},
		{name: "put of NaN", ops: []easel.Op{{Kind: easel.OpPut, Draft: &easel.Draft{Label: "a", X: math.NaN(), Width: 0.1, Height: 0.1}}}, code: easel.CodeInvalid, path: "ops[0].annotation.x"},
		{name: "patch by another", by: bob, ops: []easel.Op{relabel(id(1), "cow")}, results: []easel.Result{{ID: id(1), Rev: 3}}, ver: 4},
		{name: "patch at its base", ops: []easel.Op{based(relabel(id(1), "cow"), 2)}, results: []easel.Result{{ID: id(1), Rev: 3}}, ver: 4},
		{name: "patch at an old base", ops: []easel.Op{based(relabel(id(1), "cow"), 1)}, code: easel.CodeConflict, path: "ops[0]", current: true},
		{name: "patch at a future base", ops: []easel.Op{based(relabel(id(1), "cow"), 9)}, code: easel.CodeConflict, path: "ops[0]", current: true},
		{name: "patch of a deleted id", ops: []easel.Op{relabel(id(2), "cow")}, code: easel.CodeGone, path: "ops[0]"},
		{name: "patch of an id that never was", ops: []easel.Op{relabel(id(3), "cow")}, code: easel.CodeNotFound, path: "ops[0]"},
		{name: "patch out of the image", ops: []easel.Op{{Kind: easel.OpPatch, ID: id(1), Set: &easel.Patch{X: ptr(0.9)}}}, code: easel.CodeInvalid, path: "ops[0].set.width"},
		{name: "patch of nothing", ops: []easel.Op{{Kind: easel.OpPatch, ID: id(1)}}, code: easel.CodeInvalid, path: "ops[0].set"},
		{name: "del", by: bob, ops: []easel.Op{del(id(1))}, results: []easel.Result{{ID: id(1), Rev: 2}}, ver: 4},
		{name: "del at its base", ops: []easel.Op{based(del(id(1)), 2)}, results: []easel.Result{{ID: id(1), Rev: 2}}, ver: 4},
		{name: "del at an old base", ops: []easel.Op{based(del(id(1)), 1)}, code: easel.CodeConflict, path: "ops[0]", current: true},
		{name: "second del", ops: []easel.Op{del(id(2))}, code: easel.CodeGone, path: "ops[0]"},
		{name: "del of an id that never was", ops: []easel.Op{del(id(3))}, code: easel.CodeNotFound, path: "ops[0]"},
		{name: "del without id", ops: []easel.Op{del("")}, code: easel.CodeInvalid, path: "ops[0].id"},
		{name: "unknown kind", ops: []easel.Op{{Kind: "fly", ID: id(1)}}, code: easel.CodeInvalid, path: "ops[0].k"},
		{name: "no ops", ops: nil, code: easel.CodeInvalid, path: "ops"},
		{name: "too many ops", ops: make([]easel.Op, easel.MaxOps+1), code: easel.CodeInvalid, path: "ops"},
		{
			name:    "later ops see earlier ones",
			ops:     []easel.Op{put(id(3), "cat"), based(relabel(id(3), "cow"), 1), based(del(id(3)), 2)},
			results: []easel.Result{{ID: id(3), Rev: 1}, {ID: id(3), Rev: 2}, {ID: id(3), Rev: 2}}, ver: 4,
		},
		{name: "put after del in one frame", ops: []easel.Op{del(id(1)), put(id(1), "dog")}, code: easel.CodeGone, path: "ops[1]"},
		{name: "all or nothing", ops: []easel.Op{put(id(3), "cat"), relabel(id(1), "cow"), del(id(2))}, code: easel.CodeGone, path: "ops[2]"},
		{name: "viewer", by: vera, ops: []easel.Op{put("", "cat")}, code: easel.CodeForbidden},
		{name: "unknown role", by: canvas.Author{User: "x", Role: "king"}, ops: []easel.Op{put("", "cat")}, code: easel.CodeForbidden},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := born(t, canvas.Options{})
			w.must(write(ann, put(id(1), "cat"), put(id(2), "cat")))
			w.must(write(ann, relabel(id(1), "dog")))
			w.must(write(ann, del(id(2))))
			w.take()
			before := w.must(canvas.List{}).(canvas.Listing)
			if tc.by.User == "" {
				tc.by = ann
			}
			if tc.code != "" {
				w.fails(write(tc.by, tc.ops...), tc.code)
				e := w.must(frame(tc.by, 1, tc.ops...)).(canvas.Applied).Rejected
				if e == nil || e.Code != tc.code {
					t.Fatalf("got %v", e)
				}
				if tc.path != "" && (len(e.Details) == 0 || e.Details[0].Path != tc.path) {
					t.Errorf("details %v, want path %q first", e.Details, tc.path)
				}
				if tc.current {
					var got easel.Annotation
					if err := json.Unmarshal(e.Current, &got); err != nil || got.ID != id(1) || got.Rev != 2 || got.Label != "dog" {
						t.Errorf("current %s (%v), want the stored annotation", e.Current, err)
					}
				}
				w.restart()
				after := w.must(canvas.List{}).(canvas.Listing)
				if diff := cmp.Diff(before, after); diff != "" || len(w.take()) > 0 {
					t.Errorf("a refused batch left something behind: %s", diff)
				}
				return
			}
			got := w.must(write(tc.by, tc.ops...)).(canvas.Applied)
			if diff := cmp.Diff(tc.results, got.Results); diff != "" || got.Ver != tc.ver {
				t.Errorf("ver %d, want %d; results: %s", got.Ver, tc.ver, diff)
			}
			if published := len(w.take()); published != int(tc.ver)-3 {
				t.Errorf("%d published for version %d", published, got.Ver)
			}
		})
	}
}

func TestErrorsOfAPlainWriteNameItsOwnFields(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(1), "cat")))
	bad := easel.Op{Kind: easel.OpPatch, ID: id(1), Set: &easel.Patch{X: ptr(0.9), Label: ptr("")}}
	e := w.fails(write(ann, bad), easel.CodeInvalid)
	want := []easel.Detail{
		{Path: "label", Message: "must have 1 to 100 characters"},
		{Path: "width", Message: "x + width must be at most 1"},
	}
	if diff := cmp.Diff(want, e.Details); diff != "" || strings.Contains(e.Message, "ops") {
		t.Errorf("message %q: %s", e.Message, diff)
	}
	if e := w.fails(write(ann, easel.Op{Kind: easel.OpPut, Draft: &easel.Draft{Label: "a", X: 5, Width: 1, Height: 1}}), easel.CodeInvalid); e.Details[0].Path != "x" {
		t.Errorf("got %+v", e)
	}
	if e := w.fails(write(ann, based(del(id(1)), 7)), easel.CodeConflict); e.Details != nil || e.Current == nil {
		t.Errorf("got %+v", e)
	}
}

func TestABatchIsOneVersionAndIsPublishedAsItIsLogged(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(canvas.Hello{By: ann, Client: "tab", Conn: "c1"})
	w.take()
	m := frame(ann, 1, put(id(1), "a"), put(id(2), "b"), relabel(id(1), "c"), del(id(2)))
	m.Conn = "c1"
	w.must(m)

	published := w.take()
	if len(published) != 1 {
		t.Fatalf("published %d, want 1", len(published))
	}
	accepted := published[0].(canvas.Accepted)
	a := easel.Annotation{
		ID: id(1), ImageID: image, Label: "a", X: 0.1, Y: 0.2, Width: 0.3, Height: 0.4,
		CreatedBy: "ann", CreatedAt: easel.At(epoch), UpdatedBy: "ann", UpdatedAt: easel.At(epoch), Rev: 1,
	}
	b, c := a, a
	b.ID, b.Label, c.Label, c.Rev = id(2), "b", "c", 2
	want := easel.Batch{Ver: 1, By: "ann", Conn: "c1", Seq: 1, At: easel.At(epoch), Ops: []easel.Effect{
		{Kind: easel.OpPut, ID: id(1), Annotation: &a},
		{Kind: easel.OpPut, ID: id(2), Annotation: &b},
		{Kind: easel.OpPatch, ID: id(1), Annotation: &c},
		{Kind: easel.OpDelete, ID: id(2)},
	}}
	if diff := cmp.Diff(want, accepted.Batch); diff != "" {
		t.Error(diff)
	}
	var encoded easel.Batch
	if err := json.Unmarshal(accepted.Encoded, &encoded); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, encoded); diff != "" {
		t.Error(diff)
	}
	logged := w.must(canvas.Log{}).(canvas.LogReply)
	if diff := cmp.Diff([]easel.Batch{want}, logged.Batches); diff != "" || logged.Next != 0 {
		t.Errorf("next %d, batches: %s", logged.Next, diff)
	}
	if strings.Contains(string(accepted.Encoded), "tab") {
		t.Error("the client's id is shown to others")
	}
}

func TestTimeNeverGoesBack(t *testing.T) {
	w := born(t, canvas.Options{})
	w.now = epoch.Add(time.Hour)
	w.must(write(ann, put(id(1), "a")))
	w.now = epoch
	w.restart()
	got := w.must(write(ann, put(id(2), "a"))).(canvas.Applied)
	if want := easel.At(epoch.Add(time.Hour)); got.Annotations[0].CreatedAt != want {
		t.Errorf("created at %v, want %v", got.Annotations[0].CreatedAt, want)
	}
	if said := w.must(canvas.Say{By: ann, Text: "hi"}).(canvas.Said); said.Message.At != easel.At(epoch.Add(time.Hour)) {
		t.Errorf("said at %v", said.Message.At)
	}
}

func TestNegativeZeroIsStoredAsZero(t *testing.T) {
	w := born(t, canvas.Options{})
	d := draft("a")
	d.X, d.Confidence = math.Copysign(0, -1), ptr(math.Copysign(0, -1))
	got := w.must(write(ann, easel.Op{Kind: easel.OpPut, Draft: d})).(canvas.Applied).Annotations[0]
	if math.Signbit(got.X) || math.Signbit(*got.Confidence) {
		t.Errorf("x %v, confidence %v", got.X, *got.Confidence)
	}
}

func TestAFullImageTakesNoMore(t *testing.T) {
	w := born(t, canvas.Options{MaxAnnotations: 2})
	w.must(write(ann, put(id(1), "a"), put(id(2), "a")))
	if e := w.fails(write(ann, put(id(3), "a")), easel.CodeRateLimited); e.RetryAfter == 0 {
		t.Error("no time to retry")
	}
	// Consumes no seq: it is temporary.
	w.fails(frame(ann, 1, put(id(3), "a")), easel.CodeRateLimited)
	w.must(frame(ann, 1, del(id(1)), put(id(3), "a")))
	w.must(write(ann, relabel(id(3), "b")))
}

// TestShapesAndAttributesAreBoundedTogether keeps one image from filling a node's
// memory: the number of annotations alone does not.
func TestShapesAndAttributesAreBoundedTogether(t *testing.T) {
	w := born(t, canvas.Options{MaxText: 100})
	noted := func(n, size int) easel.Op {
		op := put(id(n), "a")
		op.Draft.Attributes = easel.Attributes(`{"é":"` + strings.Repeat("n", size-9) + `"}`)
		return op
	}
	w.must(write(ann, noted(1, 40), noted(2, 60)))
	w.fails(write(ann, noted(3, 10)), easel.CodeRateLimited)
	w.fails(frame(ann, 1, noted(3, 10)), easel.CodeRateLimited)
	w.must(write(ann, put(id(4), "a"), del(id(1)), noted(3, 40)))
	w.restart()
	w.fails(write(ann, noted(5, 10)), easel.CodeRateLimited)
	w.must(write(ann, del(id(3))))
	w.must(write(ann, noted(5, 40)))
	w.fails(canvas.Revert{By: rita, Changes: []canvas.Change{{ID: id(1), To: noted(1, 40).Draft}}}, easel.CodeRateLimited)
	several := prepare(id(7))
	several.Drafts[0] = *noted(7, 10).Draft
	w.fails(several, easel.CodeRateLimited)
}
