package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/goleak"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/archive"
	"github.com/easelhq/easel/auth"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/imaging"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/tenant"
	"github.com/easelhq/easel/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a whole node behind a test server: real actors, a real store.
type world struct {
	t      testing.TB
	server *httptest.Server
	auth   *auth.Authenticator
	api    *transport.API
	asker  *askers
	log    *bytes.Buffer
}

// askers passes requests on, and lets a test hold or fail them. Requests come
// from the server's own goroutines too (an upload's tiles are made in the
// background), so what a test sets is set and read atomically.
type askers struct {
	next actors.Asker
	hook atomic.Pointer[func(actors.Request) error]
	seen atomic.Pointer[func(context.Context, actors.Request)]
}

// hold has f asked before every request: an error of f is the answer.
func (a *askers) hold(f func(actors.Request) error) { a.hook.Store(&f) }

// watch has f told of every request, with the context it is asked in.
func (a *askers) watch(f func(context.Context, actors.Request)) { a.seen.Store(&f) }

// Ask implements actors.Asker.
func (a *askers) Ask(ctx context.Context, r actors.Request) (actors.Message, error) {
	if seen := a.seen.Load(); seen != nil {
		(*seen)(ctx, r)
	}
	if hook := a.hook.Load(); hook != nil {
		if err := (*hook)(r); err != nil {
			return nil, err
		}
	}
	return a.next.Ask(ctx, r)
}

type option func(*transport.Config)

// eraser takes every request and erases nothing.
type eraser struct{}

func (eraser) Request(context.Context, easel.TenantID) error { return nil }

