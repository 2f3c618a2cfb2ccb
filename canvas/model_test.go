package canvas_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/opcodec"
	"github.com/easelhq/easel/sqlite/sqlitetest"
)

// model is what an image is meant to be, in the plainest terms.
type model struct {
	ver   int64
	boxes map[easel.ID]*mark // also deleted ones
	last  map[string]int64   // seq by client
	said  map[string]map[int64]canvas.Applied
	asked map[string]map[int64]canvas.Apply
}

// mark is one annotation of the model.
type mark struct {
	draft    easel.Draft
	by       string
	rev      int64
	ver, pos int64
	dead     bool
}

func (m *model) clone() map[easel.ID]*mark {
	out := make(map[easel.ID]*mark, len(m.boxes))
	for id, b := range m.boxes {
		c := *b
		out[id] = &c
	}
	return out
}

// apply says what a batch must come to; changed tells whether it is a version.
func (m *model) apply(by string, ops []easel.Op) (results []easel.Result, changed bool, code easel.Code) {
	boxes := m.clone()
	for i, op := range ops {
		b := boxes[op.ID]
		if op.Kind == easel.OpPut {
			switch {
			case b == nil:
				b = &mark{draft: *op.Draft, by: by, rev: 1, ver: m.ver + 1, pos: int64(i)}
				boxes[op.ID] = b
				changed = true
			case b.dead:
				return nil, false, easel.CodeGone
			case b.by != by || !b.draft.Equal(*op.Draft):
				return nil, false, easel.CodeConflict
			}
			results = append(results, easel.Result{ID: op.ID, Rev: b.rev})
			continue
		}
		switch {
		case b == nil:
			return nil, false, easel.CodeNotFound
		case b.dead:
			return nil, false, easel.CodeGone
		case op.Base != 0 && op.Base != b.rev:
			return nil, false, easel.CodeConflict
		}
		changed = true
		if op.Kind == easel.OpDelete {
			b.dead = true
		} else {
			next := op.Set.Apply(b.draft)
			if len(op.Set.Misplaced(b.draft.Shape)) > 0 || len(next.Validate("")) > 0 {
				return nil, false, easel.CodeInvalid
			}
			b.draft = next
			b.rev++
		}
		results = append(results, easel.Result{ID: op.ID, Rev: b.rev})
	}
	m.boxes = boxes
	if changed {
		m.ver++
	}
	return results, changed, ""
}

// newest returns the ids of live annotations as a list shows them.
func (m *model) newest() []easel.ID {
	ids := slices.Collect(maps.Keys(m.boxes))
	ids = slices.DeleteFunc(ids, func(id easel.ID) bool { return m.boxes[id].dead })
	slices.SortFunc(ids, func(a, b easel.ID) int {
		x, y := m.boxes[a], m.boxes[b]
		if x.ver != y.ver {
			return int(y.ver - x.ver)
		}
		return int(y.pos - x.pos)
	})
	return ids
}

// someOp draws an op on one of a few ids, so that ops meet.
func someOp() *rapid.Generator[easel.Op] {
	return rapid.Custom(func(t *rapid.T) easel.Op {
		op := easel.Op{
			ID:   id(rapid.IntRange(0, 5).Draw(t, "id")),
			Kind: rapid.SampledFrom([]easel.OpKind{easel.OpPut, easel.OpPatch, easel.OpPatch, easel.OpDelete}).Draw(t, "kind"),
		}
		label := rapid.SampledFrom([]string{"a", "b", "<é\"\u2028>"}).Draw(t, "label")
		confidence := rapid.SampledFrom([]*float64{nil, ptr(0.0), ptr(0.25), ptr(1.0)}).Draw(t, "confidence")
		x := rapid.SampledFrom([]float64{0, 0.25, 0.7}).Draw(t, "x")
		switch op.Kind {
		case easel.OpPut:
			op.Draft = &easel.Draft{Label: label, X: x, Y: 0.5, Width: 0.3, Height: 0.5, Confidence: confidence}
			if g := someGeometry(t); g.Type != easel.ShapeBox {
				op.Draft.SetShape(opcodec.Shape(g), g)
			}
			op.Draft.Attributes = rapid.SampledFrom([]easel.Attributes{"", `{"a":1}`, `{"a":1,"b":"\u003c"}`}).Draw(t, "attributes")
		case easel.OpPatch:
			op.Set = &easel.Patch{ClearConfidence: confidence == nil, Confidence: confidence}
			if rapid.Bool().Draw(t, "relabel") {
				op.Set.Label = &label
			}
			if rapid.Bool().Draw(t, "move") {
				op.Set.X = ptr(x + 0.1) // 0.8 is out of the image
			}
			if rapid.Bool().Draw(t, "reshape") {
				g := someGeometry(t)
				shape, box := opcodec.Shape(g), g.Bounds()
				if op.Set.Shape = &shape; shape != "" {
					op.Set.X, op.Set.Y, op.Set.Width, op.Set.Height = &box.X, &box.Y, &box.Width, &box.Height
				}
			}
			op.Set.Attributes = rapid.SampledFrom([]easel.Attributes{"", `{"a":2}`, `{"a":null,"b":true}`, `{"b":null}`}).Draw(t, "attributes")
		}
		if op.Kind != easel.OpPut && rapid.IntRange(0, 2).Draw(t, "based") == 0 {
			op.Base = int64(rapid.IntRange(1, 3).Draw(t, "base"))
		}
		return op
	})
}

