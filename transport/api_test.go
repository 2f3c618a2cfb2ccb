package transport_test

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/transport"
)

func TestSeedsRequestsWork(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "", "")

	var health map[string]string
	w.do(request{method: "GET", path: "/health"}).want(t, 200, &health)
	if health["status"] != "ok" || health["region"] != "here" || health["node"] != "n1" || health["version"] != "v1" {
		t.Errorf("health is %v", health)
	}
	var me map[string]string
	w.do(request{method: "GET", path: "/api/me", token: ada}).want(t, 200, &me)
	if me["user_id"] != "ada" || me["tenant"] != "user:ada" || me["role"] != "owner" || me["name"] != "ada" {
		t.Errorf("me is %v", me)
	}

	img := w.upload(ada)
	if !img.ID.Valid() || img.Filename != "a.png" || img.ContentType != "image/png" || img.UploadedBy != "ada" || img.CreatedAt == 0 || len(img.SHA256) != 64 {
		t.Errorf("uploaded %+v", img)
	}
	var one imageBody
	res := w.do(request{method: "GET", path: "/api/images/" + string(img.ID), token: ada}).want(t, 200, &one)
	if ok, _ := regexp.MatchString(`^[^:]+:0$`, res.header.Get("X-Easel-Version")); !ok {
		t.Errorf("X-Easel-Version is %q", res.header.Get("X-Easel-Version"))
	}

	a := w.draw(ada, img.ID, "cat")
	if a.CreatedBy != "ada" || a.Rev != 1 || a.Confidence != nil || a.ImageID != img.ID || a.UpdatedAt == 0 {
		t.Errorf("drew %+v", a)
	}
	var bulk struct {
		Inserted, Total int
		IDs             []easel.ID
	}
	w.do(request{method: "POST", path: "/api/annotations/bulk", token: ada, body: `{"annotations":[` + box(img.ID, "dog") + `,` + box(img.ID, "cat") + `]}`}).want(t, 201, &bulk)
	if bulk.Inserted != 2 || bulk.Total != 2 || len(bulk.IDs) != 2 {
		t.Errorf("bulk is %+v", bulk)
	}
	var all struct {
		Annotations []easel.Annotation
		Version     int64
	}
	res = w.do(request{method: "GET", path: "/api/annotations/by-image/" + string(img.ID), token: ada}).want(t, 200, &all)
	if len(all.Annotations) != 3 || all.Version != 2 || all.Annotations[2].ID != a.ID {
		t.Errorf("listed %s", res.body)
	}
	if !strings.HasSuffix(res.header.Get("X-Easel-Version"), ":2") {
		t.Errorf("X-Easel-Version is %q", res.header.Get("X-Easel-Version"))
	}
	w.do(request{method: "GET", path: "/api/annotations/by-image/" + string(img.ID) + "?label=cat&minConfidence=0", token: ada}).want(t, 200, &all)
	if len(all.Annotations) != 0 {
		t.Errorf("annotations without a confidence matched: %+v", all)
	}
	w.do(request{method: "GET", path: "/api/annotations/by-image/" + string(img.ID) + "?label=cat", token: ada}).want(t, 200, &all)
	if len(all.Annotations) != 2 {
		t.Errorf("by label: %+v", all)
	}
}

