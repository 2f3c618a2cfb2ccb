package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkStart measures from running the program to the first 200 of /ready,
// on a folder that has served before.
func BenchmarkStart(b *testing.B) {
	data := b.TempDir()
	first := start(b, data)
	first.upload(b, benchToken(b, first), 100)
	if code := first.stop(b); code != 0 {
		b.Fatalf("exit code %d", code)
	}
	var took []time.Duration
	for range b.N {
		begun := time.Now()
		n := launch(b, data)
		for n.base == "" {
			line, ok := <-n.lines
			if !ok {
				b.Fatalf("the node ended at once\n%s", n.stderr)
			}
			if _, url, ok := strings.Cut(line, "easel: listening on "); ok {
				n.base = strings.TrimSpace(url)
			}
		}
		for ready := false; !ready; {
			res, err := http.Get(n.base + "/ready")
			if err != nil {
				b.Fatal(err)
			}
			ready = res.StatusCode == http.StatusOK
			_ = res.Body.Close()
		}
		took = append(took, time.Since(begun))
		n.stop(b)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1e3, "p50-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkColdImage reads images for the first time after a restart: claimed,
// restored from the durable home, opened and listed.
func BenchmarkColdImage(b *testing.B) {
	data := b.TempDir()
	n := start(b, data)
	token := benchToken(b, n)
	requests := make([][]byte, b.N)
	for i := range requests {
		image := n.upload(b, token, 100)
		requests[i] = httpRequest("GET", "/api/annotations/by-image/"+image, token, "", nil)
		bulk := httpRequest("POST", "/api/annotations/bulk", token, "application/json", bulkOf(100, image))
		if status, err := dial(b, n).do(bulk); status != http.StatusCreated || err != nil {
			b.Fatal(status, err)
		}
	}
	if code := n.stop(b); code != 0 {
		b.Fatalf("exit code %d", code)
	}
	n = start(b, data)
	for _, c := range []string{"cold", "warm"} {
		w := dial(b, n)
		var took []time.Duration
		for _, r := range requests {
			begun := time.Now()
			if status, err := w.do(r); status != http.StatusOK || err != nil {
				b.Fatal(status, err)
			}
			took = append(took, time.Since(begun))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1e3, fmt.Sprintf("%s-p50-ms", c))
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1e3, fmt.Sprintf("%s-p99-ms", c))
	}
	b.ReportMetric(0, "ns/op")
}
