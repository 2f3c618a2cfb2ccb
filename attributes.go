package easel

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Bounds of an annotation's attributes.
const (
	MaxAttributes     = 64       // of one annotation
	MaxAttributeName  = 64       // code points
	MaxAttributeText  = 1000     // code points of a value that is a string
	MaxAttributesSize = 16 << 10 // bytes of all of them as JSON
)

// Attributes are names with a string, a number or a boolean each, as the one
// JSON object in which everyone is shown them: names in byte order of their JSON,
// no blanks, nothing that HTML would mind; "" if there are none. In a Patch a null
// removes a name. It is made by package opcodec and taken apart by its Values.
type Attributes string

// MarshalJSON returns the text.
func (a Attributes) MarshalJSON() ([]byte, error) {
	if a == "" {
		return []byte("{}"), nil
	}
	return []byte(a), nil
}

// UnmarshalJSON takes the text as it is: it must be one that Attributes made.
func (a *Attributes) UnmarshalJSON(b []byte) error {
	if *a = Attributes(b); *a == "{}" || *a == "null" {
		*a = ""
	}
	return nil
}

// Len returns the number of names.
func (a Attributes) Len() int {
	n := 0
	for rest := a.first(); rest != ""; n++ {
		_, _, rest = nextAttribute(rest)
	}
	return n
}

// Set returns a with the names of other set to what other says, and those that
// are null in other removed.
func (a Attributes) Set(other Attributes) Attributes {
	if other == "" {
		return a
	}
	var b strings.Builder
	b.Grow(len(a) + len(other))
	add := func(name, value string) {
		if value == "null" {
			return
		}
		if b.Len() == 0 {
			b.WriteByte('{')
		} else {
			b.WriteByte(',')
		}
		b.WriteString(name + ":" + value)
	}
	for mine, theirs := a.first(), other.first(); mine != "" || theirs != ""; {
		name, value, rest := nextAttribute(mine)
		newName, newValue, newRest := nextAttribute(theirs)
		// Both are sorted; the one that is at its end comes last.
		order := cmp.Compare(name, newName)
		if theirs == "" || mine != "" && order < 0 {
			add(name, value)
			mine = rest
			continue
		}
		add(newName, newValue)
		theirs = newRest
		if mine != "" && order == 0 {
			mine = rest
		}
	}
	if b.Len() == 0 {
		return ""
	}
	b.WriteByte('}')
	return Attributes(b.String())
}

// first returns what nextAttribute starts with.
func (a Attributes) first() string {
	if len(a) < 2 {
		return ""
	}
	return string(a[1 : len(a)-1])
}

// nextAttribute splits the first name and value, as JSON, from the inside of an
// object that has no blanks and nothing nested.
func nextAttribute(s string) (name, value, rest string) {
	if s == "" {
		return "", "", ""
	}
	end := endOfText(s)
	name, s = s[:end], s[end+1:]
	if strings.HasPrefix(s, `"`) {
		end = endOfText(s)
	} else if end = strings.IndexByte(s, ','); end < 0 {
		end = len(s)
	}
	return name, s[:end], strings.TrimPrefix(s[end:], ",")
}

// endOfText returns the length of the JSON string at the start of s.
func endOfText(s string) int {
	i := 1
	for s[i] != '"' {
		if s[i] == '\\' {
			i++
		}
		i++
	}
	return i + 1
}

// validate returns the rules of number and size that a breaks; those of each name
// and value are checked when it is made.
func (a Attributes) validate() string {
	switch {
	case len(a) > MaxAttributesSize:
		return "must have at most " + strconv.Itoa(MaxAttributesSize) + " bytes as JSON"
	case a.Len() > MaxAttributes:
		return "must be at most " + strconv.Itoa(MaxAttributes)
	default:
		return ""
	}
}

// Value is what one attribute says: a string, a number or a boolean. Values
// compare by ==; the zero Value says nothing, and in a change removes the name.
type Value struct {
	kind   byte // one of the kinds below, 0 of the zero Value
	text   string
	number float64
}

// Kinds of value.
const (
	valueText   = 's'
	valueNumber = 'n'
	valueBool   = 'b'
)

// Text returns a Value that is a string.
func Text(s string) Value { return Value{kind: valueText, text: s} }

// Number returns a Value that is a number.
func Number(n float64) Value { return Value{kind: valueNumber, number: n} }

// Bool returns a Value that is a boolean.
func Bool(b bool) Value {
	v := Value{kind: valueBool}
	if b {
		v.number = 1
	}
	return v
}

// Text returns the string, and whether v is one.
func (v Value) Text() (string, bool) { return v.text, v.kind == valueText }

// Number returns the number, and whether v is one.
func (v Value) Number() (float64, bool) { return v.number, v.kind == valueNumber }

// Bool returns the boolean, and whether v is one.
func (v Value) Bool() (value, ok bool) { return v.number != 0, v.kind == valueBool }

// AttributesOf joins members, each of them "name":value as JSON, of distinct
// names.
func AttributesOf(members []string) Attributes {
	if len(members) == 0 {
		return ""
	}
	slices.SortFunc(members, func(a, b string) int { return cmp.Compare(a[:endOfText(a)], b[:endOfText(b)]) })
	return Attributes("{" + strings.Join(members, ",") + "}")
}
