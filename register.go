package easel

import (
	"iter"
	"math"
)

// geometry is the register of where an annotation is.
type geometry struct {
	x, y, width, height float64
	shape               Shape
}

func (d *Draft) geometry() geometry { return geometry{d.X, d.Y, d.Width, d.Height, d.Shape} }

func (d *Draft) setGeometry(g geometry) {
	d.X, d.Y, d.Width, d.Height, d.Shape = g.x, g.y, g.width, g.height, g.shape
}

// Undo returns d with every register that still says what it says in from turned
// to what it says in to. The registers are those of a Patch: the geometry as a
// whole, the label, the confidence and each attribute, and where a prediction
// came from.
func (d Draft) Undo(from, to Draft) Draft {
	if d.geometry() == from.geometry() {
		d.setGeometry(to.geometry())
	}
	if d.Label == from.Label {
		d.Label = to.Label
	}
	if sameNumber(d.Confidence, from.Confidence) {
		d.Confidence = to.Confidence
	}
	if d.Source == from.Source && d.Model == from.Model {
		d.Source, d.Model = to.Source, to.Model
	}
	d.Attributes = d.Attributes.undo(from.Attributes, to.Attributes)
	return d
}

// Follow returns d with every register that differs between before and after
// turned to what it says in after.
func (d Draft) Follow(before, after Draft) Draft {
	if before.geometry() != after.geometry() {
		d.setGeometry(after.geometry())
	}
	if before.Label != after.Label {
		d.Label = after.Label
	}
	if !sameNumber(before.Confidence, after.Confidence) {
		d.Confidence = after.Confidence
	}
	if before.Source != after.Source || before.Model != after.Model {
		d.Source, d.Model = after.Source, after.Model
	}
	d.Attributes = d.Attributes.Set(before.Attributes.change(after.Attributes))
	return d
}

func sameNumber(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return math.Float64bits(*a) == math.Float64bits(*b)
}

// undo is Undo of each name.
func (a Attributes) undo(from, to Attributes) Attributes {
	if from == to {
		return a
	}
	now, then := a.values(), from.values()
	var members []string
	for name, value := range from.change(to).all() {
		if now[name] == then[name] { // missing in both is the same too
			members = append(members, name+":"+value)
		}
	}
	return a.Set(AttributesOf(members))
}

// change returns the patch that makes after of a: null for names that go.
func (a Attributes) change(after Attributes) Attributes {
	if a == after {
		return ""
	}
	old, fresh := a.values(), after.values()
	var members []string
	for name, value := range fresh {
		if old[name] != value {
			members = append(members, name+":"+value)
		}
	}
	for name := range old {
		if _, ok := fresh[name]; !ok {
			members = append(members, name+":null")
		}
	}
	return AttributesOf(members)
}

// values returns the values by name, both as JSON.
func (a Attributes) values() map[string]string {
	out := make(map[string]string)
	for name, value := range a.all() {
		out[name] = value
	}
	return out
}

// all iterates over names and values, both as JSON, in order.
func (a Attributes) all() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for rest := a.first(); rest != ""; {
			var name, value string
			if name, value, rest = nextAttribute(rest); !yield(name, value) {
				return
			}
		}
	}
}
