package transport

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// draftBody is one new annotation. Its rules are those of easel.Draft, which
// adds what fields must be together.
type draftBody struct {
	ImageID    need[easel.ID] `json:"image_id" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$"`
	Label      need[string]   `json:"label" minLength:"1" maxLength:"100" doc:"1 to 100 Unicode code points."`
	X          side           `json:"x" required:"false" minimum:"0" maximum:"1" doc:"Left edge, as a fraction of the image's width. The four sides are required without a shape; with one they may be left out, or are those of its bounding box."`
	Y          side           `json:"y" required:"false" minimum:"0" maximum:"1" doc:"Top edge, as a fraction of the image's height."`
	Width      side           `json:"width" required:"false" minimum:"0.001" maximum:"1" doc:"x + width is at most 1."`
	Height     side           `json:"height" required:"false" minimum:"0.001" maximum:"1" doc:"y + height is at most 1."`
	Confidence maybe[float64] `json:"confidence" required:"false" nullable:"true" minimum:"0" maximum:"1"`
	Shape      drawn          `json:"shape" required:"false" doc:"What it looks like, if it is no plain box."`
	Attributes attributed     `json:"attributes" required:"false"`
	Source     maybe[string]  `json:"source" required:"false" enum:"human,model" doc:"model: a prediction, until somebody accepts it."`
	Model      maybe[string]  `json:"model" required:"false" maxLength:"100" doc:"The name of the model that proposes it."`
}

// prepare implements preparer: a shape says where its box is.
func (b *draftBody) prepare() {
	shaped := b.Shape.Value != "" || len(b.Shape.details) > 0
	for _, s := range [...]*side{&b.X, &b.Y, &b.Width, &b.Height} {
		s.known = shaped
	}
}

func (b *draftBody) draft() easel.Draft {
	d := easel.Draft{
		Label: b.Label.Value, X: b.X.Value, Y: b.Y.Value, Width: b.Width.Value, Height: b.Height.Value,
		Attributes: b.Attributes.Value, Model: b.Model.Value,
	}
	if b.Confidence.Set {
		d.Confidence = &b.Confidence.Value
	}
	if b.Source.Value == easel.SourceModel {
		d.Source = easel.SourceModel
	}
	d.SetShape(b.Shape.Value, b.Shape.geometry)
	return d
}

// broken returns a Detail for every rule that the body breaks as a whole, with
// paths below prefix.
func (b *draftBody) broken(d *easel.Draft, prefix string) []easel.Detail {
	out := d.Validate(prefix)
	if d.Shape == "" {
		return out
	}
	given := [4]*float64{}
	for i, s := range [...]*side{&b.X, &b.Y, &b.Width, &b.Height} {
		if s.Set {
			given[i] = &s.Value
		}
	}
	for _, detail := range opcodec.Disagree(b.Shape.geometry.Bounds(), given) {
		out = append(out, easel.Detail{Path: prefix + detail.Path, Message: detail.Message})
	}
	return out
}

// draftItem is a draft in a list, where null is no draft.
type draftItem struct{ draftBody }

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (i *draftItem) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == 'n' {
		return wrongType(dec, "an object")
	}
	return json.UnmarshalDecode(dec, &i.draftBody)
}

// bulkBody is many new annotations, on any images.
type bulkBody struct {
	Annotations need[[]draftItem] `json:"annotations" minItems:"1" maxItems:"500"`
}

// patchBody documents what opcodec.ParsePatch reads.
type patchBody struct {
	Label      *string          `json:"label,omitempty" minLength:"1" maxLength:"100"`
	X          *float64         `json:"x,omitempty" minimum:"0" maximum:"1" doc:"The sides of what has a shape change with the shape only."`
	Y          *float64         `json:"y,omitempty" minimum:"0" maximum:"1"`
	Width      *float64         `json:"width,omitempty" minimum:"0.001" maximum:"1"`
	Height     *float64         `json:"height,omitempty" minimum:"0.001" maximum:"1"`
	Confidence *float64         `json:"confidence,omitempty" nullable:"true" minimum:"0" maximum:"1" doc:"null removes it."`
	Shape      easel.Shape      `json:"shape,omitempty" doc:"Replaces the whole geometry. null or a box make it a plain box, by default the bounding box it had."`
	Attributes easel.Attributes `json:"attributes,omitempty" doc:"Only those that are named change; null removes one."`
}

// side is one side of a box: it must be there unless a shape says where the box
// is.
type side struct {
	Value float64
	Set   bool
	known bool
}

func (s *side) look() (any, bool, bool, string) { return &s.Value, s.Set && !s.known, !s.known, "" }

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (s *side) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	s.Set = true
	return readFloat(dec, &s.Value)
}

// drawn is a shape; null and a box are none.
type drawn struct {
	Value    easel.Shape
	geometry easel.Geometry
	details  []easel.Detail
}

func (d *drawn) look() (any, bool, bool, string) { return &d.Value, d.Value != "", false, "" }

func (d *drawn) faults() []easel.Detail { return d.details }

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (d *drawn) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	text, err := dec.ReadValue()
	if err != nil {
		return err
	}
	d.Value, d.geometry, err = opcodec.ParseShape(text, dotted(dec.StackPointer()))
	d.details, err = faultsOf(err)
	return err
}

// attributed are attributes; null is none.
type attributed struct {
	Value   easel.Attributes
	details []easel.Detail
}

func (a *attributed) look() (any, bool, bool, string) { return &a.Value, a.Value != "", false, "" }

func (a *attributed) faults() []easel.Detail { return a.details }

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (a *attributed) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	text, err := dec.ReadValue()
	if err != nil {
		return err
	}
	a.Value, err = opcodec.ParseAttributes(text, dotted(dec.StackPointer()))
	a.details, err = faultsOf(err)
	return err
}

// faultsOf returns the broken rules that an error tells of, for the checker, or
// the error if it is another.
func faultsOf(err error) ([]easel.Detail, error) {
	if e := asError(err); err != nil && e.Code == easel.CodeInvalid {
		return e.Details, nil
	}
	return nil, err
}
