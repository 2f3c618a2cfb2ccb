package canvas_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/sqlite/sqlitetest"
)

var rita = canvas.Author{User: "rita", Name: "Rita", Role: easel.Reviewer}

// scenery makes the scene of a version, which must be known.
func (w *world) scenery(ver int64) *canvas.Scene {
	w.tb.Helper()
	s, err := w.scene(at(ver))
	if err != nil {
		w.tb.Fatalf("version %d: %v", ver, err)
	}
	return s
}

// ver is the image's version.
func (w *world) ver() int64 {
	w.tb.Helper()
	return w.must(canvas.Look{}).(canvas.ImageReply).Ver
}

// back applies a plan, a few changes at a time.
func (w *world) back(plan []canvas.Change) (changed []easel.ID) {
	w.tb.Helper()
	for step := range slices.Chunk(plan, 3) {
		for _, r := range w.must(canvas.Revert{By: rita, Changes: step}).(canvas.Applied).Results {
			changed = append(changed, r.ID)
		}
	}
	return changed
}

// toVersion reverts the image to a version.
func (w *world) toVersion(ver int64) []easel.ID {
	w.tb.Helper()
	return w.back(canvas.Difference(w.scenery(w.ver()), w.scenery(ver)))
}

// withoutUser undoes what a user did after a version.
func (w *world) withoutUser(user string, since int64) []easel.ID {
	w.tb.Helper()
	u := canvas.NewUndoing(w.scenery(since), user)
	if err := w.batches(since, w.ver(), u.Apply); err != nil {
		w.tb.Fatal(err)
	}
	return w.back(u.Changes())
}

// drafts are what the annotations of the present say, by id.
func (w *world) drafts() map[easel.ID]easel.Draft {
	w.tb.Helper()
	listed, _ := w.listed(canvas.List{})
	out := map[easel.ID]easel.Draft{}
	for _, a := range listed {
		out[a.ID] = a.Draft()
	}
	return out
}

func TestRevertBringsBackWhatWas(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(1), "kept"), put(id(2), "deleted"), put(id(3), "changed")))
	then := w.drafts()
	w.must(write(bob, del(id(2)), relabel(id(3), "otherwise"), put(id(4), "new")))
	w.take()
	w.now = w.now.Add(time.Minute)
	got := w.toVersion(1)
	if diff := cmp.Diff(then, w.drafts()); diff != "" {
		t.Error(diff)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]easel.ID{id(2), id(3), id(4)}, got); diff != "" {
		t.Error(diff)
	}
	// It is one ordinary batch, in the log and broadcast.
	batches := w.take()
	if len(batches) != 1 {
		t.Fatalf("published %+v", batches)
	}
	batch := batches[0].(canvas.Accepted).Batch
	if batch.Ver != 3 || batch.By != "rita" || len(batch.Ops) != 3 {
		t.Errorf("batch %+v", batch)
	}
	// What is back has its maker and its id, and a rev that it never had.
	back := w.must(canvas.One{ID: id(2)}).(canvas.OneReply).Annotation
	want := easel.Annotation{
		ID: id(2), ImageID: image, Label: "deleted", X: 0.1, Y: 0.2, Width: 0.3, Height: 0.4,
		CreatedBy: "ann", CreatedAt: easel.At(epoch), UpdatedBy: "rita", UpdatedAt: easel.At(w.now), Rev: 2,
	}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Error(diff)
	}
	// It lives: it can be changed, deleted, and is gone after that.
	w.must(write(ann, relabel(id(2), "again")))
	w.must(write(ann, del(id(2))))
	w.fails(write(ann, put(id(2), "by hand")), easel.CodeGone)
	w.toVersion(1)
	if again := w.must(canvas.One{ID: id(2)}).(canvas.OneReply).Annotation; again.Rev != 4 || again.Label != "deleted" {
		t.Errorf("second return: %+v", again)
	}
	if none := w.toVersion(1); len(none) != 0 {
		t.Errorf("nothing to revert, but %v changed", none)
	}
}

