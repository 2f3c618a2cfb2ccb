package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestContractSchema: the label schema is versioned, put by admins on what they
// have seen, and refuses nobody's work.
func TestContractSchema(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	w := site{start(t, data, "--jwt-secret="+signingSecret)}
	adam, ada, vera := w.as("acme", "adam", "admin"), w.as("acme", "ada", ""), w.as("acme", "vera", "viewer")
	const path = "/api/schema"
	get := func(t *testing.T, a *api, etag, want string) {
		t.Helper()
		got := a.must(t, http.StatusOK, "GET", path, nil)
		if got.header.Get("ETag") != etag || strings.TrimSpace(string(got.body)) != want {
			t.Errorf("got %s %s, want %s %s", got.header.Get("ETag"), got.body, etag, want)
		}
		if again := a.must(t, http.StatusNotModified, "GET", path, nil, "If-None-Match", etag); len(again.body) > 0 || again.header.Get("ETag") != etag {
			t.Errorf("got %s %v", again, again.header)
		}
	}
	get(t, vera, `"0"`, `{"version":0,"labels":[],"open":true,"updated_by":"","updated_at":null}`)

	const labels = `[{"name":"cat","color":"#00ff00","key":"1","attributes":[{"name":"fur","type":"select","values":["short","long"],"required":true},{"name":"age","type":"number","min":0,"max":40}]},{"name":"dog"}]`
	first := adam.must(t, http.StatusOK, "PUT", path, raw(`{"version":0,"labels":`+labels+`,"open":false}`), "If-Match", `"0"`)
	if first.header.Get("ETag") != `"1"` || string(member(t, first.body, "labels")) != labels || string(member(t, first.body, "open")) != "false" || string(member(t, first.body, "updated_by")) != `"adam"` {
		t.Errorf("%s", first)
	}
	get(t, ada, `"1"`, strings.TrimSpace(string(first.body)))
	if again := adam.must(t, http.StatusOK, "PUT", path, raw(`{"labels":`+labels+`,"open":false}`)); again.header.Get("ETag") != `"1"` {
		t.Errorf("an equal one is %s", again)
	}

	t.Run("compare and set", func(t *testing.T) {
		stale, err := adam.do(t.Context(), "PUT", path, raw(`{"labels":[]}`), "If-Match", `"0"`)
		if err != nil {
			t.Fatal(err)
		}
		stale.fails(t, http.StatusPreconditionFailed, "conflict")
		if string(member(t, stale.body, "current", "version")) != "1" {
			t.Errorf("%s", stale)
		}
		adam.refused(t, "conflict", "PUT", path, raw(`{"labels":[],"version":0}`))
		absent, err := adam.do(t.Context(), "PUT", path, raw(`{"labels":[]}`), "If-None-Match", "*")
		if err != nil {
			t.Fatal(err)
		}
		absent.fails(t, http.StatusPreconditionFailed, "conflict")
	})
	t.Run("rights", func(t *testing.T) {
		for _, role := range []string{"viewer", "annotator", "reviewer"} {
			w.as("acme", "x", role).refused(t, "forbidden", "PUT", path, raw(`{"labels":[]}`))
		}
		w.anonymous().refused(t, "unauthorized", "GET", path, nil)
		get(t, w.as("other", "eve", "owner"), `"0"`, `{"version":0,"labels":[],"open":true,"updated_by":"","updated_at":null}`)
	})
	t.Run("bad ones", func(t *testing.T) {
		for body, want := range map[string]string{
			`{}`:                                      "labels",
			`{"labels":[{"color":"#000000"}]}`:        "labels[0].name",
			`{"labels":[{"name":"a"},{"name":"a"}]}`:  "labels[1].name",
			`{"labels":[{"name":"a","color":"red"}]}`: "labels[0].color",
			`{"labels":[{"name":"a","key":"ab"}]}`:    "labels[0].key",
			`{"labels":[{"name":"a","attributes":[{"name":"x","type":"date"}]}]}`:               "labels[0].attributes[0].type",
			`{"labels":[{"name":"a","attributes":[{"name":"x","type":"select"}]}]}`:             "labels[0].attributes[0].values",
			`{"labels":[{"name":"a","attributes":[{"name":"x","type":"text","min":1}]}]}`:       "labels[0].attributes[0].min",
			`{"labels":[{"name":"a","attributes":[{"name":"x","type":"number","max":1e999}]}]}`: "labels[0].attributes[0].max",
		} {
			if p := adam.refused(t, "invalid", "PUT", path, raw(body)); len(p.Details) != 1 || p.Details[0].Path != want {
				t.Errorf("%s: details %v, want %s", body, p.Details, want)
			}
		}
		for _, body := range []string{`[]`, `{"labels":{}}`, `{"labels":[],"colour":1}`, `{"labels":[{"name":1}]}`, `{"labels":[],"open":"yes"}`} {
			adam.text(t, "PUT", path, body).fails(t, 400, "bad_request")
		}
	})
	t.Run("work goes on", func(t *testing.T) {
		row := ada.upload(t, "a.png", picture(8, 8, 1))
		s, _ := ada.join(t, row.ID, "c")
		ada.draw(t, row.ID, "neither cat nor dog")
		s.say(t, opFrame(1, put(chosen(1), "also unknown")))
		s.want(t, "ack")
		ada.must(t, http.StatusOK, "PATCH", "/api/images/"+row.ID+"/annotations/"+chosen(1), raw(`{"label":"cat","attributes":{"fur":"blue"}}`))
	})

	second := adam.must(t, http.StatusOK, "PUT", path, raw(`{"labels":[{"name":"bird"}]}`), "If-Match", `"1"`)
	w.kill()
	wipe(t, data)
	w = site{start(t, data, "--jwt-secret="+signingSecret)}
	vera = w.as("acme", "vera", "viewer")
	get(t, vera, `"2"`, strings.TrimSpace(string(second.body)))
	old := vera.must(t, http.StatusOK, "GET", path+"?version=1", nil)
	if string(old.body) != string(first.body) || old.header.Get("ETag") != `"1"` {
		t.Errorf("version 1 is %s", old)
	}
	vera.refused(t, "not_found", "GET", path+"?version=3", nil)
	vera.refused(t, "invalid", "GET", path+"?version=0", nil)
	var list struct {
		Versions []struct {
			Version   int
			UpdatedBy string `json:"updated_by"`
		}
	}
	if err := json.Unmarshal(vera.must(t, http.StatusOK, "GET", path+"/versions", nil).body, &list); err != nil || len(list.Versions) != 2 || list.Versions[0].Version != 2 || list.Versions[1].UpdatedBy != "adam" {
		t.Errorf("%+v, %v", list, err)
	}
}