func TestImageLife(t *testing.T) {
	w := newWorld(t)
	ada, eve := w.token("ada", "acme", easel.Annotator), w.token("eve", "acme", easel.Annotator)
	img := w.upload(ada)
	path := "/api/images/" + string(img.ID)
	var out imageBody
	w.do(request{method: "PATCH", path: path, token: ada, body: `{"filename":"b.png","metadata":{"k":[1]}}`}).want(t, 200, &out)
	if out.Image.Filename != "b.png" || string(out.Image.Metadata) != `{"k":[1]}` {
		t.Errorf("amended to %+v", out.Image)
	}
	w.do(request{method: "PATCH", path: path, token: eve, body: `{"filename":"c.png"}`}).wantError(t, 403, easel.CodeForbidden)
	w.do(request{method: "PATCH", path: path, token: ada, body: `{}`}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "PATCH", path: path, token: ada, body: `{"filename":"../x"}`}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "PATCH", path: path, token: ada, body: `{"metadata":[]}`}).wantError(t, 400, easel.CodeBadRequest)
	w.do(request{method: "PATCH", path: path, token: ada, body: `{"size":1}`}).wantError(t, 400, easel.CodeBadRequest)
	w.do(request{method: "DELETE", path: path, token: eve}).wantError(t, 403, easel.CodeForbidden)
	a := w.draw(eve, img.ID, "x")
	for range 2 {
		if r := w.do(request{method: "DELETE", path: path, token: ada}).want(t, 204, nil); r.body != "" {
			t.Errorf("a body after 204: %q", r.body)
		}
	}
	for _, r := range []request{
		{method: "GET", path: path},
		{method: "PATCH", path: path, body: `{"filename":"x.png"}`},
		{method: "GET", path: path + "/url"},
		{method: "GET", path: path + "/file"},
		{method: "GET", path: path + "/thumbnail"},
		{method: "GET", path: path + "/live"},
		{method: "GET", path: path + "/events"},
		{method: "GET", path: path + "/ops"},
		{method: "GET", path: path + "/messages"},
		{method: "POST", path: path + "/messages", body: `{"text":"x"}`},
		{method: "POST", path: path + "/ops", body: `{"client":"c","seq":1,"ops":[{"k":"del","id":"` + string(a.ID) + `"}]}`},
		{method: "GET", path: path + "/annotations/" + string(a.ID)},
		{method: "GET", path: "/api/annotations/by-image/" + string(img.ID)},
		{method: "POST", path: "/api/annotations", body: box(img.ID, "x")},
		{method: "POST", path: "/api/annotations/bulk", body: `{"annotations":[` + box(img.ID, "x") + `]}`},
		{method: "POST", path: "/api/tickets", body: `{"image_id":"` + string(img.ID) + `"}`},
	} {
		r.token = ada
		t.Run("deleted "+r.method+" "+strings.TrimPrefix(r.path, path), func(t *testing.T) {
			w.do(r).wantError(t, 410, easel.CodeGone)
		})
	}
	w.do(request{method: "POST", path: path + "/restore", token: ada}).want(t, 200, &out)
	if out.Image.DeletedAt != 0 || out.Image.AnnotationCount != 1 {
		t.Errorf("restored %+v", out.Image)
	}
}

func TestAnnotationLife(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "acme", easel.Annotator)
	img := w.upload(ada)
	res := w.do(request{method: "POST", path: "/api/annotations", token: ada, body: box(img.ID, "cat")})
	var a annotationBody
	res.want(t, 201, &a)
	if res.header.Get("ETag") != `"1"` {
		t.Errorf("ETag %q", res.header.Get("ETag"))
	}
	path := "/api/images/" + string(img.ID) + "/annotations/" + string(a.Annotation.ID)
	res = w.do(request{method: "GET", path: path, token: ada}).want(t, 200, &a)
	if res.header.Get("ETag") != `"1"` || res.header.Get("X-Easel-Version") == "" {
		t.Errorf("headers %v", res.header)
	}
	res = w.do(request{"PATCH", path, ada, `{"label":"dog","confidence":0.5}`, map[string]string{"If-Match": `"1"`}}).want(t, 200, &a)
	if a.Annotation.Label != "dog" || *a.Annotation.Confidence != .5 || a.Annotation.Rev != 2 || res.header.Get("ETag") != `"2"` {
		t.Errorf("patched to %s", res.body)
	}
	for _, tag := range []string{`"1"`, `"999"`, `"abc"`, `W/"2"`} {
		p := w.do(request{"PATCH", path, ada, `{"label":"cow"}`, map[string]string{"If-Match": tag}}).wantError(t, 412, easel.CodeConflict)
		if !strings.Contains(string(p.Current), `"dog"`) {
			t.Errorf("current is %s", p.Current)
		}
	}
	w.do(request{"PATCH", path, ada, `{"confidence":null}`, map[string]string{"If-Match": `*`}}).want(t, 200, &a)
	if a.Annotation.Confidence != nil {
		t.Errorf("confidence stays %v", *a.Annotation.Confidence)
	}
	w.do(request{method: "PATCH", path: path, token: ada, body: `{}`}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "PATCH", path: path, token: ada, body: `{"x":0.9}`}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{"DELETE", path, ada, "", map[string]string{"If-Match": `"1"`}}).wantError(t, 412, easel.CodeConflict)
	w.do(request{"DELETE", path, ada, "", map[string]string{"If-Match": `"3"`}}).want(t, 204, nil)
	w.do(request{method: "DELETE", path: path, token: ada}).wantError(t, 410, easel.CodeGone)
	w.do(request{method: "GET", path: path, token: ada}).wantError(t, 410, easel.CodeGone)
	w.do(request{method: "PATCH", path: path, token: ada, body: `{"label":"x"}`}).wantError(t, 410, easel.CodeGone)
	never := "/api/images/" + string(img.ID) + "/annotations/" + string(easel.NewID())
	w.do(request{method: "GET", path: never, token: ada}).wantError(t, 404, easel.CodeNotFound)
}

