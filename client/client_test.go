package client_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/client"
	"github.com/easelhq/easel/opcodec"
)

// geometries are one of each type.
var geometries = []easel.Geometry{
	{Type: easel.ShapeBox},
	{Type: easel.ShapeRotatedBox, Points: []easel.Point{{0.5, 0.25}, {0.75, 0.5}, {0.5, 0.75}, {0.25, 0.5}}},
	{Type: easel.ShapePolygon, Points: []easel.Point{{0.1, 0.2}, {0.1 + 0.2, 0.2}, {0.2, 1}}},
	{Type: easel.ShapePolygon, Points: []easel.Point{{0, 0}, {1, 0}, {1, 1}, {0, 1}}, Holes: [][]easel.Point{{{0.25, 0.25}, {0.5, 0.25}, {0.25, 0.5}}}},
	{Type: easel.ShapePolyline, Points: []easel.Point{{1e-7, 0.5}, {0.5, 0.75}}},
	{Type: easel.ShapePoint, Points: []easel.Point{{1.0 / 3, 1}}},
	{Type: easel.ShapeEllipse, Center: easel.Point{0.5, 0.25}, Radii: easel.Point{0.125, 0.25}},
	{Type: easel.ShapeTag},
}

// drafts are one of each type of shape, with all that a draft can say.
func drafts() []easel.Draft {
	var out []easel.Draft
	for i, g := range geometries {
		d := client.Shaped(string(g.Type), g)
		if g.Type == easel.ShapeBox {
			d.Width, d.Height = 0.1, 0.2
		}
		confidence := float64(i) / 10
		d.Confidence = &confidence
		d.Attributes = opcodec.Attributes(map[string]easel.Value{
			"text <&>": easel.Text("é\u2028\""), "number": easel.Number(-1.5e-7), "flag": easel.Bool(true),
		})
		d.Source, d.Model = easel.SourceModel, "yolo"
		out = append(out, d)
	}
	return out
}

// randomDrafts are valid drafts of any shape, the same ones for a seed.
func randomDrafts(seed uint64, n int) []easel.Draft {
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // repeatable, not secret
	points := func(n int) []easel.Point {
		out := make([]easel.Point, n)
		for i := range out {
			// Numbers of all lengths and sizes.
			out[i] = easel.Point{r.Float64() * math.Pow10(-r.IntN(9)), float64(r.IntN(1000)) / 1000}
		}
		return out
	}
	types := []easel.ShapeType{easel.ShapePolygon, easel.ShapePolyline, easel.ShapePoint, easel.ShapeEllipse, easel.ShapeTag}
	var out []easel.Draft
	for len(out) < n {
		g := easel.Geometry{Type: types[r.IntN(len(types))]}
		switch g.Type {
		case easel.ShapePolygon:
			g.Points = points(3 + r.IntN(40))
		case easel.ShapePolyline:
			g.Points = points(2 + r.IntN(40))
		case easel.ShapePoint:
			g.Points = points(1)
		case easel.ShapeEllipse:
			g.Center, g.Radii = easel.Point{r.Float64(), r.Float64()}, easel.Point{r.Float64() / 2, r.Float64() / 2}
		}
		if len(g.Validate("")) > 0 {
			continue
		}
		d := client.Shaped("random", g)
		d.Attributes = opcodec.Attributes(map[string]easel.Value{string(rune(' ' + r.IntN(3000))): easel.Text(string(rune(r.IntN(0xd800)))), "n": easel.Number(r.NormFloat64())})
		out = append(out, d)
	}
	return out
}

