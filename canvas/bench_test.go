package canvas_test

import (
	"fmt"
	"testing"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
)

// filled is an image with n annotations.
func filled(b *testing.B, n int) *world {
	w := born(b, canvas.Options{})
	for from := 0; from < n; from += easel.MaxOps {
		var ops []easel.Op
		for i := range min(easel.MaxOps, n-from) {
			ops = append(ops, put("", fmt.Sprint("label ", i%7)))
		}
		w.must(canvas.Apply{By: ann, Ops: ops})
	}
	return w
}

// forget keeps a benchmark's memory from growing.
func (w *world) forget() { w.published, w.told = w.published[:0], w.told[:0] }

func BenchmarkTurn(b *testing.B) {
	b.Run("create", func(b *testing.B) {
		w := filled(b, 100)
		for b.Loop() {
			w.must(write(ann, put("", "cat")))
			w.forget()
		}
	})
	b.Run("frame", func(b *testing.B) {
		w := filled(b, 100)
		seq := int64(0)
		for b.Loop() {
			seq++
			w.must(frame(ann, seq, put("", "cat")))
			w.forget()
		}
	})
	b.Run("patch", func(b *testing.B) {
		w := filled(b, 100)
		w.must(write(ann, put(id(1), "cat")))
		for b.Loop() {
			w.must(write(ann, relabel(id(1), "dog")))
			w.forget()
		}
	})
	b.Run("bulk500", func(b *testing.B) {
		w := filled(b, 0)
		ops := make([]easel.Op, easel.MaxOps)
		for i := range ops {
			ops[i] = put("", "cat")
		}
		w.options.MaxAnnotations = 1 << 40
		w.restart()
		for b.Loop() {
			w.must(canvas.Apply{By: ann, Ops: ops})
			w.forget()
		}
	})
	b.Run("list100cached", func(b *testing.B) {
		w := filled(b, 100)
		for b.Loop() {
			w.must(canvas.List{})
		}
	})
	b.Run("list100filtered", func(b *testing.B) {
		w := filled(b, 100)
		for b.Loop() {
			w.must(canvas.List{Label: ptr("label 3")})
		}
	})
	b.Run("list100encoded", func(b *testing.B) {
		w := filled(b, 100)
		for b.Loop() {
			w.restart()
			w.must(canvas.List{})
		}
	})
	b.Run("empty", func(b *testing.B) {
		w := filled(b, 100)
		for b.Loop() {
			w.must(canvas.Look{})
		}
	})
}

// BenchmarkPolygons is what outlines of 50 points cost.
func BenchmarkPolygons(b *testing.B) {
	w := born(b, canvas.Options{})
	outlined := shaped(b, id(1), outline(b, 50))
	w.must(write(ann, outlined))
	for from := 0; from < 10_000; from += 250 {
		ops := make([]easel.Op, 250)
		for i := range ops {
			ops[i] = easel.Op{Kind: easel.OpPut, Draft: outlined.Draft}
		}
		w.must(canvas.Apply{By: ann, Ops: ops})
	}
	w.forget()
	b.Run("create", func(b *testing.B) {
		w.options.MaxAnnotations = 1 << 40
		w.restart()
		for b.Loop() {
			w.must(write(ann, easel.Op{Kind: easel.OpPut, Draft: outlined.Draft}))
			w.forget()
		}
	})
	b.Run("relabel", func(b *testing.B) {
		for b.Loop() {
			w.must(write(ann, relabel(id(1), "dog")))
			w.forget()
		}
	})
	b.Run("list10000", func(b *testing.B) {
		for b.Loop() {
			w.must(canvas.List{})
		}
	})
}
