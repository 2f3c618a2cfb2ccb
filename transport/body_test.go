package transport_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
)

func TestHostileBodiesOfAnAnnotation(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "", "")
	img := w.upload(ada)
	id := string(img.ID)
	// with returns a valid body with one field replaced.
	with := func(field, value string) string {
		fields := map[string]string{"image_id": strconv.Quote(id), "label": `"a"`, "x": "0.1", "y": "0.1", "width": "0.2", "height": "0.2"}
		fields[field] = value
		var parts []string
		for k, v := range fields {
			if v != "" {
				parts = append(parts, strconv.Quote(k)+":"+v)
			}
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	good := with("confidence", "0.5")
	tests := []struct {
		name, body string
		status     int
		path       string // of the only detail; "" for none
	}{
		{"good", good, 201, ""},
		{"no confidence", with("confidence", ""), 201, ""},
		{"null confidence", with("confidence", "null"), 201, ""},
		{"minus zero", with("x", "-0"), 201, ""},
		{"minus zero with a fraction", with("x", "-0.0"), 201, ""},
		{"least side", with("width", "0.001"), 201, ""},
		{"exponent", with("x", "1e-1"), 201, ""},
		{"sum within the slack", strings.Replace(with("width", "0.9000000000000001"), `"x":0.1`, `"x":0.1`, 1), 201, ""},
		{"hundred code points", with("label", `"`+strings.Repeat("é", 100)+`"`), 201, ""},
		{"NUL in the label", with("label", `"a\u0000b"`), 201, ""},
		{"space around", " \n" + good + "\t ", 201, ""},

		{"empty", " ", 400, ""},
		{"not JSON", "hello", 400, ""},
		{"null", "null", 400, ""},
		{"list", "[" + good + "]", 400, ""},
		{"string", `"` + id + `"`, 400, ""},
		{"cut off", good[:len(good)-1], 400, ""},
		{"trailing bytes", good + "x", 400, ""},
		{"two values", good + good, 400, ""},
		{"byte order mark", "\ufeff" + good, 400, ""},
		{"comment", "{/**/" + good[1:], 400, ""},
		{"trailing comma", good[:len(good)-1] + ",}", 400, ""},
		{"NaN", with("x", "NaN"), 400, ""},
		{"Infinity", with("x", "Infinity"), 400, ""},
		{"plus", with("x", "+1"), 400, ""},
		{"leading zero", with("x", "01"), 400, ""},
		{"hex", with("x", "0x1"), 400, ""},
		{"bare point", with("x", ".5"), 400, ""},
		{"duplicate key", with("x", `0.1,"x":0.2`), 400, ""},
		{"duplicate key by an escape", with("x", `0.1,"\u0078":0.2`), 400, ""},
		{"unknown key", with("z", "1"), 400, ""},
		{"key in capitals", with("X", "0.1"), 400, ""},
		{"prototype", with("__proto__", "{}"), 400, ""},
		{"server's field", with("created_by", `"eve"`), 400, ""},
		{"invalid UTF-8", with("label", "\"\xff\""), 400, ""},
		{"lone surrogate", with("label", `"\ud800"`), 400, ""},
		{"raw newline", with("label", "\"a\nb\""), 400, ""},
		{"number as text", with("x", `"0.1"`), 400, ""},
		{"text as number", with("label", "1"), 400, ""},
		{"text as null", with("label", "null"), 400, ""},
		{"number as null", with("x", "null"), 400, ""},
		{"number as boolean", with("x", "true"), 400, ""},
		{"number as list", with("x", "[0.1]"), 400, ""},
		{"text as object", with("label", `{"$ne":1}`), 400, ""},
		{"confidence as text", with("confidence", `"1"`), 400, ""},
		{"deep", with("label", strings.Repeat("[", 100_000)), 400, ""},
		{"deep and closed", with("label", strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)), 400, ""},

		{"no label", with("label", ""), 422, "label"},
		{"no image", with("image_id", ""), 422, "image_id"},
		{"malformed image", with("image_id", `"x"`), 422, "image_id"},
		{"image in capitals", with("image_id", `"`+strings.ToUpper(id)+`"`), 422, "image_id"},
		{"empty label", with("label", `""`), 422, "label"},
		{"label too long", with("label", `"`+strings.Repeat("é", 101)+`"`), 422, "label"},
		{"x below", with("x", "-0.0001"), 422, "x"},
		{"x above", with("x", "1.0000000000000002"), 422, "x"},
		{"x huge", with("x", "1e999"), 422, "x"},
		{"x hugely negative", with("x", "-1e999"), 422, "x"},
		{"width too small", with("width", "0.0009"), 422, "width"},
		{"height zero", with("height", "0"), 422, "height"},
		{"sum too large", with("width", "0.95"), 422, "width"},
		{"confidence above", with("confidence", "1.1"), 422, "confidence"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := w.do(request{"POST", "/api/annotations", ada, tt.body, map[string]string{"Content-Type": "application/json"}})
			if tt.status == 201 {
				res.want(t, 201, nil)
				return
			}
			code := easel.CodeBadRequest
			if tt.status == 422 {
				code = easel.CodeInvalid
			}
			p := res.wantError(t, tt.status, code)
			if tt.path != "" && (len(p.Details) != 1 || p.Details[0].Path != tt.path || p.Details[0].Message == "") {
				t.Errorf("details %+v, want one of %s", p.Details, tt.path)
			}
			if strings.Contains(p.Message, "transport.") || strings.Contains(p.Message, "Go ") {
				t.Errorf("the message tells of Go types: %s", p.Message)
			}
		})
	}
}

