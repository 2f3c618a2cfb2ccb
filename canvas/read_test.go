package canvas_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
)

// listed asks for a list and decodes it.
func (w *world) listed(m canvas.List) (annotations []easel.Annotation, ver int64) {
	w.tb.Helper()
	reply := w.must(m).(canvas.Listing)
	var body struct {
		Annotations []easel.Annotation `json:"annotations"`
		Version     int64              `json:"version"`
	}
	if err := json.Unmarshal(reply.Body, &body); err != nil {
		w.tb.Fatalf("%v in %s", err, reply.Body)
	}
	if body.Version != reply.Ver || body.Annotations == nil {
		w.tb.Fatalf("body of version %d, reply of %d: %s", body.Version, reply.Ver, reply.Body)
	}
	return body.Annotations, reply.Ver
}

func labelsOf(annotations []easel.Annotation) string {
	var labels []string
	for _, a := range annotations {
		labels = append(labels, a.Label)
	}
	return strings.Join(labels, " ")
}

func TestListIsNewestFirstAndFilters(t *testing.T) {
	w := born(t, canvas.Options{})
	if got, ver := w.listed(canvas.List{}); len(got) != 0 || ver != 0 {
		t.Errorf("got %v at %d", got, ver)
	}
	sure := func(op easel.Op, v float64) easel.Op { op.Draft.Confidence = &v; return op }
	w.must(write(ann, put(id(9), "a"), sure(put(id(5), "b"), 0.5)))
	w.must(write(ann, sure(put(id(7), "c"), 0), put(id(1), "d")))
	w.must(write(ann, relabel(id(9), "b"))) // keeps its place
	for _, tc := range []struct {
		name string
		m    canvas.List
		want string
	}{
		{"all", canvas.List{}, "d c b b"},
		{"label", canvas.List{Label: ptr("b")}, "b b"},
		{"no such label", canvas.List{Label: ptr("z")}, ""},
		{"confidence", canvas.List{MinConfidence: ptr(0.5)}, "b"},
		{"any confidence", canvas.List{MinConfidence: ptr(0.0)}, "c b"},
		{"negative confidence", canvas.List{MinConfidence: ptr(-5.0)}, "c b"},
		{"too much confidence", canvas.List{MinConfidence: ptr(0.6)}, ""},
		{"both", canvas.List{Label: ptr("c"), MinConfidence: ptr(0.0)}, "c"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ver := w.listed(tc.m)
			if labelsOf(got) != tc.want || ver != 3 {
				t.Errorf("got %q at %d, want %q", labelsOf(got), ver, tc.want)
			}
		})
	}
}

func TestAListShowsNothingThatIsNotDurable(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(1), "a")))
	list := func(wantVer int64, wantUngated bool) {
		t.Helper()
		if _, ver := w.listed(canvas.List{}); ver != wantVer || w.ungated != wantUngated {
			t.Errorf("version %d, ungated %v; want %d, %v", ver, w.ungated, wantVer, wantUngated)
		}
		if _, ver := w.listed(canvas.List{Label: ptr("a")}); ver != wantVer || w.ungated != wantUngated {
			t.Errorf("filtered: version %d, ungated %v; want %d, %v", ver, w.ungated, wantVer, wantUngated)
		}
	}
	list(1, true)
	w.held = true
	w.must(write(ann, put(id(2), "b")))
	w.must(write(ann, put(id(3), "c")))
	list(1, true) // the durable version is still what is cached
	w.durable++
	list(3, false)
	w.durable++
	list(3, true)
	w.must(write(ann, put(id(4), "d")))
	w.restart()
	list(4, false) // nothing is cached, and the file is ahead
	w.held = false
	w.must(write(ann, put(id(5), "e")))
	list(5, true)
}

