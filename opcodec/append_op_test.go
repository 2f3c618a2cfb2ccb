package opcodec_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// TestWhatAppendFrameWritesIsReadAsTheSame is what a client in Go relies on.
func TestWhatAppendFrameWritesIsReadAsTheSame(t *testing.T) {
	unit := rapid.Float64Range(0, 0.5)
	maybe := func(t *rapid.T, name string) *float64 {
		if rapid.Bool().Draw(t, "with "+name) {
			return ptr(unit.Draw(t, name))
		}
		return nil
	}
	shape := func(t *rapid.T) (easel.Shape, easel.Geometry) {
		g := anyGeometry().Draw(t, "geometry").Clamped()
		return opcodec.Shape(g), g
	}
	rapid.Check(t, func(t *rapid.T) {
		ops := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) easel.Op {
			op := easel.Op{ID: id, Kind: rapid.SampledFrom([]easel.OpKind{easel.OpPut, easel.OpPatch, easel.OpDelete}).Draw(t, "kind")}
			label := rapid.StringN(1, 10, -1).Draw(t, "label")
			switch op.Kind {
			case easel.OpPut:
				d := easel.Draft{Label: label, X: unit.Draw(t, "x"), Y: unit.Draw(t, "y"), Width: 0.5, Height: 0.25, Confidence: maybe(t, "confidence")}
				if rapid.Bool().Draw(t, "shaped") {
					d.SetShape(shape(t))
				}
				d.Attributes = opcodec.Attributes(someValues(false).Draw(t, "attributes"))
				if rapid.Bool().Draw(t, "predicted") {
					d.Source, d.Model = easel.SourceModel, label
				}
				op.Draft = &d
			case easel.OpPatch:
				p := easel.Patch{Label: &label, X: maybe(t, "x"), Y: maybe(t, "y"), Width: maybe(t, "width"), Confidence: maybe(t, "confidence")}
				p.ClearConfidence = p.Confidence == nil
				p.Attributes = opcodec.Attributes(someValues(true).Draw(t, "attributes"))
				switch rapid.IntRange(0, 2).Draw(t, "shape") {
				case 1:
					s, g := shape(t)
					box := g.Bounds()
					p.Shape, p.X, p.Y, p.Width, p.Height = &s, &box.X, &box.Y, &box.Width, &box.Height
				case 2:
					p.Shape = new(easel.Shape)
				}
				op.Set, op.Base = &p, rapid.Int64Range(0, 3).Draw(t, "base")
			}
			return op
		}), 1, 5).Draw(t, "ops")
		text := opcodec.AppendFrame(nil, 7, ops)
		got, err := opcodec.ParseFrame(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(ops, got.Ops); diff != "" || got.Seq != 7 {
			t.Fatalf("%s: %s", text, diff)
		}
	})
}
