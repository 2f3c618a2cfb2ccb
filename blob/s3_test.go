package blob_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/blob/blobtest"
)

// fakeS3 serves a bucket through wrap.
func fakeS3(t testing.TB, wrap func(http.Handler) http.Handler) blob.S3Options {
	t.Helper()
	o := blobtest.Fake(t, wrap)
	o.Prefix = "some/where"
	return o
}

func openS3(t testing.TB, o blob.S3Options) *blob.S3 {
	t.Helper()
	s, err := blob.OpenS3(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestS3FulfilsTheContract(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return openS3(t, fakeS3(t, nil)) })
}

func TestS3ProbeTellsStoresApart(t *testing.T) {
	if err := openS3(t, fakeS3(t, nil)).Probe(t.Context()); err != nil {
		t.Errorf("a good store: %v", err)
	}
	ignores := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-Match") == "" || !strings.HasPrefix(r.Header.Get("If-Match"), `"000`) {
				r.Header.Del("If-None-Match")
				r.Header.Del("If-Match")
			}
			next.ServeHTTP(w, r)
		})
	}
	s := openS3(t, fakeS3(t, ignores))
	if err := s.Probe(t.Context()); !errors.Is(err, blob.ErrUnconditional) {
		t.Errorf("a store that ignores conditions: %v", err)
	}
	if left, err := s.List(t.Context(), "", "", 10); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestS3ConditionalWriteIsSentOnceUnlessInConflict(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		fails  int32
		want   error
		calls  int32
	}{
		{"server error", 503, 1, blob.ErrUnavailable, 1},
		{"conflict", 409, 1, nil, 2},
		{"conflict without end", 409, 100, blob.ErrUnavailable, 4},
		{"taken", 412, 1, blob.ErrExists, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var calls atomic.Int32
			s := openS3(t, fakeS3(t, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPut && calls.Add(1) <= tt.fails {
						_, _ = io.Copy(io.Discard, r.Body)
						w.WriteHeader(tt.status)
						return
					}
					next.ServeHTTP(w, r)
				})
			}))
			_, err := s.PutIfAbsent(t.Context(), "k", []byte("x"))
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if got := calls.Load(); got != tt.calls {
				t.Errorf("%d calls, want %d", got, tt.calls)
			}
		})
	}
}

func TestS3RepeatsWhatMayBeRepeated(t *testing.T) {
	var calls atomic.Int32
	s := openS3(t, fakeS3(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if calls.Add(1)%2 == 1 {
				_, _ = io.Copy(io.Discard, r.Body)
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			next.ServeHTTP(w, r)
		})
	}))
	ctx := t.Context()
	if _, err := s.Put(ctx, "k", strings.NewReader("body")); err != nil {
		t.Error(err)
	}
	r, _, err := s.Get(ctx, "k", blob.All)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	if _, err := s.Stat(ctx, "k"); err != nil {
		t.Error(err)
	}
	if got, err := s.List(ctx, "", "", 10); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
	if err := s.Delete(ctx, "k"); err != nil {
		t.Error(err)
	}
}

func TestS3WithoutAnAnswerIsUnavailable(t *testing.T) {
	o := fakeS3(t, nil)
	o.Endpoint = "http://127.0.0.1:1"
	s := openS3(t, o)
	if _, err := s.PutIfAbsent(t.Context(), "k", nil); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("PutIfAbsent: %v", err)
	}
	if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("Stat: %v", err)
	}
	o = fakeS3(t, nil)
	o.Bucket = "missing"
	if _, err := openS3(t, o).Stat(t.Context(), "k"); err == nil {
		t.Error("a bucket that is not there has objects")
	}
	if _, _, err := openS3(t, o).Get(t.Context(), "k", blob.All); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("Get from a missing bucket: %v", err)
	}
}

func TestS3PresignedURLWorksWithoutCredentials(t *testing.T) {
	o := fakeS3(t, nil)
	s := openS3(t, o)
	if _, err := s.Put(t.Context(), "a/b", strings.NewReader("bytes")); err != nil {
		t.Fatal(err)
	}
	link, err := s.PresignGet(t.Context(), "a/b", time.Hour, "image/png", `cat "1".png`)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if b, e := io.ReadAll(resp.Body); e != nil || string(b) != "bytes" {
		t.Errorf("%d %q, %v", resp.StatusCode, b, e)
	}

	o.Public = "https://files.example.org"
	link, err = openS3(t, o).PresignGet(t.Context(), "a/b", time.Hour, "text/html", "ü.html")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Scheme != "https" || u.Host != "files.example.org" || u.Path != "/easel/some/where/a/b" ||
		q.Get("response-content-type") != "text/html" || q.Get("X-Amz-Expires") != "3600" ||
		!strings.HasPrefix(q.Get("response-content-disposition"), "attachment; filename*=utf-8''%C3%BC.html") {
		t.Errorf("got %s", link)
	}
}

func TestS3StreamsInBoundedMemory(t *testing.T) {
	// The fake keeps what it is sent, so count what the store is sent instead.
	var parts, largest atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		switch q := r.URL.Query(); {
		case r.Method == http.MethodPost && q.Has("uploads"):
			_, _ = fmt.Fprint(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
		case r.Method == http.MethodPost:
			_, _ = fmt.Fprint(w, `<CompleteMultipartUploadResult><Bucket>easel</Bucket><Key>big</Key><ETag>"done"</ETag></CompleteMultipartUploadResult>`)
		case r.Method == http.MethodPut:
			parts.Add(1)
			largest.Store(max(largest.Load(), n))
			w.Header().Set("ETag", `"part"`)
		}
	}))
	t.Cleanup(server.Close)
	s := openS3(t, blob.S3Options{Bucket: "easel", Endpoint: server.URL, AccessKey: "k", SecretKey: "s"})
	const size = 96<<20 + 1
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	info, err := s.Put(t.Context(), "big", io.LimitReader(zeros{}, size))
	if err != nil || info.Size != size || info.Version != "done" {
		t.Fatalf("%+v, %v", info, err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > size/2 {
		t.Errorf("allocated %d bytes", grown)
	}
	if parts.Load() != 20 || largest.Load() != 5<<20 {
		t.Errorf("%d parts, the largest %d bytes", parts.Load(), largest.Load())
	}
}

func TestParseS3(t *testing.T) {
	got, err := blob.ParseS3("s3://bucket/a/b/?endpoint=http://127.0.0.1:9000&region=eu-west-1&public=https://files.example.org")
	if err != nil {
		t.Fatal(err)
	}
	want := blob.S3Options{
		Bucket: "bucket", Prefix: "a/b", Endpoint: "http://127.0.0.1:9000", Region: "eu-west-1", Public: "https://files.example.org",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{
		"", "bucket", "http://bucket/", "s3:///a", "s3://b/../c", "s3://b/a b", "s3://b?endpoint=127.0.0.1:9000",
		"s3://b?endpoint=ftp://x", "s3://b?endpoint=http://x/path", "s3://b?colour=red", "s3://b?region=a&region=b", "s3://b?region=",
		"s3://user:secret@b/", "s3://b/%zz",
	} {
		if _, err := blob.ParseS3(bad); err == nil {
			t.Errorf("took %q", bad)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("error tells a password: %v", err)
		}
	}
}
