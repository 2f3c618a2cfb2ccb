package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The benchmarks drive the real binary over loopback, as a client would, and
// read what it cost the server from the kernel. The client speaks HTTP by hand,
// so that on a small machine the figures are the server's and not its own.

// wire is one keep-alive connection that sends prepared requests.
type wire struct {
	c net.Conn
	r *bufio.Reader
}

func dial(b *testing.B, n *node) *wire {
	b.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(n.base, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return &wire{c: c, r: bufio.NewReaderSize(c, 64<<10)}
}

// do sends one request and reads its answer away; it returns the status.
func (w *wire) do(request []byte) (int, error) {
	if _, err := w.c.Write(request); err != nil {
		return 0, err
	}
	status, length := 0, 0
	for line := 0; ; line++ {
		s, err := w.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if line == 0 {
			status, _ = strconv.Atoi(string(s[9:12]))
		}
		if len(s) <= 2 {
			break
		}
		if rest, ok := bytes.CutPrefix(s, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(rest)))
		}
	}
	_, err := w.r.Discard(length)
	return status, err
}

func httpRequest(method, path, token, contentType string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: easel\r\nAuthorization: Bearer %s\r\n", method, path, token)
	if body != nil {
		fmt.Fprintf(&b, "Content-Type: %s\r\nContent-Length: %d\r\n", contentType, len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// cpu returns what the process has used so far, user and system.
func (n *node) cpu(b *testing.B) time.Duration {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n.cmd.Process.Pid))
	if err != nil {
		b.Skip("needs /proc")
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+2:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// rss returns the process's resident memory in bytes.
func (n *node) rss(b testing.TB) float64 {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", n.cmd.Process.Pid))
	if err != nil {
		b.Skip("needs /proc")
	}
	pages, _ := strconv.Atoi(strings.Fields(string(raw))[1])
	return float64(pages * os.Getpagesize())
}

// load sends b.N requests over so many connections, each its own sequence, and
// reports latency and the server's processor time.
func load(b *testing.B, n *node, connections int, want int, request func(i int) []byte) {
	b.Helper()
	wires := make([]*wire, connections)
	for i := range wires {
		wires[i] = dial(b, n)
	}
	took := make([][]time.Duration, connections)
	before := n.cpu(b)
	b.ResetTimer()
	var wg sync.WaitGroup
	for c := range wires {
		wg.Go(func() {
			for i := c; i < b.N; i += connections {
				begun := time.Now()
				status, err := wires[c].do(request(i))
				if err != nil || status != want {
					b.Errorf("status %d, %v; want %d", status, err, want)
					return
				}
				took[c] = append(took[c], time.Since(begun))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	if len(all) > 0 {
		b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
	}
	b.ReportMetric(float64((n.cpu(b)-before).Microseconds())/float64(b.N), "server-µs/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
	b.ReportMetric(0, "ns/op")
}

func benchNode(b *testing.B) (*node, string) {
	b.Helper()
	n := start(b, b.TempDir(), "--client-ops=1000000", "--client-burst=1000000", "--image-ops=1000000", "--tenant-ops=1000000")
	return n, benchToken(b, n)
}

func benchToken(b *testing.B, n *node) string {
	b.Helper()
	return token(b, n.data, "--tenant=bench", "--user=ann", "--role=owner")
}

// upload makes an image of about size bytes and returns its id.
func (n *node) upload(b *testing.B, token string, size int) string {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, n.base+"/api/images/upload", nil)
	if err != nil {
		b.Fatal(err)
	}
	contentType, body := padded(size)
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	var out struct {
		Image struct {
			ID string `json:"id"`
		} `json:"image"`
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode != http.StatusCreated {
		b.Fatalf("upload: %d, %v", res.StatusCode, err)
	}
	return out.Image.ID
}

// padded is a multipart upload of a small PNG with padding behind its end.
func padded(size int) (contentType string, body []byte) {
	pic := picture(8, 8, 1)
	r, contentType := form("bench.png", append(pic, make([]byte, max(size-len(pic), 0))...))
	body, err := io.ReadAll(r)
	if err != nil {
		panic(err) // it reads memory
	}
	return contentType, body
}

func BenchmarkHealth(b *testing.B) {
	n, token := benchNode(b)
	r := httpRequest("GET", "/health", token, "", nil)
	load(b, n, 16, 200, func(int) []byte { return r })
}

func BenchmarkCreate(b *testing.B) {
	for _, c := range []struct{ images, connections int }{{1, 16}, {64, 64}} {
		b.Run(fmt.Sprintf("images=%d/connections=%d", c.images, c.connections), func(b *testing.B) {
			n, token := benchNode(b)
			requests := make([][]byte, c.images)
			for i := range requests {
				body := fmt.Appendf(nil, `{"image_id":%q,"label":"cat","x":0.1,"y":0.2,"width":0.3,"height":0.4,"confidence":0.5}`, n.upload(b, token, 100))
				requests[i] = httpRequest("POST", "/api/annotations", token, "application/json", body)
			}
			load(b, n, c.connections, 201, func(i int) []byte { return requests[i%len(requests)] })
			b.ReportMetric(n.rss(b)/1e6, "server-MB")
		})
	}
}

func bulkOf(n int, image string) []byte {
	var body bytes.Buffer
	body.WriteString(`{"annotations":[`)
	for i := range n {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"image_id":%q,"label":"label%d","x":0.%d,"y":0.2,"width":0.1,"height":0.1,"confidence":0.%d}`, image, i%10, i%9, i%10)
	}
	body.WriteString(`]}`)
	return body.Bytes()
}

func BenchmarkBulk500(b *testing.B) {
	n, token := benchNode(b)
	var requests [][]byte
	// An image holds 100,000: 200 bulks each.
	for range b.N/200 + 1 {
		requests = append(requests, httpRequest("POST", "/api/annotations/bulk", token, "application/json", bulkOf(500, n.upload(b, token, 100))))
	}
	load(b, n, 4, 201, func(i int) []byte { return requests[i/200] })
	b.ReportMetric(500*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkList100(b *testing.B) {
	n, token := benchNode(b)
	image := n.upload(b, token, 100)
	if status, err := dial(b, n).do(httpRequest("POST", "/api/annotations/bulk", token, "application/json", bulkOf(100, image))); status != 201 || err != nil {
		b.Fatal(status, err)
	}
	for _, c := range []struct{ name, query string }{{"all", ""}, {"filtered", "?label=label3&minConfidence=0.2"}} {
		b.Run(c.name, func(b *testing.B) {
			r := httpRequest("GET", "/api/annotations/by-image/"+image+c.query, token, "", nil)
			load(b, n, 16, 200, func(int) []byte { return r })
		})
	}
}

func BenchmarkUpload200KB(b *testing.B) {
	n, token := benchNode(b)
	contentType, body := padded(200_000)
	r := httpRequest("POST", "/api/images/upload", token, contentType, body)
	load(b, n, 16, 201, func(int) []byte { return r })
	b.ReportMetric(n.rss(b)/1e6, "server-MB")
}

// BenchmarkSleepingImages counts what images cost that nobody uses: memory,
// descriptors and threads of the server for so many of them.
func BenchmarkSleepingImages(b *testing.B) {
	const images = 10_000
	for b.Loop() {
		n := start(b, b.TempDir(), "--idle-close=2s", "--idle-release=4s")
		token := benchToken(b, n)
		before, fdsBefore := n.rss(b), n.descriptors(b)
		contentType, body := padded(100)
		r := httpRequest("POST", "/api/images/upload", token, contentType, body)
		var wg sync.WaitGroup
		for range 16 {
			w := dial(b, n)
			wg.Go(func() {
				for range images / 16 {
					if status, err := w.do(r); status != 201 || err != nil {
						b.Errorf("upload: %d, %v", status, err)
						return
					}
				}
			})
		}
		wg.Wait()
		awake, fdsAwake := n.rss(b), n.descriptors(b)
		eventually(b, "all images sleep", func() error {
			if owned := n.metric(b, `easel_actors_owned{kind="image"}`); owned > 0 {
				return fmt.Errorf("%v are owned", owned)
			}
			return nil
		})
		b.ReportMetric(before/1e6, "MB-empty")
		b.ReportMetric(awake/1e6, "MB-just-made")
		b.ReportMetric(n.rss(b)/1e6, "MB-asleep")
		b.ReportMetric(fdsBefore, "fds-empty")
		b.ReportMetric(fdsAwake, "fds-just-made")
		b.ReportMetric(n.descriptors(b), "fds-asleep")
		b.ReportMetric(n.metric(b, "go_goroutines"), "goroutines-asleep")
		n.kill()
	}
}

// metric returns one sample of /metrics; 0 if there is none.
func (n *node) metric(b testing.TB, name string) float64 {
	b.Helper()
	res, err := http.Get(n.base + "/metrics")
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	for s := bufio.NewScanner(res.Body); s.Scan(); {
		if value, ok := strings.CutPrefix(s.Text(), name+" "); ok {
			f, _ := strconv.ParseFloat(value, 64)
			return f
		}
	}
	return 0
}

// descriptors returns how many files the process has open.
func (n *node) descriptors(b testing.TB) float64 {
	b.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", n.cmd.Process.Pid))
	if err != nil {
		b.Skip("needs /proc")
	}
	return float64(len(entries))
}
