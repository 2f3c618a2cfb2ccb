package blobtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/internal/freeport"
)

// Bucket is the one that every server of this package starts with, empty.
const Bucket = "easel"

// Credentials of the servers.
const (
	AccessKey = "easel-tests"
	SecretKey = "secret of the tests"
)

// Fake serves a bucket in this process, through wrap unless that is nil. It does
// not check signatures.
func Fake(t testing.TB, wrap func(http.Handler) http.Handler) blob.S3Options {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(Bucket); err != nil {
		t.Fatal(err)
	}
	handler := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	if wrap != nil {
		handler = wrap(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return options(server.URL)
}

// Unconditional is for Fake: a store that ignores the conditions of writes, as
// some do.
func Unconditional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("If-None-Match")
		r.Header.Del("If-Match")
		next.ServeHTTP(w, r)
	})
}

func options(endpoint string) blob.S3Options {
	return blob.S3Options{Bucket: Bucket, Endpoint: endpoint, AccessKey: AccessKey, SecretKey: SecretKey}
}

// Servers names the S3 servers that Serve can run: "make s3-servers" builds them.
func Servers() []string { return []string{"versitygw", "minio"} }

// Serve runs an S3 server of that name on a free port of this machine until the
// test ends. It skips the test if the server is not built.
func Serve(t testing.TB, name string) blob.S3Options {
	t.Helper()
	path := built(t, name)
	root, addr := t.TempDir(), freeport.Loopback(t)
	if err := os.Mkdir(filepath.Join(root, Bucket), 0o700); err != nil { // both take a folder for a bucket
		t.Fatal(err)
	}
	args := map[string][]string{
		"versitygw": {"--port", addr, "--keep-alive", "--quiet", "posix", root},
		"minio":     {"server", root, "--address", addr, "--quiet"},
	}[name]
	// Nodes of the test need it until their own cleanup, after the test's context.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), path, args...)
	said := &last{}
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, said, said
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + root, "MINIO_BROWSER=off",
		"ROOT_ACCESS_KEY=" + AccessKey, "ROOT_SECRET_KEY=" + SecretKey,
		"MINIO_ROOT_USER=" + AccessKey, "MINIO_ROOT_PASSWORD=" + SecretKey,
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the last words of %s:\n%s", name, said.buf)
		}
	})
	o := options("http://" + addr)
	awaitBucket(t, o)
	return o
}

// awaitBucket returns once the server answers for the bucket.
func awaitBucket(t testing.TB, o blob.S3Options) {
	t.Helper()
	s, err := blob.OpenS3(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		_, err := s.List(ctx, "", "", 1)
		if err == nil {
			return
		}
		timer := time.NewTimer(20 * time.Millisecond)
		select {
		case <-ctx.Done():
			t.Fatalf("the S3 server does not answer: %v", err)
		case <-timer.C:
		}
	}
}

// built returns the newest server of that name in the tools folder.
func built(t testing.TB, name string) string {
	t.Helper()
	if !slices.Contains(Servers(), name) {
		t.Fatalf("no S3 server is called %q", name)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("not in a folder of the module")
		}
		dir = up
	}
	found, err := filepath.Glob(filepath.Join(dir, ".tools", name+"-v*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Skipf("%s is not built: make s3-servers", name)
	}
	return slices.Max(found)
}

// Fetch gets a URL as a browser without credentials does. It returns the status,
// the content type and the body.
func Fetch(ctx context.Context, url string) (status int, contentType string, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", nil, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, res.Header.Get("Content-Type"), body, errors.Join(err, res.Body.Close())
}

// last keeps the end of what a server says. The command's one copier writes it,
// and it is read after that has ended.
type last struct{ buf []byte }

func (l *last) Write(p []byte) (int, error) {
	l.buf = append(l.buf, p...)
	if over := len(l.buf) - 16<<10; over > 0 {
		l.buf = l.buf[over:]
	}
	return len(p), nil
}

// Altered returns a presigned URL whose signature is another.
func Altered(url string) string {
	i := strings.LastIndex(url, "Signature=") + len("Signature=")
	flipped := "0"
	if url[i] == '0' {
		flipped = "1"
	}
	return url[:i] + flipped + url[i+1:]
}