func TestOpsOverREST(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "acme", easel.Annotator)
	img := w.upload(ada)
	path := "/api/images/" + string(img.ID) + "/ops"
	post := func(body string) reply {
		t.Helper()
		return w.do(request{method: "POST", path: path, token: ada, body: body})
	}
	put := `{"k":"put","annotation":{"label":"a","x":0,"y":0,"width":1,"height":1}}`
	var ack struct {
		T        string
		Seq, Ver int64
		Results  []easel.Result
	}
	first := post(`{"client":"tab","seq":1,"ops":[`+put+`]}`).want(t, 200, &ack)
	if ack.T != "ack" || ack.Seq != 1 || ack.Ver != 1 || len(ack.Results) != 1 || ack.Results[0].Rev != 1 {
		t.Errorf("ack %s", first.body)
	}
	if again := post(`{"client":"tab","seq":1,"ops":[`+put+`]}`).want(t, 200, nil); again.body != first.body {
		t.Errorf("a repeat got %s, first %s", again.body, first.body)
	}
	post(`{"client":"tab","seq":1,"ops":[{"k":"del","id":"`+string(ack.Results[0].ID)+`"}]}`).wantError(t, 409, easel.CodeConflict)
	if p := post(`{"client":"tab","seq":5,"ops":[`+put+`]}`).wantError(t, 409, easel.CodeBadSeq); p.Expected != 2 {
		t.Errorf("expected %d, want 2", p.Expected)
	}
	p := post(`{"client":"tab","seq":2,"ops":[{"k":"patch","id":"`+string(ack.Results[0].ID)+`","set":{"label":"b"},"base":7}]}`).wantError(t, 409, easel.CodeConflict)
	if !strings.Contains(string(p.Current), string(ack.Results[0].ID)) {
		t.Errorf("current is %s", p.Current)
	}
	// A frame that breaks a rule is a permanent verdict and consumes its seq.
	post(`{"client":"tab","seq":3,"ops":[{"k":"put","annotation":{"label":"","x":0,"y":0,"width":1,"height":1}}]}`).wantError(t, 422, easel.CodeInvalid)
	post(`{"client":"tab","seq":4,"ops":[{"k":"frob"}]}`).wantError(t, 422, easel.CodeInvalid)
	post(`{"client":"tab","seq":5,"ops":[`+put+`]}`).want(t, 200, &ack)
	post(`{"client":"tab","ops":[`+put+`]}`).wantError(t, 422, easel.CodeInvalid)
	post(`{"client":"tab","seq":"6","ops":[`+put+`]}`).wantError(t, 400, easel.CodeBadRequest)

	var page struct {
		Ops []struct {
			Ver int64
			By  string
			At  string
			Ops []struct {
				K          string
				ID         easel.ID
				Annotation *easel.Annotation
			}
		}
		NextCursor *string `json:"next_cursor"`
	}
	w.do(request{method: "GET", path: path + "?limit=1", token: ada}).want(t, 200, &page)
	if len(page.Ops) != 1 || page.Ops[0].Ver != 1 || page.Ops[0].By != "ada" || page.NextCursor == nil || page.Ops[0].Ops[0].K != "put" {
		t.Fatalf("log %+v", page)
	}
	w.do(request{method: "GET", path: path + "?cursor=" + *page.NextCursor, token: ada}).want(t, 200, &page)
	if len(page.Ops) != 1 || page.Ops[0].Ver != 2 || page.NextCursor != nil {
		t.Fatalf("log %+v", page)
	}
	w.do(request{method: "GET", path: path + "?since=2", token: ada}).want(t, 200, &page)
	if len(page.Ops) != 0 {
		t.Errorf("log after the end: %+v", page)
	}
	for _, q := range []string{"limit=0", "limit=-1", "limit=x", "limit=", "since=-1", "since=x", "cursor=!!", "cursor=djA5", "cursor=eDE"} {
		w.do(request{method: "GET", path: path + "?" + q, token: ada}).wantError(t, 422, easel.CodeInvalid)
	}
	w.do(request{method: "GET", path: path + "?limit=99999999999999999999", token: ada}).want(t, 200, nil)
}

