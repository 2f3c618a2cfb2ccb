package blobtest

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/easelhq/easel/blob"
)

func put(t *testing.T, s blob.Store, key, body string) blob.Info {
	t.Helper()
	info, err := s.Put(t.Context(), key, strings.NewReader(body))
	if err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
	return info
}

func get(t *testing.T, s blob.Store, key string) string {
	t.Helper()
	r, _, err := s.Get(t.Context(), key, blob.All)
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	b, err := io.ReadAll(r)
	if e := r.Close(); err != nil || e != nil {
		t.Fatalf("get %q: %v, %v", key, err, e)
	}
	return string(b)
}

func keys(t *testing.T, s blob.Store, prefix, after string, limit int) (all []string) {
	t.Helper()
	infos, err := s.List(t.Context(), prefix, after, limit)
	if err != nil {
		t.Fatalf("list %q after %q: %v", prefix, after, err)
	}
	for _, i := range infos {
		all = append(all, i.Key)
	}
	return all
}

func sorted(keys []string) []string {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	return keys
}

// pattern is an endless body that does not repeat within a megabyte.
type pattern struct{ n uint32 }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(p.n ^ p.n>>8 ^ p.n>>15)
		p.n++
	}
	return len(b), nil
}
