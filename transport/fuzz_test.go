package transport_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/auth"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/tenant"
	"github.com/easelhq/easel/transport"
)

// puppet answers every actor's part at once, for fuzzing and for measuring the
// edge alone.
type puppet struct {
	transport.Pictures
	transport.Files
	transport.Past
}

// Ask implements actors.Asker.
func (puppet) Ask(_ context.Context, r actors.Request) (actors.Message, error) {
	switch m := r.Message.(type) {
	case canvas.Apply:
		if m.Refused != nil {
			return canvas.Applied{Rejected: m.Refused}, nil
		}
		out := canvas.Applied{Seq: m.Seq, Ver: 7, Epoch: "e", Results: make([]easel.Result, len(m.Ops))}
		for _, op := range m.Ops {
			a := easel.Annotation{ID: "0123456789abcdef0123456789abcdef", Rev: 1, CreatedBy: m.By.User, CreatedAt: 1, UpdatedAt: 1}
			if op.Draft != nil {
				a.Label, a.X, a.Y, a.Width, a.Height, a.Confidence = op.Draft.Label, op.Draft.X, op.Draft.Y, op.Draft.Width, op.Draft.Height, op.Draft.Confidence
				a.Shape, a.Attributes, a.Source, a.Model = op.Draft.Shape, op.Draft.Attributes, op.Draft.Source, op.Draft.Model
			}
			out.Annotations = append(out.Annotations, a)
		}
		return out, nil
	case canvas.Amend, canvas.Look, canvas.Restore:
		return canvas.ImageReply{Image: easel.Image{Metadata: json.RawMessage("{}")}, Epoch: "e"}, nil
	case canvas.Say:
		return canvas.Said{}, nil
	case canvas.Judge:
		return canvas.Judged{Epoch: "e"}, nil
	case tenant.SchemaPut:
		return tenant.SchemaReply{Version: 1, LabelSchema: m.Schema}, nil
	case tenant.KeyCreate:
		return tenant.KeyCreated{}, nil
	case canvas.List:
		return canvas.Listing{Body: json.RawMessage(`{"annotations":[],"version":0}`), Epoch: "e"}, nil
	default:
		return tenant.Empty{}, nil
	}
}

// Upload implements transport.Images.
func (puppet) Upload(_ context.Context, _ easel.Principal, u gallery.Upload) (easel.Image, error) {
	_, err := io.Copy(io.Discard, u.Body)
	return easel.Image{Filename: u.Filename, Metadata: json.RawMessage("{}")}, err
}

// Bulk implements transport.Images.
func (puppet) Bulk(_ context.Context, _ easel.Principal, items []gallery.Item, _ actors.Once) ([]easel.ID, error) {
	return make([]easel.ID, len(items)), nil
}

// newEdge returns an API without anything behind it, and a token of an owner.
func newEdge(t testing.TB) (api *transport.API, token string) {
	t.Helper()
	root := []byte(strings.Repeat("r", 32))
	a, err := auth.New(t.Context(), auth.Config{Tokens: auth.TokenConfig{Secrets: [][]byte{root}}, Root: root, Asker: puppet{}})
	must(t, err)
	api, err = transport.New(transport.Config{
		Auth: a, Actors: puppet{}, Images: puppet{}, Pictures: puppet{}, Files: puppet{}, Past: puppet{}, Cluster: pair{}, URLKey: root,
		Log: slog.New(slog.DiscardHandler), Limits: transport.Limits{Upload: 1 << 20},
	})
	must(t, err)
	token, err = a.Sign(auth.Grant{User: "ada", TTL: time.Hour})
	must(t, err)
	return api, token
}