// someGeometry draws one of a few geometries: a box, which says nothing of where it
// is, one whose bounding box is no box, and an ordinary one.
func someGeometry(t *rapid.T) easel.Geometry {
	return rapid.SampledFrom([]easel.Geometry{
		{Type: easel.ShapeBox},
		{Type: easel.ShapePoint, Points: []easel.Point{{0.5, 0.5}}},
		{Type: easel.ShapePolygon, Points: []easel.Point{{0.1, 0.1}, {0.2, 0.1}, {0.2, 0.2}}},
	}).Draw(t, "geometry")
}

// TestAnImageIsItsModel runs random batches, repeats and crashes against an
// image and a model of it, and compares what they say and what they are.
func TestAnImageIsItsModel(t *testing.T) {
	kind, err := canvas.Kind(canvas.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{tb: rt, db: sqlitetest.Open(t, kind.Schema), now: epoch, alarms: map[string]time.Time{}}
		w.restart()
		w.must(birth)
		m := &model{
			boxes: map[easel.ID]*mark{}, last: map[string]int64{},
			said: map[string]map[int64]canvas.Applied{}, asked: map[string]map[int64]canvas.Apply{},
		}
		authors := []canvas.Author{ann, bob}
		rt.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				by := rapid.SampledFrom(authors).Draw(t, "by")
				ops := rapid.SliceOfN(someOp(), 1, 4).Draw(t, "ops")
				results, _, code := m.apply(by.User, ops)
				got, err := w.send(write(by, ops...))
				if easel.CodeOf(err) != code {
					t.Fatalf("got %v, want %q", err, code)
				}
				if code == "" {
					compare(t, canvas.Applied{Ver: m.ver, Results: results}, got.(canvas.Applied))
				}
			},
			"frame": func(t *rapid.T) {
				by := rapid.SampledFrom(authors).Draw(t, "by")
				a := frame(by, m.last[by.User]+1, rapid.SliceOfN(someOp(), 1, 4).Draw(t, "ops")...)
				results, _, code := m.apply(by.User, a.Ops)
				got := w.must(a).(canvas.Applied)
				if code == "" {
					compare(t, canvas.Applied{Seq: a.Seq, Ver: m.ver, Results: results}, got)
				} else if got.Rejected == nil || got.Rejected.Code != code {
					t.Fatalf("got %+v, want %s", got, code)
				}
				m.last[by.User]++
				if m.said[by.User] == nil {
					m.said[by.User], m.asked[by.User] = map[int64]canvas.Applied{}, map[int64]canvas.Apply{}
				}
				m.said[by.User][a.Seq], m.asked[by.User][a.Seq] = got, a
			},
			"repeat": func(t *rapid.T) {
				by := rapid.SampledFrom(authors).Draw(t, "by")
				seq := rapid.Int64Range(1, max(1, m.last[by.User])).Draw(t, "seq")
				want, ok := m.said[by.User][seq]
				if !ok {
					t.Skip("nothing said yet")
				}
				if seq <= m.last[by.User]-32 {
					w.fails(m.asked[by.User][seq], easel.CodeGone)
					return
				}
				if diff := cmp.Diff(want, w.must(m.asked[by.User][seq])); diff != "" {
					t.Fatal(diff)
				}
			},
			"skip": func(t *rapid.T) {
				by := rapid.SampledFrom(authors).Draw(t, "by")
				if e := w.fails(frame(by, m.last[by.User]+2, put(id(1), "a")), easel.CodeBadSeq); e.Expected != m.last[by.User]+1 {
					t.Fatalf("expected %d", e.Expected)
				}
			},
			"tick": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(-5, 50).Draw(t, "ms")) * time.Millisecond)
			},
			"crash": func(*rapid.T) { w.restart() },
			"": func(t *rapid.T) {
				m.check(t, w)
			},
		})
	})
}