func TestMessages(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "acme", easel.Annotator)
	img := w.upload(ada)
	path := "/api/images/" + string(img.ID) + "/messages"
	var said struct{ Message easel.Message }
	w.do(request{method: "POST", path: path, token: ada, body: `{"text":"hello"}`}).want(t, 201, &said)
	if said.Message.Text != "hello" || said.Message.By != "ada" || !said.Message.ID.Valid() {
		t.Errorf("said %+v", said)
	}
	w.do(request{method: "POST", path: path, token: ada, body: `{"text":"again"}`}).want(t, 201, nil)
	var all struct{ Messages []easel.Message }
	w.do(request{method: "GET", path: path, token: ada}).want(t, 200, &all)
	if len(all.Messages) != 2 || all.Messages[0].Text != "again" {
		t.Errorf("messages %+v", all)
	}
	w.do(request{method: "GET", path: path + "?after=" + string(said.Message.ID), token: ada}).want(t, 200, &all)
	if len(all.Messages) != 1 || all.Messages[0].Text != "again" {
		t.Errorf("messages %+v", all)
	}
	w.do(request{method: "POST", path: path, token: ada, body: `{"text":""}`}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "POST", path: path, token: ada, body: `{"text":"` + strings.Repeat("é", 4001) + `"}`}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "GET", path: path + "?after=x", token: ada}).wantError(t, 422, easel.CodeInvalid)
}

