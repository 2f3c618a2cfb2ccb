package fencingtest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/easelhq/easel/journal/fencing"
)

// Store is a store of objects with conditional writes.
type Store struct {
	objects map[string]object
	writes  int
}

type object struct {
	body    []byte
	version string
}

// NewStore makes an empty store.
func NewStore() *Store { return &Store{objects: map[string]object{}} }

// Keys returns all keys in order.
func (s *Store) Keys() []string {
	keys := make([]string, 0, len(s.objects))
	for k := range s.objects {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (s *Store) write(w fencing.Write) fencing.Reply {
	if s.objects[w.Key].version != w.Over {
		return fencing.Reply{Kind: fencing.Refused}
	}
	s.writes++
	v := strconv.Itoa(s.writes)
	s.objects[w.Key] = object{w.Body, v}
	return fencing.Reply{Kind: fencing.Took, Version: v}
}

func (s *Store) read(key string) fencing.Reply {
	o, ok := s.objects[key]
	if !ok {
		return fencing.Reply{Kind: fencing.Missing}
	}
	return fencing.Reply{Kind: fencing.Found, Body: o.body, Version: o.version}
}

func (s *Store) list(prefix, after string) []string {
	var names []string
	for key := range s.objects {
		if strings.HasPrefix(key, prefix) && key > after {
			names = append(names, key[len(prefix):])
		}
	}
	slices.Sort(names)
	return names
}

// Damage replaces an object behind everyone's back, or removes it if body is nil.
func (s *Store) Damage(key string, body []byte) {
	if body == nil {
		delete(s.objects, key)
		return
	}
	s.writes++
	s.objects[key] = object{body, strconv.Itoa(s.writes)}
}

// Bytes returns an object, or nil.
func (s *Store) Bytes(key string) []byte { return s.objects[key].body }
