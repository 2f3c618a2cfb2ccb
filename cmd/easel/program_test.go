package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output is a buffer that a program writes while a test reads.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// startProgram runs a node in this process and returns its address, and a
// function that ends it and returns what Run did.
func startProgram(t *testing.T, args ...string) (url string, stop func() error, stdout *output) {
	t.Helper()
	return startProgramIn(t, env{}, args...)
}

// startProgramIn is startProgram with an environment.
func startProgramIn(t *testing.T, e env, args ...string) (url string, stop func() error, stdout *output) {
	t.Helper()
	c, err := load(t, nil, append([]string{"--addr=127.0.0.1:0", "--log-level=error"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	out, errs := &output{}, &output{}
	p := NewProgram(c, e.lookup, out, errs)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	var once sync.Once
	var result error
	stop = func() error {
		once.Do(func() { cancel(); result = <-done })
		return result
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		if errs.String() != "" {
			t.Logf("log:\n%s", errs)
		}
	})
	select {
	case <-p.Ready():
	case <-time.After(30 * time.Second):
		t.Fatalf("not ready\n%s", errs)
	}
	return "http://" + p.Addr(ctx).String(), stop, out
}

func status(t *testing.T, url string) int {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

func TestProgramServesAndLeavesNothingBehind(t *testing.T) {
	url, stop, out := startProgram(t, "--data="+t.TempDir())
	for path, want := range map[string]int{"/health": 200, "/ready": 200, "/metrics": 200, "/": 200, "/api/me": 401, "/none": 404} {
		if got := status(t, url+path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	if !strings.Contains(out.String(), "easel: listening on "+url+"\n") {
		t.Errorf("stdout %q", out)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Error(err)
	}
	// goleak looks for what is left, see TestMain.
}

func TestTwoProgramsInOneProcessShareNothing(t *testing.T) {
	a, _, _ := startProgram(t, "--data="+t.TempDir(), "--node=a")
	b, _, _ := startProgram(t, "--data="+t.TempDir(), "--node=b")
	if status(t, a+"/ready") != 200 || status(t, b+"/ready") != 200 {
		t.Error("one of them does not serve")
	}
}

func TestRestartKeepsNameAndSecret(t *testing.T) {
	dir := t.TempDir()
	health := func() string {
		url, stop, _ := startProgram(t, "--data="+dir)
		res, err := http.Get(url + "/health")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(res.Body); err != nil {
			t.Fatal(err)
		}
		http.DefaultClient.CloseIdleConnections()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if first, second := health(), health(); first != second {
		t.Errorf("%s, then %s", first, second)
	}
}

func TestStoreThatCannotBeUsedIsBadUsage(t *testing.T) {
	file := writeFile(t, "file", "")
	dir := t.TempDir()
	for name, args := range map[string][]string{
		"data is a file":  {"--data=" + file},
		"store is a file": {"--data=" + dir, "--store=dir:" + file},
		"store is data":   {"--data=" + dir, "--store=dir:" + dir},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, errs := easelCommand(t, nil, append([]string{"serve", "--addr=127.0.0.1:0"}, args...)...)
			if code != exitBadUsage || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "--data") && !strings.Contains(errs, "--store") {
				t.Errorf("exit %d: %s", code, errs)
			}
		})
	}
}

func TestDoorThatIsLeftClosesItsConnections(t *testing.T) {
	d := &door{}
	answer := func() http.Header {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/health", http.NoBody))
		return w.Header()
	}
	if got := answer().Get("Connection"); got != "" {
		t.Errorf("Connection: %s", got)
	}
	d.leaves.Store(true)
	if got := answer().Get("Connection"); got != "close" {
		t.Errorf("Connection: %s", got)
	}
}