func TestFiles(t *testing.T) {
	w := newWorld(t)
	boss, ada := w.token("boss", "acme", easel.Admin), w.token("ada", "acme", easel.Annotator)
	var stored struct {
		OK   bool
		ETag string
		Size int64
	}
	res := w.do(request{"PUT", "/api/files/a/b%2Fc.txt", boss, "hello world", map[string]string{"Content-Type": "text/plain; x=y", "X-Easel-Meta-Colour": "blue"}}).want(t, 200, &stored)
	if !stored.OK || stored.Size != 11 || res.header.Get("ETag") != `"`+stored.ETag+`"` {
		t.Errorf("stored %s", res.body)
	}
	for _, path := range []string{"/api/files/a/b/c.txt", "/api/files/a%2Fb%2Fc.txt"} {
		res = w.do(request{method: "GET", path: path, token: ada}).want(t, 200, nil)
		h := res.header
		if res.body != "hello world" || h.Get("Content-Type") != "text/plain; x=y" || h.Get("X-Easel-Meta-Colour") != "blue" ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != "sandbox; default-src 'none'" {
			t.Errorf("got %q with %v", res.body, h)
		}
	}
	res = w.do(request{"GET", "/api/files/a/b/c.txt", ada, "", map[string]string{"Range": "bytes=6-"}}).want(t, 206, nil)
	if res.body != "world" || res.header.Get("Content-Range") != "bytes 6-10/11" {
		t.Errorf("range %q %v", res.body, res.header)
	}
	res = w.do(request{method: "HEAD", path: "/api/files/a/b/c.txt", token: ada}).want(t, 200, nil)
	if res.body != "" || res.header.Get("Content-Length") != "11" {
		t.Errorf("HEAD %q %v", res.body, res.header)
	}
	w.do(request{"GET", "/api/files/a/b/c.txt", ada, "", map[string]string{"If-None-Match": `"` + stored.ETag + `"`}}).want(t, 304, nil)
	w.do(request{"PUT", "/api/files/a/b/c.txt", boss, "x", map[string]string{"If-Match": `"nope"`}}).wantError(t, 412, easel.CodeConflict)
	w.do(request{"PUT", "/api/files/a/b/c.txt", boss, "x", map[string]string{"If-None-Match": `*`}}).wantError(t, 412, easel.CodeConflict)
	w.do(request{"PUT", "/api/files/a/b/c.txt", boss, "y", map[string]string{"If-Match": `"` + stored.ETag + `"`}}).want(t, 200, nil)

	w.do(request{method: "PUT", path: "/api/files/mine", token: ada, body: "x"}).wantError(t, 403, easel.CodeForbidden)
	own := "/api/files/u/" + base64.RawURLEncoding.EncodeToString([]byte("ada")) + "/x"
	w.do(request{method: "PUT", path: own, token: ada, body: "x"}).want(t, 200, nil)
	w.do(request{method: "PUT", path: own + "//a/../b", token: ada, body: "x"}).want(t, 200, nil)
	w.do(request{method: "PUT", path: own, token: ada, body: strings.Repeat("x", 1<<20+1)}).wantError(t, 413, easel.CodeTooLarge)
	var list struct {
		Files      []struct{ Name string }
		NextCursor *string `json:"next_cursor"`
	}
	w.do(request{method: "GET", path: "/api/files?prefix=u/", token: ada}).want(t, 200, &list)
	if len(list.Files) != 2 || list.Files[0].Name != strings.TrimPrefix(own, "/api/files/") {
		t.Errorf("list %+v", list)
	}
	w.do(request{method: "GET", path: "/api/files?limit=1", token: ada}).want(t, 200, &list)
	if len(list.Files) != 1 || list.NextCursor == nil {
		t.Fatalf("list %+v", list)
	}
	w.do(request{method: "GET", path: "/api/files?cursor=" + url.QueryEscape(*list.NextCursor), token: ada}).want(t, 200, &list)
	if len(list.Files) != 2 {
		t.Errorf("list %+v", list)
	}
	w.do(request{method: "GET", path: "/api/files?cursor=zzz", token: ada}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "DELETE", path: own, token: ada}).want(t, 204, nil)
	w.do(request{method: "DELETE", path: own, token: ada}).wantError(t, 404, easel.CodeNotFound)
	w.do(request{method: "GET", path: own, token: ada}).wantError(t, 404, easel.CodeNotFound)
	w.do(request{method: "GET", path: "/api/files/", token: ada}).wantError(t, 422, easel.CodeInvalid)
}

func TestValues(t *testing.T) {
	w := newWorld(t)
	boss := w.token("boss", "acme", easel.Admin)
	value := "\x00\xff{bytes"
	res := w.do(request{method: "PUT", path: "/api/kv/a/b%2Fc", token: boss, body: value}).want(t, 200, nil)
	tag := res.header.Get("ETag")
	res = w.do(request{method: "GET", path: "/api/kv/a/b/c", token: boss}).want(t, 200, nil)
	if res.body != value || res.header.Get("ETag") != tag || res.header.Get("Content-Security-Policy") != "sandbox; default-src 'none'" {
		t.Errorf("got %q with %v", res.body, res.header)
	}
	w.do(request{"PUT", "/api/kv/a/b/c", boss, "2", map[string]string{"If-Match": `"x"`}}).wantError(t, 412, easel.CodeConflict)
	w.do(request{"PUT", "/api/kv/a/b/c", boss, "2", map[string]string{"If-Match": tag}}).want(t, 200, nil)
	w.do(request{"DELETE", "/api/kv/a/b/c", boss, "", map[string]string{"If-Match": tag}}).wantError(t, 412, easel.CodeConflict)
	w.do(request{method: "PUT", path: "/api/kv/e?ttl=60", token: boss, body: "2"}).want(t, 200, nil)
	w.do(request{method: "PUT", path: "/api/kv/e?ttl=0", token: boss, body: "2"}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "PUT", path: "/api/kv/e?ttl=x", token: boss, body: "2"}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "PUT", path: "/api/kv/big", token: boss, body: strings.Repeat("x", 1<<20)}).want(t, 200, nil)
	w.do(request{method: "PUT", path: "/api/kv/big", token: boss, body: strings.Repeat("x", 1<<20+1)}).wantError(t, 413, easel.CodeTooLarge)
	var list struct{ Keys []struct{ Key string } }
	w.do(request{method: "GET", path: "/api/kv?prefix=a/", token: boss}).want(t, 200, &list)
	if len(list.Keys) != 1 || list.Keys[0].Key != "a/b/c" {
		t.Errorf("list %+v", list)
	}
	w.do(request{method: "PUT", path: "/api/kv/empty", token: boss}).want(t, 200, nil)
	if res := w.do(request{method: "GET", path: "/api/kv/empty", token: boss}).want(t, 200, nil); res.body != "" {
		t.Errorf("got %q", res.body)
	}
	w.do(request{method: "DELETE", path: "/api/kv/a/b/c", token: boss}).want(t, 204, nil)
	w.do(request{method: "GET", path: "/api/kv/a/b/c", token: boss}).wantError(t, 404, easel.CodeNotFound)
	w.do(request{method: "GET", path: "/api/kv/%ff", token: boss}).wantError(t, 422, easel.CodeInvalid)
}

