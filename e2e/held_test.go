package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/faultproxy"
)

// heldLimit is how many bytes of commits a node keeps for a store that does not
// take them.
const heldLimit = 64 << 20

// TestNodeHoldsABoundedAmountForAStoreThatHangs draws on many images at once while
// nothing is stored: the node keeps what it may, refuses the rest with a time to
// come back, and goes on by itself when the store does. Everything that was sent
// is then there, once.
func TestNodeHoldsABoundedAmountForAStoreThatHangs(t *testing.T) {
	t.Parallel()
	const images, each, boxes = 28, 5, 500 // more ops than may wait
	proxy := startProxy(t, startS3(t, *faultServer))
	data := t.TempDir()
	bearer := token(t, data, "--tenant=held", "--user=tester", "--role=admin")
	n := start(t, data, "--store="+homeOn(proxy.URL()), "--client-ops=10000000", "--client-burst=10000000",
		"--image-ops=10000000", "--tenant-ops=10000000")
	a := newAPI(n.base, bearer)
	a.http.Transport.(*http.Transport).MaxIdleConnsPerHost = images * each
	var ids []string
	for i := range images {
		ids = append(ids, a.upload(t, fmt.Sprintf("held-%d.png", i), picture(20, 20, byte(i))).ID)
	}
	before := peakMemory(t, n)
	proxy.Use(faultproxy.Only(
		func(c faultproxy.Call) bool { return c.Method == http.MethodPut },
		faultproxy.Always(faultproxy.Fault{Kind: faultproxy.Hung, Hold: time.Hour}),
	))
	var refused atomic.Int64
	var all sync.WaitGroup
	over := make(chan struct{}) // closed once the store is back
	for i := range images * each {
		all.Go(func() {
			path, body := "/api/images/"+ids[i%images]+"/ops", heldOps(i, boxes)
			for t.Context().Err() == nil {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				got, err := a.do(ctx, "POST", path, body)
				cancel()
				switch {
				case err != nil:
				case got.status == http.StatusOK:
					return
				case got.status == http.StatusServiceUnavailable && got.header.Get("Retry-After") != "":
					refused.Add(1)
				default:
					t.Errorf("frame %d: %s (Retry-After %q)", i, got, got.header.Get("Retry-After"))
					return
				}
				select { // who is told to come back does
				case <-over:
				case <-time.After(time.Second):
				}
			}
		})
	}
	var most float64
	eventually(t, "more is sent than may be held", func() error {
		most = max(most, gauge(t, a, "easel_journal_held_bytes"))
		if refused.Load() < 10 {
			return fmt.Errorf("%d were told to come back, %v bytes are held", refused.Load(), most)
		}
		return nil
	})
	proxy.Use(faultproxy.Calm)
	close(over)
	all.Wait()
	grown := peakMemory(t, n) - before
	t.Logf("held %.0f MiB, grew by %d MiB at most, told %d to come back", most/(1<<20), grown>>20, refused.Load())
	if most > heldLimit*1.1 {
		t.Errorf("held %.0f bytes, the limit is %d", most, heldLimit)
	}
	if grown > 400<<20 {
		t.Errorf("grew by %d MiB", grown>>20)
	}
	for _, id := range ids {
		var out struct {
			Image struct {
				Count int `json:"annotation_count"`
			}
		}
		if err := a.must(t, http.StatusOK, "GET", "/api/images/"+id, nil).into(&out); err != nil {
			t.Fatal(err)
		}
		if out.Image.Count != each*boxes {
			t.Errorf("image %s has %d annotations, want %d", id, out.Image.Count, each*boxes)
		}
	}
}

// heldOps is the frame with which a client begins.
func heldOps(n, boxes int) map[string]any {
	var ops []map[string]any
	for i := range boxes {
		ops = append(ops, map[string]any{"k": "put", "annotation": map[string]any{
			"label": fmt.Sprintf("held-%d-%d-%s", n, i, strings.Repeat("x", 80)), "x": 0.1, "y": 0.1, "width": 0.1, "height": 0.1,
		}})
	}
	return map[string]any{"client": fmt.Sprint("held-", n), "seq": 1, "ops": ops}
}

// gauge reads a metric without labels that name a choice.
func gauge(t *testing.T, a *api, name string) float64 {
	t.Helper()
	for line := range strings.Lines(string(a.must(t, http.StatusOK, "GET", "/metrics", nil).body)) {
		if rest, ok := strings.CutPrefix(line, name); ok && strings.ContainsAny(rest[:1], "{ ") {
			fields := strings.Fields(rest)
			v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}
