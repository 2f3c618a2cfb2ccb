package opcodec_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// standard encodes v by encoding/json without the escapes for HTML, which we do
// not make.
func standard(t *testing.T, v any) string {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestAppendBatchWritesWhatTheStandardLibraryWrites(t *testing.T) {
	a := easel.Annotation{
		ID: id, ImageID: id, Label: "a<b>&\u2028\"\\\n", X: 1e-7, Y: 0.1, Width: 1, Height: 0.30000000000000004,
		CreatedBy: "ann", CreatedAt: easel.At(time.Date(2026, 2, 28, 23, 59, 59, 7e6, time.UTC)), UpdatedBy: "bob", Rev: 12,
	}
	sure := a
	sure.Confidence = ptr(0.25)
	shaped := sure
	shaped.Shape, shaped.Attributes = easel.Shape(shapes[1].text), `{"\u003ca\u003e":"\u2028","b":1e-7}`
	shaped.Source, shaped.Model = easel.SourceModel, "yolo <11>"
	for _, m := range []easel.Batch{
		{Ver: 1, By: "ann", At: 1, Ops: []easel.Effect{}},
		{Ver: 7, By: "ann", Conn: "c", Seq: 3, At: 1700000000123, Ops: []easel.Effect{
			{Kind: easel.OpPut, ID: id, Annotation: &a},
			{Kind: easel.OpPatch, ID: id, Annotation: &sure},
			{Kind: easel.OpDelete, ID: id},
			{Kind: easel.OpPut, ID: id, Annotation: &shaped},
		}},
	} {
		got := string(opcodec.AppendBatch(nil, &m))
		if diff := cmp.Diff(standard(t, m), got); diff != "" {
			t.Error(diff)
		}
		back, err := opcodec.Batch([]byte(got))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, back); diff != "" {
			t.Error(diff)
		}
	}
}

func FuzzAppendAnnotation(f *testing.F) {
	f.Add("cat", "ann", 0.1, 0.2, 0.5, int64(1700000000123), int64(1))
	f.Add("a<b>&'\"\\/\u2028\u2029\x00\x1f\x7f\n\r\t\b\f", "\xff\xc0é😀", 1e-7, 1e21, math.MaxFloat64, int64(-1), int64(-5))
	f.Add("", "", math.Copysign(0, -1), 5e-324, 1e-6, int64(253402300800000), int64(0))
	f.Add("x", "y", 1e20, 123456789.125, 1e-9, int64(951782400000), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, label, by string, x, y, confidence float64, at, rev int64) {
		for _, v := range []float64{x, y, confidence} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Skip("encoding/json refuses it")
			}
		}
		if at < 0 || at >= 253402300800000*2 {
			t.Skip("not a time that RFC 3339 can say")
		}
		a := easel.Annotation{
			ID: id, ImageID: id, Label: label, X: x, Y: y, Width: confidence, Confidence: &confidence,
			CreatedBy: by, CreatedAt: easel.Time(at), UpdatedBy: label, UpdatedAt: easel.Time(at / 2), Rev: rev,
		}
		got := opcodec.AppendAnnotation(nil, &a)
		if !json.Valid(got) || !utf8.Valid(got) {
			t.Fatalf("not JSON: %q", got)
		}
		var plain, ours map[string]any
		if err := json.Unmarshal([]byte(standard(t, a)), &plain); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got, &ours); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plain, ours); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAppendTimeKnowsTheCalendar(t *testing.T) {
	for day := time.Date(1970, 1, 1, 0, 0, 0, 1e6, time.UTC); day.Year() < 2500; day = day.Add(24*time.Hour + 61*time.Minute + 1001*time.Millisecond) {
		want, _ := json.Marshal(easel.At(day))
		if got := opcodec.AppendTime(nil, easel.At(day)); string(got) != string(want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func BenchmarkAppendAnnotation(b *testing.B) {
	a := easel.Annotation{
		ID: id, ImageID: id, Label: "cat", X: 0.123456, Y: 0.654321, Width: 0.25, Height: 0.125,
		CreatedBy: "ann", CreatedAt: 1700000000123, UpdatedBy: "ann", UpdatedAt: 1700000000123, Rev: 1,
	}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = opcodec.AppendAnnotation(buf[:0], &a)
	}
}
