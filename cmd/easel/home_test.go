package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

var awsKeys = env{"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}

// fakeS3 serves a bucket "easel" through wrap and returns what --store takes.
func fakeS3(t *testing.T, wrap func(http.Handler) http.Handler) (store string, keys func() string) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("easel"); err != nil {
		t.Fatal(err)
	}
	handler := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	if wrap != nil {
		handler = wrap(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	keys = func() string {
		list, err := backend.ListBucket("easel", &gofakes3.Prefix{}, gofakes3.ListBucketPage{})
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, o := range list.Contents {
			all.WriteString(o.Key + "\n")
		}
		return all.String()
	}
	return "s3://easel/p?endpoint=" + server.URL, keys
}

// ignoring drops the conditions of writes.
func ignoring(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("If-Match"), `"000`) { // the probe's first question is easy
			r.Header.Del("If-None-Match")
			r.Header.Del("If-Match")
		}
		next.ServeHTTP(w, r)
	})
}

func TestProgramKeepsItsHomeInABucket(t *testing.T) {
	store, keys := fakeS3(t, nil)
	data := t.TempDir()
	url, stop, _ := startProgramIn(t, awsKeys, "--data="+data, "--store="+store, "--dev")
	if got := status(t, url+"/ready"); got != http.StatusOK {
		t.Errorf("/ready: %d", got)
	}
	for deadline := time.After(30 * time.Second); !strings.Contains(keys(), "p/journal/actors/image."); { // samples
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Fatalf("no image is born:\n%s", keys())
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	all := keys()
	for _, want := range []string{"p/blobs/keys/root\n", "p/journal/actors/tenant.", "/snap/", "p/journal/templates/"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in the bucket:\n%s", want, all)
		}
	}
	if strings.Contains(all, "/log/") {
		t.Errorf("actors were not compacted when they were released:\n%s", all)
	}
	if _, err := os.Stat(filepath.Join(data, "store")); !os.IsNotExist(err) {
		t.Errorf("there is a folder store: %v", err)
	}
}

func TestProgramServesAloneOnAStoreWithoutConditions(t *testing.T) {
	store, _ := fakeS3(t, ignoring)
	url, _, _ := startProgramIn(t, awsKeys, "--data="+t.TempDir(), "--store="+store)
	if got := status(t, url+"/ready"); got != http.StatusOK {
		t.Errorf("/ready: %d", got)
	}
}

func TestDoctorLooksAtTheBucket(t *testing.T) {
	good, _ := fakeS3(t, nil)
	loose, _ := fakeS3(t, ignoring)
	for _, tt := range []struct {
		name, store, want string
		code              int
	}{
		{"a good store", good, "ok    store    s3://easel/p can be written and read, and keeps conditional writes", exitOK},
		{"a store without conditions", loose, "only one node may use it", exitOK},
		{"no such bucket", strings.Replace(good, "easel", "other", 1), "BAD   store    --store", exitFailed},
		{"nobody there", "s3://easel/p?endpoint=http://127.0.0.1:1", "BAD   store    --store", exitFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := easelCommand(t, awsKeys, "doctor", "--data", t.TempDir(), "--addr", "127.0.0.1:0", "--store", tt.store)
			if code != tt.code || !strings.Contains(out, tt.want) {
				t.Errorf("exit %d, want %d and %q\n%s%s", code, tt.code, tt.want, out, errs)
			}
		})
	}
}