func TestServiceKeysAndMembers(t *testing.T) {
	w := newWorld(t)
	boss := w.token("boss", "acme", easel.Admin)
	var key struct {
		ID        easel.ID
		Key       string
		Role      easel.Role
		ExpiresAt *string `json:"expires_at"`
	}
	w.do(request{method: "POST", path: "/api/keys", token: boss, body: `{"name":"robot","role":"annotator","ttl":60}`}).want(t, 201, &key)
	if !strings.HasPrefix(key.Key, "easel_") || key.Role != easel.Annotator || key.ExpiresAt == nil {
		t.Errorf("key %+v", key)
	}
	var me map[string]string
	w.do(request{method: "GET", path: "/api/me", token: key.Key}).want(t, 200, &me)
	if me["role"] != "annotator" || me["user_id"] != "key:"+string(key.ID) {
		t.Errorf("me %v", me)
	}
	w.upload(key.Key)
	w.do(request{method: "GET", path: "/api/keys", token: key.Key}).wantError(t, 403, easel.CodeForbidden)
	res := w.do(request{method: "GET", path: "/api/keys", token: boss}).want(t, 200, nil)
	if !strings.Contains(res.body, `"robot"`) || strings.Contains(res.body, "easel_") {
		t.Errorf("keys %s", res.body)
	}
	w.do(request{method: "POST", path: "/api/keys", token: boss, body: `{"name":"r","role":"boss"}`}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "POST", path: "/api/keys", token: boss, body: `{"name":"r","role":"viewer","ttl":0}`}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "POST", path: "/api/keys", token: boss, body: `{"name":"r","role":"viewer","ttl":1.5}`}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "POST", path: "/api/keys", token: boss, body: `{"role":"viewer"}`}).wantError(t, 422, easel.CodeInvalid)
	w.do(request{method: "DELETE", path: "/api/keys/" + string(key.ID), token: boss}).want(t, 204, nil)

	var member map[string]string
	w.do(request{method: "GET", path: "/api/users/boss", token: boss}).want(t, 200, &member)
	if member["id"] != "boss" || member["role"] != "admin" || member["last_seen_at"] == "" {
		t.Errorf("member %v", member)
	}
	w.do(request{method: "GET", path: "/api/users/nobody", token: boss}).wantError(t, 404, easel.CodeNotFound)
	odd := w.token("auth0|a/b", "acme", easel.Viewer)
	w.do(request{method: "GET", path: "/api/me", token: odd}).want(t, 200, nil)
	w.do(request{method: "GET", path: "/api/users/auth0%7Ca%2Fb", token: boss}).want(t, 200, &member)
	var usage struct{ Used, Limits map[string]int64 }
	w.do(request{method: "GET", path: "/api/usage", token: boss}).want(t, 200, &usage)
	if usage.Used["images"] != 1 || usage.Limits["images"] != 1_000_000 {
		t.Errorf("usage %+v", usage)
	}
	for name, limit := range usage.Limits {
		if limit == 0 {
			t.Errorf("limit %s is 0, as if nothing were allowed", name)
		}
	}
}

