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
	MaxModel = 100   // code points of a model's name
	MinSide  = 0.001 // of the image's width or height
	Slack    = 1e-9
	MaxOps   = 500 // ops of one frame, annotations of one bulk
)

// SourceModel is the source of what a model proposes and nobody has accepted yet.
const SourceModel = "model"

// Annotation is one mark on an image: a plain box, or a Shape. X and Y are the
// top left corner of its bounding box.
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

	Shape      Shape      `json:"shape,omitzero"` // absent: a plain box
	Attributes Attributes `json:"attributes,omitzero"`
	Source     string     `json:"source,omitzero"` // SourceModel: a prediction; absent: a person's
	Model      string     `json:"model,omitzero"`  // that proposed it, also once it is accepted
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

	// With a Shape, X, Y, Width and Height are its Bounds.
	Shape      Shape      `json:"shape,omitzero"`
	Attributes Attributes `json:"attributes,omitzero"`
	Source     string     `json:"source,omitzero"`
	Model      string     `json:"model,omitzero"`
}

// Validate returns one Detail for every rule that the draft breaks, with paths
// below prefix ("" or such as "annotations[3]."). The rules of the Shape itself
// are those of the Geometry that it was made of.
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
	least := MinSide
	if d.Shape != "" {
		least = 0 // a point has no sides
	}
	okX, okY := unit("x", d.X, 0), unit("y", d.Y, 0)
	if unit("width", d.Width, least) && okX && d.X+d.Width > 1+Slack {
		add("width", "x + width must be at most 1")
	}
	if unit("height", d.Height, least) && okY && d.Y+d.Height > 1+Slack {
		add("height", "y + height must be at most 1")
	}
	if d.Confidence != nil {
		unit("confidence", *d.Confidence, 0)
	}
	if d.Attributes != "" {
		if message := d.Attributes.validate(); message != "" {
			add("attributes", message)
		}
	}
	if d.Source != "" || d.Model != "" {
		d.validateSource(add)
	}
	return out
}

func (d Draft) validateSource(add func(field, message string)) {
	if d.Source != "" && d.Source != SourceModel {
		add("source", "must be human or model")
	}
	if n := utf8.RuneCountInString(d.Model); n > MaxModel || !utf8.ValidString(d.Model) {
		add("model", "must have at most "+strconv.Itoa(MaxModel)+" characters")
	}
}

// SetShape makes d what a valid g describes: s is the Shape that was made of it.
// Of a box, which has no Shape, the sides stay.
func (d *Draft) SetShape(s Shape, g Geometry) {
	if d.Shape = s; s != "" {
		r := g.Bounds()
		d.X, d.Y, d.Width, d.Height = r.X, r.Y, r.Width, r.Height
	}
}

// Patch names the registers that an op changes: geometry as a whole, the label,
// the confidence and each attribute win or lose by themselves. A nil field stays
// as it is.
type Patch struct {
	Label      *string  `json:"label,omitempty"`
	X          *float64 `json:"x,omitempty"`
	Y          *float64 `json:"y,omitempty"`
	Width      *float64 `json:"width,omitempty"`
	Height     *float64 `json:"height,omitempty"`
	Confidence *float64 `json:"confidence,omitempty"`
	// ClearConfidence makes the confidence null ("confidence": null in JSON).
	ClearConfidence bool `json:"clear_confidence,omitempty"`
	// Shape replaces the whole geometry: with another than "" X, Y, Width and
	// Height are its bounding box; with "" the annotation becomes a plain box, by
	// default the bounding box that it had.
	Shape      *Shape     `json:"shape,omitempty"`
	Attributes Attributes `json:"attributes,omitzero"` // null removes a name
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
	if p.Shape != nil {
		d.Shape = *p.Shape
	}
	if p.Attributes != "" {
		d.Attributes = d.Attributes.Set(p.Attributes)
	}
	return d
}

// Misplaced returns a Detail for every side that p sets of an annotation whose
// geometry is a shape, which is replaced as a whole or not at all.
func (p Patch) Misplaced(on Shape) []Detail {
	if on == "" || p.Shape != nil {
		return nil
	}
	var out []Detail
	for _, side := range [...]struct {
		name string
		v    *float64
	}{{"x", p.X}, {"y", p.Y}, {"width", p.Width}, {"height", p.Height}} {
		if side.v != nil {
			out = append(out, Detail{Path: side.name, Message: "is the shape's: set the shape"})
		}
	}
	return out
}

// Draft returns the author's part of a.
func (a Annotation) Draft() Draft {
	return Draft{
		Label: a.Label, X: a.X, Y: a.Y, Width: a.Width, Height: a.Height, Confidence: a.Confidence,
		Shape: a.Shape, Attributes: a.Attributes, Source: a.Source, Model: a.Model,
	}
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
