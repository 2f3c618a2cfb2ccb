package opcodec

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/easelhq/easel"
)

// maxDetails bounds how many broken rules one error tells of.
const maxDetails = 100

// reader reads one JSON text strictly. Structural faults end the reading; broken
// rules are collected, so that one answer names them all.
type reader struct {
	dec     *jsontext.Decoder
	details []easel.Detail
	root    string // the path of the text itself, if it is a part of another
}

// place is where in the text the reader is; it becomes a path only for an error.
type place struct {
	op   int    // index in "ops"; -1: not in an op
	part string // of the op, "" for the op itself
}

// top is the place of the outermost object.
var top = place{op: -1}

// path returns the path of a field of the object at p; with "" of p itself.
func (p place) path(field string) string {
	var b []byte
	if p.op >= 0 {
		b = append(strconv.AppendInt(append(b, "ops["...), int64(p.op), 10), ']')
	}
	for _, s := range [...]string{p.part, field} {
		if s != "" && len(b) > 0 {
			b = append(b, '.')
		}
		b = append(b, s...)
	}
	return string(b)
}

// within returns the place of a field of the object at p.
func (p place) within(field string) place {
	if p.part != "" {
		field = p.part + "." + field
	}
	p.part = field
	return p
}

func newReader(b []byte) *reader {
	// A bytes.Buffer is read in place. Duplicate keys and invalid UTF-8 are
	// refused by default.
	return &reader{dec: jsontext.NewDecoder(bytes.NewBuffer(b))}
}

// invalid notes a broken rule.
func (r *reader) invalid(path, message string) {
	if len(r.details) < maxDetails {
		r.details = append(r.details, easel.Detail{Path: path, Message: message})
	}
}

// verdict returns the error for the broken rules, nil if there are none.
func (r *reader) verdict() error {
	if len(r.details) == 0 {
		return nil
	}
	first := r.details[0]
	return &easel.Error{Code: easel.CodeInvalid, Message: first.Path + " " + first.Message, Details: r.details}
}

// end requires that nothing follows.
func (r *reader) end() error {
	switch _, err := r.dec.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return &easel.Error{Code: easel.CodeBadRequest, Message: "bytes after the JSON value"}
	default:
		return syntax(err)
	}
}

// object reads an object; member is called for each key and reads its value.
func (r *reader) object(p place, member func(name string) error) error {
	if k := r.dec.PeekKind(); k != jsontext.KindBeginObject {
		return r.wrong(p, "", "an object")
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return syntax(err)
	}
	for r.dec.PeekKind() != jsontext.KindEndObject {
		raw, err := r.dec.ReadValue()
		if err != nil {
			return syntax(err)
		}
		name, ok := unquote(raw)
		if !ok {
			return wrongType(p.path(""), "an object")
		}
		if err := member(name); err != nil {
			return err
		}
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return syntax(err)
	}
	return nil
}

// skip reads a value and forgets it.
func (r *reader) skip() error {
	if err := r.dec.SkipValue(); err != nil {
		return syntax(err)
	}
	return nil
}

// wrong reads the value that should have been something else, to tell a wrong
// type from what is no JSON.
func (r *reader) wrong(p place, field, want string) error {
	if err := r.dec.SkipValue(); err != nil {
		return syntax(err)
	}
	return wrongType(p.path(field), want)
}

func (r *reader) text(p place, field string) (string, error) {
	raw, err := r.dec.ReadValue()
	if err != nil {
		return "", syntax(err)
	}
	s, ok := unquote(raw)
	if !ok {
		return "", wrongType(p.path(field), "a string")
	}
	return s, nil
}

// integer reads a count that starts at 1.
func (r *reader) integer(p place, field string) (int64, error) {
	raw, err := r.dec.ReadValue()
	if err != nil {
		return 0, syntax(err)
	}
	if raw.Kind() != jsontext.KindNumber {
		return 0, wrongType(p.path(field), "an integer")
	}
	n, ok := integer(raw)
	if !ok {
		r.invalid(p.path(field), "must be an integer from 1")
	}
	return n, nil
}

// number reads a number. One that no float64 holds comes back as an infinity,
// which every rule refuses.
func (r *reader) number(p place, field string) (v float64, null bool, err error) {
	raw, err := r.dec.ReadValue()
	if err != nil {
		return 0, false, syntax(err)
	}
	switch raw.Kind() {
	case jsontext.KindNull:
		return 0, true, nil
	case jsontext.KindNumber:
		return float(raw), false, nil
	default:
		return 0, false, wrongType(p.path(field), "a number")
	}
}

// float returns the value of a JSON number; an infinity if no float64 holds it.
func float(raw jsontext.Value) float64 {
	v, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return math.Inf(1)
	}
	return Zero(v)
}

// Zero returns v, or 0 for the negative zero, which would be equal to it and yet
// be written differently.
func Zero(v float64) float64 {
	if v == 0 {
		return 0
	}
	return v
}
