package e2e_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var (
	idForm   = regexp.MustCompile(`^"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}"$`)
	timeForm = regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$`)
)

// TestContractImageBodies: fields, headers, life of an image.
func TestContractImageBodies(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	content := picture(40, 30, 1)
	body, contentType := form("dir/sub\\photo ü.png", content)
	up := ada.must(t, 201, "POST", "/api/images/upload", body, "Content-Type", contentType)
	if keys := fmt.Sprint(keysOf(t, up.body)); keys != "[image]" {
		t.Errorf("members %s", keys)
	}
	image := member(t, up.body, "image")
	fields := "[annotation_count content_type created_at deleted_at filename height id metadata sha256 size uploaded_by version width]"
	if keys := fmt.Sprint(keysOf(t, image)); keys != fields {
		t.Errorf("an image has %s", keys)
	}
	for name, want := range map[string]string{
		"content_type": `"image/png"`, "size": fmt.Sprint(len(content)), "uploaded_by": `"ada"`, "deleted_at": "null", "metadata": "{}", "annotation_count": "0", "version": "0",
	} {
		if got := string(member(t, image, name)); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if !idForm.Match(member(t, image, "id")) || !timeForm.Match(member(t, image, "created_at")) {
		t.Errorf("image %s", image)
	}
	if got := string(member(t, image, "filename")); got != `"photo ü.png"` {
		t.Errorf("filename is %s", got)
	}
	path := "/api/images/" + strings.Trim(string(member(t, image, "id")), `"`)
	eventually(t, "dimensions", func() error {
		got := ada.must(t, 200, "GET", path, nil)
		if string(member(t, got.body, "image", "width")) != "40" || string(member(t, got.body, "image", "height")) != "30" {
			return fmt.Errorf("%s", got)
		}
		if !regexp.MustCompile(`^[^:]+:0$`).MatchString(got.header.Get("X-Easel-Version")) {
			t.Errorf("X-Easel-Version: %s", got.header.Get("X-Easel-Version"))
		}
		return nil
	})
	for body, code := range map[string]string{
		`{}`: "invalid", `{"filename":""}`: "invalid", `{"filename":"` + strings.Repeat("x", 256) + `"}`: "invalid", `{"filename":5}`: "bad_request",
		`{"filename":"a/b"}`: "invalid", `{"metadata":"x"}`: "bad_request", `{"metadata":[1]}`: "bad_request", `{"width":5}`: "bad_request", `[]`: "bad_request", `null`: "bad_request",
		`{"filename":"a","filename":"b"}`: "bad_request", `{"metadata":{"a":1,"a":2}}`: "bad_request",
	} {
		ada.text(t, "PATCH", path, body).fails(t, statusOf[code], code)
	}
	got := ada.must(t, 200, "PATCH", path, raw(`{"filename":"new.png","metadata":{"b":[1,2.50,"é"],"a":{"deep":null}}}`))
	if string(member(t, got.body, "image", "filename")) != `"new.png"` {
		t.Errorf("%s", got)
	}
	if meta := string(member(t, got.body, "image", "metadata")); meta != `{"b":[1,2.50,"é"],"a":{"deep":null}}` {
		t.Errorf("metadata is %s", meta)
	}
	got = ada.must(t, 200, "PATCH", path, raw(`{"filename":"newer.png"}`))
	if !strings.Contains(string(got.body), `"deep"`) {
		t.Errorf("the metadata was lost: %s", got)
	}
	if got := ada.must(t, 204, "DELETE", path, nil); len(got.body) != 0 {
		t.Errorf("a body after 204: %s", got)
	}
	ada.must(t, 204, "DELETE", path, nil)
	p := ada.refused(t, "gone", "GET", path, nil)
	if p.Message == "" {
		t.Error("no message")
	}
	list := ada.must(t, 200, "GET", "/api/images", nil)
	if strings.Contains(string(list.body), path[len("/api/images/"):]) {
		t.Error("a deleted image is listed")
	}
	got = ada.must(t, 200, "POST", path+"/restore", nil)
	if string(member(t, got.body, "image", "deleted_at")) != "null" || string(member(t, got.body, "image", "filename")) != `"newer.png"` {
		t.Errorf("restored %s", got)
	}
	ada.must(t, 200, "POST", path+"/restore", nil) // what is not deleted is restored
	eventually(t, "the restored one is listed", func() error {
		if list := ada.must(t, 200, "GET", "/api/images", nil); !strings.Contains(string(list.body), path[len("/api/images/"):]) {
			return fmt.Errorf("%s", list)
		}
		return nil
	})
}