func TestRevertLeavesWhatOthersDoMeanwhile(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(1), "a"), put(id(2), "b"), put(id(3), "c")))
	w.must(write(bob, relabel(id(1), "A"), relabel(id(2), "B"), del(id(3)), put(id(4), "d"), put(id(5), "e")))
	plan := canvas.Difference(w.scenery(2), w.scenery(1))
	// Between plan and batch: one moves what is to be relabelled, one relabels.
	w.must(write(ann, easel.Op{Kind: easel.OpPatch, ID: id(1), Set: &easel.Patch{X: ptr(0.5)}}, relabel(id(2), "mine"), relabel(id(4), "kept")))
	w.back(plan)
	got := w.drafts()
	if got[id(1)].Label != "a" || got[id(1)].X != 0.5 || got[id(2)].Label != "mine" || got[id(3)].Label != "c" {
		t.Errorf("got %+v", got)
	}
	if _, there := got[id(5)]; there || got[id(4)].Label != "kept" {
		t.Errorf("got %+v", got)
	}
	ver := w.ver()
	if changed := w.back(plan); len(changed) != 0 || w.ver() != ver {
		t.Errorf("a repeat changed %v", changed)
	}
}

func TestRevertOfOneUser(t *testing.T) {
	move := func(n int, x float64) easel.Op {
		return easel.Op{Kind: easel.OpPatch, ID: id(n), Set: &easel.Patch{X: &x}}
	}
	for _, tc := range []struct {
		name string
		do   func(w *world)
		want map[easel.ID]string // label and x; missing: not there
	}{
		{"his registers only", func(w *world) {
			w.must(write(bob, relabel(id(1), "bob"), move(1, 0.5)))
			w.must(write(ann, move(1, 0.6)))
		}, map[easel.ID]string{id(1): "one 0.6", id(2): "two 0.1"}},
		{"the last that is not his", func(w *world) {
			w.must(write(bob, relabel(id(1), "bob")))
			w.must(write(ann, relabel(id(1), "ann")))
			w.must(write(bob, relabel(id(1), "bob again")))
		}, map[easel.ID]string{id(1): "ann 0.1", id(2): "two 0.1"}},
		{"what he made", func(w *world) {
			w.must(write(bob, put(id(3), "new")))
			w.must(write(bob, move(3, 0.3)))
		}, map[easel.ID]string{id(1): "one 0.1", id(2): "two 0.1"}},
		{"what he made and others worked on", func(w *world) {
			w.must(write(bob, put(id(3), "new")))
			w.must(write(ann, relabel(id(3), "ours")))
			w.must(write(bob, move(3, 0.3)))
		}, map[easel.ID]string{id(1): "one 0.1", id(2): "two 0.1", id(3): "ours 0.1"}},
		{"what he deleted", func(w *world) {
			w.must(write(ann, relabel(id(1), "ann")))
			w.must(write(bob, move(1, 0.5), del(id(1)), del(id(2))))
		}, map[easel.ID]string{id(1): "ann 0.1", id(2): "two 0.1"}},
		{"what he made and deleted", func(w *world) {
			w.must(write(bob, put(id(3), "new"), del(id(3))))
		}, map[easel.ID]string{id(1): "one 0.1", id(2): "two 0.1"}},
		{"what another deleted stays deleted", func(w *world) {
			w.must(write(bob, relabel(id(1), "bob")))
			w.must(write(ann, del(id(1))))
		}, map[easel.ID]string{id(2): "two 0.1"}},
		{"what another brought back", func(w *world) {
			w.must(write(bob, relabel(id(1), "bob"), del(id(1))))
			w.toVersion(1)
		}, map[easel.ID]string{id(1): "one 0.1", id(2): "two 0.1"}},
		{"nothing", func(*world) {}, map[easel.ID]string{id(1): "one 0.1", id(2): "two 0.1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := born(t, canvas.Options{})
			w.must(write(bob, put(id(1), "one"), put(id(2), "two"))) // before since
			tc.do(w)
			before := w.drafts()
			ver := w.ver()
			w.withoutUser("bob", 1)
			got := map[easel.ID]string{}
			for id, d := range w.drafts() {
				got[id] = fmt.Sprintf("%s %v", d.Label, d.X)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			w.toVersion(ver) // a revert of the revert
			if diff := cmp.Diff(before, w.drafts()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRevertNeedsAReviewer(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(1), "a")))
	d := draft("a")
	for _, by := range []canvas.Author{ann, vera} {
		w.fails(canvas.BeginRevert{By: by}, easel.CodeForbidden)
		w.fails(canvas.Revert{By: by, Changes: []canvas.Change{{ID: id(1), From: d}}}, easel.CodeForbidden)
	}
	w.fails(canvas.BeginRevert{By: rita, Annotation: id(9)}, easel.CodeNotFound)
	w.fails(canvas.Revert{By: rita}, easel.CodeInvalid)
	w.fails(canvas.Revert{By: rita, Changes: make([]canvas.Change, easel.MaxOps+1)}, easel.CodeInvalid)
	begun := w.must(canvas.BeginRevert{By: rita, Annotation: id(1)}).(canvas.RevertBegun)
	if begun.Ver != 1 || begun.UpdatedAt != easel.At(epoch) || begun.Deleted != 0 {
		t.Errorf("got %+v", begun)
	}
	w.must(write(ann, del(id(1))))
	if begun := w.must(canvas.BeginRevert{By: rita, Annotation: id(1)}).(canvas.RevertBegun); begun.Deleted != 2 {
		t.Errorf("got %+v", begun)
	}
	w.must(canvas.SoftDelete{By: ann})
	w.fails(canvas.BeginRevert{By: rita}, easel.CodeGone)
}

func TestAFullImageTakesNothingBack(t *testing.T) {
	w := born(t, canvas.Options{MaxAnnotations: 2})
	w.must(write(ann, put(id(1), "a"), put(id(2), "b")))
	w.must(write(ann, del(id(1))))
	w.must(write(ann, put(id(3), "c")))
	back := canvas.DifferenceOf(id(1), w.scenery(3), w.scenery(1))
	w.fails(canvas.Revert{By: rita, Changes: back}, easel.CodeRateLimited)
	w.toVersion(1) // what goes makes room
}

// TestThePastIsWhatItWas runs random batches, reverts, archiving and crashes, and
// compares what is said of the past with what was listed then.
func TestThePastIsWhatItWas(t *testing.T) {
	kind, err := canvas.Kind(canvas.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		keep := rapid.IntRange(1, 6).Draw(rt, "keep")
		w := &world{
			tb: rt, db: sqlitetest.Open(t, kind.Schema), now: epoch, alarms: map[string]time.Time{},
			options: canvas.Options{Archive: newShelf(), OpLogKeep: keep},
		}
		w.restart()
		w.must(birth)
		bodies := []string{string(w.must(canvas.List{}).(canvas.Listing).Body)}
		drafts := []map[easel.ID]easel.Draft{w.drafts()}
		times := []easel.Time{easel.At(epoch)} // when each version was made
		note := func() {
			for ver := w.ver(); int64(len(bodies)) <= ver; {
				next := int64(len(bodies))
				if next < ver { // a revert in several batches: the states between are in the log only
					s := w.scenery(next)
					body, _ := s.Listing(canvas.List{})
					bodies, drafts = append(bodies, string(body)), append(drafts, nil)
				} else {
					bodies = append(bodies, string(w.must(canvas.List{}).(canvas.Listing).Body))
					drafts = append(drafts, w.drafts())
				}
				var at easel.Time
				if err := w.batches(next-1, next, func(m *easel.Batch) error { at = m.At; return nil }); err != nil {
					rt.Fatal(err)
				}
				times = append(times, at)
			}
		}
		some := func(t *rapid.T) int64 { return rapid.Int64Range(0, int64(len(bodies)-1)).Draw(t, "version") }
		rt.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				by := rapid.SampledFrom([]canvas.Author{ann, bob}).Draw(t, "by")
				for range rapid.IntRange(1, 4).Draw(t, "batches") {
					_, _ = w.send(write(by, rapid.SliceOfN(someOp(), 1, 4).Draw(t, "ops")...))
					note()
					w.now = w.now.Add(time.Duration(rapid.IntRange(0, 1).Draw(t, "ms")) * time.Millisecond)
				}
			},
			"revert": func(t *rapid.T) {
				ver := some(t)
				if drafts[ver] == nil {
					t.Skip("between two batches of a revert")
				}
				before := w.drafts()
				from := w.ver()
				w.toVersion(ver)
				note()
				if diff := cmp.Diff(drafts[ver], w.drafts()); diff != "" {
					t.Fatal(diff)
				}
				if rapid.Bool().Draw(t, "back") {
					w.toVersion(from)
					note()
					if diff := cmp.Diff(before, w.drafts()); diff != "" {
						t.Fatal(diff)
					}
				}
			},
			"without": func(t *rapid.T) {
				since := some(t)
				want := w.without("bob", since)
				w.withoutUser("bob", since)
				note()
				if diff := cmp.Diff(want, w.drafts()); diff != "" {
					t.Fatal(diff)
				}
			},
			"tick": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(-2, 5).Draw(t, "ms")) * time.Millisecond)
			},
			"archive": func(*rapid.T) { w.archive() },
			"crash":   func(*rapid.T) { w.jobs = nil; w.restart() },
			"": func(t *rapid.T) {
				ver := some(t)
				if got := w.body(at(ver), canvas.List{}); got != bodies[ver] {
					t.Fatalf("version %d is\n%s\nwas\n%s", ver, got, bodies[ver])
				}
				// The same by the time when it was made: the last version of that time.
				last := ver
				for last+1 < int64(len(times)) && times[last+1] == times[ver] {
					last++
				}
				m := canvas.Locate{Moment: canvas.Moment{At: times[ver]}}
				if times[ver] > easel.At(w.now) && last < w.ver() {
					return // the clock went back
				}
				if got, err := w.scene(m); err != nil || got.Ver != last {
					t.Fatalf("at %v: %+v %v, want version %d", times[ver], got, err, last)
				}
			},
		})
	})
}