func TestAListTellsOfNoRestoreThatIsNotDurable(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(1), "a")))
	w.listed(canvas.List{}) // cached from here on
	w.must(canvas.SoftDelete{By: ann})
	w.held = true
	w.must(canvas.Restore{By: ann})
	if w.listed(canvas.List{}); w.ungated {
		t.Error("answered before the restore is durable")
	}
	w.durable++
	if w.listed(canvas.List{}); !w.ungated {
		t.Error("not answered at once although all is durable")
	}
}

func TestOneTellsDeletedFromNeverBorn(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(1), "a"), put(id(2), "b")))
	w.must(write(ann, del(id(2))))
	w.restart()
	if got := w.must(canvas.One{ID: id(1)}).(canvas.OneReply); got.Annotation.Label != "a" || got.Ver != 2 {
		t.Errorf("got %+v", got)
	}
	w.fails(canvas.One{ID: id(2)}, easel.CodeGone)
	w.fails(canvas.One{ID: id(3)}, easel.CodeNotFound)
	w.fails(canvas.One{ID: "../etc"}, easel.CodeNotFound)
}

func TestLogAndPageComeInBoundedPieces(t *testing.T) {
	w := born(t, canvas.Options{})
	const n = 2000
	for from := 0; from < n; from += easel.MaxOps {
		var ops []easel.Op
		for i := range easel.MaxOps {
			ops = append(ops, put(id(n-from-i), fmt.Sprint("label ", i)))
		}
		w.must(write(ann, ops...))
	}
	for i := range 20 {
		w.must(write(bob, relabel(id(i+1), "x")))
	}

	var vers []int64
	for since, pieces := int64(0), 0; ; pieces++ {
		reply := w.must(canvas.Log{Since: since}).(canvas.LogReply)
		if body, _ := json.Marshal(reply); len(body) > 256<<10 && len(reply.Batches) > 1 {
			t.Errorf("a reply of %d bytes", len(body))
		}
		for _, b := range reply.Batches {
			vers = append(vers, b.Ver)
		}
		if since = reply.Next; since == 0 {
			if pieces < 3 {
				t.Errorf("%d pieces", pieces)
			}
			break
		}
	}
	if len(vers) != 24 || !slices.IsSorted(vers) || vers[0] != 1 || vers[23] != 24 {
		t.Errorf("versions %v", vers)
	}
	if got := w.must(canvas.Log{Since: 10, Limit: 2}).(canvas.LogReply); len(got.Batches) != 2 || got.Batches[0].Ver != 11 || got.Next != 12 {
		t.Errorf("got %d batches, next %d", len(got.Batches), got.Next)
	}
	for _, since := range []int64{24, 99} {
		if got := w.must(canvas.Log{Since: since}).(canvas.LogReply); len(got.Batches) != 0 || got.Next != 0 {
			t.Errorf("got %+v", got)
		}
	}

	var got []easel.Annotation
	for after, pieces := easel.ID(""), 0; ; pieces++ {
		reply := w.must(canvas.Page{After: after}).(canvas.PageReply)
		if body, _ := json.Marshal(reply); len(body) > 256<<10 {
			t.Errorf("a reply of %d bytes", len(body))
		}
		got = append(got, reply.Annotations...)
		after = got[len(got)-1].ID
		if !reply.More {
			if pieces < 2 {
				t.Errorf("%d pieces", pieces)
			}
			break
		}
	}
	all, _ := w.listed(canvas.List{})
	slices.SortFunc(all, func(a, b easel.Annotation) int { return strings.Compare(string(a.ID), string(b.ID)) })
	if diff := cmp.Diff(all, got); diff != "" {
		t.Error(diff)
	}
	if got := w.must(canvas.Page{Limit: 3}).(canvas.PageReply); len(got.Annotations) != 3 || !got.More {
		t.Errorf("got %d annotations, more %v", len(got.Annotations), got.More)
	}
	if got := w.must(canvas.Page{After: id(n - 1)}).(canvas.PageReply); len(got.Annotations) != 1 || got.More {
		t.Errorf("got %d annotations, more %v", len(got.Annotations), got.More)
	}
}
