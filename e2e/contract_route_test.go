package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestContractOperatorRoutes are those that need no token.
func TestContractOperatorRoutes(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	a := w.anonymous()
	got := a.must(t, 200, "GET", "/health", nil)
	if keys := fmt.Sprint(keysOf(t, got.body)); keys != "[node region status version]" {
		t.Errorf("health has %s", keys)
	}
	for path, contentType := range map[string]string{
		"/ready": "", "/metrics": "text/plain", "/openapi.json": "application/json", "/docs": "text/html", "/": "text/html", "/health": "application/json",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			got := a.must(t, 200, method, path, nil)
			if !strings.HasPrefix(got.header.Get("Content-Type"), contentType) {
				t.Errorf("%s %s is %q", method, path, got.header.Get("Content-Type"))
			}
			if got.header.Get("X-Request-Id") == "" || got.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s %s: headers %v", method, path, got.header)
			}
			if method == "HEAD" && len(got.body) != 0 {
				t.Errorf("HEAD %s has a body", path)
			}
		}
		// A bad token is nothing to a route that needs none.
		newAPI(w.base, "x").must(t, 200, "GET", path, nil)
	}
}

// TestContractUnknownRoutes: 404 and 405 are JSON too.
func TestContractUnknownRoutes(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("", "ada", "")
	for _, path := range []string{"/api", "/api/", "/api/nothing", "/api/images/", "/api/images/a/b/c", "/nothing", "/api//images", "/api/users", "/users/ada", "/files/x", "/messages"} {
		t.Run("404 "+path, func(t *testing.T) {
			t.Parallel()
			ada.text(t, "GET", path, "").fails(t, 404, "not_found")
		})
	}
	id := strings.Repeat("0", 32)
	for _, c := range []struct{ method, path, allow string }{
		{"POST", "/health", "GET, HEAD"},
		{"DELETE", "/api/me", "GET, HEAD"},
		{"POST", "/api/images", "GET, HEAD"},
		{"PUT", "/api/images/" + id, "GET, HEAD, PATCH, DELETE"},
		{"GET", "/api/annotations", "POST"},
		{"PUT", "/api/annotations/bulk", "POST"},
		{"GET", "/api/tickets", "POST"},
		{"POST", "/api/files/x", "GET, HEAD, PUT, DELETE"},
		{"PATCH", "/api/kv/x", "GET, HEAD, PUT, DELETE"},
		{"PUT", "/api/keys", "GET, HEAD, POST"},
		{"GET", "/api/keys/" + id, "DELETE"},
		{"GET", "/api/images/" + id + "/restore", "POST"},
		{"DELETE", "/api/images/" + id + "/ops", "GET, HEAD, POST"},
		{"BREW", "/api/me", "GET, HEAD"},
		{"PUT", "/api/files", "GET, HEAD"},
		{"DELETE", "/api/kv", "GET, HEAD"},
	} {
		t.Run("405 "+c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			got := ada.text(t, c.method, c.path, "")
			got.fails(t, 405, "method_not_allowed")
			if allow := got.header.Get("Allow"); allow != c.allow {
				t.Errorf("Allow: %s, want %s", allow, c.allow)
			}
		})
	}
}