func TestTicketsOpenStreamsAndBytes(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "acme", easel.Viewer)
	img, other := w.upload(w.token("eve", "acme", easel.Annotator)), w.upload(w.token("eve", "acme", easel.Annotator))
	var ticket struct{ Ticket string }
	w.do(request{method: "POST", path: "/api/tickets", token: ada, body: `{"image_id":"` + string(img.ID) + `"}`}).want(t, 201, &ticket)
	q := "?ticket=" + url.QueryEscape(ticket.Ticket)
	for _, route := range []string{"file", "thumbnail", "live", "events"} {
		res := w.do(request{method: "GET", path: "/api/images/" + string(img.ID) + "/" + route + q}).want(t, 200, nil)
		if route == "live" && res.body != "stream ada "+string(img.ID) {
			t.Errorf("served %q", res.body)
		}
		w.do(request{method: "GET", path: "/api/images/" + string(other.ID) + "/" + route + q}).wantError(t, 401, easel.CodeUnauthorized)
		w.do(request{method: "GET", path: "/api/images/" + string(img.ID) + "/" + route + q + "x"}).wantError(t, 401, easel.CodeUnauthorized)
		w.do(request{method: "GET", path: "/api/images/" + string(img.ID) + "/" + route}).wantError(t, 401, easel.CodeUnauthorized)
	}
	w.do(request{method: "GET", path: "/api/images/" + string(img.ID) + q}).wantError(t, 401, easel.CodeUnauthorized)
	w.do(request{method: "POST", path: "/api/tickets", token: ada, body: `{"image_id":"` + string(easel.NewID()) + `"}`}).wantError(t, 404, easel.CodeNotFound)
	w.do(request{"GET", "/api/images/" + string(img.ID) + "/live", "", "", map[string]string{"Sec-WebSocket-Protocol": "easel.v1, bearer." + ada}}).want(t, 200, nil)
	w.do(request{"GET", "/api/images/" + string(img.ID) + "/live", ada, "", map[string]string{"Origin": "https://evil.example"}}).wantError(t, 403, easel.CodeForbidden)
	w.do(request{"GET", "/api/images/" + string(img.ID) + "/live", ada, "", map[string]string{"Origin": w.server.URL}}).want(t, 200, nil)
}

