package canvas_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
)

func predicted(n int, confidence float64) easel.Op {
	op := put(id(n), "cat")
	op.Draft.Source, op.Draft.Model, op.Draft.Confidence = easel.SourceModel, "yolo", &confidence
	return op
}

func TestPredictionsAreJudgedOneByOne(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, predicted(1, 0.9), predicted(2, 0.5), put(id(3), "mine"), predicted(4, 0.1)))
	w.must(write(ann, del(id(4))))
	w.take()
	w.fails(canvas.Judge{By: ann, Accept: true, IDs: []easel.ID{id(1)}}, easel.CodeForbidden)
	w.fails(canvas.Judge{By: rita, IDs: []easel.ID{id(1), id(9)}}, easel.CodeNotFound)
	accept := canvas.Judge{By: rita, Accept: true, IDs: []easel.ID{id(1), id(1), id(3), id(4)}}
	if got := w.must(accept).(canvas.Judged); got.Count != 1 || got.Ver != 3 || got.More {
		t.Errorf("got %+v", got)
	}
	if got := w.must(accept).(canvas.Judged); got.Count != 0 || got.Ver != 3 {
		t.Errorf("again: %+v", got)
	}
	if got := w.must(canvas.Judge{By: rita, IDs: []easel.ID{id(2), id(3)}}).(canvas.Judged); got.Count != 1 || got.Ver != 4 {
		t.Errorf("got %+v", got)
	}
	got, _ := w.listed(canvas.List{})
	if len(got) != 2 || got[1].Source != "" || got[1].Model != "yolo" || *got[1].Confidence != 0.9 || got[1].Rev != 2 || got[1].UpdatedBy != "rita" || got[1].CreatedBy != "ann" {
		t.Errorf("got %+v", got)
	}
	if n := len(w.take()); n != 2 {
		t.Errorf("published %d times", n)
	}
	w.fails(canvas.One{ID: id(2)}, easel.CodeGone)
}

func TestPredictionsAreJudgedAboveAThreshold(t *testing.T) {
	w := born(t, canvas.Options{})
	for from := 0; from < 5600; from += 400 {
		ops := make([]easel.Op, 400)
		for i := range ops {
			ops[i] = predicted(from+i, float64(from+i)/10000)
		}
		w.must(write(ann, ops...))
	}
	unsure := predicted(9000, 0)
	unsure.Draft.Confidence = nil
	sure := put(id(9001), "mine")
	sure.Draft.Confidence = ptr(1.0)
	w.must(write(ann, unsure, sure))
	high := canvas.Judge{By: rita, Accept: true, MinConfidence: ptr(0.5)}
	if got := w.must(high).(canvas.Judged); got.Count != 600 || got.More || got.Ver != 17 {
		t.Errorf("got %+v", got)
	}
	w.restart()
	all := canvas.Judge{By: rita, MinConfidence: ptr(0.0)}
	if got := w.must(all).(canvas.Judged); got.Count != 5000 || got.More || got.Ver != 27 {
		t.Errorf("got %+v", got)
	}
	if image := w.must(canvas.Look{}).(canvas.ImageReply).Image; image.AnnotationCount != 602 || image.Version != 27 {
		t.Errorf("image %+v", image)
	}
	for _, bad := range []canvas.Judge{{}, {MinConfidence: ptr(1.5)}, {MinConfidence: ptr(0.5), IDs: []easel.ID{id(1)}}, {IDs: []easel.ID{"x"}}} {
		bad.By = rita
		w.fails(bad, easel.CodeInvalid)
	}
}

func TestJudgingStopsWhereOthersWouldWaitTooLong(t *testing.T) {
	w := born(t, canvas.Options{})
	for from := 0; from < 5500; from += 500 {
		ops := make([]easel.Op, 500)
		for i := range ops {
			ops[i] = predicted(from+i, 1)
		}
		w.must(canvas.Apply{By: ann, Ops: ops})
	}
	accept := canvas.Judge{By: rita, Accept: true, MinConfidence: ptr(1.0)}
	for _, want := range []canvas.Judged{{Count: 5000, More: true}, {Count: 500}, {}} {
		if got := w.must(accept).(canvas.Judged); got.Count != want.Count || got.More != want.More {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// TestRefusedJudgementLeavesNothing names large predictions, which take more than
// one batch, and at last one that never was.
func TestRefusedJudgementLeavesNothing(t *testing.T) {
	w := born(t, canvas.Options{})
	attributes := make([]string, 15)
	for i := range attributes {
		attributes[i] = fmt.Sprintf(`"note%d":%q`, i, strings.Repeat("n", 1000))
	}
	ops, ids := make([]easel.Op, 40), make([]easel.ID, 40)
	for i := range ops {
		ops[i], ids[i] = predicted(i, 1), id(i)
		ops[i].Draft.Attributes = easel.Attributes("{" + strings.Join(attributes, ",") + "}")
	}
	w.must(write(ann, ops...))
	w.fails(canvas.Judge{By: rita, Accept: true, IDs: append(ids, id(999))}, easel.CodeNotFound)
	if got := w.must(canvas.Look{}).(canvas.ImageReply); got.Ver != 1 {
		t.Errorf("the image is at version %d, want 1", got.Ver)
	}
	w.must(write(ann, put(id(1000), "next")))
	if got := w.must(canvas.Log{Since: 1}).(canvas.LogReply); len(got.Batches) != 1 || got.Batches[0].Ver != 2 {
		t.Errorf("the log has %d batches after the first, up to %d; want one", len(got.Batches), got.Ver)
	}
}
