package journaltest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/easelhq/easel/blob"
)

// Store is a blob.Store in memory, with conditional writes.
type Store struct {
	mu      sync.Mutex // guards what follows
	objects map[string]object
	writes  int
}

type object struct {
	body     []byte
	version  blob.Version
	modified time.Time
}

var _ blob.Store = (*Store)(nil)

// NewStore returns an empty store.
func NewStore() *Store { return &Store{objects: map[string]object{}} }

// Clone returns a store with the same objects.
func (s *Store) Clone() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := NewStore()
	for k, o := range s.objects {
		o.body = bytes.Clone(o.body)
		c.objects[k] = o
	}
	return c
}

// Keys returns all keys in order.
func (s *Store) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := make([]string, 0, len(s.objects))
	for k := range s.objects {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Bytes returns an object's bytes, which the caller may change in place, or nil.
func (s *Store) Bytes(key string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[key].body
}

func (s *Store) putLocked(key string, b []byte) blob.Version {
	s.writes++
	v := blob.Version(fmt.Sprintf("v%d", s.writes))
	s.objects[key] = object{body: bytes.Clone(b), version: v, modified: time.Now()}
	return v
}

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, r io.Reader) (blob.Info, error) {
	if err := check(ctx, key); err != nil {
		return blob.Info{}, err
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return blob.Info{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.putLocked(key, b)
	return blob.Info{Key: key, Size: int64(len(b)), Version: v, Modified: s.objects[key].modified}, nil
}

func check(ctx context.Context, key string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	return ctx.Err()
}

// PutIfAbsent implements blob.Store.
func (s *Store) PutIfAbsent(ctx context.Context, key string, b []byte) (blob.Version, error) {
	if err := check(ctx, key); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.objects[key]; ok {
		return "", blob.ErrExists
	}
	return s.putLocked(key, b), nil
}

// PutIfMatch implements blob.Store.
func (s *Store) PutIfMatch(ctx context.Context, key string, b []byte, v blob.Version) (blob.Version, error) {
	if err := check(ctx, key); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.objects[key]; !ok || o.version != v {
		return "", blob.ErrExists
	}
	return s.putLocked(key, b), nil
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string, r blob.Range) (io.ReadCloser, blob.Info, error) {
	if err := check(ctx, key); err != nil {
		return nil, blob.Info{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[key]
	if !ok {
		return nil, blob.Info{}, blob.ErrNotFound
	}
	size := int64(len(o.body))
	if r.Offset < 0 || r.Offset > 0 && r.Offset >= size {
		return nil, blob.Info{}, blob.ErrRange
	}
	end := size
	if r.Length >= 0 {
		end = min(size, r.Offset+r.Length)
	}
	return io.NopCloser(bytes.NewReader(o.body[r.Offset:end])), o.info(key), nil
}

func (o object) info(key string) blob.Info {
	return blob.Info{Key: key, Size: int64(len(o.body)), Version: o.version, Modified: o.modified}
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	if err := check(ctx, key); err != nil {
		return blob.Info{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[key]
	if !ok {
		return blob.Info{}, blob.ErrNotFound
	}
	return o.info(key), nil
}

// List implements blob.Store.
func (s *Store) List(ctx context.Context, prefix, after string, max int) ([]blob.Info, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var infos []blob.Info
	for k, o := range s.objects {
		if strings.HasPrefix(k, prefix) && k > after {
			infos = append(infos, o.info(k))
		}
	}
	slices.SortFunc(infos, func(a, b blob.Info) int { return strings.Compare(a.Key, b.Key) })
	return infos[:min(len(infos), max)], nil
}

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, key)
	return nil
}
