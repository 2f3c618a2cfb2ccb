package transport_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/tenant"
	"github.com/easelhq/easel/transport"
)

func TestUnknownPathsAndMethodsAreAnsweredInJSON(t *testing.T) {
	w := newWorld(t)
	token := w.token("ada", "", "")
	tests := []struct {
		method, path string
		status       int
		code         easel.Code
		allow        string
	}{
		{"GET", "/api/nope", 404, easel.CodeNotFound, ""},
		{"GET", "/nope", 404, easel.CodeNotFound, ""},
		{"GET", "/", 404, easel.CodeNotFound, ""},
		{"GET", "/api/", 404, easel.CodeNotFound, ""},
		{"GET", "/api//images", 404, easel.CodeNotFound, ""},
		{"GET", "/api/../api/me", 404, easel.CodeNotFound, ""},
		{"GET", "/api/images/", 404, easel.CodeNotFound, ""},
		{"GET", "/API/me", 404, easel.CodeNotFound, ""},
		{"GET", "/api/me/", 404, easel.CodeNotFound, ""},
		{"GET", "/api/kv/..", 404, easel.CodeNotFound, ""},
		{"POST", "/api/me", 405, easel.CodeMethodNotAllowed, "GET, HEAD"},
		{"DELETE", "/health", 405, easel.CodeMethodNotAllowed, "GET, HEAD"},
		{"OPTIONS", "/api/images", 405, easel.CodeMethodNotAllowed, "GET, HEAD"},
		{"BREW", "/api/images", 405, easel.CodeMethodNotAllowed, "GET, HEAD"},
		{"GET", "/api/annotations", 405, easel.CodeMethodNotAllowed, "POST"},
		{"PUT", "/api/images/upload", 405, easel.CodeMethodNotAllowed, "GET, HEAD, POST, PATCH, DELETE"},
		{"POST", "/api/files/x", 405, easel.CodeMethodNotAllowed, "GET, HEAD, PUT, DELETE"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			res := w.do(request{method: tt.method, path: tt.path, token: token})
			res.wantError(t, tt.status, tt.code)
			if got := res.header.Get("Allow"); got != tt.allow {
				t.Errorf("Allow %q, want %q", got, tt.allow)
			}
		})
	}
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	w := newWorld(t)
	token := w.token("ada", "", "")
	img := w.upload(token)
	for _, path := range []string{"/health", "/openapi.json", "/docs", "/api/me", "/api/images", "/api/images/" + string(img.ID), "/api/images/" + string(img.ID) + "/file"} {
		get, head := w.do(request{method: "GET", path: path, token: token}), w.do(request{method: "HEAD", path: path, token: token})
		if get.status != 200 || head.status != 200 || head.body != "" || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
			t.Errorf("%s: GET %d, HEAD %d %q", path, get.status, head.status, head.body)
		}
	}
	if r := w.do(request{method: "HEAD", path: "/api/images/" + string(img.ID) + "/events", token: token}); r.status != 405 {
		t.Errorf("HEAD of a stream: %d", r.status)
	}
}

func TestMalformedIDsAreInvalid(t *testing.T) {
	w := newWorld(t)
	token := w.token("ada", "", "")
	for _, id := range []string{"x", strings.Repeat("A", 32), strings.Repeat("a", 31), strings.Repeat("a", 33), "%2e%2e%2f", strings.Repeat("0", 31) + "%00", "01a2009e-30f3-7495-847565bc295a80"} {
		for _, path := range []string{"/api/images/" + id, "/api/annotations/by-image/" + id, "/api/images/" + id + "/ops"} {
			w.do(request{method: "GET", path: path, token: token}).wantError(t, 422, easel.CodeInvalid)
		}
	}
}

