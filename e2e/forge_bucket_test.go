package e2e_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob/blobtest"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// forgeBucket makes a bucket of n images that all sleep, for a home at homeOn. It says
// how many there are from time to time.
func forgeBucket(t *testing.T, n int, made func(int)) (*mine, map[int]easel.ID) {
	t.Helper()
	store := journaltest.NewStore()
	j, err := journal.OpenBucket(journal.BucketOptions{Store: store, Owner: "forge"})
	if err != nil {
		t.Fatal(err)
	}
	m := openMine(t)
	bury := func() {
		for _, key := range store.Keys() {
			m.bury(t, path.Join("some/where/journal", key), store.Bytes(key))
			if err := store.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
	}
	some := forge(t, j, n, func(so int) {
		bury()
		made(so)
	})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	bury()
	m.sorted = slices.Sorted(maps.Keys(m.buried))
	return m, some
}

// mine is a bucket most of whose objects are never looked at. Those lie in a file,
// where a million images cost no memory but their names, and move to memory, where
// everything else is done, when somebody touches them.
type mine struct {
	gofakes3.Backend // in memory

	t      *testing.T
	mu     sync.Mutex
	file   *os.File
	end    int64
	buried map[string]place
	sorted []string // every name that was ever buried
}

// place is where an object lies in a file.
type place struct{ at, size int64 }

func openMine(t *testing.T) *mine {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "mine")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	m := &mine{Backend: s3mem.New(), t: t, file: file, buried: map[string]place{}}
	if err := m.CreateBucket(blobtest.Bucket); err != nil {
		t.Fatal(err)
	}
	return m
}

// bury adds an object, which nobody has asked for.
func (m *mine) bury(t *testing.T, key string, b []byte) {
	t.Helper()
	if _, err := m.file.WriteAt(b, m.end); err != nil {
		t.Fatal(err)
	}
	m.buried[key] = place{m.end, int64(len(b))}
	m.end += int64(len(b))
}

// raise moves objects to memory.
func (m *mine) raise(keys ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		at, ok := m.buried[key]
		if !ok {
			continue
		}
		b := make([]byte, at.size)
		_, err := m.file.ReadAt(b, at.at)
		if err == nil || errors.Is(err, io.EOF) && at.size == 0 {
			meta := map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}
			_, err = m.Backend.PutObject(blobtest.Bucket, key, meta, bytes.NewReader(b), at.size, nil)
		}
		if err != nil {
			m.t.Errorf("raise %s: %v", key, err)
		}
		delete(m.buried, key)
	}
}

func (m *mine) ListBucket(name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	first, _ := slices.BinarySearch(m.sorted, prefix.Prefix)
	last := first
	for last < len(m.sorted) && strings.HasPrefix(m.sorted[last], prefix.Prefix) {
		last++
	}
	if last-first > len(m.sorted)/10 && len(m.sorted) > forgedAtOnce {
		m.t.Errorf("%d of %d objects were listed, below %q", last-first, len(m.sorted), prefix.Prefix)
	}
	m.raise(m.sorted[first:last]...)
	return m.Backend.ListBucket(name, prefix, page)
}

func (m *mine) GetObject(bucket, key string, r *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	m.raise(key)
	return m.Backend.GetObject(bucket, key, r)
}

func (m *mine) HeadObject(bucket, key string) (*gofakes3.Object, error) {
	m.raise(key)
	return m.Backend.HeadObject(bucket, key)
}

func (m *mine) DeleteObject(bucket, key string) (gofakes3.ObjectDeleteResult, error) {
	m.raise(key)
	return m.Backend.DeleteObject(bucket, key)
}

func (m *mine) DeleteMulti(bucket string, keys ...string) (gofakes3.MultiDeleteResult, error) {
	m.raise(keys...)
	return m.Backend.DeleteMulti(bucket, keys...)
}

func (m *mine) PutObject(bucket, key string, meta map[string]string, body io.Reader, size int64, c *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	m.raise(key)
	return m.Backend.PutObject(bucket, key, meta, body, size, c)
}
