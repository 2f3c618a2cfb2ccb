package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

type contractShape struct {
	name, shape string
	box         [4]float64
}

// contractShapes are one of each type, in the form in which they are shown, with
// the bounding boxes that the server computes.
var contractShapes = []contractShape{
	{"rotated_box", `{"type":"rotated_box","points":[[0.5,0.25],[0.75,0.5],[0.5,0.75],[0.25,0.5]]}`, [4]float64{0.25, 0.25, 0.5, 0.5}},
	{"polygon", `{"type":"polygon","points":[[0.1,0.2],[0.30000000000000004,0.2],[0.2,1]]}`, [4]float64{0.1, 0.2, 0.20000000000000004, 0.8}},
	{"polygon with a hole", `{"type":"polygon","points":[[0,0],[1,0],[1,1],[0,1]],"holes":[[[0.25,0.25],[0.5,0.25],[0.25,0.5]]]}`, [4]float64{0, 0, 1, 1}},
	{"polyline", `{"type":"polyline","points":[[0.5,0.5],[0.5,0.75]]}`, [4]float64{0.5, 0.5, 0, 0.25}},
	{"point", `{"type":"point","points":[[0.123456789012345,1]]}`, [4]float64{0.123456789012345, 1, 0, 0}},
	{"ellipse", `{"type":"ellipse","center":[0.5,0.25],"radii":[0.125,0.25]}`, [4]float64{0.375, 0, 0.25, 0.5}},
	{"tag", `{"type":"tag"}`, [4]float64{0, 0, 1, 1}},
}

const contractAttributes = `{"count":3,"name":"\u003cTom\u003e","ripe":true}`

// TestContractShapes: every type of shape goes in by every way and comes out by
// every way as the same text, also after a crash that leaves the durable home only.
func TestContractShapes(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	w := site{start(t, data, "--jwt-secret="+signingSecret)}
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	watcher, _ := ada.join(t, row.ID, "watcher")
	writer, _ := ada.join(t, row.ID, "writer")

	// What is said of each shape, in all ways in which it can be said.
	said := map[string]json.RawMessage{}
	check := func(t *testing.T, name string, annotation json.RawMessage) {
		t.Helper()
		i := slices.IndexFunc(contractShapes, func(s contractShape) bool { return s.name == name })
		var got box
		if err := json.Unmarshal(annotation, &got); err != nil {
			t.Fatal(err)
		}
		if sides := [4]float64{got.X, got.Y, got.W, got.H}; sides != contractShapes[i].box {
			t.Errorf("%s: box %v, want %v", name, sides, contractShapes[i].box)
		}
		if shape := string(member(t, annotation, "shape")); shape != contractShapes[i].shape {
			t.Errorf("%s: shape %s, want %s", name, shape, contractShapes[i].shape)
		}
		if attributes := string(member(t, annotation, "attributes")); attributes != contractAttributes {
			t.Errorf("%s: attributes %s", name, attributes)
		}
		if before := said[string(member(t, annotation, "id"))]; before != nil && string(before) != string(annotation) {
			t.Errorf("%s was\n%s and is\n%s", name, before, annotation)
		}
		said[string(member(t, annotation, "id"))] = annotation
	}
	draft := func(name, shape, more string) string {
		return fmt.Sprintf(`{%s"label":%q,"shape":%s,"attributes":{"ripe":true,"name":"<Tom>","count":3.0}}`, more, name, shape)
	}
	for seq, s := range contractShapes {
		one := ada.must(t, http.StatusCreated, "POST", "/api/annotations", raw(draft(s.name, s.shape, `"image_id":"`+row.ID+`",`)))
		check(t, s.name, member(t, one.body, "annotation"))
		check(t, s.name, effectsOf(t, watcher.want(t, "ops"))[0])
		ada.must(t, http.StatusCreated, "POST", "/api/annotations/bulk", raw(`{"annotations":[`+draft(s.name, s.shape, `"image_id":"`+row.ID+`",`)+`]}`))
		check(t, s.name, effectsOf(t, watcher.want(t, "ops"))[0])
		writer.say(t, opFrame(seq+1, `{"k":"put","annotation":`+draft(s.name, s.shape, "")+`}`))
		writer.want(t, "ack")
		check(t, s.name, effectsOf(t, watcher.want(t, "ops"))[0])
		ada.must(t, http.StatusOK, "POST", "/api/images/"+row.ID+"/ops",
			raw(fmt.Sprintf(`{"client":"rest","seq":%d,"ops":[{"k":"put","annotation":%s}]}`, seq+1, draft(s.name, s.shape, ""))))
		check(t, s.name, effectsOf(t, watcher.want(t, "ops"))[0])
	}
	everything := func(t *testing.T) {
		t.Helper()
		seen := map[string]bool{}
		all := func(list []json.RawMessage) {
			for _, a := range list {
				check(t, decodedBox(t, a).Label, a)
				seen[decodedBox(t, a).ID] = true
			}
		}
		all(elements(t, member(t, ada.must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+row.ID, nil).body, "annotations")))
		if len(seen) != 4*len(contractShapes) {
			t.Errorf("%d annotations listed", len(seen))
		}
		for id := range seen {
			one := ada.must(t, http.StatusOK, "GET", "/api/images/"+row.ID+"/annotations/"+id, nil)
			all([]json.RawMessage{member(t, one.body, "annotation")})
		}
		for _, entry := range elements(t, member(t, ada.must(t, http.StatusOK, "GET", "/api/images/"+row.ID+"/ops", nil).body, "ops")) {
			all(effectsOf(t, entry))
		}
		all(elements(t, member(t, ada.stream(t, row.ID, "").until(t, "snap").data, "annotations")))
		late := ada.open(t, row.ID)
		late.say(t, `{"t":"hello","client":"late"}`)
		all(elements(t, member(t, late.want(t, "snap"), "annotations")))
	}
	everything(t)
	w.kill()
	wipe(t, data)
	w = site{start(t, data, "--jwt-secret="+signingSecret)}
	ada = w.as("acme", "ada", "")
	everything(t)
}