// TestEveryShapeRoundTrips compares what goes in by each way, typed, with what
// comes out by each way, also after a crash.
func TestEveryShapeRoundTrips(t *testing.T) {
	s := newStage(t)
	ctx := t.Context()
	c := s.as("ada", "annotator")
	image, err := c.Upload(ctx, "a.png", picture())
	if err != nil {
		t.Fatal(err)
	}
	live, err := c.Live(ctx, image.ID, client.LiveConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	want := map[easel.ID]easel.Draft{}
	var items []client.Item
	for _, d := range drafts() {
		items = append(items, client.Item{Image: image.ID, Draft: d})
		one, err := c.Draw(ctx, image.ID, d)
		if err != nil {
			t.Fatal(err)
		}
		want[one.ID] = d
		ack, err := live.Do(ctx, client.Put(d))
		if err != nil {
			t.Fatal(err)
		}
		want[ack.Results[0].ID] = d
		box := client.Shaped("a", easel.Geometry{Type: easel.ShapeTag})
		if one, err = c.Draw(ctx, image.ID, box); err != nil {
			t.Fatal(err)
		}
		// What was a tag becomes anything, by both ways.
		g, err := opcodec.Geometry(d.Shape)
		if err != nil {
			t.Fatal(err)
		}
		p := client.Reshape(g)
		p.Label, p.Confidence, p.Attributes = &d.Label, d.Confidence, d.Attributes
		if g.Type == easel.ShapeBox {
			p.X, p.Y, p.Width, p.Height = &d.X, &d.Y, &d.Width, &d.Height
		}
		changed, err := c.Change(ctx, image.ID, one.ID, p, 1)
		if err != nil {
			t.Fatal(err)
		}
		d.Source, d.Model = "", ""
		want[changed.ID] = d
	}
	for i, d := range randomDrafts(seed, 300) {
		if i%2 == 0 {
			items = append(items, client.Item{Image: image.ID, Draft: d})
			continue
		}
		op := client.Put(d)
		want[op.ID] = d
		if _, err := live.Do(ctx, op); err != nil {
			t.Fatalf("%+v: %v", d, err)
		}
	}
	ids, err := c.DrawAll(ctx, items)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		want[id] = items[i].Draft
	}
	check := func(what string, list []easel.Annotation) {
		t.Helper()
		got := map[easel.ID]easel.Draft{}
		for _, a := range list {
			got[a.ID] = a.Draft()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	everywhere := func() {
		t.Helper()
		list, ver, err := c.Annotations(ctx, image.ID, client.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		check("list", list)
		if err := live.Wait(ctx, ver); err != nil {
			t.Fatal(err)
		}
		check("live", live.Annotations())
		late, err := c.Live(ctx, image.ID, client.LiveConfig{})
		if err != nil {
			t.Fatal(err)
		}
		defer late.Close()
		check("snapshot", late.Annotations())
		asked := 0
		for id, d := range want {
			if asked++; asked > 40 {
				break
			}
			one, err := c.Annotation(ctx, image.ID, id)
			if err != nil || !one.Draft().Equal(d) {
				t.Errorf("one: %+v, %v", one, err)
			}
		}
	}
	everywhere()
	s.crash()
	everywhere()
	for i, g := range geometries {
		back, err := opcodec.Geometry(items[i].Draft.Shape)
		if diff := cmp.Diff(g, back); diff != "" || err != nil {
			t.Errorf("%v, %s", err, diff)
		}
	}
}

// TestLiveSurvivesCutsAndCrashes draws from several places while connections break
// and the node dies: everything arrives once and in order, and all copies agree.
func TestLiveSurvivesCutsAndCrashes(t *testing.T) {
	s := newStage(t)
	ctx := t.Context()
	c := s.as("ada", "annotator")
	image, err := c.Upload(ctx, "a.png", picture())
	if err != nil {
		t.Fatal(err)
	}
	const places, batches = 3, 40
	var lives []*client.Live
	var works sync.WaitGroup
	vers := make([][]int64, places)
	for i := range places {
		live, err := c.Live(ctx, image.ID, client.LiveConfig{OnBatch: func(b easel.Batch) { vers[i] = append(vers[i], b.Ver) }})
		if err != nil {
			t.Fatal(err)
		}
		defer live.Close()
		lives = append(lives, live)
		for n := range batches {
			works.Go(func() {
				d := easel.Draft{Label: fmt.Sprint(i, " ", n), Width: 0.5, Height: 0.5}
				if _, err := live.Do(ctx, client.Put(d), client.Put(d)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	for ver := range int64(4) {
		if err := lives[0].Wait(ctx, 5+20*ver); err != nil {
			t.Fatal(err)
		}
		s.wire.cut()
	}
	s.crash()
	works.Wait()
	list, ver, err := c.Annotations(ctx, image.ID, client.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2*places*batches || ver != places*batches {
		t.Errorf("%d annotations at version %d", len(list), ver)
	}
	for i, live := range lives {
		if err := live.Wait(ctx, ver); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(lives[0].Annotations(), live.Annotations()); diff != "" {
			t.Errorf("place %d: %s", i, diff)
		}
		live.Close()
		for j := 1; j < len(vers[i]); j++ {
			if vers[i][j] <= vers[i][j-1] {
				t.Errorf("place %d was told of %v", i, vers[i])
			}
		}
	}
}

func TestErrorsAreThoseOfTheProtocol(t *testing.T) {
	s := newStage(t)
	ctx := t.Context()
	c := s.as("ada", "annotator")
	image, err := c.Upload(ctx, "a.png", picture())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Image(ctx, easel.NewID()); easel.CodeOf(err) != easel.CodeNotFound {
		t.Error(err)
	}
	bad := client.Shaped("a", easel.Geometry{Type: easel.ShapePoint, Points: []easel.Point{{0.5, 0.5}, {1, 1}}})
	_, err = c.Draw(ctx, image.ID, bad)
	if e, ok := errors.AsType[*easel.Error](err); !ok || e.Code != easel.CodeInvalid || len(e.Details) != 1 || e.Details[0].Path != "shape.points" {
		t.Errorf("got %v", err)
	}
	live, err := c.Live(ctx, image.ID, client.LiveConfig{Client: "me"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = live.Do(ctx, client.Put(bad))
	if e, ok := errors.AsType[*easel.Error](err); !ok || e.Code != easel.CodeInvalid || e.Details[0].Path != "ops[0].annotation.shape.points" {
		t.Errorf("got %v", err)
	}
	op := client.Put(easel.Draft{Label: "a", Width: 1, Height: 1})
	if _, err := live.Do(ctx, op); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Change(ctx, image.ID, op.ID, easel.Patch{Label: new(string)}, 7); easel.CodeOf(err) != easel.CodeInvalid && easel.CodeOf(err) != easel.CodeConflict {
		t.Error(err)
	}
	// Another of the same name takes this one's place, and goes on with its seqs.
	other, err := c.Live(ctx, image.ID, client.LiveConfig{Client: "me"})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Do(ctx, client.Delete(op.ID)); err != nil {
		t.Error(err)
	}
	if err := live.Wait(ctx, 1000); easel.CodeOf(err) != easel.CodeConflict {
		t.Errorf("the first one ended with %v", err)
	}
	live.Close()
	if _, err := live.Do(ctx, op); easel.CodeOf(err) != easel.CodeConflict {
		t.Error(err)
	}
	other.Close()
	if _, err := other.Do(ctx, op); !errors.Is(err, client.ErrClosed) {
		t.Error(err)
	}
	if _, err := c.Live(ctx, easel.NewID(), client.LiveConfig{}); easel.CodeOf(err) != easel.CodeNotFound {
		t.Error(err)
	}
	if _, err := client.New(client.Config{URL: "localhost:8080"}); err == nil {
		t.Error("a URL without a scheme is taken")
	}
}

func TestSchemaAndPredictions(t *testing.T) {
	s := newStage(t)
	ctx := t.Context()
	adam := s.as("adam", "admin")
	schema, err := adam.Schema(ctx)
	if err != nil || schema.Version != 0 || !schema.Open {
		t.Fatalf("got %+v, %v", schema, err)
	}
	schema.Labels = []easel.Label{{Name: "cat", Color: "#ff8800", Attributes: []easel.LabelAttribute{{Name: "age", Type: easel.AttributeNumber}}}}
	first, err := adam.PutSchema(ctx, schema)
	if err != nil || first.Version != 1 {
		t.Fatalf("got %+v, %v", first, err)
	}
	schema.Labels = nil
	if _, err := adam.PutSchema(ctx, schema); easel.CodeOf(err) != easel.CodeConflict {
		t.Errorf("a stale one: %v", err)
	}
	if again, err := adam.Schema(ctx); err != nil || cmp.Diff(first, again) != "" {
		t.Errorf("got %+v, %v", again, err)
	}
	image, err := adam.Upload(ctx, "a.png", picture())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range drafts() { // of confidence 0, 0.1, …
		if _, err := adam.Draw(ctx, image.ID, d); err != nil {
			t.Fatal(err)
		}
	}
	half, none := 0.5, 0.0
	if n, err := adam.Accept(ctx, image.ID, client.Judgement{MinConfidence: &half}); n != 3 || err != nil {
		t.Errorf("accepted %d, %v", n, err)
	}
	if n, err := adam.Reject(ctx, image.ID, client.Judgement{MinConfidence: &none}); n != 5 || err != nil {
		t.Errorf("rejected %d, %v", n, err)
	}
	n := 0
	for row, err := range adam.Images(ctx, client.ImageFilter{Filename: "A.P"}) {
		if err != nil || row.ID != image.ID {
			t.Errorf("got %+v, %v", row, err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d images", n)
	}
	if err := adam.DeleteImage(ctx, image.ID); err != nil {
		t.Error(err)
	}
}
