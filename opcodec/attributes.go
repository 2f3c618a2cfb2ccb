package opcodec

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/easelhq/easel"
)

// Attributes returns the text of values; a zero Value becomes null, which in a
// patch removes the name.
func Attributes(values map[string]easel.Value) easel.Attributes {
	members := make([]string, 0, len(values))
	for name, v := range values {
		b := append(appendPlain(nil, name), ':')
		if text, ok := v.Text(); ok {
			b = appendPlain(b, text)
		} else if number, ok := v.Number(); ok {
			b = AppendFloat(b, Zero(number))
		} else if flag, ok := v.Bool(); ok {
			b = strconv.AppendBool(b, flag)
		} else {
			b = append(b, "null"...)
		}
		members = append(members, string(b))
	}
	return easel.AttributesOf(members)
}

// Values is the inverse of Attributes.
func Values(a easel.Attributes) (map[string]easel.Value, error) {
	out := map[string]easel.Value{}
	if a == "" {
		return out, nil
	}
	r := newReader([]byte(a))
	err := r.object(top, func(name string) error {
		raw, err := r.dec.ReadValue()
		if err != nil {
			return syntax(err)
		}
		switch raw.Kind() {
		case jsontext.KindString:
			text, _ := unquote(raw)
			out[name] = easel.Text(text)
		case jsontext.KindNumber:
			out[name] = easel.Number(float(raw))
		case jsontext.KindTrue, jsontext.KindFalse:
			out[name] = easel.Bool(raw.Kind() == jsontext.KindTrue)
		default:
			out[name] = easel.Value{}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("decode attributes: %w", err)
	}
	return out, nil
}

// appendPlain appends s as a JSON string that encoding/json leaves as it is
// wherever it copies it: with the escapes for HTML.
func appendPlain(b []byte, s string) []byte {
	from := len(b)
	b = AppendString(b, s)
	if !strings.ContainsAny(string(b[from:]), "<>&") {
		return b
	}
	safe := htmlEscapes.Replace(string(b[from:]))
	return append(b[:from], safe...)
}

var htmlEscapes = strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`)

// ParseAttributes reads a client's attributes, which path names in errors. A null
// is none.
func ParseAttributes(b []byte, path string) (easel.Attributes, error) {
	r := newReader(b)
	r.root = path
	a, err := r.attributes(place{op: -1, part: path}, false)
	if err == nil {
		err = r.end()
	}
	if err == nil {
		err = r.verdict()
	}
	return a, err
}

// attributes reads the attributes at p and notes every rule that a name or a
// value breaks. In a patch a null removes a name.
func (r *reader) attributes(p place, patch bool) (easel.Attributes, error) {
	if !patch && r.dec.PeekKind() == jsontext.KindNull {
		return "", r.skip()
	}
	var members []string
	err := r.object(p, func(name string) error {
		if n := utf8.RuneCountInString(name); n < 1 || n > easel.MaxAttributeName {
			r.invalid(p.path(short(name)), "must have a name of 1 to "+strconv.Itoa(easel.MaxAttributeName)+" characters")
		}
		raw, err := r.dec.ReadValue()
		if err != nil {
			return syntax(err)
		}
		b := append(appendPlain(nil, name), ':')
		switch raw.Kind() {
		case jsontext.KindString:
			text, _ := unquote(raw)
			if utf8.RuneCountInString(text) > easel.MaxAttributeText {
				r.invalid(p.path(short(name)), "must have at most "+strconv.Itoa(easel.MaxAttributeText)+" characters")
			}
			b = appendPlain(b, text)
		case jsontext.KindNumber:
			v := float(raw)
			if v-v != 0 { // infinite
				r.invalid(p.path(short(name)), "must be a number that a float64 holds")
			}
			b = AppendFloat(b, v)
		case jsontext.KindTrue, jsontext.KindFalse:
			b = append(b, raw...)
		case jsontext.KindNull:
			if patch {
				b = append(b, raw...)
				break
			}
			fallthrough
		default:
			return wrongType(p.path(short(name)), "a string, a number or a boolean")
		}
		members = append(members, string(b))
		return nil
	})
	return easel.AttributesOf(members), err
}
