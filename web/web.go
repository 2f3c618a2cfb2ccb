package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed all:dist
var dist embed.FS

//go:embed samples/*.jpg
var samples embed.FS

// ContentSecurityPolicy is what the page declares of itself: it runs no script
// and opens no connection but its own node's.
const ContentSecurityPolicy = "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; " +
	"connect-src 'self' ws: wss:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Samples returns a few photographs (*.jpg, at most 150 KB each) for a
// demonstration. CREDITS.md in their folder says whose they are.
func Samples() fs.FS {
	sub, err := fs.Sub(samples, "samples")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}

// Handler serves the page: "/" and the files it needs. Everything else is 404,
// other methods than GET and HEAD are 405.
func Handler() http.Handler {
	pages := make(map[string]*file)
	err := fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		content, err := dist.ReadFile(name)
		if err != nil {
			return err
		}
		pages["/"+strings.TrimPrefix(name, "dist/")] = newFile(name, content)
		return nil
	})
	if err != nil {
		panic(err) // embedded files can be read
	}
	pages["/"] = pages["/index.html"]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		switch {
		case !ok:
			fail(w, http.StatusNotFound, `"not_found","message":"there is no such page"`)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			fail(w, http.StatusMethodNotAllowed, `"method_not_allowed","message":"pages can only be read"`)
		default:
			page.ServeHTTP(w, r)
		}
	})
}

// fail answers in the form of the API's errors. The request id is known to
// whoever set it on the response.
func fail(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	id := ""
	if v := w.Header().Get("X-Request-Id"); v != "" {
		id = `,"request_id":"` + v + `"`
	}
	_, _ = w.Write([]byte(`{"error":` + body + id + "}\n"))
}

// file is one embedded file as it is served.
type file struct {
	name       string
	kind       string
	etag       string
	cache      string
	content    []byte
	compressed func() []byte // nil for what is compressed already
}

func newFile(name string, content []byte) *file {
	f := &file{name: name, content: content, cache: "no-cache"}
	switch path.Ext(name) { // the machine's own table may differ, and takes milliseconds to read
	case ".js":
		f.kind = "text/javascript; charset=utf-8"
	case ".css":
		f.kind = "text/css; charset=utf-8"
	case ".html":
		f.kind = "text/html; charset=utf-8"
	case ".txt":
		f.kind = "text/plain; charset=utf-8"
	case ".svg":
		f.kind = "image/svg+xml"
	default:
		f.kind = "application/octet-stream"
	}
	sum := sha256.Sum256(content)
	f.etag = `"` + hex.EncodeToString(sum[:8]) + `"`
	if strings.HasPrefix(name, "dist/assets/") {
		f.cache = "public, max-age=31536000, immutable" // the name holds a hash of the content
	}
	if strings.HasPrefix(f.kind, "text/") || f.kind == "image/svg+xml" {
		// At the first request, not at start: a megabyte takes 50 ms.
		f.compressed = sync.OnceValue(func() []byte { return compress(content) })
	}
	return f
}

func compress(content []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	// Writes to a bytes.Buffer do not fail.
	_, _ = w.Write(content)
	_ = w.Close()
	return out.Bytes()
}

func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", f.cache)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", ContentSecurityPolicy)
	content, etag := f.content, f.etag
	if f.compressed != nil {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			content = f.compressed()
			etag = strings.TrimSuffix(etag, `"`) + `-gzip"`
		}
	}
	h.Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// acceptsGzip reads an Accept-Encoding header. A weight of zero forbids.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(coding) != "gzip" {
			continue
		}
		q := strings.TrimPrefix(strings.TrimSpace(weight), "q=")
		return strings.Trim(q, "0.") != "" || q == ""
	}
	return false
}
