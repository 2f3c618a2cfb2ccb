package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/easelhq/easel/blob/blobtest"
)

// patience is how long a test waits for a fact before it fails.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "easel-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "easel")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", path, "../cmd/easel")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	os.Setenv(binaryVariable, path)
	return m.Run()
}

// binaryVariable hands the binary's path from TestMain to the tests.
const binaryVariable = "EASEL_E2E_BINARY"

// command returns an invocation of the program in an environment of its own.
func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Getenv(binaryVariable), args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "GOTRACEBACK=all",
		// Of every S3 server that a test starts.
		"AWS_ACCESS_KEY_ID=" + blobtest.AccessKey, "AWS_SECRET_ACCESS_KEY=" + blobtest.SecretKey,
	}
	return cmd
}

// node is a running "easel serve".
type node struct {
	base   string // http://127.0.0.1:port
	data   string
	cmd    *exec.Cmd
	stderr *tail
	exited chan struct{} // closed once the process is gone
	err    error         // of Wait; read after exited
	lines  chan string   // stdout, line by line; closed at its end
}

// start runs a node on data and waits until it is ready.
func start(t testing.TB, data string, args ...string) *node {
	t.Helper()
	return await(t, launch(t, data, args...))
}

// await waits until a node is ready.
func await(t testing.TB, n *node) *node {
	t.Helper()
	n.base = listening(t, n)
	eventually(t, "the node is ready", func() error {
		res, err := http.Get(n.base + "/ready")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("/ready says %d", res.StatusCode)
		}
		return nil
	})
	return n
}

// listening returns the address that a node prints.
func listening(t testing.TB, n *node) string {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line, ok := <-n.lines:
			if !ok {
				<-n.exited
				t.Fatalf("the node ended at once: %v\n%s", n.err, n.stderr)
			}
			if _, url, ok := strings.Cut(line, "easel: listening on "); ok {
				return strings.TrimSpace(url)
			}
		case <-deadline:
			t.Fatalf("the node does not listen\n%s", n.stderr)
		}
	}
}

// launch runs "easel serve" and does not wait for anything.
func launch(t testing.TB, data string, args ...string) *node {
	t.Helper()
	args = append([]string{"serve", "--addr=127.0.0.1:0", "--data=" + data}, args...)
	return follow(t, command(context.Background(), args...), data)
}

// follow runs a command that is a node on data.
func follow(t testing.TB, cmd *exec.Cmd, data string) *node {
	t.Helper()
	n := &node{data: data, cmd: cmd, stderr: &tail{}, exited: make(chan struct{}), lines: make(chan string, 64)}
	n.cmd.Stderr = n.stderr
	stdout, err := n.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(n.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			select {
			case n.lines <- s.Text():
			default: // nobody reads any more
			}
		}
		n.err = n.cmd.Wait() // only after the pipe's end, as os/exec asks
		close(n.exited)
	}()
	t.Cleanup(func() {
		n.kill()
		if t.Failed() {
			t.Logf("the node's last words:\n%s", n.stderr)
		}
	})
	return n
}

// kill ends the process as a power cut would end it: nothing runs after it.
func (n *node) kill() {
	_ = n.cmd.Process.Kill()
	<-n.exited
}

// stop asks the node to end and returns its exit code.
func (n *node) stop(t testing.TB) int {
	t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	return n.wait(t)
}

// wait returns the exit code of a node that ends by itself.
func (n *node) wait(t testing.TB) int {
	t.Helper()
	select {
	case <-n.exited:
		return n.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		_ = n.cmd.Process.Signal(syscall.SIGQUIT) // says where every goroutine is
		<-n.exited
		t.Fatalf("the node does not end\n%s", n.stderr)
		return -1
	}
}

// wipe deletes what a node may lose: everything but the durable home, the secret
// and the name.
func wipe(t testing.TB, data string) {
	t.Helper()
	entries, err := os.ReadDir(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		switch e.Name() {
		case "store", "jwt-secret", "node":
		default:
			if err := os.RemoveAll(filepath.Join(data, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// token returns what "easel token" prints.
func token(t testing.TB, data string, args ...string) string {
	t.Helper()
	out, err := command(t.Context(), append([]string{"token", "--data=" + data, "--ttl=6h"}, args...)...).Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("easel token: %v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// eventually tries until f succeeds.
func eventually(t testing.TB, what string, f func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: never: %v", what, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// tail keeps the last bytes written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

var _ io.Writer = (*tail)(nil)

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(p)
	if over := w.buf.Len() - 64<<10; over > 0 {
		w.buf.Next(over)
	}
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}