// TestContractImageList: order, pages, filters.
func TestContractImageList(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada, bob := w.as("acme", "ada", ""), w.as("acme", "bob", "")
	var ids []string
	for i := range 7 {
		a := ada
		if i%3 == 0 {
			a = bob
		}
		ids = append([]string{a.upload(t, fmt.Sprintf("Photo_%d%%.PNG", i), picture(8, 8, byte(i))).ID}, ids...)
	}
	ada.draw(t, ids[2], "cat")
	list := func(query string) (got []string, next string) {
		t.Helper()
		var out struct {
			Images []imageRow
			Next   *string `json:"next_cursor"`
		}
		if err := ada.must(t, 200, "GET", "/api/images"+query, nil).into(&out); err != nil {
			t.Fatal(err)
		}
		for _, i := range out.Images {
			got = append(got, i.ID)
		}
		if out.Next != nil {
			next = *out.Next
		}
		return got, next
	}
	if got, next := list(""); fmt.Sprint(got) != fmt.Sprint(ids) || next != "" {
		t.Errorf("got %v then %q, want %v", got, next, ids)
	}
	var paged []string
	for query := "?limit=2"; ; {
		got, next := list(query)
		if len(got) > 2 {
			t.Errorf("%d on a page", len(got))
		}
		paged = append(paged, got...)
		if next == "" {
			break
		}
		query = "?limit=2&cursor=" + url.QueryEscape(next)
	}
	if fmt.Sprint(paged) != fmt.Sprint(ids) {
		t.Errorf("paged %v, want %v", paged, ids)
	}
	for query, want := range map[string]string{
		"?uploaded_by=bob":              fmt.Sprint([]string{ids[0], ids[3], ids[6]}),
		"?uploaded_by=nobody":           "[]",
		"?filename=photo_3":             fmt.Sprint(ids[3:4]),
		"?filename=%25":                 fmt.Sprint(ids),
		"?filename=3_":                  "[]",
		"?filename=hoto_&limit=9999999": fmt.Sprint(ids),
		"?filename=PNG&uploaded_by=bob": fmt.Sprint([]string{ids[0], ids[3], ids[6]}),
	} {
		if got, _ := list(query); fmt.Sprint(got) != want {
			t.Errorf("%s: got %v, want %s", query, got, want)
		}
	}
	bob.must(t, 200, "PATCH", "/api/images/"+ids[3], raw(`{"metadata":{"state":"done"}}`))
	bob.must(t, 200, "PATCH", "/api/images/"+ids[6], raw(`{"metadata":{"state":"in_progress"}}`))
	for query, want := range map[string]string{
		"?state=done":                    fmt.Sprint(ids[3:4]),
		"?state=in_progress":             fmt.Sprint(ids[6:7]),
		"?state=new&uploaded_by=bob":     fmt.Sprint(ids[0:1]),
		"?state=done&filename=photo_3":   fmt.Sprint(ids[3:4]),
		"?state=done&filename=photo_999": "[]",
	} {
		if got, _ := list(query); fmt.Sprint(got) != want {
			t.Errorf("%s: got %v, want %s", query, got, want)
		}
	}
	if got := bob.must(t, 200, "GET", "/api/images/states?uploaded_by=bob", nil); string(got.body) != `{"new":1,"in_progress":1,"done":1,"more":false}`+"\n" {
		t.Errorf("%s", got)
	}
	eventually(t, "by label", func() error {
		if got, _ := list("?label=cat"); fmt.Sprint(got) != fmt.Sprint(ids[2:3]) {
			return fmt.Errorf("%v", got)
		}
		return nil
	})
	eventually(t, "the count follows", func() error {
		got := ada.must(t, 200, "GET", "/api/images?label=cat", nil)
		if !strings.Contains(string(got.body), `"annotation_count":1`) || !strings.Contains(string(got.body), `"version":1`) {
			return fmt.Errorf("%s", got)
		}
		return nil
	})
	for _, query := range []string{"?limit=0", "?limit=-1", "?limit=x", "?limit=", "?limit=1.5", "?cursor=nonsense", "?limit=99999999999999999999x", "?state=finished"} {
		ada.text(t, "GET", "/api/images"+query, "").fails(t, 422, "invalid")
	}
	for _, path := range []string{"/api/files", "/api/kv", "/api/keys", "/api/images/" + ids[0] + "/ops"} {
		a := w.as("acme", "root", "admin")
		a.text(t, "GET", path+"?limit=0", "").fails(t, 422, "invalid")
		a.text(t, "GET", path+"?cursor=!", "").fails(t, 422, "invalid")
		a.must(t, 200, "GET", path+"?limit=1001", nil)
	}
}

