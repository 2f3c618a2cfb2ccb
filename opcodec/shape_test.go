package opcodec_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// shapes are one of each type, as they are shown, with their bounding boxes.
var shapes = []struct {
	text string
	box  easel.Rect
}{
	{`{"type":"rotated_box","points":[[0.5,0.25],[0.75,0.5],[0.5,0.75],[0.25,0.5]]}`, easel.Rect{X: 0.25, Y: 0.25, Width: 0.5, Height: 0.5}},
	{`{"type":"polygon","points":[[0,0],[1,0],[0.5,0.5]]}`, easel.Rect{Width: 1, Height: 0.5}},
	{`{"type":"polygon","points":[[0,0],[1,0],[1,1],[0,1]],"holes":[[[0.25,0.25],[0.5,0.25],[0.25,0.5]],[[0.6,0.6],[0.7,0.6],[0.7,0.7]]]}`, easel.Rect{Width: 1, Height: 1}},
	{`{"type":"polyline","points":[[0.5,0.5],[0.5,0.75]]}`, easel.Rect{X: 0.5, Y: 0.5, Height: 0.25}},
	{`{"type":"point","points":[[0.5,1]]}`, easel.Rect{X: 0.5, Y: 1}},
	{`{"type":"ellipse","center":[0.5,0.25],"radii":[0.125,0.25]}`, easel.Rect{X: 0.375, Width: 0.25, Height: 0.5}},
	{`{"type":"tag"}`, easel.Rect{Width: 1, Height: 1}},
}

func TestAShapeKeepsItsTextAndHasItsBox(t *testing.T) {
	for _, tt := range shapes {
		s, g, err := opcodec.ParseShape([]byte(tt.text), "shape")
		if err != nil {
			t.Fatalf("%s: %v", tt.text, err)
		}
		if string(s) != tt.text {
			t.Errorf("%s became %s", tt.text, s)
		}
		if diff := cmp.Diff(tt.box, g.Bounds()); diff != "" {
			t.Errorf("%s: %s", tt.text, diff)
		}
		back, err := opcodec.Geometry(s)
		if err != nil {
			t.Fatal(err)
		}
		if again := opcodec.Shape(back); again != s {
			t.Errorf("%s taken apart and made again is %s", s, again)
		}
	}
}

func TestABoxHasNoShape(t *testing.T) {
	for _, text := range []string{`null`, `{"type":"box"}`, ` { "type" : "box" } `} {
		if s, g, err := opcodec.ParseShape([]byte(text), "shape"); s != "" || g.Type != easel.ShapeBox || err != nil {
			t.Errorf("%s is %q, %v, %v", text, s, g, err)
		}
	}
	if g, err := opcodec.Geometry(""); g.Type != easel.ShapeBox || err != nil {
		t.Errorf("no shape is %v, %v", g, err)
	}
}

