package e2e_test

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/e2e/tally"
)

func scaleFlags() (images, few *int, dir *string) {
	return flag.Int("scale.images", 5000, "sleeping images that a node is measured with"),
		flag.Int("scale.few", 500, "sleeping images that the same is measured with, for comparison"),
		flag.String("scale.dir", "", "where the folder homes are made; it must hold 12 KB and 3 inodes for each image")
}

var scaleImages, scaleFew, scaleDir = scaleFlags()

// footprint is what a node takes that has just started and has nothing to do.
type footprint struct {
	ready            time.Duration
	reads, readBytes int64 // system calls that read, and what they read
	requests         int64 // to the bucket
	rss              float64
	goroutines, fds  float64
}

// idle waits until a node does nothing any more and returns what it takes.
func idle(t *testing.T, n *node, ready time.Duration, requests *atomic.Int64) footprint {
	t.Helper()
	var f footprint
	for same := 0; same < 5; time.Sleep(100 * time.Millisecond) {
		reads, bytes := n.reads(t)
		if same++; reads != f.reads || requests.Load() != f.requests {
			same = 0
		}
		f.reads, f.readBytes, f.requests = reads, bytes, requests.Load()
	}
	f.ready, f.rss, f.fds = ready, n.rss(t), n.descriptors(t)
	f.goroutines = n.metric(t, "go_goroutines")
	return f
}

// reads returns how many system calls of a process have read, and how much.
func (n *node) reads(t testing.TB) (calls, size int64) {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", n.cmd.Process.Pid))
	if err != nil {
		t.Skip("needs /proc")
	}
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		v, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "syscr":
			calls = v
		case "rchar":
			size = v
		}
	}
	return calls, size
}

// measure starts a node on a home, measures it, and looks at some of its images.
func measure(t *testing.T, store string, requests *atomic.Int64, images int, some map[int]easel.ID) footprint {
	t.Helper()
	data := t.TempDir()
	begun := time.Now()
	n := start(t, data, "--store="+store, "--chores=off")
	f := idle(t, n, time.Since(begun), requests)
	for _, i := range []int{0, 1, images - 2, images - 1} {
		a := newAPI(n.base, token(t, data, "--tenant="+forgedTenant(i, images), "--user=scale", "--role=owner"))
		var one struct{ Image imageRow }
		if err := a.must(t, http.StatusOK, "GET", "/api/images/"+string(some[i]), nil).into(&one); err != nil || one.Image.ID != string(some[i]) {
			t.Errorf("image %d: %+v, %v", i, one, err)
		}
		boxes := a.must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+string(some[i]), nil)
		if got := bytes.Count(boxes.body, []byte(`"label":`)); got != perImage {
			t.Errorf("image %d has %d annotations, want %d: %s", i, got, perImage, boxes.body)
		}
		var list struct{ Images []imageRow }
		if err := a.must(t, http.StatusOK, "GET", "/api/images?limit=1000", nil).into(&list); err != nil || len(list.Images) < images/forgedTenants(images)-1 {
			t.Errorf("tenant of image %d lists %d images: %v", i, len(list.Images), err)
		}
	}
	if code := n.stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	return f
}

// TestSleepingImagesCostNothing compares a node that knows many images with one
// that knows few. It compares counts and sizes, never times.
func TestSleepingImagesCostNothing(t *testing.T) {
	t.Parallel()
	homes := map[string]func(t *testing.T, images int, made func(int)) footprint{
		"folder": func(t *testing.T, images int, made func(int)) footprint {
			home := filepath.Join(*scaleDir, fmt.Sprint("easel-scale-", images))
			if *scaleDir == "" {
				home = filepath.Join(t.TempDir(), "home")
			}
			defer os.RemoveAll(home)
			begun := time.Now()
			some := forgeFolder(t, home, images, made)
			t.Logf("%d images made in %v", images, time.Since(begun).Round(time.Second))
			return measure(t, "dir:"+home, new(atomic.Int64), images, some)
		},
		"bucket": func(t *testing.T, images int, made func(int)) footprint {
			begun := time.Now()
			backend, some := forgeBucket(t, images, made)
			t.Logf("%d images made in %v", images, time.Since(begun).Round(time.Second))
			var requests atomic.Int64
			s3 := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				s3.ServeHTTP(w, r)
			}))
			defer server.Close()
			return measure(t, homeOn(server.URL), &requests, images, some)
		},
	}
	for name, measured := range homes {
		t.Run(name, func(t *testing.T) {
			few, many := *scaleFew, *scaleImages
			report := &tally.Report{Suite: "sleeping images, " + name, Rounds: many}
			a := measured(t, few, func(int) {})
			b := measured(t, many, func(made int) {
				report.Round = made
				tell(t, report)
			})
			report.Note = fmt.Sprintf("%.0f MB resident, %d reads at start; with %d images %.0f MB, %d reads", b.rss/1e6, b.reads, few, a.rss/1e6, a.reads)
			tell(t, report)
			for i, f := range []footprint{a, b} {
				t.Logf("%9d images: ready after %v, %d reads (%d KB), %d requests, %.0f MB, %.0f goroutines, %.0f descriptors",
					[]int{few, many}[i], f.ready.Round(time.Millisecond), f.reads, f.readBytes>>10, f.requests, f.rss/1e6, f.goroutines, f.fds)
			}
			more := int64(many - few)
			if b.reads-a.reads > more/20 || b.readBytes-a.readBytes > more*20 {
				t.Errorf("a start with %d more images made %d more reads of %d bytes", more, b.reads-a.reads, b.readBytes-a.readBytes)
			}
			if b.requests > a.requests+30 {
				t.Errorf("a start with %d more images made %d more requests", more, b.requests-a.requests)
			}
			if b.goroutines > a.goroutines+20 || b.fds > a.fds+20 {
				t.Errorf("%.0f goroutines and %.0f descriptors, with few images %.0f and %.0f", b.goroutines, b.fds, a.goroutines, a.fds)
			}
			if b.rss > 100e6 || b.rss > a.rss+16e6 {
				t.Errorf("%.0f MB, with few images %.0f MB", b.rss/1e6, a.rss/1e6)
			}
		})
	}
}
