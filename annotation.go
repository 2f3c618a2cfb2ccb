package easel

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// Bounds of an annotation's values. Coordinates are fractions of the image's
// width and height; sums may exceed 1 by Slack, for rounding.
const (
	MaxLabel = 100   // Unicode code points
	MinSide  = 0.001 // of the image's width or height
	Slack    = 1e-9
	MaxOps   = 500 // ops of one frame, annotations of one bulk
)

// Annotation is one box on an image. X and Y are its top left corner.
type Annotation struct {
	ID         ID       `json:"id"`
	ImageID    ID       `json:"image_id"`
	Label      string   `json:"label"`
	X          float64  `json:"x"`
	Y          float64  `json:"y"`
	Width      float64  `json:"width"`
	Height     float64  `json:"height"`
	Confidence *float64 `json:"confidence"` // null for what a person drew
	CreatedBy  string   `json:"created_by"`
	CreatedAt  Time     `json:"created_at"`
	UpdatedBy  string   `json:"updated_by"`
	UpdatedAt  Time     `json:"updated_at"`
	Rev        int64    `json:"rev"` // 1 at birth, then one more for every change
}

// Draft is what an author says of an annotation; the rest of an Annotation is
// the server's. Callers validate before they apply.
type Draft struct {
	Label      string   `json:"label"`
	X          float64  `json:"x"`
	Y          float64  `json:"y"`
	Width      float64  `json:"width"`
	Height     float64  `json:"height"`
	Confidence *float64 `json:"confidence,omitempty"`
}

// Validate returns one Detail for every rule that the draft breaks, with paths
// below prefix ("" or such as "annotations[3].").
func (d Draft) Validate(prefix string) []Detail {
	var out []Detail
	add := func(field, message string) { out = append(out, Detail{Path: prefix + field, Message: message}) }
	if n := utf8.RuneCountInString(d.Label); n < 1 || n > MaxLabel || !utf8.ValidString(d.Label) {
		add("label", "must have 1 to "+strconv.Itoa(MaxLabel)+" characters")
	}
	unit := func(field string, v, least float64) bool {
		if !(v >= least && v <= 1) { // also false for NaN
			add(field, "must be from "+strconv.FormatFloat(least, 'g', -1, 64)+" to 1")
			return false
		}
		return true
	}
	okX, okY := unit("x", d.X, 0), unit("y", d.Y, 0)
	if unit("width", d.Width, MinSide) && okX && d.X+d.Width > 1+Slack {
		add("width", "x + width must be at most 1")
	}
	if unit("height", d.Height, MinSide) && okY && d.Y+d.Height > 1+Slack {
		add("height", "y + height must be at most 1")
	}
	if d.Confidence != nil {
		unit("confidence", *d.Confidence, 0)
	}
	return out
}

// Patch names the registers that an op changes: geometry as a whole, the label
// and the confidence each win or lose by themselves. A nil field stays as it is.
type Patch struct {
	Label      *string  `json:"label,omitempty"`
	X          *float64 `json:"x,omitempty"`
	Y          *float64 `json:"y,omitempty"`
	Width      *float64 `json:"width,omitempty"`
	Height     *float64 `json:"height,omitempty"`
	Confidence *float64 `json:"confidence,omitempty"`
	// ClearConfidence makes the confidence null ("confidence": null in JSON).
	ClearConfidence bool `json:"clear_confidence,omitempty"`
}

// Empty reports whether the patch names nothing.
func (p Patch) Empty() bool { return p == Patch{} }

// Apply returns d with the patch's registers replaced. The result needs a
// Validate of its own: a patch is valid only on top of something.
func (p Patch) Apply(d Draft) Draft {
	set := func(dst *float64, v *float64) {
		if v != nil {
			*dst = *v
		}
	}
	if p.Label != nil {
		d.Label = *p.Label
	}
	set(&d.X, p.X)
	set(&d.Y, p.Y)
	set(&d.Width, p.Width)
	set(&d.Height, p.Height)
	if p.ClearConfidence {
		d.Confidence = nil
	}
	if p.Confidence != nil {
		v := *p.Confidence
		d.Confidence = &v
	}
	return d
}

// Draft returns the author's part of a.
func (a Annotation) Draft() Draft {
	return Draft{Label: a.Label, X: a.X, Y: a.Y, Width: a.Width, Height: a.Height, Confidence: a.Confidence}
}

// Equal reports whether two drafts say the same.
func (d Draft) Equal(other Draft) bool {
	if (d.Confidence == nil) != (other.Confidence == nil) {
		return false
	}
	if d.Confidence != nil && math.Float64bits(*d.Confidence) != math.Float64bits(*other.Confidence) {
		return false
	}
	d.Confidence, other.Confidence = nil, nil
	return d == other
}