func TestShapesThatAreNone(t *testing.T) {
	ring := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ",[%v,%v]", 0.5+0.4*math.Cos(float64(i)), 0.5+0.4*math.Sin(float64(i)))
		}
		return "[" + b.String()[1:] + "]"
	}
	for _, tt := range []struct {
		name, text string
		code       easel.Code
		path       string
	}{
		{"no object", `7`, easel.CodeBadRequest, "shape"},
		{"no type", `{"points":[[0,0]]}`, easel.CodeInvalid, "shape.type"},
		{"unknown type", `{"type":"cube"}`, easel.CodeInvalid, "shape.type"},
		{"unknown key", `{"type":"tag","depth":1}`, easel.CodeBadRequest, "shape.depth"},
		{"key of another type", `{"type":"point","points":[[0,0]],"radii":[0.1,0.1]}`, easel.CodeBadRequest, "shape.radii"},
		{"duplicate key", `{"type":"tag","type":"tag"}`, easel.CodeBadRequest, ""},
		{"trailing bytes", `{"type":"tag"}1`, easel.CodeBadRequest, ""},
		{"points missing", `{"type":"polygon"}`, easel.CodeInvalid, "shape.points"},
		{"points null", `{"type":"polygon","points":null}`, easel.CodeBadRequest, "shape.points"},
		{"point of text", `{"type":"polygon","points":[[0,0],["1",0],[1,1]]}`, easel.CodeBadRequest, "shape.points[1][0]"},
		{"point of three", `{"type":"polygon","points":[[0,0],[1,0,0],[1,1]]}`, easel.CodeInvalid, "shape.points[1]"},
		{"point of one", `{"type":"point","points":[[0]]}`, easel.CodeInvalid, "shape.points[0]"},
		{"point outside", `{"type":"polygon","points":[[0,0],[1.1,0],[1,1]]}`, easel.CodeInvalid, "shape.points[1][0]"},
		{"point below zero", `{"type":"polygon","points":[[0,0],[1,0],[1,-0.001]]}`, easel.CodeInvalid, "shape.points[2][1]"},
		{"number that no float64 holds", `{"type":"point","points":[[1e999,0]]}`, easel.CodeInvalid, "shape.points[0][0]"},
		{"no NaN", `{"type":"point","points":[[NaN,0]]}`, easel.CodeBadRequest, ""},
		{"two corners", `{"type":"polygon","points":[[0,0],[1,1]]}`, easel.CodeInvalid, "shape.points"},
		{"polygon on a line", `{"type":"polygon","points":[[0,0],[0.5,0.5],[1,1]]}`, easel.CodeInvalid, "shape.points"},
		{"polygon of one point", `{"type":"polygon","points":[[0.5,0.5],[0.5,0.5],[0.4,0.5]]}`, easel.CodeInvalid, "shape.points"},
		{"closed ring", `{"type":"polygon","points":[[0,0],[1,0],[1,1],[0,0]]}`, easel.CodeInvalid, "shape.points[3]"},
		{"hole of two", `{"type":"polygon","points":[[0,0],[1,0],[1,1]],"holes":[[[0.5,0.1],[0.6,0.1]]]}`, easel.CodeInvalid, "shape.holes[0]"},
		{"hole outside", `{"type":"polygon","points":[[0,0],[0.5,0],[0.5,0.5]],"holes":[[[0.6,0.6],[0.7,0.6],[0.7,0.7]]]}`, easel.CodeInvalid, "shape.holes[0]"},
		{"hole that is no array", `{"type":"polygon","points":[[0,0],[0.5,0],[0.5,0.5]],"holes":[7]}`, easel.CodeBadRequest, "shape.holes[0]"},
		{"too many points", `{"type":"polyline","points":` + ring(easel.MaxPoints+1) + `}`, easel.CodeInvalid, "shape.points"},
		{"too many with holes", `{"type":"polygon","points":` + ring(easel.MaxPoints) + `,"holes":[[[0.5,0.5],[0.6,0.5],[0.6,0.6]]]}`, easel.CodeInvalid, "shape.points"},
		{"line without length", `{"type":"polyline","points":[[0.5,0.5],[0.5,0.5]]}`, easel.CodeInvalid, "shape.points"},
		{"two points", `{"type":"point","points":[[0,0],[1,1]]}`, easel.CodeInvalid, "shape.points"},
		{"five corners", `{"type":"rotated_box","points":[[0,0],[1,0],[1,1],[0,1],[0,0.5]]}`, easel.CodeInvalid, "shape.points"},
		{"crooked box", `{"type":"rotated_box","points":[[0,0],[1,0],[1,1],[0,0.9]]}`, easel.CodeInvalid, "shape.points"},
		{"corners out of order", `{"type":"rotated_box","points":[[0,0],[1,1],[1,0],[0,1]]}`, easel.CodeInvalid, "shape.points"},
		{"box without width", `{"type":"rotated_box","points":[[0,0],[0,0],[1,1],[1,1]]}`, easel.CodeInvalid, "shape.points"},
		{"ellipse without radius", `{"type":"ellipse","center":[0.5,0.5],"radii":[0,0.1]}`, easel.CodeInvalid, "shape.radii[0]"},
		{"ellipse over the edge", `{"type":"ellipse","center":[0.5,0.9],"radii":[0.1,0.2]}`, easel.CodeInvalid, "shape.radii[1]"},
		{"ellipse elsewhere", `{"type":"ellipse","center":[2,0.5],"radii":[0.1,0.2]}`, easel.CodeInvalid, "shape.center[0]"},
		{"ellipse without center", `{"type":"ellipse","radii":[0.1,0.2]}`, easel.CodeInvalid, "shape.center"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _, err := opcodec.ParseShape([]byte(tt.text), "shape")
			e, _ := err.(*easel.Error) //nolint:errorlint // opcodec does not wrap
			if e == nil || e.Code != tt.code || s != "" {
				t.Fatalf("got %q, %v, want %s", s, err, tt.code)
			}
			if tt.path != "" && (len(e.Details) != 1 || e.Details[0].Path != tt.path) {
				t.Errorf("details %v, want one at %s", e.Details, tt.path)
			}
		})
	}
}

