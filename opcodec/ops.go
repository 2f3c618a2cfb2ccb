package opcodec

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/easelhq/easel"
)

// ops reads an array of 1 to easel.MaxOps ops.
func (r *reader) ops() ([]easel.Op, error) {
	if r.dec.PeekKind() != jsontext.KindBeginArray {
		return nil, r.wrong(top, "ops", "an array")
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, syntax(err)
	}
	var ops []easel.Op
	n := 0
	for ; r.dec.PeekKind() != jsontext.KindEndArray; n++ {
		if n >= easel.MaxOps {
			// Too many: whether the rest is JSON is still looked at.
			if err := r.dec.SkipValue(); err != nil {
				return nil, syntax(err)
			}
			continue
		}
		op, err := r.op(place{op: n})
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, syntax(err)
	}
	if n < 1 || n > easel.MaxOps {
		r.invalid("ops", "must have 1 to "+strconv.Itoa(easel.MaxOps)+" ops")
	}
	return ops, nil
}

// op reads one op. Which keys it may have depends on its kind, which may come
// last.
func (r *reader) op(p place) (easel.Op, error) {
	var (
		op                   easel.Op
		hasKind, hasID, base bool
	)
	err := r.object(p, func(name string) error {
		switch name {
		case "k":
			hasKind = true
			k, err := r.text(p, "k")
			op.Kind = easel.OpKind(k)
			return err
		case "id":
			hasID = true
			id, err := r.text(p, "id")
			op.ID = easel.ID(id)
			return err
		case "annotation":
			d, err := r.draft(place{op: p.op, part: "annotation"})
			op.Draft = &d
			return err
		case "set":
			p, err := r.patch(place{op: p.op, part: "set"})
			op.Set = &p
			return err
		case "base":
			base = true
			var err error
			op.Base, err = r.integer(p, "base")
			return err
		default:
			return unknown(p.path(name))
		}
	})
	if err != nil {
		return op, err
	}
	if hasID && !op.ID.Valid() {
		r.invalid(p.path("id"), "must be 32 lower-case hex characters")
	}
	put, patch, del := op.Kind == easel.OpPut, op.Kind == easel.OpPatch, op.Kind == easel.OpDelete
	switch {
	case !hasKind:
		r.invalid(p.path("k"), "is required")
		return op, nil
	case !put && !patch && !del:
		r.invalid(p.path("k"), "must be put, patch or del")
		return op, nil
	case op.Draft != nil && !put:
		return op, unknown(p.path("annotation"))
	case op.Set != nil && !patch:
		return op, unknown(p.path("set"))
	case base && put:
		return op, unknown(p.path("base"))
	}
	if put && op.Draft == nil {
		r.invalid(p.path("annotation"), "is required")
	}
	if patch && op.Set == nil {
		r.invalid(p.path("set"), "is required")
	}
	if !put && !hasID {
		r.invalid(p.path("id"), "is required")
	}
	return op, nil
}

// draft reads the author's part of an annotation and notes every rule it breaks.
func (r *reader) draft(p place) (easel.Draft, error) {
	var (
		d     easel.Draft
		s     sides
		label bool
		g     easel.Geometry
	)
	broken := len(r.details)
	err := r.object(p, func(name string) error {
		var err error
		switch name {
		case "label":
			label = true
			d.Label, err = r.text(p, "label")
		case "confidence":
			var (
				v    float64
				null bool
			)
			if v, null, err = r.number(p, "confidence"); err == nil && !null {
				d.Confidence = &v
			}
		case "shape":
			d.Shape, g, err = r.shape(p.within("shape"))
		case "attributes":
			d.Attributes, err = r.attributes(p.within("attributes"), false)
		case "source":
			d.Source, err = r.source(p)
		case "model":
			d.Model, err = r.text(p, "model")
		default:
			if v := s.side(name); v != nil {
				return r.coordinate(p, name, v)
			}
			err = unknown(p.path(name))
		}
		return err
	})
	if err != nil || len(r.details) > broken {
		return d, err
	}
	if !label {
		r.invalid(p.path("label"), "is required")
	}
	if d.Shape != "" {
		d.SetShape(d.Shape, g)
		r.agree(p, &s, g.Bounds())
	} else {
		d.X, d.Y, d.Width, d.Height = s.v[0], s.v[1], s.v[2], s.v[3]
		for i, name := range sideNames {
			if !s.has[i] {
				r.invalid(p.path(name), "is required")
			}
		}
	}
	if len(r.details) == broken {
		for _, detail := range d.Validate("") {
			r.invalid(p.path(detail.Path), detail.Message)
		}
	}
	return d, nil
}

