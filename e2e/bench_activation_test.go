package e2e_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/easelhq/easel/blob/blobtest"
)

// BenchmarkActivation lists b.N images of 1,000 annotations each: first just after
// a start (cold: claimed and read from the home), then when their files were
// closed (warm), then with the file open, which is what the list costs without
// any activation.
func BenchmarkActivation(b *testing.B) {
	for _, home := range []string{"folder", "versitygw"} {
		b.Run("home="+home, func(b *testing.B) {
			data := b.TempDir()
			args := []string{"--idle-close=1s", "--idle-release=1h", "--open-files-memory=4GiB"}
			if home != "folder" {
				secret := "--jwt-secret=" + base64.StdEncoding.EncodeToString([]byte("a secret that no folder keeps, of 40 B.."))
				args = append(args, "--store="+homeOn(blobtest.Serve(b, home).Endpoint), secret)
			}
			bearer := token(b, data, append([]string{"--tenant=bench", "--user=bench", "--role=owner"}, args[3+min(1, len(args)-3):]...)...)
			requests := manyBoxes(b, start(b, data, append(args, "--client-ops=1000000", "--client-burst=1000000", "--image-ops=1000000", "--tenant-ops=1000000")...), bearer)
			n := start(b, data, args...)
			w := dial(b, n)
			for _, state := range []string{"cold", "warm", "open"} {
				if state == "warm" {
					eventually(b, "all files are closed", func() error {
						if open := n.metric(b, `easel_actors_open{kind="image"}`); open > 0 {
							return fmt.Errorf("%v are open", open)
						}
						return nil
					})
				}
				took := make([]time.Duration, len(requests))
				for i, r := range requests {
					if state == "open" { // whatever was closed meanwhile
						if _, err := w.do(r); err != nil {
							b.Fatal(err)
						}
					}
					begun := time.Now()
					if status, err := w.do(r); status != http.StatusOK || err != nil {
						b.Fatal(status, err)
					}
					took[i] = time.Since(begun)
				}
				slices.Sort(took)
				for _, p := range []int{50, 99} {
					b.ReportMetric(float64(took[len(took)*p/100].Microseconds())/1e3, fmt.Sprintf("%s-p%d-ms", state, p))
				}
			}
			n.stop(b)
			b.ReportMetric(0, "ns/op")
		})
	}
}

// manyBoxes makes b.N images of 1,000 annotations, stops the node, and returns a
// request for the list of each.
func manyBoxes(b *testing.B, n *node, bearer string) [][]byte {
	b.Helper()
	w := dial(b, n)
	requests := make([][]byte, b.N)
	for i := range requests {
		image := n.upload(b, bearer, 100)
		for range 2 {
			bulk := httpRequest("POST", "/api/annotations/bulk", bearer, "application/json", bulkOf(500, image))
			if status, err := w.do(bulk); status != http.StatusCreated || err != nil {
				b.Fatal(status, err)
			}
		}
		requests[i] = httpRequest("GET", "/api/annotations/by-image/"+image, bearer, "", nil)
	}
	if code := n.stop(b); code != 0 {
		b.Fatalf("exit code %d", code)
	}
	return requests
}

// BenchmarkImageStates counts what one of 500 images costs a node that holds it
// open, owns it with its file closed, or has let it go. The collector works
// harder than usual, so that garbage is not counted.
func BenchmarkImageStates(b *testing.B) {
	const images = 500
	for _, state := range []struct {
		name, open, owned string
		args              []string
	}{
		{"open", ">", ">", []string{"--idle-close=1h", "--idle-release=1h"}},
		{"owned", "0", ">", []string{"--idle-close=1s", "--idle-release=1h"}},
		{"sleeping", "0", "0", []string{"--idle-close=1s", "--idle-release=1s"}},
	} {
		b.Run("state="+state.name, func(b *testing.B) {
			for b.Loop() {
				data := b.TempDir()
				cmd := command(b.Context(), append([]string{"serve", "--addr=127.0.0.1:0", "--data=" + data, "--open-files-memory=4GiB"}, state.args...)...)
				cmd.Env = append(cmd.Env, "GOGC=5")
				n := await(b, follow(b, cmd, data))
				bearer := benchToken(b, n)
				n.upload(b, bearer, 100) // the tenant and its timer
				before, heap, fds, goroutines := n.rss(b), n.metric(b, "go_memstats_heap_inuse_bytes"), n.descriptors(b), n.metric(b, "go_goroutines")
				w := dial(b, n)
				for range images {
					id := n.upload(b, bearer, 100)
					r := httpRequest("GET", "/api/annotations/by-image/"+id, bearer, "", nil)
					if status, err := w.do(r); status != http.StatusOK || err != nil {
						b.Fatalf("list: %d, %v", status, err)
					}
				}
				eventually(b, "all images are "+state.name, func() error {
					open, owned := n.metric(b, `easel_actors_open{kind="image"}`), n.metric(b, `easel_actors_owned{kind="image"}`)
					if state.open == "0" && open > 0 || state.owned == "0" && owned > 0 {
						return fmt.Errorf("%v open, %v owned", open, owned)
					}
					return nil
				})
				b.ReportMetric((n.rss(b)-before)/1e3/images, "rss-KB/image")
				b.ReportMetric((n.metric(b, "go_memstats_heap_inuse_bytes")-heap)/1e3/images, "heap-KB/image")
				b.ReportMetric((n.descriptors(b)-fds)/images, "fds/image")
				b.ReportMetric((n.metric(b, "go_goroutines")-goroutines)/images, "goroutines/image")
				n.kill()
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
