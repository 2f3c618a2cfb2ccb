package opcodec

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/easelhq/easel"
)

// Shape returns the text of a valid geometry; "" of a box. What the tolerance lets
// lie outside the image is moved onto its edge, in g's own points too.
func Shape(g easel.Geometry) easel.Shape {
	if g.Type == easel.ShapeBox {
		return ""
	}
	g = g.Clamped()
	b := make([]byte, 0, 64+48*(len(g.Points)+len(g.Holes)))
	b = append(b, `{"type":`...)
	b = AppendString(b, string(g.Type))
	if len(g.Points) > 0 {
		b = appendPoints(append(b, `,"points":`...), g.Points)
	}
	if len(g.Holes) > 0 {
		b = append(b, `,"holes":[`...)
		for i, hole := range g.Holes {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendPoints(b, hole)
		}
		b = append(b, ']')
	}
	if g.Type == easel.ShapeEllipse {
		b = appendPoint(append(b, `,"center":`...), g.Center)
		b = appendPoint(append(b, `,"radii":`...), g.Radii)
	}
	return easel.Shape(append(b, '}'))
}

func appendPoints(b []byte, points []easel.Point) []byte {
	b = append(b, '[')
	for i, p := range points {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPoint(b, p)
	}
	return append(b, ']')
}

func appendPoint(b []byte, p easel.Point) []byte {
	b = AppendFloat(append(b, '['), p[0])
	b = AppendFloat(append(b, ','), p[1])
	return append(b, ']')
}

// Geometry takes apart what Shape made. A plain box has no text and only its type.
func Geometry(s easel.Shape) (easel.Geometry, error) {
	if s == "" {
		return easel.Geometry{Type: easel.ShapeBox}, nil
	}
	var g struct {
		Type   easel.ShapeType `json:"type"`
		Points []easel.Point   `json:"points"`
		Holes  [][]easel.Point `json:"holes"`
		Center easel.Point     `json:"center"`
		Radii  easel.Point     `json:"radii"`
	}
	if err := json.Unmarshal([]byte(s), &g); err != nil {
		return easel.Geometry{}, fmt.Errorf("decode shape: %w", err)
	}
	return easel.Geometry(g), nil
}

// ParseShape reads a client's shape, which path names in errors, and the place of
// its bounding box. A null and {"type":"box"} are a plain box.
func ParseShape(b []byte, path string) (easel.Shape, easel.Geometry, error) {
	r := newReader(b)
	r.root = path
	s, g, err := r.shape(place{op: -1, part: path})
	if err == nil {
		err = r.end()
	}
	if err == nil {
		err = r.verdict()
	}
	if err != nil {
		return "", easel.Geometry{}, err
	}
	return s, g, nil
}

// shape reads the shape at p and notes every rule it breaks: it is then a box.
func (r *reader) shape(p place) (easel.Shape, easel.Geometry, error) {
	if r.dec.PeekKind() == jsontext.KindNull {
		return "", easel.Geometry{Type: easel.ShapeBox}, r.skip()
	}
	var (
		g                                   easel.Geometry
		typed, points, holes, center, radii bool
	)
	broken := len(r.details)
	err := r.object(p, func(name string) error {
		var err error
		switch name {
		case "type":
			typed = true
			var t string
			t, err = r.text(p, "type")
			g.Type = easel.ShapeType(t)
		case "points":
			points = true
			g.Points, err = r.points()
		case "holes":
			holes = true
			g.Holes, err = r.rings()
		case "center":
			center = true
			g.Center, err = r.point()
		case "radii":
			radii = true
			g.Radii, err = r.point()
		default:
			err = unknown(p.path(name))
		}
		return err
	})
	if err != nil {
		return "", g, err
	}
	if !typed {
		r.invalid(p.path("type"), "is required")
	}
	of := shapeFields(g.Type)
	for _, f := range [...]struct {
		name                 string
		there, has, optional bool
	}{
		{"points", points, of.points, false},
		{"holes", holes, of.holes, true},
		{"center", center, of.center, false},
		{"radii", radii, of.center, false},
	} {
		switch {
		case f.has && !f.there && !f.optional:
			r.invalid(p.path(f.name), "is required")
		case f.there && !f.has && of.known:
			return "", g, unknown(p.path(f.name))
		}
	}
	if len(r.details) == broken {
		for _, d := range g.Validate("") {
			r.invalid(p.path(d.Path), d.Message)
		}
	}
	if len(r.details) > broken {
		return "", easel.Geometry{Type: easel.ShapeBox}, nil
	}
	text := Shape(g)
	if len(text) > easel.MaxShapeSize {
		r.invalid(p.path(""), "must have at most "+strconv.Itoa(easel.MaxShapeSize)+" bytes as JSON")
		return "", easel.Geometry{Type: easel.ShapeBox}, nil
	}
	return text, g, nil
}

// fields says which a type of shape has, besides its type.
type fields struct{ known, points, holes, center bool }

func shapeFields(t easel.ShapeType) fields {
	switch t {
	case easel.ShapeBox, easel.ShapeTag:
		return fields{known: true}
	case easel.ShapePolygon:
		return fields{known: true, points: true, holes: true}
	case easel.ShapeRotatedBox, easel.ShapePolyline, easel.ShapePoint:
		return fields{known: true, points: true}
	case easel.ShapeEllipse:
		return fields{known: true, center: true}
	default:
		return fields{}
	}
}

// here returns the path of the value that was read last.
func (r *reader) here() string {
	b := []byte(r.root)
	for token := range r.dec.StackPointer().Tokens() {
		if _, err := strconv.Atoi(token); err == nil {
			b = append(append(append(b, '['), token...), ']')
			continue
		}
		if len(b) > 0 {
			b = append(b, '.')
		}
		b = append(b, token...)
	}
	return string(b)
}

// array reads an array; item reads each of its values.
func (r *reader) array(item func(i int) error) error {
	if r.dec.PeekKind() != jsontext.KindBeginArray {
		if err := r.dec.SkipValue(); err != nil {
			return syntax(err)
		}
		return wrongType(r.here(), "an array")
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return syntax(err)
	}
	for i := 0; r.dec.PeekKind() != jsontext.KindEndArray; i++ {
		if err := item(i); err != nil {
			return err
		}
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return syntax(err)
	}
	return nil
}

// rings reads an array of arrays of points.
func (r *reader) rings() (out [][]easel.Point, err error) {
	err = r.array(func(i int) error {
		points, err := r.points()
		if i <= easel.MaxPoints {
			out = append(out, points)
		}
		return err
	})
	return out, err
}

// points reads an array of points. Of more than a shape may have the rest is only
// looked at.
func (r *reader) points() (out []easel.Point, err error) {
	err = r.array(func(i int) error {
		p, err := r.point()
		if i <= easel.MaxPoints {
			out = append(out, p)
		}
		return err
	})
	return out, err
}

// point reads [x, y].
func (r *reader) point() (p easel.Point, err error) {
	n := 0
	err = r.array(func(i int) error {
		raw, err := r.dec.ReadValue()
		if err != nil {
			return syntax(err)
		}
		if raw.Kind() != jsontext.KindNumber {
			return wrongType(r.here(), "a number")
		}
		if n = i + 1; n <= len(p) {
			p[i] = float(raw)
		}
		return nil
	})
	if err == nil && n != len(p) {
		r.invalid(r.here(), "must be [x, y]")
	}
	return p, err
}
