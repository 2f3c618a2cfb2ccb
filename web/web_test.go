package web_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/easelhq/easel/imaging"
	"github.com/easelhq/easel/web"
)

func get(t *testing.T, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	web.Handler().ServeHTTP(w, r)
	return w
}

var asset = regexp.MustCompile(`(?:src|href)="(/[^"]+)"`)

func TestPageAndItsFilesAreServed(t *testing.T) {
	page := get(t, "/")
	if page.Code != http.StatusOK || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("GET /: %d %s", page.Code, page.Header().Get("Content-Type"))
	}
	if got := page.Header().Get("Content-Security-Policy"); got != web.ContentSecurityPolicy {
		t.Errorf("policy %q", got)
	}
	if got := page.Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("page is cached: %q", got)
	}
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	found := asset.FindAllStringSubmatch(page.Body.String(), -1)
	if len(found) < 3 {
		t.Fatalf("the page names %d files", len(found))
	}
	for _, match := range found {
		got := get(t, match[1])
		if want := kinds[filepath.Ext(match[1])]; got.Code != http.StatusOK || got.Header().Get("Content-Type") != want {
			t.Errorf("GET %s: %d %s, want %s", match[1], got.Code, got.Header().Get("Content-Type"), want)
		}
		if strings.HasPrefix(match[1], "/assets/") && !strings.Contains(got.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s is not cached for ever", match[1])
		}
		again := get(t, match[1], "If-None-Match", got.Header().Get("ETag"))
		if again.Code != http.StatusNotModified {
			t.Errorf("GET %s again: %d, want 304", match[1], again.Code)
		}
	}
}

// The worker is asked for anew each time, and names all that the page consists of.
func TestServiceWorkerKeepsThisPage(t *testing.T) {
	worker := get(t, "/sw.js")
	if worker.Code != http.StatusOK || worker.Header().Get("Content-Type") != "text/javascript; charset=utf-8" || worker.Header().Get("Cache-Control") != "no-cache" {
		t.Fatalf("GET /sw.js: %d %v", worker.Code, worker.Header())
	}
	for _, path := range submatches(get(t, "/").Body.String()) {
		if !strings.Contains(worker.Body.String(), strconv.Quote(path)) {
			t.Errorf("it does not keep %s", path)
		}
	}
}

func TestFirstLoadIsSmall(t *testing.T) {
	const most = 400 << 10
	sum := 0
	page := get(t, "/").Body.String()
	for _, path := range append([]string{"/"}, submatches(page)...) {
		got := get(t, path, "Accept-Encoding", "br, gzip;q=0.8")
		if got.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s is not compressed", path)
			continue
		}
		sum += got.Body.Len()
		r, err := gzip.NewReader(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(r)
		if err != nil || string(plain) != get(t, path).Body.String() {
			t.Errorf("%s differs when it is compressed: %v", path, err)
		}
	}
	if sum > most {
		t.Errorf("first load is %d bytes, want at most %d", sum, most)
	}
}

func submatches(page string) []string {
	var out []string
	for _, match := range asset.FindAllStringSubmatch(page, -1) {
		out = append(out, match[1])
	}
	return out
}

func TestOnlyThePageIsServed(t *testing.T) {
	for _, path := range []string{"/nothing", "/.source-hash", "/assets/", "/samples/dogs.jpg", "/index.html/..", "/api/me"} {
		if got := get(t, path); got.Code != http.StatusNotFound || !strings.HasPrefix(got.Body.String(), `{"error":"not_found"`) {
			t.Errorf("GET %s: %d %s", path, got.Code, got.Body)
		}
	}
	w := httptest.NewRecorder()
	web.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
	if got := get(t, "/", "Accept-Encoding", "gzip;q=0"); got.Header().Get("Content-Encoding") != "" {
		t.Error("compressed for somebody who forbids it")
	}
}

// A page stays open over upgrades of its node, which then has other assets: what it
// would load later is gone.
func TestPageLoadsNothingLater(t *testing.T) {
	named := slices.DeleteFunc(submatches(get(t, "/").Body.String()), func(file string) bool { return !strings.HasPrefix(file, "/assets/") })
	files, err := filepath.Glob("dist/assets/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !slices.Contains(named, "/assets/"+filepath.Base(file)) {
			t.Errorf("%s is not named by the page", file)
		}
	}
	if len(files) != len(named) || len(files) == 0 {
		t.Errorf("%d assets, of which the page names %d: %q", len(files), len(named), named)
	}
}

// The same as build/stamp.mjs.
func TestPageIsBuiltFromItsSources(t *testing.T) {
	var paths []string
	for _, source := range []string{"../clients/typescript/src", "build", "index.html", "package-lock.json", "package.json", "public", "src", "tsconfig.json", "tsconfig.worker.json", "vite.config.ts"} {
		err := filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				paths = append(paths, filepath.ToSlash(path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(paths)
	hash := sha256.New()
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(hash, "%s\x00%d\x00", path, len(content))
		hash.Write(content)
	}
	stamp, err := os.ReadFile("dist/.source-hash")
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != strings.TrimSpace(string(stamp)) {
		t.Error("dist is older than its sources: run npm ci && npm run build in web, and commit dist")
	}
}

func TestLockNamesNoRegistry(t *testing.T) {
	for _, name := range []string{"package-lock.json", "../clients/typescript/package-lock.json"} {
		lock, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(lock), `"resolved"`) {
			t.Errorf("%s names download addresses: npm config set omit-lockfile-registry-resolved true", name)
		}
	}
}

func TestSamplesAreSmallPhotographsWithCredits(t *testing.T) {
	credits, err := os.ReadFile("samples/CREDITS.md")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := fs.ReadDir(web.Samples(), ".")
	if err != nil || len(entries) < 3 {
		t.Fatalf("%d photographs, %v", len(entries), err)
	}
	sum := 0
	for _, entry := range entries {
		content, err := fs.ReadFile(web.Samples(), entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		sum += len(content)
		if !strings.Contains(string(credits), "`"+entry.Name()+"`") {
			t.Errorf("%s is not credited", entry.Name())
		}
		f, err := os.Open(filepath.Join("samples", entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := imaging.Check(f); err != nil || len(content) > 150<<10 {
			t.Errorf("%s: %d bytes, %v", entry.Name(), len(content), err)
		}
	}
	if sum > 600<<10 {
		t.Errorf("%d bytes of photographs", sum)
	}
}