func TestPresignedURL(t *testing.T) {
	var ahead atomic.Int64 // of the real time
	w := newWorld(t, func(c *transport.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	ada := w.token("ada", "acme", easel.Annotator)
	img := w.upload(ada)
	var out struct {
		URL       string
		ExpiresAt string `json:"expires_at"`
	}
	w.do(request{method: "GET", path: "/api/images/" + string(img.ID) + "/url", token: ada}).want(t, 200, &out)
	path, ok := strings.CutPrefix(out.URL, w.server.URL)
	if !ok {
		t.Fatalf("URL %s is not of this server", out.URL)
	}
	res := w.do(request{method: "GET", path: path}).want(t, 200, nil)
	if res.header.Get("Content-Type") != "image/png" || res.header.Get("Content-Security-Policy") != "sandbox; default-src 'none'" {
		t.Errorf("headers %v", res.header)
	}
	w.do(request{method: "HEAD", path: path}).want(t, 200, nil)
	w.do(request{method: "DELETE", path: path}).wantError(t, 405, easel.CodeMethodNotAllowed)
	other := string(w.upload(ada).ID)
	for name, bad := range map[string]string{
		"signature cut":     path[:len(path)-1],
		"signature altered": path[:len(path)-2] + "AA",
		"later":             strings.Replace(path, "expires=1", "expires=2", 1),
		"sooner":            strings.Replace(path, "expires=", "expires=0", 1),
		"other image":       strings.Replace(path, string(img.ID), other, 1),
		"other tenant":      strings.Replace(path, strings.Split(path, "/")[2], strings.Repeat("0", 32), 1),
		"no signature":      path[:strings.Index(path, "&")],
		"second expiry":     path + "&expires=9999999999",
		"another parameter": path + "&x=1",
		"nothing":           path[:strings.Index(path, "?")],
		"malformed image":   strings.Replace(path, string(img.ID), "x", 1),
	} {
		t.Run(name, func(t *testing.T) {
			w.do(request{method: "GET", path: bad}).wantError(t, 403, easel.CodeForbidden)
		})
	}
	ahead.Store(int64(59 * time.Minute))
	w.do(request{method: "GET", path: path}).want(t, 200, nil)
	ahead.Store(int64(time.Hour))
	w.do(request{method: "GET", path: path}).wantError(t, 403, easel.CodeForbidden)
	ahead.Store(0)
	w.do(request{method: "DELETE", path: "/api/images/" + string(img.ID), token: ada}).want(t, 204, nil)
	w.do(request{method: "GET", path: path}).wantError(t, 410, easel.CodeGone)
}

func TestRangesOfAnImage(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "acme", easel.Annotator)
	img := w.upload(ada)
	path := "/api/images/" + string(img.ID) + "/file"
	whole := w.do(request{method: "GET", path: path, token: ada}).want(t, 200, nil)
	h := whole.header
	tag := h.Get("ETag")
	if tag == "" || h.Get("Accept-Ranges") != "bytes" || h.Get("Cache-Control") != "private, max-age=3600" ||
		h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != "sandbox; default-src 'none'" || h.Get("Content-Type") != "image/png" {
		t.Errorf("headers %v", h)
	}
	size := len(whole.body)
	tests := []struct {
		name, header string
		status       int
		body         string
	}{
		{"start", "bytes=0-3", 206, whole.body[:4]},
		{"middle", "bytes=5-9", 206, whole.body[5:10]},
		{"to the end", "bytes=10-", 206, whole.body[10:]},
		{"suffix", "bytes=-4", 206, whole.body[size-4:]},
		{"suffix longer than all", "bytes=-99999", 206, whole.body},
		{"past the end", "bytes=10-99999", 206, whole.body[10:]},
		{"two ranges", "bytes=0-1,3-4", 200, whole.body},
		{"backwards", "bytes=9-5", 200, whole.body},
		{"other unit", "lines=1-2", 200, whole.body},
		{"nonsense", "bytes=a-b", 200, whole.body},
		{"minus", "bytes=--5", 200, whole.body},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := w.do(request{"GET", path, ada, "", map[string]string{"Range": tt.header}}).want(t, tt.status, nil)
			if res.body != tt.body {
				t.Errorf("got %d bytes, want %d", len(res.body), len(tt.body))
			}
		})
	}
	for _, bad := range []string{"bytes=99999-", "bytes=-0", "bytes=99999999999999999999-"} {
		res := w.do(request{"GET", path, ada, "", map[string]string{"Range": bad}})
		res.wantError(t, 416, easel.CodeRange)
		if !strings.HasPrefix(res.header.Get("Content-Range"), "bytes */") {
			t.Errorf("Content-Range %q", res.header.Get("Content-Range"))
		}
	}
	w.do(request{"GET", path, ada, "", map[string]string{"If-None-Match": `"x", W/` + tag}}).want(t, 304, nil)
	w.do(request{"GET", path, ada, "", map[string]string{"Range": "bytes=0-3", "If-Range": `"x"`}}).want(t, 200, nil)
	w.do(request{"GET", path, ada, "", map[string]string{"Range": "bytes=0-3", "If-Range": tag}}).want(t, 206, nil)
	w.do(request{"GET", path, ada, "", map[string]string{"If-Match": `"x"`}}).wantError(t, 412, easel.CodeConflict)
	thumb := w.do(request{method: "GET", path: "/api/images/" + string(img.ID) + "/thumbnail?size=64", token: ada}).want(t, 200, nil)
	if !strings.HasPrefix(thumb.header.Get("Content-Type"), "image/") || thumb.header.Get("ETag") == "" {
		t.Errorf("thumbnail %v", thumb.header)
	}
	w.do(request{method: "GET", path: "/api/images/" + string(img.ID) + "/thumbnail?size=0", token: ada}).wantError(t, 422, easel.CodeInvalid)
}

func TestDeepMetadataIsRefusedAndItsAnswerCanBeRepeated(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "", "")
	path := "/api/images/" + string(w.upload(ada).ID)
	amend := func(depth int) reply {
		body := `{"metadata":{"a":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}}`
		key := map[string]string{"Idempotency-Key": strconv.Itoa(depth)}
		return w.do(request{"PATCH", path, ada, body, key})
	}
	for range 2 {
		amend(100).want(t, 200, nil)
		amend(101).wantError(t, 422, easel.CodeInvalid)
		amend(9999).wantError(t, 422, easel.CodeInvalid) // just what JSON readers take
	}
}
