package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"
)

// annotationFields are those of every annotation.
const annotationFields = "[confidence created_at created_by height id image_id label rev updated_at updated_by width x y]"

// TestContractAnnotationRules: the table of values that may be and may not.
func TestContractAnnotationRules(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	box := func(x, y, width, height, more string) string {
		return fmt.Sprintf(`{"image_id":%q,"label":"cat","x":%s,"y":%s,"width":%s,"height":%s%s}`, row.ID, x, y, width, height, more)
	}
	label := func(s string) string { return strings.Replace(box("0", "0", "1", "1", ""), `"cat"`, s, 1) }
	for name, c := range map[string]struct{ body, code string }{
		"whole":                  {box("0", "0", "1", "1", ""), ""},
		"smallest":               {box("0.5", "0.5", "0.001", "0.001", ""), ""},
		"sum within 1e-9":        {box("0.5", "0.5", "0.5000000009", "0.5", ""), ""},
		"sum over":               {box("0.5", "0.5", "0.500000002", "0.5", ""), "invalid"},
		"y sum over":             {box("0", "0.6", "1", "0.5", ""), "invalid"},
		"exponent":               {box("1e-1", "1E-1", "5e-1", "0.5", ""), ""},
		"minus zero":             {box("-0", "-0.0", "0.5", "0.5", ""), ""},
		"negative":               {box("-0.1", "0", "0.5", "0.5", ""), "invalid"},
		"too small":              {box("0", "0", "0.0009", "0.5", ""), "invalid"},
		"zero width":             {box("0", "0", "0", "0.5", ""), "invalid"},
		"too wide":               {box("0", "0", "1.1", "0.5", ""), "invalid"},
		"1e999":                  {box("1e999", "0", "0.5", "0.5", ""), "invalid"},
		"1e-999":                 {box("1e-999", "0", "0.5", "0.5", ""), ""},
		"NaN":                    {box("NaN", "0", "0.5", "0.5", ""), "bad_request"},
		"Infinity":               {box("Infinity", "0", "0.5", "0.5", ""), "bad_request"},
		"leading zero":           {box("00.5", "0", "0.5", "0.5", ""), "bad_request"},
		"leading point":          {box(".5", "0", "0.5", "0.5", ""), "bad_request"},
		"hex":                    {box("0x1", "0", "0.5", "0.5", ""), "bad_request"},
		"textual number":         {box(`"0.5"`, "0", "0.5", "0.5", ""), "bad_request"},
		"null x":                 {box("null", "0", "0.5", "0.5", ""), "bad_request"},
		"confidence 0":           {box("0", "0", "1", "1", `,"confidence":0`), ""},
		"confidence 1":           {box("0", "0", "1", "1", `,"confidence":1`), ""},
		"confidence null":        {box("0", "0", "1", "1", `,"confidence":null`), ""},
		"confidence 1.1":         {box("0", "0", "1", "1", `,"confidence":1.1`), "invalid"},
		"confidence -0.1":        {box("0", "0", "1", "1", `,"confidence":-0.1`), "invalid"},
		"confidence text":        {box("0", "0", "1", "1", `,"confidence":"1"`), "bad_request"},
		"unknown key":            {box("0", "0", "1", "1", `,"color":"red"`), "bad_request"},
		"key in other case":      {strings.Replace(box("0", "0", "1", "1", ""), `"label"`, `"Label"`, 1), "bad_request"},
		"id given":               {box("0", "0", "1", "1", `,"id":"`+strings.Repeat("0", 32)+`"`), "bad_request"},
		"duplicate key":          {box("0", "0", "1", "1", `,"label":"dog"`), "bad_request"},
		"duplicate, escaped":     {box("0", "0", "1", "1", `,"l\u0061bel":"dog"`), "bad_request"},
		"no label":               {`{"image_id":"` + row.ID + `","x":0,"y":0,"width":1,"height":1}`, "invalid"},
		"no x":                   {`{"image_id":"` + row.ID + `","label":"cat","y":0,"width":1,"height":1}`, "invalid"},
		"no image":               {`{"label":"cat","x":0,"y":0,"width":1,"height":1}`, "invalid"},
		"empty label":            {label(`""`), "invalid"},
		"100 code points":        {label(`"` + strings.Repeat("😀", 100) + `"`), ""},
		"101 code points":        {label(`"` + strings.Repeat("a", 101) + `"`), "invalid"},
		"escaped surrogates":     {label(`"` + strings.Repeat(`\ud83d\ude00`, 100) + `"`), ""},
		"lone surrogate":         {label(`"\ud83d"`), "bad_request"},
		"label number":           {label("5"), "bad_request"},
		"label null":             {label("null"), "bad_request"},
		"invalid UTF-8":          {label("\"a\xff\""), "bad_request"},
		"overlong UTF-8":         {label("\"a\xc0\x80\""), "bad_request"},
		"UTF-8 of a surrogate":   {label("\"\xed\xa0\x80\""), "bad_request"},
		"control character":      {label("\"a\nb\""), "bad_request"},
		"BOM":                    {"\ufeff" + box("0", "0", "1", "1", ""), "bad_request"},
		"trailing bytes":         {box("0", "0", "1", "1", "") + "x", "bad_request"},
		"trailing value":         {box("0", "0", "1", "1", "") + "{}", "bad_request"},
		"trailing space":         {box("0", "0", "1", "1", "") + " \r\n\t", ""},
		"leading space":          {" \n" + box("0", "0", "1", "1", ""), ""},
		"trailing NUL":           {box("0", "0", "1", "1", "") + "\x00", "bad_request"},
		"empty":                  {"", "bad_request"},
		"null":                   {"null", "bad_request"},
		"array":                  {"[" + box("0", "0", "1", "1", "") + "]", "bad_request"},
		"text":                   {`"x"`, "bad_request"},
		"cut":                    {box("0", "0", "1", "1", "")[:40], "bad_request"},
		"comment":                {"/**/" + box("0", "0", "1", "1", ""), "bad_request"},
		"trailing comma":         {strings.TrimSuffix(box("0", "0", "1", "1", ""), "}") + ",}", "bad_request"},
		"single quotes":          {strings.ReplaceAll(box("0", "0", "1", "1", ""), `"`, "'"), "bad_request"},
		"deep":                   {strings.Repeat("[", 20000) + strings.Repeat("]", 20000), "bad_request"},
		"deep, in a member":      {box("0", "0", "1", "1", `,"z":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)), "bad_request"},
		"deep, open":             {strings.Repeat(`{"a":`, 100000), "bad_request"},
		"UTF-16":                 {"\xff\xfe{\x00}\x00", "bad_request"},
		"short image id":         {strings.Replace(box("0", "0", "1", "1", ""), row.ID, "abc", 1), "invalid"},
		"upper image id":         {strings.Replace(box("0", "0", "1", "1", ""), row.ID, strings.Repeat("A", 32), 1), "invalid"},
		"image that never was":   {strings.Replace(box("0", "0", "1", "1", ""), row.ID, strings.Repeat("0", 32), 1), "not_found"},
		"image id of wrong type": {strings.Replace(box("0", "0", "1", "1", ""), `"`+row.ID+`"`, "5", 1), "bad_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ada.text(t, "POST", "/api/annotations", c.body)
			if c.code != "" {
				p := got.fails(t, statusOf[c.code], c.code)
				if c.code == "invalid" && (len(p.Details) == 0 || p.Details[0].Path == "" || p.Details[0].Message == "") {
					t.Errorf("details are %+v", p.Details)
				}
				return
			}
			if got.status != 201 {
				t.Fatalf("got %s", got)
			}
			if keys := fmt.Sprint(keysOf(t, member(t, got.body, "annotation"))); keys != annotationFields {
				t.Errorf("an annotation has %s", keys)
			}
			if strings.Contains(string(got.body), `:-0`) {
				t.Errorf("minus zero is shown: %s", got)
			}
		})
	}
	t.Run("content type", func(t *testing.T) {
		for _, contentType := range []string{"text/plain", "application/xml", "multipart/form-data; boundary=x", "nonsense"} {
			ada.text(t, "POST", "/api/annotations", box("0", "0", "1", "1", ""), "Content-Type", contentType).fails(t, 415, "unsupported_media")
		}
		for _, contentType := range []string{"application/json; charset=utf-8", "APPLICATION/JSON"} {
			if got := ada.text(t, "POST", "/api/annotations", box("0", "0", "1", "1", ""), "Content-Type", contentType); got.status != 201 {
				t.Errorf("%s: %s", contentType, got)
			}
		}
	})
	t.Run("too large", func(t *testing.T) {
		ada.text(t, "POST", "/api/annotations", strings.Repeat(" ", 1<<20)+box("0", "0", "1", "1", "")).fails(t, 413, "too_large")
		// The same without a Content-Length.
		got, err := ada.do(t.Context(), "POST", "/api/annotations", io.MultiReader(strings.NewReader(strings.Repeat(" ", 1<<20)), strings.NewReader(box("0", "0", "1", "1", ""))), "Content-Type", "application/json")
		if err != nil {
			t.Fatal(err)
		}
		got.fails(t, 413, "too_large")
	})
}

// TestContractAnnotations: life, ETag, If-Match, lists, order, filters.
func TestContractAnnotations(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada, bob := w.as("acme", "ada", ""), w.as("acme", "bob", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	got := ada.must(t, 201, "POST", "/api/annotations", raw(drawing(row.ID, "cat", `,"confidence":0.25`)))
	a := member(t, got.body, "annotation")
	for name, want := range map[string]string{
		"image_id": `"` + row.ID + `"`, "label": `"cat"`, "x": "0.1", "y": "0.1", "width": "0.2", "height": "0.2", "confidence": "0.25", "created_by": `"ada"`, "updated_by": `"ada"`, "rev": "1",
	} {
		if got := string(member(t, a, name)); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if !idForm.Match(member(t, a, "id")) || !timeForm.Match(member(t, a, "created_at")) || string(member(t, a, "created_at")) != string(member(t, a, "updated_at")) {
		t.Errorf("annotation %s", a)
	}
	id := strings.Trim(string(member(t, a, "id")), `"`)
	path := "/api/images/" + row.ID + "/annotations/" + id
	for _, method := range []string{"GET", "HEAD"} {
		got := ada.must(t, 200, method, path, nil)
		if got.header.Get("ETag") != `"1"` || !strings.HasSuffix(got.header.Get("X-Easel-Version"), ":1") {
			t.Errorf("%s: %v", method, got.header)
		}
	}
	got = bob.must(t, 200, "PATCH", path, raw(`{"label":"dog"}`), "If-Match", `"1"`)
	if got.header.Get("ETag") != `"2"` || string(member(t, got.body, "annotation", "updated_by")) != `"bob"` || string(member(t, got.body, "annotation", "created_by")) != `"ada"` || string(member(t, got.body, "annotation", "rev")) != "2" {
		t.Errorf("%v %s", got.header, got)
	}
	for _, method := range []string{"PATCH", "DELETE"} {
		body := map[string]string{"PATCH": `{"label":"x"}`}[method]
		p := ada.text(t, method, path, body, "If-Match", `"1"`).fails(t, 412, "conflict")
		if p.Current == nil || p.Current.Rev != 2 || p.Current.Label != "dog" || p.Current.ID != id {
			t.Errorf("%s: current is %+v", method, p.Current)
		}
	}
	for _, c := range []struct {
		ifMatch string
		status  int
	}{{`"1", "2"`, 200}, {`*`, 200}, {`W/"4"`, 412}, {`"9"`, 412}} {
		got := ada.text(t, "PATCH", path, `{"x":0.3}`, "If-Match", c.ifMatch)
		if got.status != c.status {
			t.Errorf("If-Match %s: %s", c.ifMatch, got)
		}
	}
	for body, code := range map[string]string{
		`{}`: "invalid", `{"label":""}`: "invalid", `{"x":0.95}`: "invalid", `{"width":2}`: "invalid", `{"id":"x"}`: "bad_request", `{"rev":1}`: "bad_request",
		`{"image_id":"` + row.ID + `"}`: "bad_request", `{"x":null}`: "bad_request", `{"label":null}`: "bad_request", `{"confidence":2}`: "invalid",
	} {
		t.Run(body, func(t *testing.T) { ada.text(t, "PATCH", path, body).fails(t, statusOf[code], code) })
	}
	if got := ada.must(t, 200, "PATCH", path, raw(`{"confidence":null}`)); string(member(t, got.body, "annotation", "confidence")) != "null" {
		t.Errorf("%s", got)
	}
	never := "/api/images/" + row.ID + "/annotations/" + strings.Repeat("0", 32)
	ada.refused(t, "not_found", "GET", never, nil)
	ada.refused(t, "not_found", "PATCH", never, raw(`{"label":"x"}`))
	ada.refused(t, "not_found", "DELETE", never, nil)
	ada.refused(t, "invalid", "GET", "/api/images/"+row.ID+"/annotations/xyz", nil)
	if got := bob.must(t, 204, "DELETE", path, nil); len(got.body) != 0 {
		t.Errorf("%s", got)
	}
	ada.refused(t, "gone", "GET", path, nil)
	ada.refused(t, "gone", "PATCH", path, raw(`{"label":"x"}`))
	ada.refused(t, "gone", "DELETE", path, nil)
	if got := ada.text(t, "PATCH", path, `{"label":"x"}`, "If-Match", `"1"`); got.status != 410 {
		t.Errorf("If-Match on a deleted one: %s", got)
	}
	// An annotation of another image is not there.
	other := ada.upload(t, "b.png", picture(8, 8, 2))
	on := ada.draw(t, row.ID, "here")
	ada.refused(t, "not_found", "GET", "/api/images/"+other.ID+"/annotations/"+on.ID, nil)
}

func TestContractByImage(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	first := ada.draw(t, row.ID, "one")
	var parts []string
	for i := range 120 {
		parts = append(parts, drawing(row.ID, fmt.Sprint("bulk-", i), fmt.Sprintf(`,"confidence":%g`, float64(i)/200)))
	}
	bulk := ada.must(t, 201, "POST", "/api/annotations/bulk", raw(`{"annotations":[`+strings.Join(parts, ",")+`]}`))
	if keys := fmt.Sprint(keysOf(t, bulk.body)); keys != "[ids inserted total]" {
		t.Errorf("bulk has %s", keys)
	}
	var made struct {
		Inserted, Total int
		IDs             []string
	}
	if err := bulk.into(&made); err != nil || made.Inserted != 120 || made.Total != 120 || len(made.IDs) != 120 {
		t.Fatalf("%s", bulk)
	}
	last := ada.draw(t, row.ID, "two")
	path := "/api/annotations/by-image/" + row.ID
	list := func(query string) []box {
		t.Helper()
		var out struct {
			Annotations []box
			Version     int64
		}
		got := ada.must(t, 200, "GET", path+query, nil)
		if keys := fmt.Sprint(keysOf(t, got.body)); keys != "[annotations version]" {
			t.Errorf("members %s", keys)
		}
		if err := got.into(&out); err != nil {
			t.Fatal(err)
		}
		if out.Version != 3 || !strings.HasSuffix(got.header.Get("X-Easel-Version"), ":3") {
			t.Errorf("version %d, header %s", out.Version, got.header.Get("X-Easel-Version"))
		}
		return out.Annotations
	}
	all := list("")
	if len(all) != 122 || all[0].ID != last.ID || all[121].ID != first.ID {
		t.Fatalf("%d, first %+v, last %+v", len(all), all[0], all[len(all)-1])
	}
	for i, id := range made.IDs {
		if got := all[120-i]; got.ID != id || got.Label != fmt.Sprint("bulk-", i) {
			t.Fatalf("place %d is %+v, want bulk-%d", 120-i, got, i)
		}
	}
	for query, want := range map[string]int{
		"?label=bulk-7": 1, "?label=bulk": 0, "?label=BULK-7": 0, "?minConfidence=0": 120, "?minConfidence=0.5": 20, "?minConfidence=1": 0, "?minConfidence=0.25&label=bulk-60": 1, "?label=one&minConfidence=0": 0, "?limit=1": 122,
	} {
		if query == "?limit=1" {
			continue // not a parameter of this route
		}
		if got := list(query); len(got) != want {
			t.Errorf("%s: %d, want %d", query, len(got), want)
		}
	}
	for _, query := range []string{"?minConfidence=2", "?minConfidence=-1", "?minConfidence=x", "?minConfidence=NaN", "?minConfidence=", "?minConfidence=Inf"} {
		ada.text(t, "GET", path+query, "").fails(t, 422, "invalid")
	}
	// An empty list is [].
	empty := ada.upload(t, "b.png", picture(8, 8, 2))
	if got := ada.must(t, 200, "GET", "/api/annotations/by-image/"+empty.ID, nil); !bytes.Contains(got.body, []byte(`"annotations":[]`)) {
		t.Errorf("%s", got)
	}
	ada.refused(t, "not_found", "GET", "/api/annotations/by-image/"+strings.Repeat("0", 32), nil)
	ada.refused(t, "invalid", "GET", "/api/annotations/by-image/short", nil)
}

// TestContractBulk: all or nothing, on one and on several images.
func TestContractBulk(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada, eve := w.as("acme", "ada", ""), w.as("evil", "eve", "")
	one, two, dead := ada.upload(t, "a.png", picture(8, 8, 1)), ada.upload(t, "b.png", picture(8, 8, 2)), ada.upload(t, "c.png", picture(8, 8, 3))
	hers := eve.upload(t, "e.png", picture(8, 8, 4))
	ada.must(t, 204, "DELETE", "/api/images/"+dead.ID, nil)
	many := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(drawing(one.ID, "x", "")+",", n), ",")
	}
	for name, c := range map[string]struct{ items, code string }{
		"none":          {"", "invalid"},
		"501":           {many(501), "invalid"},
		"bad one":       {many(3) + "," + drawing(two.ID, "", ""), "invalid"},
		"foreign image": {many(1) + "," + drawing(hers.ID, "x", ""), "not_found"},
		"no such image": {drawing(strings.Repeat("0", 32), "x", "") + "," + many(1), "not_found"},
		"deleted image": {many(1) + "," + drawing(two.ID, "x", "") + "," + drawing(dead.ID, "x", ""), "gone"},
		"unknown key":   {many(1) + "," + drawing(two.ID, "x", `,"z":1`), "bad_request"},
		"null":          {"null", "bad_request"},
		"number":        {"5", "bad_request"},
		"nested array":  {"[" + many(1) + "]", "bad_request"},
		"without image": {`{"label":"x","x":0,"y":0,"width":1,"height":1}`, "invalid"},
		"duplicate key": {many(1) + "," + drawing(two.ID, "x", `,"x":0`), "bad_request"},
	} {
		t.Run(name, func(t *testing.T) {
			p := ada.text(t, "POST", "/api/annotations/bulk", `{"annotations":[`+c.items+`]}`).fails(t, statusOf[c.code], c.code)
			if name == "bad one" && (len(p.Details) == 0 || !strings.Contains(p.Details[0].Path, "3") || !strings.Contains(p.Details[0].Path, "label")) {
				t.Errorf("details %+v", p.Details)
			}
		})
	}
	for _, row := range []imageRow{one, two} {
		if got := ada.must(t, 200, "GET", "/api/annotations/by-image/"+row.ID, nil); !strings.Contains(string(got.body), `"annotations":[],"version":0`) {
			t.Errorf("something was written: %s", got)
		}
	}
	got := ada.must(t, 201, "POST", "/api/annotations/bulk", raw(`{"annotations":[`+many(2)+`,`+drawing(two.ID, "y", "")+`,`+drawing(one.ID, "z", "")+`]}`))
	var made struct {
		Inserted, Total int
		IDs             []string
	}
	if err := got.into(&made); err != nil || made.Inserted != 4 || made.Total != 4 || len(made.IDs) != 4 {
		t.Fatalf("%s", got)
	}
	eventually(t, "both parts show", func() error {
		a, b := ada.must(t, 200, "GET", "/api/annotations/by-image/"+one.ID, nil), ada.must(t, 200, "GET", "/api/annotations/by-image/"+two.ID, nil)
		if !strings.Contains(string(a.body), `"version":1`) || !strings.Contains(string(b.body), `"version":1`) || !strings.Contains(string(b.body), made.IDs[2]) {
			return fmt.Errorf("%s and %s", a, b)
		}
		return nil
	})
	if got := ada.must(t, 200, "GET", "/api/images/"+one.ID+"/annotations/"+made.IDs[3], nil); string(member(t, got.body, "annotation", "label")) != `"z"` {
		t.Errorf("%s", got)
	}
	// 500 are one batch.
	if got := ada.must(t, 201, "POST", "/api/annotations/bulk", raw(`{"annotations":[`+many(500)+`]}`)); !strings.Contains(string(got.body), `"inserted":500`) {
		t.Errorf("%s", got)
	}
	if got := ada.must(t, 200, "GET", "/api/images/"+one.ID, nil); !strings.HasSuffix(got.header.Get("X-Easel-Version"), ":2") || string(member(t, got.body, "image", "annotation_count")) != "503" || string(member(t, got.body, "image", "version")) != "2" {
		t.Errorf("%s %s", got.header.Get("X-Easel-Version"), got)
	}
}

// TestContractOpLog: every batch in order, in pages, and time never goes back.
func TestContractOpLog(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	path := "/api/images/" + row.ID + "/ops"
	if got := ada.must(t, 200, "GET", path, nil); !strings.Contains(string(got.body), `"ops":[]`) {
		t.Errorf("%s", got)
	}
	shape := ada.draw(t, row.ID, "v1")
	one := "/api/images/" + row.ID + "/annotations/" + shape.ID
	for i := 2; i <= 8; i++ {
		ada.must(t, 200, "PATCH", one, raw(fmt.Sprintf(`{"label":"v%d"}`, i)))
	}
	ada.must(t, 204, "DELETE", one, nil)
	type page struct {
		Ops []struct {
			batch
			At time.Time
		}
		Next *string `json:"next_cursor"`
	}
	read := func(query string) (p page) {
		t.Helper()
		if err := ada.must(t, 200, "GET", path+query, nil).into(&p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	whole := read("?since=0")
	if len(whole.Ops) != 9 || whole.Next != nil && *whole.Next != "" {
		t.Fatalf("%+v", whole)
	}
	for i, b := range whole.Ops {
		if b.Ver != int64(i+1) || b.By != "ada" || b.At.IsZero() || len(b.Ops) != 1 || i > 0 && b.At.Before(whole.Ops[i-1].At) {
			t.Errorf("batch %d is %+v", i, b)
		}
		want := []string{"put", "patch", "patch", "patch", "patch", "patch", "patch", "patch", "del"}[i]
		if op := b.Ops[0]; op.K != want || op.ID != shape.ID || (op.Annotation == nil) != (want == "del") || want != "del" && op.Annotation.Label != fmt.Sprint("v", i+1) {
			t.Errorf("op %d is %+v", i, op)
		}
	}
	first := member(t, ada.must(t, 200, "GET", path+"?limit=1", nil).body, "ops")
	if keys := fmt.Sprint(keysOf(t, bytes.Trim(first, "[]"))); keys != "[at by ops ver]" {
		t.Errorf("a batch has %s", keys)
	}
	var vers []int64
	for query := "?since=2&limit=3"; ; {
		p := read(query)
		for _, b := range p.Ops {
			vers = append(vers, b.Ver)
		}
		if p.Next == nil || *p.Next == "" {
			break
		}
		query = "?limit=3&cursor=" + url.QueryEscape(*p.Next)
	}
	if fmt.Sprint(vers) != "[3 4 5 6 7 8 9]" {
		t.Errorf("paged %v", vers)
	}
	if p := read("?since=9"); len(p.Ops) != 0 {
		t.Errorf("%+v", p)
	}
	if p := read("?since=99"); len(p.Ops) != 0 {
		t.Errorf("%+v", p)
	}
	for _, query := range []string{"?since=-1", "?since=x", "?since=", "?since=1.5"} {
		ada.text(t, "GET", path+query, "").fails(t, 422, "invalid")
	}
}
