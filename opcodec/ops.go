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
		d                          easel.Draft
		label, x, y, width, height bool
	)
	err := r.object(p, func(name string) error {
		switch name {
		case "label":
			label = true
			var err error
			d.Label, err = r.text(p, "label")
			return err
		case "x":
			x = true
			return r.coordinate(p, "x", &d.X)
		case "y":
			y = true
			return r.coordinate(p, "y", &d.Y)
		case "width":
			width = true
			return r.coordinate(p, "width", &d.Width)
		case "height":
			height = true
			return r.coordinate(p, "height", &d.Height)
		case "confidence":
			v, null, err := r.number(p, "confidence")
			if err == nil && !null {
				d.Confidence = &v
			}
			return err
		default:
			return unknown(p.path(name))
		}
	})
	if err != nil {
		return d, err
	}
	if label && x && y && width && height {
		for _, detail := range d.Validate("") {
			r.invalid(p.path(detail.Path), detail.Message)
		}
		return d, nil
	}
	for _, field := range []struct {
		name string
		ok   bool
	}{{"label", label}, {"x", x}, {"y", y}, {"width", width}, {"height", height}} {
		if !field.ok {
			r.invalid(p.path(field.name), "is required")
		}
	}
	return d, nil
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
	var set easel.Patch
	number := func(field string, dst **float64) error {
		v := new(float64)
		*dst = v
		return r.coordinate(p, field, v)
	}
	err := r.object(p, func(name string) error {
		switch name {
		case "label":
			s, err := r.text(p, "label")
			set.Label = &s
			return err
		case "x":
			return number("x", &set.X)
		case "y":
			return number("y", &set.Y)
		case "width":
			return number("width", &set.Width)
		case "height":
			return number("height", &set.Height)
		case "confidence":
			v, null, err := r.number(p, "confidence")
			if set.ClearConfidence = null; err == nil && !null {
				set.Confidence = &v
			}
			return err
		default:
			return unknown(p.path(name))
		}
	})
	if err == nil && set.Empty() {
		r.invalid(p.path(""), "must name at least one value")
	}
	return set, err
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