// TestContractVersions: what X-Easel-Version and X-Easel-Read ask for.
func TestContractVersions(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	shape := ada.draw(t, row.ID, "cat")
	image := "/api/images/" + row.ID
	reads := []string{image, "/api/annotations/by-image/" + row.ID, image + "/annotations/" + shape.ID, image + "/ops", image + "/messages"}
	at := ada.must(t, 200, "GET", image, nil).header.Get("X-Easel-Version")
	epoch, _, _ := strings.Cut(at, ":")
	for _, path := range reads {
		if got := ada.must(t, 200, "GET", path, nil, "X-Easel-Version", at); got.header.Get("X-Easel-Version") != at {
			t.Errorf("%s: %q, want %q", path, got.header.Get("X-Easel-Version"), at)
		}
		ada.must(t, 200, "GET", path, nil, "X-Easel-Version", "another-epoch:5")
		for _, bad := range []string{"nonsense", epoch, epoch + ":", ":1", epoch + ":x", epoch + ":-1", epoch + ":1:2"} {
			ada.text(t, "GET", path, "", "X-Easel-Version", bad).fails(t, 422, "invalid")
		}
		got := ada.must(t, 200, "GET", path, nil, "X-Easel-Read", "local")
		if age := got.header.Get("X-Easel-Age"); !regexp.MustCompile(`^\d{1,4}$`).MatchString(age) {
			t.Errorf("%s: X-Easel-Age is %q", path, age)
		}
		ada.text(t, "GET", path, "", "X-Easel-Read", "remote").fails(t, 422, "invalid")
	}
	// A version of the future is waited for, then the owner answers.
	got := ada.text(t, "GET", image, "", "X-Easel-Version", epoch+":7")
	if got.status != 200 || got.header.Get("X-Easel-Version") != at {
		t.Errorf("%s %s", got.header.Get("X-Easel-Version"), got)
	}
}

// TestContractMessages: the room's chat over REST.
func TestContractMessages(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	path := "/api/images/" + row.ID + "/messages"
	if got := ada.must(t, 200, "GET", path, nil); !strings.Contains(string(got.body), `"messages":[]`) {
		t.Errorf("%s", got)
	}
	var ids []string
	for i := range 105 {
		got := ada.must(t, 201, "POST", path, raw(fmt.Sprintf(`{"text":"line %d"}`, i)))
		id := regexp.MustCompile(`"id":"([0-9a-f]{32})"`).FindSubmatch(got.body)
		if id == nil {
			t.Fatalf("%s", got)
		}
		ids = append(ids, string(id[1]))
	}
	list := func(query string) (texts []string) {
		t.Helper()
		var out struct {
			Messages []struct{ ID, By, At, Text string }
		}
		if err := ada.must(t, 200, "GET", path+query, nil).into(&out); err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			if m.By != "ada" || m.ID == "" || !timeForm.MatchString(`"`+m.At+`"`) {
				t.Errorf("%+v", m)
			}
			texts = append(texts, m.Text)
		}
		return texts
	}
	if got := list(""); len(got) != 100 || got[0] != "line 104" || got[99] != "line 5" {
		t.Errorf("%d: %v", len(got), got)
	}
	if got := list("?after=" + ids[101]); fmt.Sprint(got) != "[line 104 line 103 line 102]" {
		t.Errorf("%v", got)
	}
	if got := list("?after=" + ids[104]); len(got) != 0 {
		t.Errorf("%v", got)
	}
	if got := ada.text(t, "GET", path+"?after="+strings.Repeat("0", 32), ""); got.status != 200 && got.status != 404 && got.status != 422 {
		t.Errorf("after an id that never was: %s", got)
	}
	ada.text(t, "GET", path+"?after=x", "").fails(t, 422, "invalid")
	for body, code := range map[string]string{`{}`: "invalid", `{"text":""}`: "invalid", `{"text":5}`: "bad_request", `{"text":"` + strings.Repeat("x", 1<<17) + `"}`: "invalid"} {
		ada.text(t, "POST", path, body).fails(t, statusOf[code], code)
	}
}
