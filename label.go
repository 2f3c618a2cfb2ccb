package easel

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a label schema.
const (
	MaxLabels       = 500
	MaxSelectValues = 100 // of one attribute
)

// LabelSchema says what a tenant's people draw: labels with colours, shortcuts
// and attributes. It guides pages; it refuses nothing, so that a change of it
// never makes anybody's work fail.
type LabelSchema struct {
	Labels []Label `json:"labels"`
	// Open says that labels beyond these are welcome. If not, pages offer no
	// others, and mark what has another label.
	Open bool `json:"open"`
}

// Label is one of a schema's labels.
type Label struct {
	Name       string           `json:"name"`            // unique, 1 to MaxLabel code points
	Color      string           `json:"color,omitempty"` // #rrggbb in lower case; "": the page chooses
	Key        string           `json:"key,omitempty"`   // unique: the character that chooses the label
	Attributes []LabelAttribute `json:"attributes,omitempty"`
}

// Types of a LabelAttribute.
const (
	AttributeText    = "text"
	AttributeNumber  = "number"
	AttributeBoolean = "boolean"
	AttributeSelect  = "select"
)

// LabelAttribute says what else is asked of an annotation with a label.
type LabelAttribute struct {
	Name     string   `json:"name"`             // unique in the label, 1 to MaxAttributeName code points
	Type     string   `json:"type"`             // one of the constants
	Values   []string `json:"values,omitempty"` // of a select: what there is to choose
	Min      *float64 `json:"min,omitempty"`    // of a number
	Max      *float64 `json:"max,omitempty"`
	Required bool     `json:"required,omitempty"`
}

// Validate returns a Detail for every rule that the schema breaks.
func (s LabelSchema) Validate() []Detail {
	c := labelCheck{}
	if len(s.Labels) > MaxLabels {
		c.add("labels", fmt.Sprintf("must be at most %d", MaxLabels))
		return c.out
	}
	names, keys := map[string]bool{}, map[string]bool{}
	for i := range s.Labels {
		l := &s.Labels[i]
		at := "labels[" + strconv.Itoa(i) + "]."
		c.name(at+"name", l.Name, MaxLabel, names)
		if l.Color != "" && !isColor(l.Color) {
			c.add(at+"color", "must be # and six lower-case hex digits")
		}
		if l.Key != "" {
			c.key(at+"key", l.Key, keys)
		}
		c.attributes(at+"attributes", l.Attributes)
	}
	return c.out
}

// labelCheck collects the rules that a schema breaks.
type labelCheck struct{ out []Detail }

func (c *labelCheck) add(path, message string) {
	if len(c.out) < 100 {
		c.out = append(c.out, Detail{Path: path, Message: message})
	}
}

// name requires a name that none before it has.
func (c *labelCheck) name(path, name string, most int, seen map[string]bool) {
	switch n := utf8.RuneCountInString(name); {
	case n < 1 || n > most:
		c.add(path, fmt.Sprintf("must have 1 to %d characters", most))
	case seen[name]:
		c.add(path, "is there twice")
	}
	seen[name] = true
}

func (c *labelCheck) key(path, key string, seen map[string]bool) {
	switch r, size := utf8.DecodeRuneInString(key); {
	case size != len(key) || !unicode.IsGraphic(r) || unicode.IsSpace(r):
		c.add(path, "must be one visible character")
	case seen[key]:
		c.add(path, "is there twice")
	}
	seen[key] = true
}

func isColor(s string) bool {
	return len(s) == 7 && s[0] == '#' && strings.Trim(s[1:], "0123456789abcdef") == ""
}

func (c *labelCheck) attributes(path string, list []LabelAttribute) {
	if len(list) > MaxAttributes {
		c.add(path, fmt.Sprintf("must be at most %d", MaxAttributes))
		return
	}
	seen := map[string]bool{}
	for i := range list {
		a := &list[i]
		at := path + "[" + strconv.Itoa(i) + "]."
		c.name(at+"name", a.Name, MaxAttributeName, seen)
		switch a.Type {
		case AttributeText, AttributeNumber, AttributeBoolean, AttributeSelect:
		default:
			c.add(at+"type", "must be text, number, boolean or select")
			continue
		}
		c.choices(at, a)
		c.span(at, a)
	}
}

func (c *labelCheck) choices(at string, a *LabelAttribute) {
	if a.Type != AttributeSelect {
		if len(a.Values) > 0 {
			c.add(at+"values", "are for a select only")
		}
		return
	}
	if n := len(a.Values); n < 1 || n > MaxSelectValues {
		c.add(at+"values", fmt.Sprintf("must be 1 to %d", MaxSelectValues))
		return
	}
	seen := map[string]bool{}
	for i, v := range a.Values {
		c.name(at+"values["+strconv.Itoa(i)+"]", v, MaxAttributeText, seen)
	}
}

func (c *labelCheck) span(at string, a *LabelAttribute) {
	for _, bound := range [...]struct {
		name string
		v    *float64
	}{{"min", a.Min}, {"max", a.Max}} {
		switch {
		case bound.v == nil:
		case a.Type != AttributeNumber:
			c.add(at+bound.name, "is for a number only")
		case math.IsNaN(*bound.v) || math.IsInf(*bound.v, 0):
			c.add(at+bound.name, "must be a number that a float64 holds")
		}
	}
	if a.Min != nil && a.Max != nil && *a.Min > *a.Max {
		c.add(at+"max", "must not be below min")
	}
}
