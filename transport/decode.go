package transport

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// need is a field that must be there and is not null.
type need[T any] struct {
	Value T
	Set   bool
	odd   string // why a value of the right type cannot be held
}

// maybe is a field that may be missing or null.
type maybe[T any] struct {
	Value T
	Set   bool
	odd   string
}

// slot is a field of either kind, for the checker.
type slot interface {
	// look returns a pointer to the value, whether it was given, whether it must
	// be, and what is odd about it.
	look() (value any, set, required bool, odd string)
}

func (n *need[T]) look() (any, bool, bool, string)  { return &n.Value, n.Set, true, n.odd }
func (m *maybe[T]) look() (any, bool, bool, string) { return &m.Value, m.Set, false, m.odd }

// Schema tells huma that a field is described by what it holds.
func (n *need[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// Schema tells huma that a field is described by what it holds.
func (m *maybe[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (n *need[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	n.Set = true
	return readField(dec, &n.Value, &n.odd)
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (m *maybe[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == 'n' {
		return dec.SkipValue()
	}
	m.Set = true
	return readField(dec, &m.Value, &m.odd)
}

// readField reads one value. The kinds that matter on hot routes are read
// without reflection.
func readField[T any](dec *jsontext.Decoder, to *T, odd *string) error {
	switch p := any(to).(type) {
	case *string:
		return readString(dec, p)
	case *easel.ID:
		return readString(dec, (*string)(p))
	case *easel.Role:
		return readString(dec, (*string)(p))
	case *float64:
		return readFloat(dec, p)
	case *int64:
		return readInt(dec, p, odd)
	default:
		if dec.PeekKind() == 'n' {
			return wrongType(dec, "not null")
		}
		return json.UnmarshalDecode(dec, to)
	}
}

func readString(dec *jsontext.Decoder, to *string) error {
	if dec.PeekKind() != '"' {
		return wrongType(dec, "a string")
	}
	t, err := dec.ReadToken()
	if err != nil {
		return err
	}
	*to = t.String()
	return nil
}

// readFloat reads a number; one that no float64 holds becomes infinite, which
// every rule refuses.
func readFloat(dec *jsontext.Decoder, to *float64) error {
	if dec.PeekKind() != '0' {
		return wrongType(dec, "a number")
	}
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		f = math.Inf(1)
	}
	*to = opcodec.Zero(f)
	return nil
}

// readInt reads a number that is an integer; another number is odd, not of a
// wrong type.
func readInt(dec *jsontext.Decoder, to *int64, odd *string) error {
	if dec.PeekKind() != '0' {
		return wrongType(dec, "an integer")
	}
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil {
		*odd = "must be an integer"
	}
	*to = n
	return nil
}

// wrongType tells that the value at the reader's place should have been another.
// It reads on first, so that what is no JSON at all is told as that.
func wrongType(dec *jsontext.Decoder, want string) error {
	if err := dec.SkipValue(); err != nil {
		return err
	}
	return easel.Errorf(easel.CodeBadRequest, "%s must be %s", dotted(dec.StackPointer()), want)
}

// dotted turns a JSON pointer into the paths of Details: /a/3/x is a[3].x.
func dotted(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if _, err := strconv.Atoi(token); err == nil {
			b.WriteString("[" + token + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	if b.Len() == 0 {
		return "the body"
	}
	return b.String()
}

// decodeStrict decodes b into v, a pointer to a struct of slots: one JSON object
// in valid UTF-8, without duplicate or unknown keys and with nothing after it.
func decodeStrict(b []byte, v any) error {
	if jsontext.Value(b).Kind() != '{' && jsontext.Value(b).IsValid() {
		return easel.Errorf(easel.CodeBadRequest, "the body must be an object")
	}
	err := json.Unmarshal(b, v, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*easel.Error](err); ok {
		return e
	}
	// The library's own texts name Go types.
	semantic, _ := errors.AsType[*json.SemanticError](err)
	syntactic, _ := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case errors.Is(err, json.ErrUnknownName) && semantic != nil:
		return easel.Errorf(easel.CodeBadRequest, "%s is not a known key", dotted(semantic.JSONPointer))
	case errors.Is(err, jsontext.ErrDuplicateName) && syntactic != nil:
		return easel.Errorf(easel.CodeBadRequest, "%s is there twice", dotted(syntactic.JSONPointer))
	case syntactic != nil:
		return easel.Errorf(easel.CodeBadRequest, "the body is not one JSON value in UTF-8, at byte %d", syntactic.ByteOffset)
	case semantic != nil:
		return easel.Errorf(easel.CodeBadRequest, "%s is of a wrong type", dotted(semantic.JSONPointer))
	default:
		return easel.Errorf(easel.CodeBadRequest, "the body is not JSON")
	}
}