func TestListLimitsAndCursors(t *testing.T) {
	w := newWorld(t)
	token := w.token("ada", "", easel.Owner)
	for range 3 {
		w.upload(token)
	}
	for _, path := range []string{"/api/images", "/api/kv", "/api/files", "/api/keys"} {
		for _, q := range []string{"limit=0", "limit=-5", "limit=ten", "limit=1.5", "limit=", "limit=+", "cursor=%00", "cursor=AAAA", "cursor=" + strings.Repeat("A", 5000)} {
			if r := w.do(request{method: "GET", path: path + "?" + q, token: token}); r.status != 422 {
				t.Errorf("%s?%s: %d %s", path, q, r.status, r.body)
			}
		}
		for _, q := range []string{"limit=1001", "limit=99999999999999999999", "cursor="} {
			if r := w.do(request{method: "GET", path: path + "?" + q, token: token}); r.status != 200 {
				t.Errorf("%s?%s: %d %s", path, q, r.status, r.body)
			}
		}
		w.do(request{method: "GET", path: path + "?limit=%zz", token: token}).wantError(t, 400, easel.CodeBadRequest)
	}
	var seen []easel.ID
	path := "/api/images?limit=2"
	for range 3 {
		var page struct {
			Images     []easel.Image
			NextCursor *string `json:"next_cursor"`
		}
		w.do(request{method: "GET", path: path, token: token}).want(t, 200, &page)
		for _, img := range page.Images {
			seen = append(seen, img.ID)
		}
		if page.NextCursor == nil {
			break
		}
		path = "/api/images?limit=2&cursor=" + *page.NextCursor
	}
	if len(seen) != 3 || seen[0] < seen[1] || seen[1] < seen[2] {
		t.Errorf("pages hold %v", seen)
	}
}

func TestVersionHeaders(t *testing.T) {
	w := newWorld(t)
	token := w.token("ada", "", "")
	img := w.upload(token)
	path := "/api/annotations/by-image/" + string(img.ID)
	at := w.do(request{method: "GET", path: path, token: token}).want(t, 200, nil).header.Get("X-Easel-Version")
	epoch, _, _ := strings.Cut(at, ":")
	read := func(version string) reply {
		return w.do(request{"GET", path, token, "", map[string]string{"X-Easel-Version": version}})
	}
	for _, ok := range []string{at, epoch + ":0", "other:999"} {
		read(ok).want(t, 200, nil)
	}
	for _, bad := range []string{"x", ":1", epoch + ":", epoch + ":-1", epoch + ":+1", epoch + ":1.5", epoch + ":x", "a b:1", strings.Repeat("e", 65) + ":1", epoch + ":1:1"} {
		read(bad).wantError(t, 422, easel.CodeInvalid)
	}
	local := w.do(request{"GET", path, token, "", map[string]string{"X-Easel-Read": "local"}}).want(t, 200, nil)
	if local.header.Get("X-Easel-Age") != "0" {
		t.Errorf("X-Easel-Age %q", local.header.Get("X-Easel-Age"))
	}
	w.do(request{"GET", path, token, "", map[string]string{"X-Easel-Read": "remote"}}).wantError(t, 422, easel.CodeInvalid)

	// A read of a version to come waits until it is there.
	var wg sync.WaitGroup
	wg.Go(func() {
		if got := read(epoch + ":1"); got.header.Get("X-Easel-Version") != epoch+":1" {
			t.Errorf("waited for version 1, got %q", got.header.Get("X-Easel-Version"))
		}
	})
	w.draw(token, img.ID, "a")
	wg.Wait()
	start := time.Now()
	if got := read(epoch + ":99"); got.status != 200 || got.header.Get("X-Easel-Version") != epoch+":1" {
		t.Errorf("got %d at %q", got.status, got.header.Get("X-Easel-Version"))
	}
	if took := time.Since(start); took < 1900*time.Millisecond || took > 5*time.Second {
		t.Errorf("waited %v", took)
	}
}

