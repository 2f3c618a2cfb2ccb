package journal_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/blob/blobtest"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

func openBucket(t testing.TB, opts journal.BucketOptions) *journal.Bucket {
	t.Helper()
	b, err := journal.OpenBucket(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

// fakeS3 is a bucket of a server in this process.
func fakeS3(t testing.TB) *blob.S3 {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("easel"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	t.Cleanup(server.Close)
	s, err := blob.OpenS3(blob.S3Options{Bucket: "easel", Endpoint: server.URL, AccessKey: "key", SecretKey: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openDir(t testing.TB) *blob.Dir {
	t.Helper()
	d, err := blob.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestStoreInMemoryFulfilsTheContract(t *testing.T) {
	blobtest.Run(t, func(*testing.T) blob.Store { return journaltest.NewStore() })
}

func TestBucketKeepsTheContract(t *testing.T) {
	t.Parallel()
	memory := func(*testing.T) blob.Store { return journaltest.NewStore() }
	tests := []struct {
		name  string
		store func(t *testing.T) blob.Store
		opts  journal.BucketOptions
	}{
		{"in memory", memory, journal.BucketOptions{Prefix: "some/where"}},
		{"always compacting", memory, journal.BucketOptions{}.WithCompactSlots(1)},
		{"lingering", memory, journal.BucketOptions{Linger: 2 * time.Millisecond}},
		{"folder", func(t *testing.T) blob.Store { return openDir(t) }, journal.BucketOptions{}},
		{"S3", func(t *testing.T) blob.Store { return fakeS3(t) }, journal.BucketOptions{}.WithCompactSlots(8)},
		{"faulty", func(*testing.T) blob.Store {
			return blob.NewFaulty(journaltest.NewStore(), blob.Random(1, blob.Rates{Fail: 0.05, Lost: 0.05}))
		}, journal.BucketOptions{}.WithCompactSlots(4)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			journaltest.Run(t, func(t *testing.T) journal.Journal {
				opts := tt.opts
				opts.Store = tt.store(t)
				return openBucket(t, opts)
			})
		})
	}
}
