package journal_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// s3Server is where "make s3" puts the server that this test needs.
const s3Server = "../.tools/versitygw-v1.8.0"

// realS3 runs an S3 server with a bucket "easel". It skips the test if the server
// is not built.
func realS3(t testing.TB) blob.S3Options {
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
	o := blob.S3Options{
		Bucket: "easel", Endpoint: "http://" + l.Addr().String(),
		AccessKey: "easel-tests", SecretKey: "secret of the tests",
	}
	addr := l.Addr().String()
	root := t.TempDir()
	if err := errors.Join(l.Close(), os.Mkdir(filepath.Join(root, o.Bucket), 0o700)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--port", addr, "--keep-alive", "--quiet", "posix", root)
	cmd.Dir = root
	cmd.Env = []string{"HOME=" + root, "ROOT_ACCESS_KEY=" + o.AccessKey, "ROOT_SECRET_KEY=" + o.SecretKey}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		http.DefaultClient.CloseIdleConnections()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if res, err := http.Get(o.Endpoint); err == nil {
			_ = res.Body.Close()
			return o
		}
		nap(ctx, 20*time.Millisecond)
	}
	t.Fatal("the S3 server does not answer")
	return o
}

func TestBucketKeepsTheContractOnS3(t *testing.T) {
	o := realS3(t)
	homes := 0
	journaltest.Run(t, func(t *testing.T) journal.Journal {
		homes++
		o.Prefix = fmt.Sprintf("home-%d", homes)
		s, err := blob.OpenS3(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return openBucket(t, journal.BucketOptions{Store: s}.WithCompactSlots(8))
	})
}

// BenchmarkBucketOnS3 is the latency of single appends on a real server.
func BenchmarkBucketOnS3(b *testing.B) {
	s, err := blob.OpenS3(realS3(b))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for _, linger := range []time.Duration{0, 100 * time.Millisecond, 250 * time.Millisecond} {
		b.Run(fmt.Sprintf("linger=%v", linger), func(b *testing.B) {
			bucket := openBucket(b, journal.BucketOptions{Store: s, Prefix: "linger-" + linger.String(), Linger: linger})
			term, err := bucket.Birth(b.Context(), journal.Name(fmt.Sprintf("image/t/%d", b.N)), template4K())
			if err != nil {
				b.Fatal(err)
			}
			set := commit(1)
			for b.Loop() {
				if err := journaltest.Append(term, set); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
