package client_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/easelhq/easel/client"
)

// patience is how long a test waits for a fact before it fails.
const patience = 30 * time.Second

// binaryVariable hands the program's path from TestMain to the tests.
const binaryVariable = "EASEL_CLIENT_BINARY"

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "easel-client")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "easel")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", path, "../cmd/easel")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	_ = os.Setenv(binaryVariable, path) // fails on bad names only
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// node is a running "easel serve".
type node struct {
	data, address string
	cmd           *exec.Cmd
	stdout        io.Closer
}

// start runs a node on data and waits until it is ready.
func start(data string) (*node, error) {
	cmd := exec.Command(os.Getenv(binaryVariable), "serve", "--addr=127.0.0.1:0", "--data="+data)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	n := &node{data: data, cmd: cmd, stdout: stdout}
	for s := bufio.NewScanner(stdout); n.address == "" && s.Scan(); {
		if _, url, ok := strings.Cut(s.Text(), "easel: listening on http://"); ok {
			n.address = strings.TrimSpace(url)
		}
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		res, err := http.Get("http://" + n.address + "/ready")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return n, nil
			}
			err = fmt.Errorf("/ready says %d", res.StatusCode)
		}
		if time.Since(began) > patience {
			n.end(os.Kill)
			return nil, err
		}
	}
}

// end ends the process and waits for that.
func (n *node) end(how os.Signal) {
	_ = n.cmd.Process.Signal(how)
	_ = n.cmd.Wait()
	http.DefaultClient.CloseIdleConnections()
}

// token returns a token of the demo tenant.
func (n *node) token(user, role string) (string, error) {
	out, err := exec.Command(os.Getenv(binaryVariable), "token", "--data="+n.data, "--tenant=demo", "--user="+user, "--role="+role).Output()
	return strings.TrimSpace(string(out)), err
}

// stage is a node behind a wire that a test can cut.
type stage struct {
	t    *testing.T
	node *node
	wire *wire
}

func newStage(t *testing.T) *stage {
	t.Helper()
	n, err := start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, node: n, wire: newWire(t, n.address)}
	t.Cleanup(func() { s.node.end(syscall.SIGTERM) })
	return s
}

// as returns a client of a user.
func (s *stage) as(user, role string) *client.Client {
	s.t.Helper()
	token, err := s.node.token(user, role)
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := client.New(client.Config{URL: "http://" + s.wire.address(), Token: token, HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// crash ends the node as a power cut would, and starts it again on what is left.
func (s *stage) crash() {
	s.t.Helper()
	s.node.end(os.Kill)
	n, err := start(s.node.data)
	if err != nil {
		s.t.Fatal(err)
	}
	s.node = n
	s.wire.lead(n.address)
}

// picture is the content of a small image.
func picture() io.Reader {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 3))); err != nil {
		panic(err)
	}
	return &b
}

// wire carries connections to an address that can change.
type wire struct {
	listener net.Listener

	mu    sync.Mutex // guards what follows
	to    string
	conns map[net.Conn]bool
	works sync.WaitGroup
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, to: to, conns: map[net.Conn]bool{}}
	w.works.Go(w.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		w.cut()
		w.works.Wait()
	})
	return w
}

func (w *wire) address() string { return w.listener.Addr().String() }

// lead makes new connections go elsewhere.
func (w *wire) lead(to string) {
	w.mu.Lock()
	w.to = to
	w.mu.Unlock()
}

// cut breaks all connections.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		_ = c.Close()
	}
}

func (w *wire) accept() {
	for {
		in, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		to := w.to
		w.mu.Unlock()
		out, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", to)
		if err != nil {
			_ = in.Close()
			continue
		}
		w.mu.Lock()
		w.conns[in], w.conns[out] = true, true
		w.mu.Unlock()
		for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
			w.works.Go(func() {
				_, _ = io.Copy(pair[0], pair[1])
				_, _ = pair[0].Close(), pair[1].Close()
				w.mu.Lock()
				delete(w.conns, pair[0])
				w.mu.Unlock()
			})
		}
	}
}