// without says in the plainest terms what the image would be had the user done
// nothing since a version: for each register, the last value that is not his.
func (w *world) without(user string, since int64) map[easel.ID]easel.Draft {
	w.tb.Helper()
	type line struct {
		by   string
		a    *easel.Annotation // nil: deleted
		made bool
	}
	lines := map[easel.ID][]line{}
	for id := range maps.Keys(w.everSeen()) {
		if a := w.scenery(since).One(id); a != nil {
			lines[id] = []line{{by: "", a: a}}
		} else {
			lines[id] = []line{{by: ""}}
		}
	}
	err := w.batches(since, w.ver(), func(m *easel.Batch) error {
		for _, e := range m.Ops {
			lines[e.ID] = append(lines[e.ID], line{by: m.By, a: e.Annotation, made: e.Kind == easel.OpPut})
		}
		return nil
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	out := map[easel.ID]easel.Draft{}
	for id, story := range lines {
		var d *easel.Draft
		if a := story[0].a; a != nil {
			c := a.Draft()
			d = &c
		}
		for i, l := range story[1:] {
			switch before := story[i].a; {
			case l.by == user:
			case l.a == nil:
				d = nil
			case d == nil || before == nil || l.made:
				c := l.a.Draft()
				d = &c
			default:
				c := *d
				if before.Label != l.a.Label {
					c.Label = l.a.Label
				}
				if before.X != l.a.X || before.Y != l.a.Y || before.Width != l.a.Width || before.Height != l.a.Height || before.Shape != l.a.Shape {
					c.X, c.Y, c.Width, c.Height, c.Shape = l.a.X, l.a.Y, l.a.Width, l.a.Height, l.a.Shape
				}
				if before.Source != l.a.Source || before.Model != l.a.Model {
					c.Source, c.Model = l.a.Source, l.a.Model
				}
				was, is, mine := values(w.tb, before.Attributes), values(w.tb, l.a.Attributes), values(w.tb, c.Attributes)
				for _, name := range slices.Concat(slices.Collect(maps.Keys(was)), slices.Collect(maps.Keys(is))) {
					if was[name] == is[name] {
						continue
					}
					delete(mine, name)
					if is[name] != "" {
						mine[name] = is[name]
					}
				}
				c.Attributes = attributes(mine)
				if fmt.Sprint(deref(before.Confidence)) != fmt.Sprint(deref(l.a.Confidence)) {
					c.Confidence = l.a.Confidence
				}
				d = &c
			}
		}
		if d != nil {
			out[id] = *d
		}
	}
	return out
}

// values are attributes by name, as JSON.
func values(t tester, a easel.Attributes) map[string]string {
	t.Helper()
	var raw map[string]json.RawMessage
	if a != "" {
		if err := json.Unmarshal([]byte(a), &raw); err != nil {
			t.Fatal(err)
		}
	}
	out := map[string]string{}
	for name, value := range raw {
		out[name] = string(value)
	}
	return out
}

// attributes is the inverse of values, for names that are plain.
func attributes(values map[string]string) easel.Attributes {
	var members []string
	for name, value := range values {
		members = append(members, fmt.Sprintf("%q:%s", name, value))
	}
	return easel.AttributesOf(members)
}

// everSeen is every id that was ever in the log.
func (w *world) everSeen() map[easel.ID]bool {
	w.tb.Helper()
	out := map[easel.ID]bool{}
	err := w.batches(0, w.ver(), func(m *easel.Batch) error {
		for _, e := range m.Ops {
			out[e.ID] = true
		}
		return nil
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	return out
}

func deref(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}