// FuzzBody sends any bytes to every route with a JSON body. Whatever they are,
// the answer is the route's own or a client's error, in JSON.
func FuzzBody(f *testing.F) {
	api, token := newEdge(f)
	id := strings.Repeat("a", 32)
	paths := []string{
		"POST /api/annotations", "POST /api/annotations/bulk", "POST /api/tickets", "POST /api/keys", "PATCH /api/images/" + id,
		"POST /api/images/" + id + "/ops", "POST /api/images/" + id + "/messages", "PATCH /api/images/" + id + "/annotations/" + id,
		"PUT /api/schema", "POST /api/images/" + id + "/predictions/accept",
	}
	f.Add(0, box(easel.ID(id), "a"))
	f.Add(1, `{"annotations":[`+box(easel.ID(id), "a")+`]}`)
	f.Add(4, `{"metadata":{"a":[1,null]},"filename":"x"}`)
	f.Add(5, `{"client":"c","seq":1,"ops":[{"k":"del","id":"`+id+`"}]}`)
	f.Add(6, `{"text":"\ud800"}`)
	f.Add(3, `{"name":"a","role":"viewer","ttl":1e3}`)
	f.Add(0, `{"image_id":"`+id+`","label":"a","shape":`+triangle+`,"attributes":{"a":1,"b":"x"},"source":"model","model":"m"}`)
	f.Add(7, `{"shape":`+ellipse+`,"attributes":{"a":null}}`)
	f.Add(8, `{"labels":[{"name":"a","color":"#000000","key":"1","attributes":[{"name":"b","type":"number","min":0}]}],"open":false}`)
	f.Add(9, `{"min_confidence":0.5}`)
	f.Fuzz(func(t *testing.T, route int, body string) {
		method, path, _ := strings.Cut(paths[uint(route)%uint(len(paths))], " ")
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		api.ServeHTTP(rec, req)
		if rec.Code >= 500 || rec.Code < 200 || !json.Valid(rec.Body.Bytes()) {
			t.Fatalf("%s %s %q: %d %s", method, path, body, rec.Code, rec.Body)
		}
		if rec.Code < 300 && !json.Valid([]byte(body)) {
			t.Errorf("%s %s took what is no JSON: %q", method, path, body)
		}
	})
}

// FuzzUpload sends any bytes as a multipart form.
func FuzzUpload(f *testing.F) {
	api, token := newEdge(f)
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\nbytes\r\n--b--\r\n")
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name=image; filename*=UTF-8''%00..%2f\r\n\r\n\r\n--b--")
	f.Add("multipart/form-data; boundary=\"\"", "----")
	f.Fuzz(func(t *testing.T, kind, body string) {
		req := httptest.NewRequest("POST", "/api/images/upload", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", kind)
		rec := httptest.NewRecorder()
		api.ServeHTTP(rec, req)
		if rec.Code >= 500 || !json.Valid(rec.Body.Bytes()) {
			t.Fatalf("%q %q: %d %s", kind, body, rec.Code, rec.Body)
		}
		if rec.Code != 201 {
			return
		}
		var out imageBody
		must(t, json.Unmarshal(rec.Body.Bytes(), &out))
		name := out.Image.Filename
		if name == "" || len(name) > easel.MaxFilename || strings.ContainsAny(name, "/\\\x00") || name == ".." {
			t.Errorf("kept the name %q", name)
		}
	})
}

// FuzzRequest sends any path, query and headers.
func FuzzRequest(f *testing.F) {
	api, token := newEdge(f)
	f.Add("GET", "/api/annotations/by-image/0123456789abcdef0123456789abcdef", "label=a&minConfidence=0.5&limit=1", "bytes=0-", `"1"`, "e:1")
	f.Add("PUT", "/api/kv/a//b/../c", "ttl=1", "", "*", "")
	f.Add("GET", "/signed/a/b", "expires=1&signature=x", "bytes=-1", "", "")
	f.Fuzz(func(t *testing.T, method, path, query, rng, match, version string) {
		req := httptest.NewRequest("GET", "/", nil)
		req.Method, req.URL.Path, req.URL.RawQuery = method, "/"+path, query
		for name, v := range map[string]string{"Range": rng, "If-Match": match, "X-Easel-Version": version, "Idempotency-Key": match} {
			req.Header.Set(name, v)
		}
		if strings.Contains(path, "images") && (strings.Contains(path, "file") || strings.Contains(path, "thumbnail") || strings.Contains(path, "url")) || strings.Contains(path, "files") {
			t.Skip("bytes need a store")
		}
		req.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		api.ServeHTTP(rec, req)
		if rec.Header().Get("X-Request-Id") == "" {
			t.Error("no X-Request-Id")
		}
		if rec.Code == 500 {
			t.Fatalf("%s %s?%s: %d %s", method, path, query, rec.Code, rec.Body)
		}
	})
}

func BenchmarkCreateAtTheEdge(b *testing.B) {
	api, token := newEdge(b)
	body := box("0123456789abcdef0123456789abcdef", "cat")
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequest("POST", "/api/annotations", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		api.ServeHTTP(rec, req)
		if rec.Code != 201 {
			b.Fatal(rec.Code, rec.Body)
		}
	}
}

func BenchmarkListAtTheEdge(b *testing.B) {
	api, token := newEdge(b)
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequest("GET", "/api/annotations/by-image/0123456789abcdef0123456789abcdef", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		api.ServeHTTP(rec, req)
		if rec.Code != 200 {
			b.Fatal(rec.Code, rec.Body)
		}
	}
}
