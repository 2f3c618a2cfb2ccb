package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collected is an OTLP/HTTP collector that remembers all spans.
type collected struct {
	mu    sync.Mutex
	spans []*tracepb.Span
}

// ServeHTTP implements http.Handler.
func (c *collected) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var in collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(body, &in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range in.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
}

// paths returns the names of a span's ancestors and its own, from the root of its
// trace on, joined by " > ", for every span called name.
func (c *collected) paths(name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	byID := map[string]*tracepb.Span{}
	for _, s := range c.spans {
		byID[hex.EncodeToString(s.SpanId)] = s
	}
	var out []string
	for _, s := range c.spans {
		if s.Name != name {
			continue
		}
		names := []string{s.Name}
		for up := byID[hex.EncodeToString(s.ParentSpanId)]; up != nil; up = byID[hex.EncodeToString(up.ParentSpanId)] {
			if !bytes.Equal(up.TraceId, s.TraceId) {
				names = append(names, "another trace")
			}
			names = append([]string{up.Name}, names...)
		}
		out = append(out, strings.Join(names, " > "))
	}
	return out
}

// site is a running node as one user of a team sees it.
type site struct {
	t          *testing.T
	url, token string
}

func newSite(t *testing.T, url, dir, user string) site {
	t.Helper()
	code, out, errs := easelCommand(t, nil, "token", "--data", dir, "--tenant", "acme", "--user", user, "--role", "admin")
	if code != exitOK {
		t.Fatalf("token: %s", errs)
	}
	return site{t, url, strings.TrimSpace(out)}
}

func (s site) do(method, path, contentType string, body []byte) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", contentType)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// image uploads a picture and returns its id.
func (s site) image() string {
	s.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("image", "a.png")
	if err != nil {
		s.t.Fatal(err)
	}
	if err := png.Encode(part, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		s.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		s.t.Fatal(err)
	}
	res := s.do(http.MethodPost, "/api/images/upload", form.FormDataContentType(), body.Bytes())
	var answer struct{ Image struct{ ID string } }
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode != http.StatusCreated {
		s.t.Fatalf("upload: %d, %v", res.StatusCode, err)
	}
	return answer.Image.ID
}

// live opens a socket, or returns the status that was answered instead.
func (s site) live(image string) (*websocket.Conn, int) {
	s.t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"easel.v1", "bearer." + s.token}}
	c, res, err := d.DialContext(s.t.Context(), "ws"+strings.TrimPrefix(s.url, "http")+"/api/images/"+image+"/live", nil)
	if err != nil {
		if res == nil {
			s.t.Fatal(err)
		}
		return nil, res.StatusCode
	}
	s.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	return c, http.StatusSwitchingProtocols
}

// say sends a frame and reads until one of type t comes.
func (s site) say(c *websocket.Conn, frame, t string) {
	s.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		s.t.Fatal(err)
	}
	for {
		var in struct{ T string }
		if err := c.ReadJSON(&in); err != nil {
			s.t.Fatalf("waiting for %s: %v", t, err)
		}
		if in.T == t {
			return
		}
	}
}

func TestOneTraceLeadsFromTheEdgeToTheFanOut(t *testing.T) {
	spans := &collected{}
	server := httptest.NewServer(spans)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL) // for the exporter, which reads the process's own
	dir := t.TempDir()
	url, stop, _ := startProgramIn(t, env{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL}, "--data="+dir)
	s := newSite(t, url, dir, "ada")
	image := s.image()
	socket, _ := s.live(image)
	s.say(socket, `{"t":"hello","client":"tab"}`, "snap")
	const shape = `"label":"cat","x":0.1,"y":0.1,"width":0.2,"height":0.2`
	s.say(socket, `{"t":"op","seq":1,"ops":[{"k":"put","annotation":{`+shape+`}}]}`, "ops")
	res := s.do(http.MethodPost, "/api/annotations", "application/json", []byte(`{"image_id":"`+image+`",`+shape+`}`))
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("create: %d", res.StatusCode)
	}
	s.say(socket, `{"t":"ping"}`, "ops") // the other one's, which the room has taken by then
	_ = socket.Close()
	http.DefaultClient.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	roots := []string{"socket op", "POST /api/annotations"}
	for _, name := range []string{"turn canvas.apply", "journal.append", "room fan-out"} {
		got := spans.paths(name)
		for _, root := range roots {
			want := root + " > " + name
			if name == "room fan-out" { // what the turn has published
				want = root + " > turn canvas.apply > " + name
			}
			found := false
			for _, p := range got {
				found = found || p == want
			}
			if !found {
				t.Errorf("no trace %q among %q", want, got)
			}
		}
	}
}
