package transport

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/easelhq/easel"
)

// shapeDoc and attributesDoc stand for easel.Shape and easel.Attributes in the
// OpenAPI document, objectDoc for
// free JSON objects, instantDoc for versions and times, anyDoc for any JSON.
type (
	shapeDoc      struct{}
	attributesDoc struct{}
	objectDoc     struct{}
	instantDoc    struct{}
	anyDoc        struct{}
)

// Schema describes a JSON object of any content.
func (objectDoc) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// Schema describes a version or a time.
func (instantDoc) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeInteger, Format: "int64"}, {Type: huma.TypeString, Format: "date-time"}}}
}

// Schema describes any JSON.
func (anyDoc) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

// Schema implements huma.SchemaProvider.
func (*draftItem) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[draftBody](), true, "")
}

// neverNull says of all lists that they are not null, which huma assumes that they
// may be: a list without items is answered, and asked for, as [].
func neverNull(r huma.Registry) {
	for _, s := range r.Map() {
		for _, field := range s.Properties {
			if field.Type == huma.TypeArray {
				field.Nullable = false
			}
		}
	}
}

// Schema describes every type of shape.
func (shapeDoc) Schema(r huma.Registry) *huma.Schema { return component(r, "Shape", shapeSchema) }

// Schema describes attributes.
func (attributesDoc) Schema(r huma.Registry) *huma.Schema {
	return component(r, "Attributes", attributesSchema)
}

// Schema implements huma.SchemaProvider.
func (*drawn) Schema(r huma.Registry) *huma.Schema { return shapeDoc{}.Schema(r) }

// Schema implements huma.SchemaProvider.
func (*attributed) Schema(r huma.Registry) *huma.Schema { return attributesDoc{}.Schema(r) }

// Schema implements huma.SchemaProvider.
func (*side) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "number", Format: "double"}
}

// component returns a reference to a named schema, which is made when it is first
// asked for.
func component(r huma.Registry, name string, make func() *huma.Schema) *huma.Schema {
	if r.Map()[name] == nil {
		r.Map()[name] = make()
	}
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

func shapeSchema() *huma.Schema {
	fraction := func() *huma.Schema {
		low, high := 0.0, 1.0
		return &huma.Schema{Type: "number", Minimum: &low, Maximum: &high}
	}
	items := func(of *huma.Schema, least, most int, doc string) *huma.Schema {
		return &huma.Schema{Type: "array", Items: of, MinItems: &least, MaxItems: &most, Description: doc}
	}
	point := func(doc string) *huma.Schema { return items(fraction(), 2, 2, doc) }
	points := func(least, most int, doc string) *huma.Schema { return items(point("[x, y]"), least, most, doc) }
	one := func(name easel.ShapeType, doc string, fields map[string]*huma.Schema, optional ...string) *huma.Schema {
		s := &huma.Schema{
			Type: "object", Description: doc, AdditionalProperties: false,
			Properties: map[string]*huma.Schema{"type": {Type: "string", Enum: []any{string(name)}}}, Required: []string{"type"},
		}
		for _, field := range []string{"points", "holes", "center", "radii"} {
			if f := fields[field]; f != nil {
				s.Properties[field] = f
				if len(optional) == 0 || optional[0] != field {
					s.Required = append(s.Required, field)
				}
			}
		}
		return s
	}
	return &huma.Schema{
		Description: "What an annotation looks like. Points are [x, y] in fractions of the image's sides, at most 5,000 in all. An annotation without a shape is a plain box.",
		OneOf: []*huma.Schema{
			one(easel.ShapeBox, "A plain box: the same as no shape.", nil),
			one(easel.ShapeRotatedBox, "Its 4 corners: its own top left, top right, bottom right, bottom left.", map[string]*huma.Schema{
				"points": points(4, 4, ""),
			}),
			one(easel.ShapePolygon, "A ring, and rings that are cut out of it. Rings are not closed by a repeat.", map[string]*huma.Schema{
				"points": points(3, easel.MaxPoints, ""), "holes": items(points(3, easel.MaxPoints, ""), 0, easel.MaxPoints, "Each inside the polygon."),
			}, "holes"),
			one(easel.ShapePolyline, "A line.", map[string]*huma.Schema{"points": points(2, easel.MaxPoints, "")}),
			one(easel.ShapePoint, "One point; its bounding box has no size.", map[string]*huma.Schema{"points": points(1, 1, "")}),
			one(easel.ShapeEllipse, "An upright ellipse.", map[string]*huma.Schema{"center": point("[x, y]"), "radii": point("[along x, along y], over 0")}),
			one(easel.ShapeTag, "The image as a whole; its bounding box is the image.", nil),
		},
	}
}

func attributesSchema() *huma.Schema {
	long := easel.MaxAttributeText
	return &huma.Schema{
		Type: "object", Description: "At most 64 names of 1 to 64 characters; together at most 16 KiB as JSON.",
		AdditionalProperties: &huma.Schema{OneOf: []*huma.Schema{
			{Type: "string", MaxLength: &long}, {Type: "number"}, {Type: "boolean"}, {Type: "null", Description: "In a change: remove it."},
		}},
	}
}
