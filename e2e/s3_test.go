package e2e_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// s3Server is where "make s3" puts the server that these tests need.
const s3Server = "../.tools/versitygw-v1.8.0"

// startS3 runs an S3 server on a folder and returns what --store takes. It skips
// the test if the server is not built.
func startS3(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(s3Server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no S3 server at %s: build it with make s3", s3Server)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "easel"), 0o700); err != nil { // the bucket
		t.Fatal(err)
	}
	const access, secret = "easel-tests", "secret of the tests"
	said := &tail{}
	cmd := exec.Command(path, "--port", addr, "--keep-alive", "--quiet", "posix", root)
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, said, said
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + root, "ROOT_ACCESS_KEY=" + access, "ROOT_SECRET_KEY=" + secret}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the S3 server's last words:\n%s", said)
		}
	})
	eventually(t, "the S3 server answers", func() error {
		res, err := http.Get("http://" + addr)
		if err != nil {
			return err
		}
		return res.Body.Close()
	})
	t.Setenv("AWS_ACCESS_KEY_ID", access)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	return "s3://easel/some/where?endpoint=http://" + addr
}

// TestCrashOnS3 is TestCrash with the home in a bucket: the node loses its whole
// folder each time.
func TestCrashOnS3(t *testing.T) {
	store := startS3(t)
	data := filepath.Join(t.TempDir(), "data")
	secret := "--jwt-secret=" + base64.StdEncoding.EncodeToString([]byte("a secret that no folder keeps, of 40 B.."))
	bearer := token(t, data, "--tenant=crash", "--user=tester", "--role=admin", secret)
	crash(t, victim{
		data: data, bearer: bearer, args: []string{"--store=" + store, secret},
		lose: func(*rand.Rand) {
			if err := os.RemoveAll(data); err != nil {
				t.Fatal(err)
			}
		},
	})
}

// TestNodeOnS3 looks at what differs for a client and an operator when the home is
// a bucket.
func TestNodeOnS3(t *testing.T) {
	store := startS3(t)
	data := t.TempDir()
	out, err := command(t.Context(), "doctor", "--addr=127.0.0.1:0", "--data="+data, "--store="+store).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "keeps conditional writes") {
		t.Errorf("easel doctor: %v\n%s", err, out)
	}
	bearer := token(t, data, "--tenant=t", "--user=u", "--role=owner")
	n := start(t, data, "--store="+store)
	a := newAPI(n.base, bearer)
	row := a.upload(t, "one.png", picture(30, 20, 7))
	if err := presigned(t, a, row.ID, store); err != nil {
		t.Error(err)
	}
	if code := n.stop(t); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
	if _, err := os.Stat(filepath.Join(data, "store")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder store was made: %v", err)
	}
	// Another machine, which has the secret only.
	elsewhere := t.TempDir()
	b, err := os.ReadFile(filepath.Join(data, "jwt-secret"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(elsewhere, "jwt-secret"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	n = start(t, elsewhere, "--store="+store)
	if err := presigned(t, newAPI(n.base, bearer), row.ID, store); err != nil {
		t.Errorf("on another machine: %v", err)
	}
}

// presigned fetches an image by the URL that the bucket signs.
func presigned(t *testing.T, a *api, id, store string) error {
	t.Helper()
	var answer struct{ URL string }
	if err := a.must(t, http.StatusOK, "GET", "/api/images/"+id+"/url", nil).into(&answer); err != nil {
		return err
	}
	_, endpoint, _ := strings.Cut(store, "endpoint=")
	if !strings.HasPrefix(answer.URL, endpoint+"/easel/some/where/") {
		return fmt.Errorf("the URL %s is not the bucket's own", answer.URL)
	}
	res, err := http.Get(answer.URL)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "image/png" {
		return fmt.Errorf("%s: %s, %s", answer.URL, res.Status, res.Header.Get("Content-Type"))
	}
	return nil
}
