package easel

import (
	"math"
	"strconv"
)

// Bounds of a shape.
const (
	MaxPoints = 5000 // points of one shape, those of its holes included
	// MaxShapeSize is in bytes of a Shape. What all people draw is far below; without
	// it points with the longest numbers would not fit a chunk of a snapshot.
	MaxShapeSize = 224 << 10
	// BoxSlack is how far a bounding box that a client sends along with a shape
	// may be from the one that the shape has.
	BoxSlack = 1e-6
	// thin is the area, in fractions of the image's, below which points count as
	// lying on one line.
	thin = 1e-12
)

// The types of shape.
const (
	ShapeBox        ShapeType = "box"         // x, y, width and height say all
	ShapeRotatedBox ShapeType = "rotated_box" // four corners
	ShapePolygon    ShapeType = "polygon"     // a ring of points, and rings that are cut out of it
	ShapePolyline   ShapeType = "polyline"
	ShapePoint      ShapeType = "point"
	ShapeEllipse    ShapeType = "ellipse"
	ShapeTag        ShapeType = "tag" // says something of the whole image
)

// ShapeType says what an annotation looks like.
type ShapeType string

// Shape is what an annotation looks like, as the one JSON text in which everyone
// is shown it; "" is a plain box. It is made of a Geometry by package opcodec,
// checked, and never read again by the server: stored, compared and sent as it
// is. Its bounding box goes with it everywhere.
type Shape string

// MarshalJSON returns the text.
func (s Shape) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte(`{"type":"box"}`), nil
	}
	return []byte(s), nil
}

// UnmarshalJSON takes the text as it is: it must be one that a Shape made. What
// comes from a client is read by package opcodec.
func (s *Shape) UnmarshalJSON(b []byte) error {
	if *s = Shape(b); *s == `{"type":"box"}` || *s == "null" {
		*s = ""
	}
	return nil
}

// Point is a place on an image: x and y as fractions of its width and height.
type Point [2]float64

// Rect is an upright rectangle; X and Y are its top left corner.
type Rect struct{ X, Y, Width, Height float64 }

// Geometry is what a Shape says, for programs that draw or compute. Which fields
// count depends on Type.
type Geometry struct {
	Type ShapeType
	// Points are the corners of a rotated box (its own top left first, then
	// clockwise in its own frame), the ring of a polygon (not closed by a repeat),
	// the line of a polyline, or one point.
	Points []Point
	Holes  [][]Point // rings that are not part of a polygon
	Center Point     // of an ellipse
	Radii  Point     // of an ellipse, along x and y
}

// Bounds returns the bounding box. It lies within the image if the geometry is
// valid. The one of a tag is the image; a box has none of its own.
func (g Geometry) Bounds() Rect {
	switch g.Type {
	case ShapeTag:
		return Rect{Width: 1, Height: 1}
	case ShapeEllipse:
		left, top := within(g.Center[0]-g.Radii[0]), within(g.Center[1]-g.Radii[1])
		return Rect{left, top, within(g.Center[0]+g.Radii[0]) - left, within(g.Center[1]+g.Radii[1]) - top}
	default:
		return bounds(g.Points)
	}
}

// within returns v without what the tolerance lets it lie outside.
func within(v float64) float64 { return min(max(v, 0), 1) + 0 } // + 0: no negative zero

func bounds(points []Point) Rect {
	if len(points) == 0 {
		return Rect{}
	}
	low, high := points[0], points[0]
	for _, p := range points[1:] {
		for i := range p {
			low[i], high[i] = min(low[i], p[i]), max(high[i], p[i])
		}
	}
	left, top := within(low[0]), within(low[1])
	return Rect{left, top, within(high[0]) - left, within(high[1]) - top}
}

// Clamped returns g with what the tolerance lets lie outside the image moved onto
// its edge, and without negative zeros. It writes to g's points.
func (g Geometry) Clamped() Geometry {
	clamp := func(points []Point) {
		for i := range points {
			points[i] = Point{within(points[i][0]), within(points[i][1])}
		}
	}
	clamp(g.Points)
	for _, h := range g.Holes {
		clamp(h)
	}
	g.Center = Point{within(g.Center[0]), within(g.Center[1])}
	return g
}