// compare compares what matters of two verdicts.
func compare(t *rapid.T, want, got canvas.Applied) {
	t.Helper()
	got.Epoch, got.Annotations = "", nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

// check compares the image with the model, and with what its log and its
// published batches say.
func (m *model) check(t *rapid.T, w *world) {
	t.Helper()
	listed, ver := w.listed(canvas.List{})
	if ver != m.ver {
		t.Fatalf("version %d, want %d", ver, m.ver)
	}
	ids := m.newest()
	if len(ids) != len(listed) {
		t.Fatalf("%d annotations, want %d", len(listed), len(ids))
	}
	for i, id := range ids {
		b, a := m.boxes[id], listed[i]
		if a.ID != id || !a.Draft().Equal(b.draft) || a.Rev != b.rev || a.CreatedBy != b.by {
			t.Fatalf("annotation %d is %+v, want %s %+v", i, a, id, b)
		}
	}
	replayed := map[easel.ID]easel.Annotation{}
	var at easel.Time
	for i, batch := range w.must(canvas.Log{}).(canvas.LogReply).Batches {
		if batch.Ver != int64(i+1) || batch.At < at || len(batch.Ops) == 0 {
			t.Fatalf("batch %d is version %d at %v, after %v, with %d ops", i, batch.Ver, batch.At, at, len(batch.Ops))
		}
		at = batch.At
		replay(replayed, batch)
	}
	for _, a := range listed {
		if diff := cmp.Diff(a, replayed[a.ID]); diff != "" {
			t.Fatal(diff)
		}
	}
	if len(replayed) != len(listed) {
		t.Fatalf("replay has %d annotations, list %d", len(replayed), len(listed))
	}
	published := slices.DeleteFunc(slices.Clone(w.published), func(p actors.Message) bool { _, ok := p.(canvas.Accepted); return !ok })
	if int64(len(published)) != m.ver {
		t.Fatalf("published %d batches of %d", len(published), m.ver)
	}
	if image := w.must(canvas.Look{}).(canvas.ImageReply).Image; image.AnnotationCount != int64(len(listed)) || image.Version != m.ver {
		t.Fatalf("image %+v", image)
	}
}

func replay(on map[easel.ID]easel.Annotation, batch easel.Batch) {
	for _, e := range batch.Ops {
		if e.Kind == easel.OpDelete {
			delete(on, e.ID)
		} else {
			on[e.ID] = *e.Annotation
		}
	}
}

// TestLabelCountsFollowEveryBatch compares the counts kept in memory with those
// that a new state reads from the file.
func TestLabelCountsFollowEveryBatch(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(100), "x")))
	counts := func() map[string]int64 {
		t.Helper()
		w.told = nil
		if _, err := w.run(func(t *turn) (actors.Message, error) { return nil, w.state.Alarm(t, "outbox") }); err != nil {
			t.Fatal(err)
		}
		return labelsTold(w)
	}
	counts()
	for i := range 40 {
		ops := []easel.Op{put(id(i), fmt.Sprint("l", i%3))}
		if i > 2 {
			ops = append(ops, del(id(i-1)), relabel(id(i), "l9"))
		}
		w.must(write(ann, ops...))
		kept := counts()
		state := w.state
		w.restart()
		if diff := cmp.Diff(counts(), kept); diff != "" {
			t.Fatal(diff)
		}
		w.state = state
	}
}
