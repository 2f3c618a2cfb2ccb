package canvas_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/opcodec"
	"github.com/easelhq/easel/sqlite"
)

// parsed returns the op of its JSON, as the edge makes it.
func parsed(t tester, op string) easel.Op {
	t.Helper()
	f, err := opcodec.ParseFrame([]byte(`{"t":"op","seq":1,"ops":[` + op + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return f.Ops[0]
}

const (
	triangle = `{"type":"polygon","points":[[0.25,0.25],[0.75,0.25],[0.5,0.5]]}`
	ellipse  = `{"type":"ellipse","center":[0.5,0.5],"radii":[0.25,0.125]}`
)

func shaped(t tester, id easel.ID, shape string) easel.Op {
	t.Helper()
	return parsed(t, `{"k":"put","id":"`+string(id)+`","annotation":{"label":"a","shape":`+shape+`,"attributes":{"a":1,"b":"x"}}}`)
}

func setting(t tester, id easel.ID, set string) easel.Op {
	t.Helper()
	return parsed(t, `{"k":"patch","id":"`+string(id)+`","set":`+set+`}`)
}

func TestGeometryIsOneRegisterAndEachAttributeOne(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, shaped(t, id(1), triangle)))
	// Two people change different registers of what both have seen at rev 1.
	w.must(write(ann, setting(t, id(1), `{"attributes":{"a":2}}`)))
	w.must(write(bob, setting(t, id(1), `{"attributes":{"b":null,"c":true}}`)))
	w.must(write(bob, setting(t, id(1), `{"shape":`+ellipse+`}`)))
	got := w.must(write(ann, relabel(id(1), "z"))).(canvas.Applied).Annotations[0]
	want := easel.Annotation{
		ID: id(1), ImageID: image, Label: "z", X: 0.25, Y: 0.375, Width: 0.5, Height: 0.25, CreatedBy: "ann", UpdatedBy: "ann",
		CreatedAt: easel.At(epoch), UpdatedAt: easel.At(epoch), Rev: 5, Shape: ellipse, Attributes: `{"a":2,"c":true}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	w.restart()
	if diff := cmp.Diff(want, w.must(canvas.One{ID: id(1)}).(canvas.OneReply).Annotation); diff != "" {
		t.Errorf("after a restart: %s", diff)
	}
}

func TestSidesOfAShapeChangeWithItOnly(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, shaped(t, id(1), triangle), put(id(2), "box")))
	move := setting(t, id(1), `{"y":0.5,"width":0.1}`)
	e := w.fails(write(ann, move), easel.CodeInvalid)
	if len(e.Details) != 2 || e.Details[0].Path != "y" || e.Details[1].Path != "width" {
		t.Errorf("details %v", e.Details)
	}
	if e := w.fails(write(ann, setting(t, id(2), `{"y":0.5}`), move), easel.CodeInvalid); e.Details[0].Path != "ops[1].set.y" {
		t.Errorf("details %v", e.Details)
	}
	// A box becomes a shape, and a shape the box it lies in.
	w.must(write(ann, setting(t, id(2), `{"shape":`+triangle+`}`)))
	got := w.must(write(ann, setting(t, id(1), `{"shape":null,"y":0.125}`))).(canvas.Applied).Annotations[0]
	if got.Shape != "" || got.X != 0.25 || got.Y != 0.125 || got.Width != 0.5 {
		t.Errorf("got %+v", got)
	}
	w.must(write(ann, setting(t, id(1), `{"y":0.25}`)))
}

func TestAPutOfAnEqualShapeIsARepeat(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, shaped(t, id(1), triangle)))
	if got := w.must(write(ann, shaped(t, id(1), " "+strings.ReplaceAll(triangle, "0.25", "25e-2")))).(canvas.Applied); got.Ver != 1 {
		t.Errorf("version %d", got.Ver)
	}
	w.fails(write(ann, shaped(t, id(1), ellipse)), easel.CodeConflict)
	other := shaped(t, id(1), triangle)
	other.Draft.Attributes = `{"a":1}`
	if e := w.fails(write(ann, other), easel.CodeConflict); !strings.Contains(string(e.Current), `"shape":`+triangle) {
		t.Errorf("current %s", e.Current)
	}
}

func TestAttributesAreBoundedAfterAPatch(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(1), "a")))
	for from := range 2 {
		var many []string
		for i := range easel.MaxAttributes / 2 {
			many = append(many, fmt.Sprintf(`"%d":1`, from*100+i))
		}
		w.must(write(ann, setting(t, id(1), `{"attributes":{`+strings.Join(many, ",")+`}}`)))
	}
	if e := w.fails(write(ann, setting(t, id(1), `{"attributes":{"one more":1}}`)), easel.CodeInvalid); e.Details[0].Path != "attributes" {
		t.Errorf("details %v", e.Details)
	}
	w.must(write(ann, setting(t, id(1), `{"attributes":{"one more":1,"0":null}}`)))
}

// outline is a polygon of n points whose text is as long as it can be.
func outline(t tester, n int) string {
	t.Helper()
	g := easel.Geometry{Type: easel.ShapePolygon}
	for i := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		g.Points = append(g.Points, easel.Point{0.5 + sin/3, 0.5 + cos/3})
	}
	if broken := g.Validate(""); len(broken) > 0 {
		t.Fatal(broken)
	}
	return string(opcodec.Shape(g))
}

func TestABatchThatIsTooLongForItsReadersIsRefused(t *testing.T) {
	w := born(t, canvas.Options{})
	long := outline(t, easel.MaxPoints)
	var relabels []easel.Op
	for i := range 5 {
		w.must(write(ann, shaped(t, id(i), long)))
		relabels = append(relabels, relabel(id(i), "b"))
	}
	w.fails(write(ann, relabels...), easel.CodeTooLarge)
	w.must(write(ann, relabels[:3]...))
	m := prepare(id(11), id(12), id(13), id(14), id(15))
	for i := range m.Drafts {
		m.Drafts[i].Shape = easel.Shape(long)
	}
	w.fails(m, easel.CodeTooLarge)
	// Pages hold about as much as they say.
	page := w.must(canvas.Page{}).(canvas.PageReply)
	if len(page.Annotations) != 1 || !page.More {
		t.Errorf("a page of %d, more %v", len(page.Annotations), page.More)
	}
}

func TestABulkOfSeveralImagesKeepsShapes(t *testing.T) {
	w := born(t, canvas.Options{})
	m := prepare(id(1))
	m.Drafts[0] = *shaped(t, id(2), triangle).Draft
	m.Drafts[0].Attributes = opcodec.Attributes(map[string]easel.Value{"<&>": easel.Text("<\u2028>")})
	w.must(m)
	w.restart()
	w.must(canvas.Decide{Bulk: bulk, Commit: true})
	got := w.must(canvas.One{ID: id(1)}).(canvas.OneReply).Annotation
	if got.Shape != triangle || got.Attributes != m.Drafts[0].Attributes || got.Width != 0.5 {
		t.Errorf("got %+v", got)
	}
}

// TestAnyShapeIsStoredAndShownAsItIs: what is answered, listed, logged, published
// and read after a restart is the same text.
func TestAnyShapeIsStoredAndShownAsItIs(t *testing.T) {
	w := born(t, canvas.Options{})
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		unit := rapid.Float64Range(0, 1)
		g := easel.Geometry{Type: rapid.SampledFrom([]easel.ShapeType{
			easel.ShapePolygon, easel.ShapePolyline, easel.ShapePoint, easel.ShapeTag,
		}).Draw(rt, "type")}
		if g.Type != easel.ShapeTag {
			g.Points = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) easel.Point { return easel.Point{unit.Draw(t, "x"), unit.Draw(t, "y")} }), 1, 40).Draw(rt, "points")
		}
		if g.Type == easel.ShapePoint {
			g.Points = g.Points[:1]
		}
		if len(g.Validate("")) > 0 {
			rt.Skip("nonsense")
		}
		d := easel.Draft{Label: "a", Attributes: opcodec.Attributes(map[string]easel.Value{
			rapid.StringN(1, 10, -1).Draw(rt, "name"): easel.Text(rapid.StringN(0, 10, -1).Draw(rt, "text")),
			"n": easel.Number(rapid.Float64().Draw(rt, "number")),
		})}
		d.SetShape(opcodec.Shape(g), g)
		w.published = nil
		applied := w.must(write(ann, easel.Op{Kind: easel.OpPut, ID: id(n), Draft: &d})).(canvas.Applied)
		want := applied.Annotations[0]
		if want.Shape != d.Shape || want.Attributes != d.Attributes {
			rt.Fatalf("got %+v of %+v", want, d)
		}
		text := opcodec.AppendAnnotation(nil, &want)
		if a := w.published[0].(canvas.Accepted); !strings.Contains(string(a.Encoded), string(text)) {
			rt.Fatalf("published %s", a.Encoded)
		}
		w.restart()
		if body := w.must(canvas.List{}).(canvas.Listing).Body; !strings.Contains(string(body), string(text)) {
			rt.Fatalf("%s is not in %s", text, body)
		}
		log := w.must(canvas.Log{Since: applied.Ver - 1}).(canvas.LogReply).Batches[0]
		page := w.must(canvas.Page{After: id(n - 1), Limit: 1}).(canvas.PageReply).Annotations[0]
		for _, got := range []easel.Annotation{*log.Ops[0].Annotation, page} {
			if again := opcodec.AppendAnnotation(nil, &got); string(again) != string(text) {
				rt.Fatalf("%s became %s", text, again)
			}
		}
		w.must(write(ann, del(id(n))))
	})
}

// TestFilesOfTheFirstReleaseOpen opens a file that version 0.1 has made, and goes
// on with it.
func TestFilesOfTheFirstReleaseOpen(t *testing.T) {
	kind, err := canvas.Kind(canvas.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("testdata/image-v0.1.db")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "image.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(path, kind.Schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{tb: t, db: db, now: epoch, alarms: map[string]time.Time{}}
	w.restart()
	got, ver := w.listed(canvas.List{})
	if labelsOf(got) != "é<b> dog lynx" || ver != 3 {
		t.Fatalf("got %v at %d", labelsOf(got), ver)
	}
	for _, a := range got {
		if a.Shape != "" || a.Attributes != "" || a.Source != "" || a.Model != "" {
			t.Errorf("got %+v", a)
		}
	}
	w.must(frame(ann, 1, put(id(4), "é<b>"))) // a verdict of then
	if a := w.must(frame(ann, 3, shaped(t, id(5), triangle), setting(t, id(1), `{"attributes":{"a":1}}`), del(id(2)))).(canvas.Applied); a.Rejected != nil || a.Ver != 4 {
		t.Errorf("got %+v", a)
	}
	w.fails(write(ann, put(id(3), "x")), easel.CodeGone)
	w.must(canvas.Decide{Bulk: bulk, Commit: true}) // a bulk that was prepared then
	w.restart()
	if got, _ := w.listed(canvas.List{}); len(got) != 5 {
		t.Errorf("got %d annotations", len(got))
	}
}