func TestEveryBrokenRuleIsNamed(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "", "")
	p := w.do(request{method: "POST", path: "/api/annotations", token: ada, body: `{"label":"","x":2,"confidence":-1}`}).wantError(t, 422, easel.CodeInvalid)
	var got []string
	for _, d := range p.Details {
		got = append(got, d.Path)
	}
	if diff := cmp.Diff([]string{"image_id", "label", "x", "y", "width", "height", "confidence"}, got); diff != "" {
		t.Error(diff)
	}
	img := string(w.upload(ada).ID)
	p = w.do(request{method: "POST", path: "/api/annotations/bulk", token: ada, body: `{"annotations":[` + box(easel.ID(img), "ok") + `,{"image_id":"` + img + `","label":"a","x":0,"y":0,"width":1}]}`}).wantError(t, 422, easel.CodeInvalid)
	if len(p.Details) != 1 || p.Details[0].Path != "annotations[1].height" {
		t.Errorf("details %+v", p.Details)
	}
	p = w.do(request{method: "POST", path: "/api/annotations/bulk", token: ada, body: `{"annotations":[{"image_id":"` + img + `","label":"a","x":0.5,"y":0,"width":0.6,"height":1}]}`}).wantError(t, 422, easel.CodeInvalid)
	if len(p.Details) != 1 || p.Details[0].Path != "annotations[0].width" {
		t.Errorf("details %+v", p.Details)
	}
	w.do(request{method: "POST", path: "/api/annotations/bulk", token: ada, body: `{"annotations":[]}`}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "POST", path: "/api/annotations/bulk", token: ada, body: `{"annotations":null}`}).wantError(t, 400, easel.CodeBadRequest)
	w.do(request{method: "POST", path: "/api/annotations/bulk", token: ada, body: `{"annotations":{}}`}).wantError(t, 400, easel.CodeBadRequest)
	w.do(request{method: "POST", path: "/api/annotations/bulk", token: ada, body: `{"annotations":[1]}`}).wantError(t, 400, easel.CodeBadRequest)
	many := `{"annotations":[` + strings.TrimSuffix(strings.Repeat(box(easel.ID(img), "x")+",", 501), ",") + `]}`
	w.do(request{method: "POST", path: "/api/annotations/bulk", token: ada, body: many}).wantError(t, 422, easel.CodeInvalid)
	foreign := w.upload(w.token("eve", "", "")).ID
	w.do(request{method: "POST", path: "/api/annotations/bulk", token: ada, body: `{"annotations":[` + box(easel.ID(img), "x") + `,` + box(foreign, "x") + `]}`}).wantError(t, 404, easel.CodeNotFound)
}

func TestBodyKindsAndSizes(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "", "")
	img := w.upload(ada)
	post := func(body string, header map[string]string) reply {
		return w.do(request{"POST", "/api/annotations", ada, body, header})
	}
	good := box(img.ID, "a")
	for _, ct := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8", "application/merge-patch+json"} {
		post(good, map[string]string{"Content-Type": ct}).want(t, 201, nil)
	}
	for _, ct := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16", "x", ";"} {
		post(good, map[string]string{"Content-Type": ct}).wantError(t, 415, easel.CodeUnsupportedMedia)
	}
	post(good, map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip"}).wantError(t, 415, easel.CodeUnsupportedMedia)
	big := strings.Replace(good, `"a"`, `"`+strings.Repeat("a", 1<<20)+`"`, 1)
	post(big, nil).wantError(t, 413, easel.CodeTooLarge)

	// Without a length the size is found while reading.
	req := httptest.NewRequest(http.MethodPost, "/api/annotations", strings.NewReader(big))
	req.ContentLength = -1
	req.Header.Set("Authorization", "Bearer "+ada)
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, req)
	if rec.Code != 413 {
		t.Errorf("chunked: %d %s", rec.Code, rec.Body)
	}
}

func TestErrorsOfOpsKeepTheirPaths(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "", "")
	path := "/api/images/" + string(w.upload(ada).ID) + "/ops"
	res := w.do(request{method: "POST", path: path, token: ada, body: `{"client":"c","seq":1,"ops":[{"k":"put","annotation":{"label":"a","x":0,"y":0,"width":1,"height":2}}]}`})
	p := res.wantError(t, 422, easel.CodeInvalid)
	if len(p.Details) != 1 || p.Details[0].Path != "ops[0].annotation.height" {
		t.Errorf("details %+v", p.Details)
	}
	if !json.Valid([]byte(res.body)) {
		t.Errorf("body %s", res.body)
	}
}
