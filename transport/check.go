package transport

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/easelhq/easel"
)

// maxDetails bounds how many broken rules one error names.
const maxDetails = 100

// rules are the bounds in one field's tags, which the OpenAPI document shows
// too.
type rules struct {
	name       string
	index      []int
	low, high  *float64
	short      int // code points or items
	long       int // 0: no bound
	enum       []string
	nested     *shape // of the items of a list
	numberText string
}

// shape is a body's fields with their rules.
type shape struct{ fields []rules }

// shapeOf reads the tags of a struct of slots. Tags that are no numbers are a
// fault in the declaration and panic at start.
func shapeOf(t reflect.Type) *shape {
	s := &shape{}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous || !f.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		r := rules{
			name: name, index: f.Index,
			low: floatTag(f, "minimum"), high: floatTag(f, "maximum"),
			short: intTag(f, "minLength") + intTag(f, "minItems"),
			long:  intTag(f, "maxLength") + intTag(f, "maxItems"),
		}
		if e := f.Tag.Get("enum"); e != "" {
			r.enum = strings.Split(e, ",")
		}
		value, _ := f.Type.FieldByName("Value")
		if value.Type != nil && value.Type.Kind() == reflect.Slice && value.Type.Elem().Kind() == reflect.Struct {
			r.nested = shapeOf(value.Type.Elem())
		}
		r.numberText = span(r.low, r.high)
		s.fields = append(s.fields, r)
	}
	return s
}

func floatTag(f reflect.StructField, name string) *float64 {
	s := f.Tag.Get(name)
	if s == "" {
		return nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(fmt.Sprintf("transport: tag %s of %s: %v", name, f.Name, err))
	}
	return &v
}

func intTag(f reflect.StructField, name string) int {
	if v := floatTag(f, name); v != nil {
		return int(*v)
	}
	return 0
}

func span(low, high *float64) string {
	text := func(v *float64) string { return strconv.FormatFloat(*v, 'f', -1, 64) }
	switch {
	case low != nil && high != nil:
		return "must be from " + text(low) + " to " + text(high)
	case low != nil:
		return "must be at least " + text(low)
	case high != nil:
		return "must be at most " + text(high)
	default:
		return ""
	}
}

// preparer is a body whose fields depend on each other.
type preparer interface {
	prepare() // before its fields are checked
}

// faulty is a slot that finds broken rules when it is read.
type faulty interface {
	faults() []easel.Detail // with whole paths
}

// check appends a Detail for every rule that v, a pointer to the struct, breaks.
func (s *shape) check(v reflect.Value, prefix string, out *[]easel.Detail) {
	if p, ok := v.Interface().(preparer); ok {
		p.prepare()
	}
	for i := range s.fields {
		r := &s.fields[i]
		field, ok := v.Elem().FieldByIndex(r.index).Addr().Interface().(slot)
		if !ok {
			panic("transport: field " + r.name + " of a body is no slot")
		}
		if f, ok := field.(faulty); ok {
			*out = append(*out, f.faults()...)
		}
		value, set, required, odd := field.look()
		message := ""
		switch {
		case !set && required:
			message = "is required"
		case !set:
		case odd != "":
			message = odd
		default:
			message = r.broken(value)
		}
		if message != "" && len(*out) < maxDetails {
			*out = append(*out, easel.Detail{Path: prefix + r.name, Message: message})
		}
		if set && r.nested != nil && message == "" {
			list := reflect.ValueOf(value).Elem()
			for j := range list.Len() {
				r.nested.check(list.Index(j).Addr(), prefix+r.name+"["+strconv.Itoa(j)+"].", out)
			}
		}
	}
}

// broken says which rule the value breaks; "" if none.
func (r *rules) broken(value any) string {
	switch v := value.(type) {
	case *float64:
		return r.number(*v)
	case *int64:
		return r.number(float64(*v))
	case *string:
		return r.text(*v)
	case *easel.Role:
		return r.text(string(*v))
	case *easel.ID:
		if !v.Valid() {
			return "must be " + idRule
		}
		return ""
	default:
		if list := reflect.ValueOf(value).Elem(); list.Kind() == reflect.Slice && r.long > 0 {
			return r.length(list.Len(), "items")
		}
		return ""
	}
}

const idRule = "32 lower-case hex characters"

func (r *rules) number(v float64) string {
	if r.low != nil && !(v >= *r.low) || r.high != nil && !(v <= *r.high) { // so that NaN is refused too
		return r.numberText
	}
	return ""
}

func (r *rules) text(s string) string {
	if r.enum != nil && !slices.Contains(r.enum, s) {
		return "must be one of " + strings.Join(r.enum, ", ")
	}
	return r.length(utf8.RuneCountInString(s), "characters")
}

func (r *rules) length(n int, what string) string {
	if n < r.short || r.long > 0 && n > r.long {
		return "must have " + strconv.Itoa(r.short) + " to " + strconv.Itoa(r.long) + " " + what
	}
	return ""
}

// invalid makes one error of all details; nil of none.
func invalid(details []easel.Detail) error {
	if len(details) == 0 {
		return nil
	}
	return &easel.Error{
		Code: easel.CodeInvalid, Message: details[0].Path + " " + details[0].Message, Details: details,
	}
}