// source reads who made an annotation: "" is a person.
func (r *reader) source(p place) (string, error) {
	s, err := r.text(p, "source")
	if s == "human" {
		s = ""
	}
	return s, err
}

// sides are the numbers of a box as far as they were given.
type sides struct {
	v   [4]float64
	has [4]bool
}

var sideNames = [4]string{"x", "y", "width", "height"}

// side returns the place for a named side, which is then given; nil: no such side.
func (s *sides) side(name string) *float64 {
	for i, n := range sideNames {
		if n == name {
			s.has[i] = true
			return &s.v[i]
		}
	}
	return nil
}

// agree requires that the sides that were given are those of a shape's bounding
// box.
func (r *reader) agree(p place, s *sides, box easel.Rect) {
	for _, d := range Disagree(box, s.given()) {
		r.invalid(p.path(d.Path), d.Message)
	}
}

// given returns pointers to the sides, nil for those that are missing.
func (s *sides) given() (out [4]*float64) {
	for i := range s.v {
		if s.has[i] {
			out[i] = &s.v[i]
		}
	}
	return out
}

// Disagree returns a Detail for each of x, y, width and height that is given and
// is not that of a shape's bounding box.
func Disagree(box easel.Rect, given [4]*float64) []easel.Detail {
	var out []easel.Detail
	for i, want := range [...]float64{box.X, box.Y, box.Width, box.Height} {
		if v := given[i]; v != nil && !(*v >= want-easel.BoxSlack && *v <= want+easel.BoxSlack) {
			out = append(out, easel.Detail{
				Path:    sideNames[i],
				Message: "must be absent or that of the shape's bounding box, " + strconv.FormatFloat(want, 'g', -1, 64),
			})
		}
	}
	return out
}

func (r *reader) coordinate(p place, field string, dst *float64) error {
	v, null, err := r.number(p, field)
	if err == nil && null {
		err = wrongType(p.path(field), "a number")
	}
	*dst = v
	return err
}

// patch reads the registers that an op sets.
func (r *reader) patch(p place) (easel.Patch, error) {
	var (
		set easel.Patch
		s   sides
		g   easel.Geometry
	)
	broken := len(r.details)
	err := r.object(p, func(name string) error {
		switch name {
		case "label":
			s, err := r.text(p, "label")
			set.Label = &s
			return err
		case "confidence":
			v, null, err := r.number(p, "confidence")
			if set.ClearConfidence = null; err == nil && !null {
				set.Confidence = &v
			}
			return err
		case "shape":
			shape, geometry, err := r.shape(p.within("shape"))
			set.Shape, g = &shape, geometry
			return err
		case "attributes":
			var err error
			set.Attributes, err = r.attributes(p.within("attributes"), true)
			return err
		default:
			if v := s.side(name); v != nil {
				return r.coordinate(p, name, v)
			}
			return unknown(p.path(name))
		}
	})
	if err != nil || len(r.details) > broken {
		return set, err
	}
	if set.Shape != nil && *set.Shape != "" {
		box := g.Bounds()
		r.agree(p, &s, box)
		s = sides{v: [4]float64{box.X, box.Y, box.Width, box.Height}, has: [4]bool{true, true, true, true}}
	}
	given := s.given()
	set.X, set.Y, set.Width, set.Height = given[0], given[1], given[2], given[3]
	if set.Empty() {
		r.invalid(p.path(""), "must name at least one value")
	}
	return set, nil
}

// ParsePatch reads the body of a PATCH of one annotation, an object as an op's
// "set". Paths of details start at the body's own fields.
func ParsePatch(b []byte) (easel.Patch, error) {
	r := newReader(b)
	p, err := r.patch(top)
	if err == nil {
		err = r.end()
	}
	if err == nil {
		err = r.verdict()
	}
	return p, err
}