func decodedBox(t *testing.T, b json.RawMessage) (out box) {
	t.Helper()
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return out
}

// elements returns the values of a JSON array.
func elements(t *testing.T, b json.RawMessage) (out []json.RawMessage) {
	t.Helper()
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return out
}

// effectsOf returns the annotations of a batch.
func effectsOf(t *testing.T, b json.RawMessage) (out []json.RawMessage) {
	t.Helper()
	for _, e := range elements(t, member(t, b, "ops")) {
		out = append(out, member(t, e, "annotation"))
	}
	return out
}

// TestContractPlainBoxes: what is no more than a box has neither shape nor
// attributes.
func TestContractPlainBoxes(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	for _, more := range []string{``, `,"shape":{"type":"box"},"attributes":{}`, `,"shape":null,"attributes":null`} {
		got := ada.must(t, http.StatusCreated, "POST", "/api/annotations", raw(drawing(row.ID, "cat", more)))
		want := "[confidence created_at created_by height id image_id label rev updated_at updated_by width x y]"
		if keys := fmt.Sprint(keysOf(t, member(t, got.body, "annotation"))); keys != want {
			t.Errorf("%s: %s", more, keys)
		}
	}
}

// TestContractShapeRegisters: geometry is one register, each attribute one.
func TestContractShapeRegisters(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada, bob := w.as("acme", "ada", ""), w.as("acme", "bob", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	made := ada.must(t, http.StatusCreated, "POST", "/api/annotations", raw(`{"image_id":"`+row.ID+`","label":"cat","shape":`+contractShapes[1].shape+`,"attributes":{"a":1,"b":"x"}}`))
	path := "/api/images/" + row.ID + "/annotations/" + decodedBox(t, member(t, made.body, "annotation")).ID
	expect := func(t *testing.T, got answer, field, want string) {
		t.Helper()
		if text := string(member(t, got.body, "annotation", field)); text != want {
			t.Errorf("%s is %s, want %s", field, text, want)
		}
	}
	ada.must(t, http.StatusOK, "PATCH", path, raw(`{"attributes":{"a":2}}`))
	got := bob.must(t, http.StatusOK, "PATCH", path, raw(`{"attributes":{"b":null,"c":false}}`))
	expect(t, got, "attributes", `{"a":2,"c":false}`)
	expect(t, got, "shape", contractShapes[1].shape)
	got = bob.must(t, http.StatusOK, "PATCH", path, raw(`{"shape":{"type":"point","points":[[0.5,0.5]]}}`))
	expect(t, got, "width", "0")
	for name, tt := range map[string]struct{ body, path string }{
		"a side":             {`{"x":0.1}`, "x"},
		"another box":        {`{"shape":{"type":"tag"},"width":0.5}`, "width"},
		"an unknown type":    {`{"shape":{"type":"cube"}}`, "shape.type"},
		"a point outside":    {`{"shape":{"type":"point","points":[[0.5,1.01]]}}`, "shape.points[0][1]"},
		"too few points":     {`{"shape":{"type":"polygon","points":[[0,0],[1,1]]}}`, "shape.points"},
		"too many points":    {`{"shape":{"type":"polyline","points":[` + strings.Repeat("[0,0],", 5000) + `[1,1]]}}`, "shape.points"},
		"a box without size": {`{"shape":null}`, "width"},
		"a long text":        {`{"attributes":{"a":"` + strings.Repeat("x", 1001) + `"}}`, "attributes.a"},
	} {
		t.Run(name, func(t *testing.T) {
			p := ada.refused(t, "invalid", "PATCH", path, raw(tt.body))
			if len(p.Details) == 0 || p.Details[0].Path != tt.path {
				t.Errorf("details %v, want %s", p.Details, tt.path)
			}
		})
	}
	ada.refused(t, "bad_request", "PATCH", path, raw(`{"shape":{"type":"tag","points":[]}}`))
	ada.refused(t, "bad_request", "PATCH", path, raw(`{"attributes":{"a":[1]}}`))
	expect(t, ada.must(t, http.StatusOK, "GET", path, nil), "rev", "4")
}