// Validate returns a Detail for every rule that g breaks, with paths below prefix
// (such as "shape."). Fields that its type does not have are not looked at.
func (g Geometry) Validate(prefix string) []Detail {
	c := shapeCheck{prefix: prefix}
	switch g.Type {
	case ShapeBox, ShapeTag:
	case ShapeRotatedBox:
		c.corners(g.Points)
	case ShapePolygon:
		c.polygon(g)
	case ShapePolyline:
		if c.points("points", g.Points, 2) && bounds(g.Points) == (Rect{X: within(g.Points[0][0]), Y: within(g.Points[0][1])}) {
			c.add("points", "must not all be the same")
		}
	case ShapePoint:
		if c.points("points", g.Points, 1) && len(g.Points) != 1 {
			c.add("points", "must be one")
		}
	case ShapeEllipse:
		c.ellipse(g)
	default:
		c.add("type", "must be box, rotated_box, polygon, polyline, point, ellipse or tag")
	}
	if n := g.size(); n > MaxPoints {
		c.add("points", "must be at most "+strconv.Itoa(MaxPoints)+" with those of holes")
	}
	return c.out
}

func (g Geometry) size() int {
	n := len(g.Points)
	for _, h := range g.Holes {
		n += len(h)
	}
	return n
}

// shapeCheck collects the rules that a geometry breaks.
type shapeCheck struct {
	prefix string
	out    []Detail
}

func (c *shapeCheck) add(field, message string) {
	c.out = append(c.out, Detail{Path: c.prefix + field, Message: message})
}

// coordinate requires a fraction of the image's side.
func (c *shapeCheck) coordinate(field string, axis int, v float64) bool {
	if v >= -Slack && v <= 1+Slack { // false for NaN
		return true
	}
	c.add(field+"["+strconv.Itoa(axis)+"]", "must be from 0 to 1")
	return false
}

// points requires at least this many points, all of them on the image. Of many
// that are not only the first is told.
func (c *shapeCheck) points(field string, points []Point, least int) bool {
	if len(points) < least {
		c.add(field, "must be at least "+strconv.Itoa(least))
		return false
	}
	for i, p := range points {
		for axis, v := range p {
			if !c.coordinate(field+"["+strconv.Itoa(i)+"]", axis, v) {
				return false
			}
		}
	}
	return true
}

// ring requires points that enclose something.
func (c *shapeCheck) ring(field string, points []Point) bool {
	if !c.points(field, points, 3) {
		return false
	}
	switch last := len(points) - 1; {
	case points[0] == points[last]:
		c.add(field+"["+strconv.Itoa(last)+"]", "must not repeat the first point: a ring is closed by itself")
	case flat(points):
		c.add(field, "must not lie on one line")
	default:
		return true
	}
	return false
}

// flat reports whether points lie on one line.
func flat(points []Point) bool {
	from, far, most := points[0], points[0], 0.0
	for _, p := range points {
		if d := math.Hypot(p[0]-from[0], p[1]-from[1]); d > most {
			far, most = p, d
		}
	}
	for _, p := range points {
		if math.Abs(cross(from, far, p)) > thin {
			return false
		}
	}
	return true
}

// cross returns the area of the parallelogram of a→b and a→c.
func cross(a, b, c Point) float64 {
	return (b[0]-a[0])*(c[1]-a[1]) - (b[1]-a[1])*(c[0]-a[0])
}

func (c *shapeCheck) polygon(g Geometry) {
	if !c.ring("points", g.Points) {
		return
	}
	outer := bounds(g.Points)
	for i, hole := range g.Holes {
		field := "holes[" + strconv.Itoa(i) + "]"
		if c.ring(field, hole) && !outer.holds(bounds(hole)) {
			c.add(field, "must lie inside the polygon")
		}
		if len(c.out) > 0 {
			return
		}
	}
}

// holds reports whether other lies inside r.
func (r Rect) holds(other Rect) bool {
	return other.X >= r.X-Slack && other.Y >= r.Y-Slack &&
		other.X+other.Width <= r.X+r.Width+Slack && other.Y+other.Height <= r.Y+r.Height+Slack
}

// corners requires a rectangle as far as that can be known: on an image that is
// not square its angles are not right ones in fractions, but its opposite sides
// are equal all the same.
func (c *shapeCheck) corners(p []Point) {
	if !c.points("points", p, 4) {
		return
	}
	if len(p) != 4 {
		c.add("points", "must be the 4 corners")
		return
	}
	for axis := range 2 {
		if math.Abs(p[0][axis]+p[2][axis]-p[1][axis]-p[3][axis]) > BoxSlack {
			c.add("points", "must be the corners of a rectangle, in order")
			return
		}
	}
	if flat(p) {
		c.add("points", "must not lie on one line")
	}
}

func (c *shapeCheck) ellipse(g Geometry) {
	for axis, name := range [...]string{"[0]", "[1]"} {
		r := g.Radii[axis]
		switch {
		case !c.coordinate("center", axis, g.Center[axis]):
		case !(r > 0 && r <= 0.5+Slack): // so that NaN is refused too
			c.add("radii"+name, "must be over 0 and at most 0.5")
		case g.Center[axis]-r < -Slack || g.Center[axis]+r > 1+Slack:
			c.add("radii"+name, "must keep the ellipse inside the image")
		}
	}
}