// TestTheLargestAnnotationFitsAChunk: a snapshot's chunks are at most 256 KiB.
func TestTheLargestAnnotationFitsAChunk(t *testing.T) {
	line := func(n int, x string) []byte {
		points := strings.Repeat(",["+x+",0.12345678901234567]", n-1)
		return []byte(`{"type":"polyline","points":[[0,0]` + points + `]}`)
	}
	s, _, err := opcodec.ParseShape(line(easel.MaxPoints, "0.98765432109876543"), "shape")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := opcodec.ParseShape(line(easel.MaxPoints, "1.2345678901234567e-100"), "shape"); easel.CodeOf(err) != easel.CodeInvalid {
		t.Errorf("numbers of any length: %v", err)
	}
	values := map[string]easel.Value{}
	for i := range 15 {
		values[fmt.Sprint(i)] = easel.Text(strings.Repeat("x", 1000))
	}
	long := strings.Repeat("\x01", 100)
	a := easel.Annotation{
		ID: id, ImageID: id, Label: long, Shape: s + easel.Shape(strings.Repeat(" ", easel.MaxShapeSize-len(s))), Attributes: opcodec.Attributes(values),
		Model: long, CreatedBy: strings.Repeat("\x01", 255), UpdatedBy: strings.Repeat("\x01", 255),
	}
	if n := len(opcodec.AppendAnnotation(nil, &a)); n > 256<<10-100 {
		t.Errorf("%d bytes", n)
	}
}

func TestWhatTheToleranceLetsOutIsMovedToTheEdge(t *testing.T) {
	s, g, err := opcodec.ParseShape([]byte(`{"type":"polygon","points":[[-1e-10,0],[1.0000000001,-0.0],[1,1]]}`), "shape")
	if err != nil || s != `{"type":"polygon","points":[[0,0],[1,0],[1,1]]}` || g.Bounds() != (easel.Rect{Width: 1, Height: 1}) {
		t.Errorf("got %s, %v, %v", s, g.Bounds(), err)
	}
}