func TestIdempotencyKeyGivesTheFirstVerdict(t *testing.T) {
	w := newWorld(t)
	ada, eve := w.token("ada", "acme", easel.Admin), w.token("eve", "acme", easel.Admin)
	img := w.upload(ada)
	path := "/api/images/" + string(img.ID)
	key := map[string]string{"Idempotency-Key": "k1"}
	tests := []struct {
		name  string
		req   request
		other string // another body
	}{
		{"create", request{"POST", "/api/annotations", ada, box(img.ID, "a"), key}, box(img.ID, "b")},
		{"bulk", request{"POST", "/api/annotations/bulk", ada, `{"annotations":[` + box(img.ID, "a") + `]}`, key}, `{"annotations":[` + box(img.ID, "c") + `]}`},
		{"message", request{"POST", path + "/messages", ada, `{"text":"a"}`, key}, `{"text":"b"}`},
		{"amend", request{"PATCH", path, ada, `{"filename":"a"}`, key}, `{"filename":"b"}`},
		{"value", request{"PUT", "/api/kv/x", ada, `a`, key}, `b`},
		{"key", request{"POST", "/api/keys", ada, `{"name":"a","role":"viewer"}`, key}, `{"name":"b","role":"viewer"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			first := w.do(tt.req)
			if first.status >= 300 {
				t.Fatalf("%d %s", first.status, first.body)
			}
			if again := w.do(tt.req); again.status != first.status || again.body != first.body {
				t.Errorf("again: %d %s, first %d %s", again.status, again.body, first.status, first.body)
			}
			changed := tt.req
			changed.body = tt.other
			w.do(changed).wantError(t, 422, easel.CodeInvalid)
			others := tt.req
			others.token = eve
			if r := w.do(others); r.status != first.status {
				t.Errorf("another user's: %d %s", r.status, r.body)
			}
		})
	}
	for _, bad := range []string{strings.Repeat("k", 256), "\t", "é"} {
		r := tests[0].req
		r.header = map[string]string{"Idempotency-Key": bad}
		w.do(r).wantError(t, 422, easel.CodeInvalid)
	}
	body, ct := form(t, "image", "i.png", picture(t, 3, 3, 7))
	up := request{"POST", "/api/images/upload", ada, body, map[string]string{"Idempotency-Key": "up", "Content-Type": ct}}
	var first, again imageBody
	w.do(up).want(t, 201, &first)
	w.do(up).want(t, 201, &again)
	if first.Image.ID != again.Image.ID {
		t.Errorf("a repeated upload made %s and %s", first.Image.ID, again.Image.ID)
	}
	up.body, up.header["Content-Type"] = form(t, "image", "i.png", picture(t, 3, 3, 8))
	w.do(up).wantError(t, 422, easel.CodeInvalid)
	// A permanent refusal is a verdict too.
	a := w.draw(ada, img.ID, "z")
	del := request{"DELETE", path + "/annotations/" + string(a.ID), ada, "", map[string]string{"Idempotency-Key": "d"}}
	w.do(del).want(t, 204, nil)
	w.do(del).want(t, 204, nil)
	del.header["Idempotency-Key"] = "d2"
	w.do(del).wantError(t, 410, easel.CodeGone)
}

func TestIdempotencyKeyInUseIsAConflict(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "acme", easel.Admin)
	img := w.upload(ada)
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.asker.hold(func(r actors.Request) error {
		if _, ok := r.Message.(canvas.Apply); ok {
			once.Do(func() { close(entered); <-leave })
		}
		return nil
	})
	req := request{"POST", "/api/annotations", ada, box(img.ID, "a"), map[string]string{"Idempotency-Key": "k"}}
	var wg sync.WaitGroup
	wg.Go(func() { w.do(req).want(t, 201, nil) })
	<-entered
	second := w.do(req)
	close(leave)
	wg.Wait()
	second.wantError(t, 409, easel.CodeConflict)
	if second.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.do(req).want(t, 201, nil)
}

func TestFailuresOfTheServer(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "acme", easel.Admin)
	img := w.upload(ada)
	tests := []struct {
		name   string
		err    error
		status int
		code   easel.Code
		retry  string
	}{
		{"overloaded", easel.Errorf(easel.CodeOverloaded, "full"), 503, easel.CodeOverloaded, "1"},
		{"unavailable", easel.Errorf(easel.CodeUnavailable, "away"), 503, easel.CodeUnavailable, "1"},
		{"rate limited", &easel.Error{Code: easel.CodeRateLimited, Message: "slow", RetryAfter: 1500 * time.Millisecond}, 429, easel.CodeRateLimited, "2"},
		{"internal", fmt.Errorf("secret detail"), 500, easel.CodeInternal, ""},
		{"too late", context.DeadlineExceeded, 503, easel.CodeUnavailable, "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.asker.hold(func(r actors.Request) error {
				if _, ok := r.Message.(canvas.Look); ok {
					return tt.err
				}
				return nil
			})
			res := w.do(request{method: "GET", path: "/api/images/" + string(img.ID), token: ada})
			res.wantError(t, tt.status, tt.code)
			if res.header.Get("Retry-After") != tt.retry || strings.Contains(res.body, "secret") {
				t.Errorf("Retry-After %q, body %s", res.header.Get("Retry-After"), res.body)
			}
		})
	}
	w.asker.hold(func(r actors.Request) error {
		if _, ok := r.Message.(canvas.Look); ok {
			panic("boom")
		}
		return nil
	})
	w.do(request{method: "GET", path: "/api/images/" + string(img.ID), token: ada}).wantError(t, 500, easel.CodeInternal)
}

func TestReadyFollowsTheNode(t *testing.T) {
	ready := true
	w := newWorld(t, func(c *transport.Config) { c.Node.Ready = func() bool { return ready } })
	w.do(request{method: "GET", path: "/ready"}).want(t, 200, nil)
	ready = false
	w.do(request{method: "GET", path: "/ready"}).wantError(t, 503, easel.CodeUnavailable)
	w.do(request{method: "GET", path: "/health"}).want(t, 200, nil)
}

func TestRateLimits(t *testing.T) {
	w := newWorld(t, func(c *transport.Config) { c.Limits.ClientOps, c.Limits.ClientBurst = 1, 500 })
	ada := w.token("ada", "acme", easel.Annotator)
	img := w.upload(ada)
	ops := strings.TrimSuffix(strings.Repeat(`{"k":"put","annotation":{"label":"a","x":0,"y":0,"width":1,"height":1}},`, 400), ",")
	post := func(client string) reply {
		return w.do(request{method: "POST", path: "/api/images/" + string(img.ID) + "/ops", token: ada, body: `{"client":"` + client + `","seq":1,"ops":[` + ops + `]}`})
	}
	post("a").want(t, 200, nil)
	res := post("a")
	res.wantError(t, 429, easel.CodeRateLimited)
	if n := res.header.Get("Retry-After"); n != "300" && n != "299" {
		t.Errorf("Retry-After %q", n)
	}
	post("b").want(t, 200, nil)
}

func TestTenantRateLimit(t *testing.T) {
	w := newWorld(t, func(c *transport.Config) { c.Limits.TenantOps = 1 })
	ada, bob := w.token("ada", "acme", easel.Annotator), w.token("bob", "other", easel.Annotator)
	a, b := w.upload(ada), w.upload(bob)
	bulk := func(id easel.ID) string {
		return `{"annotations":[` + strings.TrimSuffix(strings.Repeat(box(id, "x")+",", 500), ",") + `]}`
	}
	w.do(request{method: "POST", path: "/api/annotations/bulk", token: ada, body: bulk(a.ID)}).want(t, 201, nil)
	w.do(request{method: "POST", path: "/api/annotations", token: ada, body: box(a.ID, "x")}).wantError(t, 429, easel.CodeRateLimited)
	w.do(request{method: "POST", path: "/api/annotations", token: bob, body: box(b.ID, "x")}).want(t, 201, nil)
}

func TestMemberIsRecordedBeforeTheRequestIsServed(t *testing.T) {
	w := newWorld(t)
	var order []string
	w.asker.hold(func(r actors.Request) error {
		order = append(order, r.Message.MessageName())
		return nil
	})
	w.do(request{method: "GET", path: "/api/images", token: w.token("ada", "acme", easel.Viewer)}).want(t, 200, nil)
	if want := (tenant.Seen{}).MessageName(); len(order) != 2 || order[0] != want {
		t.Errorf("asked %v, want %s first", order, want)
	}
}

func TestCORS(t *testing.T) {
	w := newWorld(t, func(c *transport.Config) { c.Origins = []string{"https://app.example.com"} })
	preflight := func(origin string) reply {
		return w.do(request{"OPTIONS", "/api/images", "", "", map[string]string{
			"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-easel-meta-a",
		}})
	}
	if r := preflight("https://app.example.com"); r.status != 204 || r.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Errorf("preflight %d %v", r.status, r.header)
	}
	for _, evil := range []string{"https://app.example.com.evil", "http://app.example.com", "null", "https://APP.example.com:443", "https://evil.example"} {
		if r := preflight(evil); r.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may call", evil)
		}
		if r := w.do(request{"GET", "/health", "", "", map[string]string{"Origin": evil}}); r.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may read", evil)
		}
	}
	img := w.upload(w.token("ada", "", ""))
	live := func(origin string) int {
		return w.do(request{"GET", "/api/images/" + string(img.ID) + "/live", w.token("ada", "", ""), "", map[string]string{"Origin": origin}}).status
	}
	if got := live("https://app.example.com"); got != 200 {
		t.Errorf("listed origin: %d", got)
	}
	for _, evil := range []string{"https://app.example.com.evil", "null", "http://app.example.com", ""} {
		if got := live(evil); got != 403 {
			t.Errorf("origin %q: %d", evil, got)
		}
	}
}

func TestRequestIDAndSecurityHeaders(t *testing.T) {
	w := newWorld(t)
	if r := w.do(request{"GET", "/health", "", "", map[string]string{"X-Request-Id": "abc-1.2_3"}}); r.header.Get("X-Request-Id") != "abc-1.2_3" {
		t.Errorf("X-Request-Id %q", r.header.Get("X-Request-Id"))
	}
	for _, bad := range []string{"a b", "<x>", strings.Repeat("a", 65)} {
		if r := w.do(request{"GET", "/health", "", "", map[string]string{"X-Request-Id": bad}}); r.header.Get("X-Request-Id") == bad {
			t.Errorf("took %q", bad)
		}
	}
	h := w.do(request{method: "GET", path: "/health"}).header
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	docs := w.do(request{method: "GET", path: "/docs"}).want(t, 200, nil)
	if csp := docs.header.Get("Content-Security-Policy"); !strings.Contains(csp, "style-src 'sha256-") || strings.Contains(csp, "unsafe") || strings.Contains(docs.body, "<script") {
		t.Errorf("docs with policy %q", csp)
	}
	w.do(request{method: "GET", path: "/metrics"}).want(t, 200, nil)
}

func TestCredentialsAreNeverLogged(t *testing.T) {
	var log syncBuffer
	w := newWorld(t, func(c *transport.Config) {
		c.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	token := w.token("canary-user", "", "")
	w.do(request{method: "GET", path: "/api/me?ticket=canary-ticket&q=canary-query", token: token}).want(t, 200, nil)
	w.do(request{method: "GET", path: "/api/images/" + string(easel.NewID()) + "/file?ticket=canary-ticket"}).want(t, 401, nil)
	w.do(request{method: "GET", path: "/api/me", token: "canary.bad.token"}).want(t, 401, nil)
	w.do(request{"GET", "/api/images/" + string(easel.NewID()) + "/live", "", "", map[string]string{"Sec-WebSocket-Protocol": "easel.v1, bearer.canary"}}).want(t, 401, nil)
	got := log.String()
	if strings.Contains(got, "canary") || strings.Contains(got, token) {
		t.Errorf("logged: %s", got)
	}
	var line map[string]any
	first, _, _ := strings.Cut(got, "\n")
	if err := json.Unmarshal([]byte(first), &line); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"method", "route", "status", "bytes", "took", "request_id"} {
		if _, ok := line[key]; !ok {
			t.Errorf("no %s in %s", key, first)
		}
	}
	if line["route"] != "/api/me" {
		t.Errorf("route %v", line["route"])
	}
}

// syncBuffer is a log that a server writes and a test reads.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestBodyThatEndsEarly(t *testing.T) {
	w := newWorld(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.server.URL, "http://"))
	must(t, err)
	defer func() { must(t, conn.Close()) }()
	_, err = io.WriteString(conn, "POST /api/annotations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+w.token("ada", "", "")+"\r\nContent-Length: 100\r\n\r\n{")
	must(t, err)
	must(t, conn.(*net.TCPConn).CloseWrite())
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer func() { must(t, res.Body.Close()) }()
	if res.StatusCode != 400 {
		t.Errorf("got %d", res.StatusCode)
	}
}
