package e2e_test

import (
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/easelhq/easel/blob/blobtest"
	"github.com/easelhq/easel/e2e/faultproxy"
)

func s3Flags() *string {
	return flag.String("s3.server", "versitygw", "what the home of long tests is in: versitygw, minio, or fake (in this process)")
}

var s3Server = s3Flags()

// startS3 runs an S3 server and returns where it serves. It skips the test if the
// server is not built. What command starts has the credentials.
func startS3(t *testing.T, name string) (endpoint string) {
	t.Helper()
	if name == "fake" {
		return blobtest.Fake(t, nil).Endpoint
	}
	return blobtest.Serve(t, name).Endpoint
}

// homeOn is what --store takes for a bucket behind an endpoint.
func homeOn(endpoint string) string {
	return "s3://" + blobtest.Bucket + "/some/where?endpoint=" + endpoint
}

// startProxy puts a fault proxy before an S3 server.
func startProxy(t *testing.T, endpoint string) *faultproxy.Proxy {
	t.Helper()
	p, err := faultproxy.Start(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// secretFlag gives nodes the same secret, whose folders are lost.
func secretFlag() string {
	return "--jwt-secret=" + base64.StdEncoding.EncodeToString([]byte("a secret that no folder keeps, of 40 B.."))
}

// TestCrashOnS3 is TestCrash with the home in a bucket: the node loses its whole
// folder each time.
func TestCrashOnS3(t *testing.T) {
	t.Parallel()
	store := homeOn(startS3(t, *s3Server))
	data := filepath.Join(t.TempDir(), "data")
	bearer := token(t, data, "--tenant=crash", "--user=tester", "--role=admin", secretFlag())
	crash(t, victim{
		suite: "crash, " + *s3Server,
		data:  data, bearer: bearer, args: []string{"--store=" + store, secretFlag()},
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
	t.Parallel()
	for _, server := range append(blobtest.Servers(), "fake") {
		t.Run(server, func(t *testing.T) { nodeOnS3(t, startS3(t, server)) })
	}
}

func nodeOnS3(t *testing.T, endpoint string) {
	store := homeOn(endpoint)
	data := t.TempDir()
	out, err := command(t.Context(), "doctor", "--addr=127.0.0.1:0", "--data="+data, "--store="+store).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "keeps conditional writes") {
		t.Errorf("easel doctor: %v\n%s", err, out)
	}
	bearer := token(t, data, "--tenant=t", "--user=u", "--role=owner")
	n := start(t, data, "--store="+store)
	a := newAPI(n.base, bearer)
	content := picture(30, 20, 7)
	row := a.upload(t, "one.png", content)
	if err := presigned(t, a, row.ID, endpoint, content); err != nil {
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
	if err := presigned(t, newAPI(n.base, bearer), row.ID, endpoint, content); err != nil {
		t.Errorf("on another machine: %v", err)
	}
}

// presigned fetches an image by the URL that the bucket signs, without a token,
// past a part of the node.
func presigned(t *testing.T, a *api, id, endpoint string, want []byte) error {
	t.Helper()
	var answer struct{ URL string }
	if err := a.must(t, http.StatusOK, "GET", "/api/images/"+id+"/url", nil).into(&answer); err != nil {
		return err
	}
	if !strings.HasPrefix(answer.URL, endpoint+"/"+blobtest.Bucket+"/some/where/") {
		return fmt.Errorf("the URL %s is not the bucket's own", answer.URL)
	}
	status, contentType, body, err := blobtest.Fetch(t.Context(), answer.URL)
	if err != nil || status != http.StatusOK || contentType != "image/png" || string(body) != string(want) {
		return fmt.Errorf("%s: %d, %s, %d bytes, %w", answer.URL, status, contentType, len(body), err)
	}
	if strings.Contains(answer.URL, "Credential="+blobtest.AccessKey) {
		status, _, _, err = blobtest.Fetch(t.Context(), blobtest.Altered(answer.URL))
		// The server in this process checks no signatures.
		if err == nil && status != http.StatusForbidden && !isFake(endpoint) {
			err = fmt.Errorf("altered, it answers %d", status)
		}
	}
	return err
}

// isFake reports whether an endpoint is that of the server in this process.
func isFake(endpoint string) bool {
	res, err := http.Get(endpoint)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK // it lists its buckets to anybody
}

// TestUploadsStreamToTheBucket uploads far more than the node may hold in memory.
func TestUploadsStreamToTheBucket(t *testing.T) {
	t.Parallel()
	endpoint := startS3(t, "fake")
	data := t.TempDir()
	bearer := token(t, data, "--tenant=t", "--user=u", "--role=owner")
	n := start(t, data, "--store="+homeOn(endpoint), "--max-upload=400MiB")
	a := newAPI(n.base, bearer)
	before := peakMemory(t, n)
	const size = 160 << 20
	head := picture(3, 3, 1) // of a PNG with a lot behind its end
	pipe, feed := io.Pipe()
	go func() {
		_, err := io.Copy(feed, io.MultiReader(
			strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"big.png\"\r\n\r\n"+string(head)),
			io.LimitReader(rand.NewChaCha8([32]byte{}), size), strings.NewReader("\r\n--b--\r\n")))
		_ = feed.CloseWithError(err)
	}()
	got := a.must(t, http.StatusCreated, "POST", "/api/images/upload", pipe, "Content-Type", "multipart/form-data; boundary=b")
	var out struct {
		Image struct {
			ID   string
			Size int64
		}
	}
	if err := got.into(&out); err != nil || out.Image.Size != size+int64(len(head)) {
		t.Errorf("%s, %v", got, err)
	}
	if grown := peakMemory(t, n) - before; grown > size/2 {
		t.Errorf("the node has grown by %d MiB for %d MiB", grown>>20, size>>20)
	}
}

// TestNodeOnS3WithoutConditions: a store that ignores the conditions of writes may
// serve one node, which says so.
func TestNodeOnS3WithoutConditions(t *testing.T) {
	t.Parallel()
	store := homeOn(blobtest.Fake(t, blobtest.Unconditional).Endpoint)
	data := t.TempDir()
	out, err := command(t.Context(), "doctor", "--addr=127.0.0.1:0", "--data="+data, "--store="+store).CombinedOutput()
	if !strings.Contains(string(out), "ignores conditional writes") {
		t.Errorf("easel doctor: %v\n%s", err, out)
	}
	bearer := token(t, data, "--tenant=t", "--user=u", "--role=owner")
	n := start(t, data, "--store="+store)
	if !strings.Contains(n.stderr.String(), "the store ignores conditions of writes") {
		t.Errorf("no warning:\n%s", n.stderr)
	}
	image := newAPI(n.base, bearer).upload(t, "one.png", picture(30, 20, 7)).ID
	drawUntilDecided(t, newAPI(n.base, bearer), image, "alone")
	n.kill()
	n = start(t, data, "--store="+store)
	if got := labels(t, newAPI(n.base, bearer), image); len(got) != 1 {
		t.Errorf("there are %v", got)
	}
}

// TestClusterOnS3WithoutConditionsIsRefused: nothing would keep its nodes apart.
func TestClusterOnS3WithoutConditionsIsRefused(t *testing.T) {
	t.Parallel()
	store := homeOn(blobtest.Fake(t, blobtest.Unconditional).Endpoint)
	n := launch(t, t.TempDir(), "--store="+store, "--cluster-bind=127.0.0.1:0", secretFlag())
	if code := n.wait(t); code != 2 || !strings.Contains(n.stderr.String(), "ignores conditional writes") {
		t.Errorf("exit code %d, want 2 and a reason:\n%s", code, n.stderr)
	}
}