// TestContractHeaders: request ids, CORS.
func TestContractHeaders(t *testing.T) {
	t.Parallel()
	w := newSite(t, "--origins=https://app.example.com,http://localhost:3000")
	ada := w.as("", "ada", "")
	preflight := func(origin string) answer {
		t.Helper()
		return w.anonymous().text(t, "OPTIONS", "/api/images", "", "Origin", origin, "Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "authorization,if-match,idempotency-key,x-easel-version,content-type")
	}
	if got := preflight("https://app.example.com"); got.status >= 300 || got.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" || !strings.Contains(got.header.Get("Access-Control-Allow-Methods"), "PATCH") {
		t.Errorf("%s %v", got, got.header)
	}
	if got := preflight("https://evil.example.com"); got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%v", got.header)
	}
	got := ada.must(t, 200, "GET", "/api/me", nil, "Origin", "http://localhost:3000")
	if got.header.Get("Access-Control-Allow-Origin") != "http://localhost:3000" || !strings.Contains(strings.ToLower(got.header.Get("Access-Control-Expose-Headers")), "etag") || !strings.Contains(got.header.Get("Vary"), "Origin") {
		t.Errorf("%v", got.header)
	}
	if got := ada.must(t, 200, "GET", "/api/me", nil, "Origin", "https://evil.example.com"); got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%v", got.header)
	}
	seen := map[string]bool{}
	for range 3 {
		seen[ada.must(t, 200, "GET", "/api/me", nil).header.Get("X-Request-Id")] = true
	}
	if len(seen) != 3 {
		t.Errorf("request ids %v", seen)
	}
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	for origin, fine := range map[string]bool{"https://app.example.com": true, w.base: true, "https://evil.example.com": false, "null": false, "http://localhost:3001": false} {
		_, err := ada.dialQuery(t, row.ID, "", "Origin", origin)
		if fine != (err == nil) || !fine && !strings.HasSuffix(err.Error(), ": 403") {
			t.Errorf("origin %s: %v", origin, err)
		}
	}
	if got := ada.text(t, "OPTIONS", "/api/images", ""); got.status >= 500 {
		t.Errorf("%s", got)
	}
	res, err := http.Get(w.base + "/api/me")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("a 401 without WWW-Authenticate: %v", res.Header)
	}
}

// TestContractStrictJSON: every route that takes JSON is as strict.
func TestContractStrictJSON(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	admin := w.as("acme", "ada", "admin")
	row := admin.upload(t, "a.png", picture(8, 8, 1))
	shape := admin.draw(t, row.ID, "cat")
	image := "/api/images/" + row.ID
	for _, c := range []struct {
		method, path, good string
		status             int
	}{
		{"POST", "/api/tickets", `{"image_id":"` + row.ID + `"}`, 201},
		{"PATCH", image, `{"filename":"b.png"}`, 200},
		{"POST", "/api/annotations", drawing(row.ID, "x", ""), 201},
		{"POST", "/api/annotations/bulk", `{"annotations":[` + drawing(row.ID, "x", "") + `]}`, 201},
		{"PATCH", image + "/annotations/" + shape.ID, `{"label":"dog"}`, 200},
		{"POST", image + "/ops", `{"client":"strict","seq":1,"ops":[{"k":"patch","id":"` + shape.ID + `","set":{"label":"cow"}}]}`, 200},
		{"POST", image + "/messages", `{"text":"hello"}`, 201},
		{"POST", "/api/keys", `{"name":"k","role":"viewer"}`, 201},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			open := strings.TrimSuffix(c.good, "}")
			first := c.good[1:strings.Index(c.good, ":")]
			for name, bad := range map[string]string{
				"unknown": open + `,"zzz":1}`, "duplicate": open + `,` + first + `:` + "null}", "trailing": c.good + "{}", "BOM": "\ufeff" + c.good, "empty": "", "null": "null", "array": "[]",
				"UTF-8": strings.Replace(c.good, first, "\"\xff\"", 1), "cut": open, "type": `{` + first + `:{"a":[]}}`, "deep": strings.Repeat("[", 100000), "number": "5", "case": strings.Replace(c.good, first, strings.ToUpper(first), 1),
			} {
				got := admin.text(t, c.method, c.path, bad)
				if got.status != 400 {
					t.Errorf("%s: got %s", name, got)
					continue
				}
				got.fails(t, 400, "bad_request")
			}
			admin.text(t, c.method, c.path, c.good, "Content-Type", "text/plain").fails(t, 415, "unsupported_media")
			if got := admin.text(t, c.method, c.path, strings.Repeat(" ", 1<<20)+c.good); got.status != 413 {
				t.Errorf("1 MiB and more: got %s", got)
			}
			// An op frame that was refused for what it holds has consumed its seq.
			good := strings.Replace(c.good, `"seq":1`, `"seq":2`, 1)
			if got := admin.text(t, c.method, c.path, good); got.status != c.status {
				t.Errorf("the good one: got %s", got)
			}
		})
	}
}