func TestAShapeBringsItsBoxOrAgreesWithTheOneThatIsSent(t *testing.T) {
	put := func(more string) string {
		return `{"t":"op","seq":1,"ops":[{"k":"put","annotation":{"label":"cat","shape":{"type":"ellipse","center":[0.5,0.5],"radii":[0.25,0.125]}` + more + `}}]}`
	}
	want, err := opcodec.ParseFrame([]byte(put("")))
	if err != nil {
		t.Fatal(err)
	}
	d := want.Ops[0].Draft
	if box := (easel.Rect{X: d.X, Y: d.Y, Width: d.Width, Height: d.Height}); box != (easel.Rect{X: 0.25, Y: 0.375, Width: 0.5, Height: 0.25}) {
		t.Errorf("box %v", box)
	}
	for _, tt := range []struct{ name, more, path string }{
		{"the same", `,"x":0.25,"y":0.375,"width":0.5,"height":0.25`, ""},
		{"some of it", `,"x":0.25`, ""},
		{"nearly", `,"x":0.2500009,"height":0.2499991`, ""},
		{"elsewhere", `,"x":0.25001`, "ops[0].annotation.x"},
		{"not a size", `,"height":1e999`, "ops[0].annotation.height"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := opcodec.ParseFrame([]byte(put(tt.more)))
			if tt.path != "" {
				e, _ := err.(*easel.Error) //nolint:errorlint // opcodec does not wrap
				if e == nil || e.Code != easel.CodeInvalid || e.Details[0].Path != tt.path {
					t.Errorf("got %v", err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPatchReplacesTheWholeGeometry(t *testing.T) {
	zero, line := easel.Shape(""), easel.Shape(`{"type":"polyline","points":[[0,0],[0.5,0.25]]}`)
	for text, want := range map[string]easel.Patch{
		`{"shape":` + string(line) + `}`:                         {Shape: &line, X: ptr(0.0), Y: ptr(0.0), Width: ptr(0.5), Height: ptr(0.25)},
		`{"shape":` + string(line) + `,"width":0.5,"label":"a"}`: {Shape: &line, X: ptr(0.0), Y: ptr(0.0), Width: ptr(0.5), Height: ptr(0.25), Label: ptr("a")},
		`{"shape":null}`:                                       {Shape: &zero},
		`{"shape":{"type":"box"},"x":0.5}`:                     {Shape: &zero, X: ptr(0.5)},
		`{"attributes":{"b":null,"a":1}}`:                      {Attributes: `{"a":1,"b":null}`},
		`{"attributes":{"\u0061":1.0,"<":"\u003c&","c":true}}`: {Attributes: `{"\u003c":"\u003c\u0026","a":1,"c":true}`},
	} {
		got, err := opcodec.ParsePatch([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		// What travels between nodes says the same.
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var back easel.Patch
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, back); diff != "" {
			t.Errorf("%s: %s", b, diff)
		}
	}
	for text, code := range map[string]easel.Code{
		`{"attributes":{}}`: easel.CodeInvalid, `{"attributes":null}`: easel.CodeBadRequest, `{"source":"human"}`: easel.CodeBadRequest,
		`{"shape":` + string(line) + `,"width":0.6}`: easel.CodeInvalid, `{"shape":"box"}`: easel.CodeBadRequest,
	} {
		if _, err := opcodec.ParsePatch([]byte(text)); easel.CodeOf(err) != code {
			t.Errorf("%s: %v, want %s", text, err, code)
		}
	}
}

// TestHashesOfPlainBoxesStay: they are stored with verdicts that were given before
// there were shapes.
func TestHashesOfPlainBoxesStay(t *testing.T) {
	f, err := opcodec.ParseFrame([]byte(`{"t":"op","seq":1,"ops":[{"k":"put",` + box + `},{"k":"patch","id":"` + string(id) + `","set":{"x":0.5,"confidence":null}},{"k":"del","id":"` + string(id) + `","base":3}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if f.Hash != "e6a774ab0aec6089cac9ba6daed6f039" {
		t.Errorf("hash %s", f.Hash)
	}
	seen := map[string]string{}
	for _, op := range []string{
		`"set":{"shape":null}`, `"set":{"shape":{"type":"tag"}}`, `"set":{"attributes":{"a":1}}`, `"set":{"attributes":{"a":2}}`, `"set":{"x":0,"y":0,"width":1,"height":1}`,
	} {
		f, err := opcodec.ParseFrame([]byte(`{"t":"op","seq":1,"ops":[{"k":"patch","id":"` + string(id) + `",` + op + `}]}`))
		if other := seen[f.Hash]; other != "" || err != nil {
			t.Errorf("%s and %s have one hash, %v", op, other, err)
		}
		seen[f.Hash] = op
	}
}

// anyGeometry draws a valid geometry that is no box.
func anyGeometry() *rapid.Generator[easel.Geometry] {
	return rapid.Custom(func(t *rapid.T) easel.Geometry {
		unit := rapid.Float64Range(0, 1)
		points := func(least int) []easel.Point {
			return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) easel.Point { return easel.Point{unit.Draw(t, "x"), unit.Draw(t, "y")} }), least, 12).Draw(t, "points")
		}
		g := easel.Geometry{Type: rapid.SampledFrom([]easel.ShapeType{
			easel.ShapePolygon, easel.ShapePolyline, easel.ShapePoint, easel.ShapeEllipse, easel.ShapeTag, easel.ShapeRotatedBox,
		}).Draw(t, "type")}
		switch g.Type {
		case easel.ShapePolygon:
			g.Points = points(3)
		case easel.ShapePolyline:
			g.Points = points(2)
		case easel.ShapePoint:
			g.Points = points(1)[:1]
		case easel.ShapeEllipse:
			g.Center, g.Radii = easel.Point{unit.Draw(t, "cx"), unit.Draw(t, "cy")}, easel.Point{unit.Draw(t, "rx") / 2, unit.Draw(t, "ry") / 2}
		case easel.ShapeRotatedBox:
			c, u, v := points(1)[0], points(1)[0], points(1)[0]
			at := func(a, b float64) easel.Point {
				return easel.Point{c[0] + (a*u[0]+b*v[0])/4, c[1] + (a*u[1]+b*v[1])/4}
			}
			g.Points = []easel.Point{at(-1, -1), at(1, -1), at(1, 1), at(-1, 1)}
		}
		if len(g.Validate("")) > 0 {
			t.Skip("nonsense")
		}
		return g
	})
}

// TestAnyShapeRoundTripsAndLiesInItsBox is the property of all valid geometries.
func TestAnyShapeRoundTripsAndLiesInItsBox(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := anyGeometry().Draw(t, "geometry")
		s := opcodec.Shape(g)
		read, again, err := opcodec.ParseShape([]byte(s), "")
		if err != nil || read != s {
			t.Fatalf("%s is read as %s, %v", s, read, err)
		}
		b, err := json.Marshal(struct{ S easel.Shape }{s})
		if err != nil || string(b) != `{"S":`+string(s)+`}` {
			t.Fatalf("encoding/json makes %s of %s", b, s)
		}
		box := again.Bounds()
		d := easel.Draft{Label: "a"}
		d.SetShape(s, again)
		if broken := d.Validate(""); len(broken) > 0 {
			t.Fatalf("the box %v of %s: %v", box, s, broken)
		}
		touched := [4]bool{}
		see := func(p easel.Point) {
			for axis, low, size := 0, [2]float64{box.X, box.Y}, [2]float64{box.Width, box.Height}; axis < 2; axis++ {
				if p[axis] < low[axis]-1e-12 || p[axis] > low[axis]+size[axis]+1e-12 {
					t.Fatalf("%v of %s is outside %v", p, s, box)
				}
				touched[2*axis] = touched[2*axis] || math.Abs(p[axis]-low[axis]) < 1e-12
				touched[2*axis+1] = touched[2*axis+1] || math.Abs(p[axis]-low[axis]-size[axis]) < 1e-12
			}
		}
		for _, p := range again.Points {
			see(p)
		}
		if g.Type == easel.ShapeEllipse {
			for i := range 4 {
				sin, cos := math.Sincos(float64(i) * math.Pi / 2)
				see(easel.Point{min(max(g.Center[0]+cos*g.Radii[0], 0), 1), min(max(g.Center[1]+sin*g.Radii[1], 0), 1)})
			}
		}
		if g.Type != easel.ShapeTag && touched != [4]bool{true, true, true, true} {
			t.Fatalf("%s does not fill its box %v", s, box)
		}
	})
}

func FuzzParseShape(f *testing.F) {
	for _, s := range shapes {
		f.Add([]byte(s.text))
	}
	f.Add([]byte(`{"type":"polygon","points":[[-0.0,1e-400],[1,0],[1,1]],"holes":[]}`))
	f.Add([]byte(`n`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, g, err := opcodec.ParseShape(b, "shape")
		if err != nil {
			if code := easel.CodeOf(err); code != easel.CodeBadRequest && code != easel.CodeInvalid {
				t.Fatalf("code %s", code)
			}
			return
		}
		again, h, err := opcodec.ParseShape([]byte(s), "shape")
		if s == "" {
			return
		}
		if err != nil || again != s || g.Bounds() != h.Bounds() {
			t.Fatalf("%q was read as %s, which is read as %s, %v", b, s, again, err)
		}
		d := easel.Draft{Label: "a"}
		d.SetShape(s, g)
		if broken := d.Validate(""); len(broken) > 0 {
			t.Fatalf("%q: %v", b, broken)
		}
	})
}

func BenchmarkParsePolygon(b *testing.B) {
	var points strings.Builder
	for i := range 50 {
		fmt.Fprintf(&points, ",[%.6f,%.6f]", 0.5+0.4*math.Cos(float64(i)/8), 0.5+0.4*math.Sin(float64(i)/8))
	}
	text := []byte(`{"t":"op","seq":58,"ops":[{"k":"put","id":"` + string(id) + `","annotation":{"label":"cat","shape":{"type":"polygon","points":[` + points.String()[1:] + `]}}}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := opcodec.ParseFrame(text); err != nil {
			b.Fatal(err)
		}
	}
}