func newWorld(t testing.TB, options ...option) *world {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	history, err := journal.OpenNode(journal.NodeOptions{Dir: t.TempDir(), Logger: log, Registerer: prometheus.NewRegistry()})
	must(t, err)
	blobs, err := blob.OpenDir(t.TempDir())
	must(t, err)
	late := &askers{}
	pictures := gallery.New(gallery.Config{Asker: late, Blobs: blobs, Histories: history, Now: time.Now, Log: log, MaxUpload: 1 << 20, MaxFile: 1 << 20})
	images, err := canvas.Kind(canvas.Options{Probe: pictures.Probe, Tile: pictures.MakeTiles, TileOver: imaging.TiledFrom, Archive: pictures.Archive(), OpLogKeep: 20}, nil)
	must(t, err)
	tenants, err := tenant.Kind(tenant.Options{})
	must(t, err)
	registry := prometheus.NewRegistry()
	system, err := actors.New(actors.Config{
		Node: "test", Dir: t.TempDir(), Journal: history, Kinds: []*actors.Kind{&images, &tenants},
		Messages: append(canvas.Prototypes(), tenant.Prototypes()...), Log: log, Registerer: registry,
	})
	must(t, err)
	late.next = system
	ctx, cancel := context.WithCancel(context.Background())
	must(t, system.Start(ctx))
	root := []byte(strings.Repeat("r", 32))
	a, err := auth.New(ctx, auth.Config{
		Tokens: auth.TokenConfig{Secrets: [][]byte{[]byte(strings.Repeat("s", 32))}}, Root: root, Asker: late,
	})
	must(t, err)
	copies, err := archive.NewCopies(history, t.TempDir())
	must(t, err)
	w := &world{t: t, auth: a, asker: late, log: &bytes.Buffer{}}
	c := transport.Config{
		Node: transport.Node{Name: "n1", Region: "here", Version: "v1"}, Auth: a, Actors: late,
		Images: pictures, Pictures: pictures, Files: pictures, Past: pictures, Cluster: pair{}, URLKey: root,
		Copies: copies, Eraser: eraser{},
		Metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), Registry: registry, Log: log,
		Limits: transport.Limits{Upload: 1 << 20, File: 1 << 20},
		Live:   func(rw http.ResponseWriter, _ *http.Request, p easel.Principal, id easel.ID) { streamed(rw, p, id) },
		Events: func(rw http.ResponseWriter, _ *http.Request, p easel.Principal, id easel.ID) { streamed(rw, p, id) },
	}
	for _, o := range options {
		o(&c)
	}
	w.api, err = transport.New(c)
	must(t, err)
	w.server = httptest.NewServer(w.api)
	t.Cleanup(func() {
		w.server.Close()
		if err := system.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		cancel()
		if err := history.Close(); err != nil {
			t.Error(err)
		}
		if err := blobs.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// streamed stands for a stream: it tells whom it would have served.
func streamed(rw http.ResponseWriter, p easel.Principal, id easel.ID) {
	_, _ = io.WriteString(rw, "stream "+p.User+" "+string(id))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// token signs a token of a team.
func (w *world) token(user, team string, role easel.Role) string {
	w.t.Helper()
	s, err := w.auth.Sign(auth.Grant{User: user, Tenant: team, Role: role, TTL: time.Hour})
	must(w.t, err)
	return s
}

// request is one HTTP exchange to be made.
type request struct {
	method, path, token string
	body                string
	header              map[string]string
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
}

func (w *world) do(r request) reply {
	w.t.Helper()
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(context.Background(), r.method, w.server.URL+r.path, body)
	must(w.t, err)
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if r.body != "" && (r.body[0] == '{' || r.body[0] == '[') {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	client := *w.server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	must(w.t, err)
	defer func() { must(w.t, res.Body.Close()) }()
	b, err := io.ReadAll(res.Body)
	must(w.t, err)
	return reply{res.StatusCode, res.Header, string(b)}
}

// want fails the test unless the reply has the status; it decodes the body into
// v if v is not nil.
func (r reply) want(t testing.TB, status int, v any) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("got %d %s, want %d", r.status, r.body, status)
	}
	if v != nil {
		if err := json.Unmarshal([]byte(r.body), v); err != nil {
			t.Fatalf("%v in %s", err, r.body)
		}
	}
	return r
}

// problem is the body of an error.
type problem struct {
	Error     easel.Code      `json:"error"`
	Message   string          `json:"message"`
	RequestID string          `json:"request_id"`
	Details   []easel.Detail  `json:"details"`
	Current   json.RawMessage `json:"current"`
	Expected  int64           `json:"expected"`
}

// wantError fails the test unless the reply is this error, in the form of all
// errors.
func (r reply) wantError(t testing.TB, status int, code easel.Code) problem {
	t.Helper()
	var p problem
	if r.status != status {
		t.Fatalf("got %d %s, want %d %s", r.status, r.body, status, code)
	}
	if err := json.Unmarshal([]byte(r.body), &p); err != nil {
		t.Fatalf("%v in %q", err, r.body)
	}
	if p.Error != code || p.Message == "" || p.RequestID == "" || p.RequestID != r.header.Get("X-Request-Id") {
		t.Fatalf("got %s, want a whole %s", r.body, code)
	}
	if r.header.Get("Content-Type") != "application/json" {
		t.Fatalf("an error of type %q", r.header.Get("Content-Type"))
	}
	return p
}

// picture returns a PNG of the given size, different for each shade.
func picture(t testing.TB, width, height int, shade uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	img.Set(0, 0, color.Gray{Y: shade})
	var b bytes.Buffer
	must(t, png.Encode(&b, img))
	return b.Bytes()
}

// form makes a multipart body with one file.
func form(t testing.TB, field, name string, content []byte) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", `form-data; name="`+field+`"; filename="`+name+`"`)
	h.Set("Content-Type", "application/octet-stream")
	part, err := m.CreatePart(h)
	must(t, err)
	_, err = part.Write(content)
	must(t, err)
	must(t, m.Close())
	return b.String(), m.FormDataContentType()
}

type imageBody struct {
	Image easel.Image `json:"image"`
}

// upload stores a small picture and returns its row.
func (w *world) upload(token string) easel.Image {
	w.t.Helper()
	body, ct := form(w.t, "image", "a.png", picture(w.t, 4, 3, uint8(len(token))))
	var out imageBody
	w.do(request{"POST", "/api/images/upload", token, body, map[string]string{"Content-Type": ct}}).want(w.t, 201, &out)
	return out.Image
}

// uploadTiled stores a wide strip and waits for its tiles.
func (w *world) uploadTiled(token string) easel.Image {
	w.t.Helper()
	body, ct := form(w.t, "image", "wide.png", picture(w.t, 2100, 2, uint8(len(token))))
	var out imageBody
	w.do(request{"POST", "/api/images/upload", token, body, map[string]string{"Content-Type": ct}}).want(w.t, 201, &out)
	deadline := time.Now().Add(20 * time.Second)
	for {
		var tiles struct{ State string }
		w.do(request{method: "GET", path: "/api/images/" + string(out.Image.ID) + "/tiles", token: token}).want(w.t, 200, &tiles)
		if tiles.State == "ready" {
			return out.Image
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("tiles are %q", tiles.State)
		}
		select {
		case <-w.t.Context().Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

type annotationBody struct {
	Annotation easel.Annotation `json:"annotation"`
}

// box is a valid annotation's JSON.
func box(image easel.ID, label string) string {
	return `{"image_id":"` + string(image) + `","label":"` + label + `","x":0.1,"y":0.2,"width":0.3,"height":0.4}`
}

func (w *world) draw(token string, image easel.ID, label string) easel.Annotation {
	w.t.Helper()
	var out annotationBody
	w.do(request{method: "POST", path: "/api/annotations", token: token, body: box(image, label)}).want(w.t, 201, &out)
	return out.Annotation
}
