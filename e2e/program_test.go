package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestQuickStart does what the README says.
func TestQuickStart(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	n := start(t, data)
	a := newAPI(n.base, token(t, data, "--tenant=acme", "--user=ada"))
	row := a.upload(t, "photo.png", picture(64, 48, 1))
	var list struct{ Images []imageRow }
	if err := a.must(t, http.StatusOK, "GET", "/api/images", nil).into(&list); err != nil {
		t.Fatal(err)
	}
	if len(list.Images) != 1 || list.Images[0].ID != row.ID {
		t.Errorf("the list is %+v", list)
	}
	eventually(t, "the dimensions are read", func() error {
		var got struct{ Image imageRow }
		if err := a.must(t, http.StatusOK, "GET", "/api/images/"+row.ID, nil).into(&got); err != nil {
			return err
		}
		if got.Image.Width != 64 || got.Image.Height != 48 {
			return fmt.Errorf("%d by %d", got.Image.Width, got.Image.Height)
		}
		return nil
	})
}

func TestTwoPeopleOnOneImage(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	n := start(t, data)
	ada := newAPI(n.base, token(t, data, "--tenant=acme", "--user=ada"))
	bob := newAPI(n.base, token(t, data, "--tenant=acme", "--user=bob"))
	row := ada.upload(t, "photo.png", picture(64, 48, 2))

	sa, err := ada.dial(t.Context(), row.ID, "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer sa.Close()
	sa.until(t, "snap", func(f frame) bool { return f.Last })
	sb, err := bob.dial(t.Context(), row.ID, "b", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	sb.until(t, "snap", func(f frame) bool { return f.Last })

	op := map[string]any{"t": "op", "seq": 1, "ops": []any{map[string]any{
		"k": "put", "annotation": map[string]any{"label": "cat", "x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2},
	}}}
	if err := sa.send(op); err != nil {
		t.Fatal(err)
	}
	ack := sa.until(t, "ack", nil)
	shown := sb.until(t, "ops", nil)
	if shown.Ver != ack.Ver || len(shown.Ops) != 1 || shown.Ops[0].Annotation.Label != "cat" || shown.By != "ada" {
		t.Errorf("acked %+v, shown %+v", ack, shown)
	}
	// A REST write appears in the same stream.
	bob.must(t, http.StatusCreated, "POST", "/api/annotations", map[string]any{
		"image_id": row.ID, "label": "dog", "x": 0.5, "y": 0.5, "width": 0.1, "height": 0.1,
	})
	next := sa.until(t, "ops", func(f frame) bool { return f.Ver > ack.Ver })
	if next.Ver != ack.Ver+1 || next.Ops[0].Annotation.Label != "dog" {
		t.Errorf("got %+v", next)
	}
}

func TestAnotherTenantsImageDoesNotExist(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	n := start(t, data)
	ada := newAPI(n.base, token(t, data, "--tenant=acme", "--user=ada"))
	eve := newAPI(n.base, token(t, data, "--tenant=evil", "--user=eve", "--role=owner"))
	row := ada.upload(t, "photo.png", picture(64, 48, 3))
	eve.must(t, http.StatusNotFound, "GET", "/api/images/"+row.ID, nil)
	if s, err := eve.dial(t.Context(), row.ID, "e", nil); err == nil {
		s.Close()
		t.Error("the socket was opened")
	} else if !strings.Contains(err.Error(), "404") {
		t.Error(err)
	}
	newAPI(n.base, "").must(t, http.StatusUnauthorized, "GET", "/api/images", nil)
}

// TestTermDrains: /ready says 503, sockets get bye, the process exits 0, and the
// next start has everything.
func TestTermDrains(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	n := start(t, data)
	a := newAPI(n.base, token(t, data, "--tenant=acme", "--user=ada"))
	row := a.upload(t, "photo.png", picture(64, 48, 4))
	s, err := a.dial(t.Context(), row.ID, "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.until(t, "snap", func(f frame) bool { return f.Last })
	began := time.Now()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "/ready says 503", func() error {
		res, err := http.Get(n.base + "/ready")
		if err != nil {
			t.Fatalf("the listener was closed before anyone could see it drain: %v", err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusServiceUnavailable {
			return fmt.Errorf("%d", res.StatusCode)
		}
		return nil
	})
	s.until(t, "bye", nil)
	for err = nil; err == nil; _, err = s.next() {
	}
	if code := closeCode(err); code != 4503 {
		t.Errorf("closed with %d: %v", code, err)
	}
	if code := n.wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("draining took %v", took)
	}
	n = start(t, data)
	newAPI(n.base, a.token).must(t, http.StatusOK, "GET", "/api/images/"+row.ID, nil)
}

func TestFoldersBelongToOneProcess(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	n := start(t, data)
	for name, args := range map[string][]string{
		"data":  nil,
		"store": {"--data=" + t.TempDir(), "--store=dir:" + filepath.Join(data, "store")},
	} {
		t.Run(name, func(t *testing.T) {
			second := launch(t, data, args...)
			if code := second.wait(t); code != 2 {
				t.Errorf("exit code %d", code)
			}
			line := second.stderr.String()
			if strings.Count(line, "\n") != 1 || !strings.Contains(line, "--"+name) || !strings.Contains(line, fmt.Sprintf("pid %d", n.cmd.Process.Pid)) {
				t.Errorf("stderr %q", line)
			}
		})
	}
}

func TestPortInUseExits2(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir())
	second := launch(t, t.TempDir(), "--addr="+strings.TrimPrefix(n.base, "http://"))
	if code := second.wait(t); code != 2 || !strings.Contains(second.stderr.String(), "--addr") {
		t.Errorf("exit code %d, %s", code, second.stderr)
	}
}

// TestDevSignsIn opens the printed address as a browser would: with the token from
// the fragment.
func TestDevSignsIn(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	n := start(t, data, "--dev")
	var url string
	deadline := time.After(patience)
	for url == "" {
		select {
		case line, ok := <-n.lines:
			if !ok {
				t.Fatal("the node ended")
			}
			if i := strings.Index(line, "http"); i >= 0 && strings.Contains(line, "#token=") {
				url = line[i:]
			}
		case <-deadline:
			t.Fatal("no address was printed")
		}
	}
	page, bearer, _ := strings.Cut(url, "#token=")
	if strings.Contains(page, "?") {
		t.Errorf("the address has a query: %s", page)
	}
	got := newAPI(n.base, "").must(t, http.StatusOK, "GET", "/", nil)
	if !bytes.Contains(got.body, []byte("<html")) {
		t.Errorf("the page is %.200s", got.body)
	}
	a := newAPI(n.base, bearer)
	var list struct{ Images []imageRow }
	eventually(t, "there are samples", func() error {
		if err := a.must(t, http.StatusOK, "GET", "/api/images", nil).into(&list); err != nil {
			return err
		}
		if len(list.Images) < 2 {
			return errors.New("none")
		}
		return nil
	})
	// A second start adds none.
	if code := n.stop(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	before := len(list.Images)
	a = newAPI(start(t, data, "--dev").base, bearer)
	if err := a.must(t, http.StatusOK, "GET", "/api/images", nil).into(&list); err != nil {
		t.Fatal(err)
	}
	if len(list.Images) < before {
		t.Errorf("%d samples after a restart, %d before", len(list.Images), before)
	}
}

func TestDoctorBesideARunningNode(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	n := start(t, data)
	out, err := command(t.Context(), "doctor", "--data="+data, "--addr="+strings.TrimPrefix(n.base, "http://")).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, want := range []string{"in use", "served by the node"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestOperatorRoutesNeedNoToken(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), "--region=north", "--node=n1")
	a := newAPI(n.base, "")
	var health struct{ Status, Region, Node, Version string }
	if err := a.must(t, http.StatusOK, "GET", "/health", nil).into(&health); err != nil {
		t.Fatal(err)
	}
	if health.Status != "ok" || health.Region != "north" || health.Node != "n1" || health.Version == "" {
		t.Errorf("health %+v", health)
	}
	metrics := a.must(t, http.StatusOK, "GET", "/metrics", nil)
	for _, want := range []string{"easel_build_info", "go_goroutines", "process_open_fds", "easel_http_request_seconds"} {
		if !bytes.Contains(metrics.body, []byte(want)) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	var spec struct {
		OpenAPI string         `json:"openapi"`
		Paths   map[string]any `json:"paths"`
	}
	if err := a.must(t, http.StatusOK, "GET", "/openapi.json", nil).into(&spec); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(spec.OpenAPI, "3.1") || len(spec.Paths) < 15 {
		t.Errorf("openapi %s with %d paths", spec.OpenAPI, len(spec.Paths))
	}
}

// TestMadeFilesArePrivate: secrets and histories are for the node's own user.
func TestMadeFilesArePrivate(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	start(t, data)
	for _, name := range []string{"jwt-secret", "node"} {
		info, err := os.Stat(filepath.Join(data, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %v", name, got)
		}
	}
}

// TestConfigFile runs a node by file alone, and a bad one.
func TestConfigFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "easel.yaml")
	if err := os.WriteFile(path, []byte("region: file\nlog-format: json\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := start(t, t.TempDir(), "--config="+path)
	got := newAPI(n.base, "").must(t, http.StatusOK, "GET", "/health", nil)
	if !bytes.Contains(got.body, []byte(`"file"`)) {
		t.Errorf("health %s", got.body)
	}
	n.kill()
	line, _, _ := strings.Cut(n.stderr.String(), "\n")
	if !json.Valid([]byte(line)) {
		t.Errorf("the log is no JSON: %q", line)
	}
	out, err := command(t.Context(), "serve", "--data="+dir, "--no-such-flag=x").CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 2 || strings.Count(string(out), "\n") != 1 {
		t.Errorf("%v: %q", err, out)
	}
}

// TestDeletedKeyEndsItsSockets: revoking a service key reaches connections too.
func TestDeletedKeyEndsItsSockets(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	n := start(t, data)
	admin := newAPI(n.base, token(t, data, "--tenant=acme", "--user=ada", "--role=admin"))
	row := admin.upload(t, "photo.png", picture(64, 48, 5))
	var made struct{ ID, Key string }
	if err := admin.must(t, http.StatusCreated, "POST", "/api/keys", map[string]any{"name": "robot", "role": "annotator"}).into(&made); err != nil {
		t.Fatal(err)
	}
	robot := newAPI(n.base, made.Key)
	s, err := robot.dial(t.Context(), row.ID, "r", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.until(t, "snap", func(f frame) bool { return f.Last })
	admin.must(t, http.StatusNoContent, "DELETE", "/api/keys/"+made.ID, nil)
	robot.must(t, http.StatusUnauthorized, "GET", "/api/images", nil) // at once, on the node that deleted it
	for err = nil; err == nil; _, err = s.next() {
	}
	if code := closeCode(err); code != 4401 {
		t.Errorf("closed with %d: %v", code, err)
	}
}

// TestResumeMissesNothing: a client that was away gets exactly what it missed.
func TestResumeMissesNothing(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	n := start(t, data)
	a := newAPI(n.base, token(t, data, "--tenant=acme", "--user=ada"))
	row := a.upload(t, "photo.png", picture(64, 48, 6))
	s, err := a.dial(t.Context(), row.ID, "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	welcome := s.until(t, "welcome", nil)
	s.until(t, "snap", func(f frame) bool { return f.Last })
	s.Close()
	for i := range 5 {
		a.must(t, http.StatusCreated, "POST", "/api/annotations", map[string]any{
			"image_id": row.ID, "label": fmt.Sprint("missed-", i), "x": 0.1, "y": 0.1, "width": 0.1, "height": 0.1,
		})
	}
	n.kill()
	wipe(t, data)
	n = start(t, data)
	a = newAPI(n.base, a.token)
	s, err = a.dial(t.Context(), row.ID, "a", &welcome)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	again := s.until(t, "welcome", nil)
	if !again.Recovered || again.Epoch != welcome.Epoch || again.Ver != welcome.Ver+5 {
		t.Fatalf("first %+v, again %+v", welcome, again)
	}
	for i := range 5 {
		f := s.until(t, "ops", nil)
		if f.Ver != welcome.Ver+int64(i)+1 || f.Ops[0].Annotation.Label != fmt.Sprint("missed-", i) {
			t.Errorf("missed %d: %+v", i, f)
		}
	}
}
