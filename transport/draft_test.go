package transport_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/easelhq/easel"
)

const (
	triangle = `{"type":"polygon","points":[[0.25,0.25],[0.75,0.25],[0.5,0.5]]}`
	ellipse  = `{"type":"ellipse","center":[0.5,0.5],"radii":[0.25,0.125]}`
)

func TestShapesOfAnAnnotation(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "", "")
	img := w.upload(ada)
	body := func(more string) string { return `{"image_id":"` + string(img.ID) + `","label":"a"` + more + `}` }
	tests := []struct {
		name, more string
		status     int
		path       string // of the only detail; "" for none
	}{
		{"polygon", `,"shape":` + triangle, 201, ""},
		{"polygon and its box", `,"shape":` + triangle + `,"x":0.25,"y":0.25,"width":0.5,"height":0.25`, 201, ""},
		{"box before the shape", `,"x":0.25,"shape":` + triangle, 201, ""},
		{"point without size", `,"shape":{"type":"point","points":[[0.5,0.5]]},"width":0`, 201, ""},
		{"tag", `,"shape":{"type":"tag"}`, 201, ""},
		{"null shape", `,"shape":null,"x":0,"y":0,"width":1,"height":1`, 201, ""},
		{"box as a shape", `,"shape":{"type":"box"},"x":0,"y":0,"width":1,"height":1`, 201, ""},
		{"attributes", `,"x":0,"y":0,"width":1,"height":1,"attributes":{"a":1,"b":"x","c":false}`, 201, ""},
		{"null attributes", `,"x":0,"y":0,"width":1,"height":1,"attributes":null`, 201, ""},
		{"prediction", `,"shape":{"type":"tag"},"source":"model","model":"yolo","confidence":0.5`, 201, ""},
		{"person", `,"shape":{"type":"tag"},"source":"human"`, 201, ""},

		{"another box", `,"shape":` + triangle + `,"width":0.6`, 422, "width"},
		{"box as a shape without sides", `,"shape":{"type":"box"},"x":0,"y":0,"width":1`, 422, "height"},
		{"null side", `,"shape":` + triangle + `,"x":null`, 400, ""},
		{"shape of text", `,"shape":"polygon"`, 400, ""},
		{"unknown type", `,"shape":{"type":"cube"}`, 422, "shape.type"},
		{"point outside", `,"shape":{"type":"point","points":[[0.5,1.5]]}`, 422, "shape.points[0][1]"},
		{"unknown key", `,"shape":{"type":"tag","a":1}`, 400, ""},
		{"duplicate key", `,"shape":{"type":"tag","type":"tag"}`, 400, ""},
		{"attribute of a list", `,"shape":{"type":"tag"},"attributes":{"a":[]}`, 400, ""},
		{"attribute of null", `,"shape":{"type":"tag"},"attributes":{"a":null}`, 400, ""},
		{"long attribute", `,"shape":{"type":"tag"},"attributes":{"a":"` + strings.Repeat("é", 1001) + `"}`, 422, "attributes.a"},
		{"unknown source", `,"shape":{"type":"tag"},"source":"god"`, 422, "source"},
		{"long model", `,"shape":{"type":"tag"},"source":"model","model":"` + strings.Repeat("é", 101) + `"`, 422, "model"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			single := w.do(request{method: "POST", path: "/api/annotations", token: ada, body: body(tt.more)})
			bulk := w.do(request{method: "POST", path: "/api/annotations/bulk", token: ada, body: `{"annotations":[` + body(tt.more) + `]}`})
			switch tt.status {
			case 201:
				single.want(t, 201, nil)
				bulk.want(t, 201, nil)
			case 400:
				single.wantError(t, 400, easel.CodeBadRequest)
				bulk.wantError(t, 400, easel.CodeBadRequest)
			default:
				p := single.wantError(t, 422, easel.CodeInvalid)
				if len(p.Details) != 1 || p.Details[0].Path != tt.path {
					t.Errorf("details %v, want %s", p.Details, tt.path)
				}
				p = bulk.wantError(t, 422, easel.CodeInvalid)
				if len(p.Details) != 1 || p.Details[0].Path != "annotations[0]."+tt.path {
					t.Errorf("details of a bulk %v, want %s", p.Details, tt.path)
				}
			}
		})
	}
}

// TestPlainBoxesAreShownAsTheyAlwaysWere pins the bytes of an annotation that uses
// nothing new.
func TestPlainBoxesAreShownAsTheyAlwaysWere(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "", "")
	img := w.upload(ada)
	var out struct {
		Annotation json.RawMessage `json:"annotation"`
	}
	for _, more := range []string{``, `,"shape":null,"attributes":{}`, `,"shape":{"type":"box"},"source":"human","model":""`} {
		w.do(request{method: "POST", path: "/api/annotations", token: ada, body: `{"image_id":"` + string(img.ID) + `","label":"a","x":0,"y":0.5,"width":1,"height":0.25` + more + `}`}).want(t, 201, &out)
		text := string(out.Annotation)
		start, end := `{"id":"`, `"updated_by":"ada","updated_at":"`
		if !strings.HasPrefix(text, start) || !strings.HasSuffix(text, `Z","rev":1}`) ||
			!strings.Contains(text, `,"label":"a","x":0,"y":0.5,"width":1,"height":0.25,"confidence":null,"created_by":"ada","created_at":"`) || !strings.Contains(text, end) {
			t.Errorf("%s: %s", more, text)
		}
	}
}

func TestPatchOfAShape(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "", "")
	img := w.upload(ada)
	var out struct{ Annotation easel.Annotation }
	w.do(request{method: "POST", path: "/api/annotations", token: ada, body: `{"image_id":"` + string(img.ID) + `","label":"a","shape":` + triangle + `,"attributes":{"a":1,"b":"x"}}`}).want(t, 201, &out)
	path := "/api/images/" + string(img.ID) + "/annotations/" + string(out.Annotation.ID)
	patch := func(body string) reply { return w.do(request{method: "PATCH", path: path, token: ada, body: body}) }

	p := patch(`{"x":0.1,"height":0.2}`).wantError(t, 422, easel.CodeInvalid)
	if len(p.Details) != 2 || p.Details[0].Path != "x" || p.Details[1].Path != "height" {
		t.Errorf("details %v", p.Details)
	}
	patch(`{"attributes":{"b":null,"c":true}}`).want(t, 200, &out)
	if a := out.Annotation; a.Attributes != `{"a":1,"c":true}` || string(a.Shape) != triangle || a.Width != 0.5 {
		t.Errorf("got %+v", a)
	}
	patch(`{"shape":`+ellipse+`}`).want(t, 200, &out)
	if a := out.Annotation; string(a.Shape) != ellipse || a.X != 0.25 || a.Y != 0.375 || a.Width != 0.5 || a.Height != 0.25 || a.Rev != 3 {
		t.Errorf("got %+v", a)
	}
	out.Annotation = easel.Annotation{}
	patch(`{"shape":null,"height":0.125}`).want(t, 200, &out)
	if a := out.Annotation; a.Shape != "" || a.X != 0.25 || a.Height != 0.125 {
		t.Errorf("got %+v", a)
	}
	patch(`{"x":0.5}`).want(t, 200, &out)
	patch(`{"shape":{"type":"point","points":[[1,1]]}}`).want(t, 200, &out)
	// A point is no box: it has no size.
	p = patch(`{"shape":null}`).wantError(t, 422, easel.CodeInvalid)
	if len(p.Details) != 2 || p.Details[0].Path != "width" {
		t.Errorf("details %v", p.Details)
	}
}
