package blob

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// List returns objects in key order. It reads only the folders that the answer
// is in, each of them whole.
func (d *Dir) List(ctx context.Context, prefix, after string, max int) ([]Info, error) {
	l := lister{d: d, ctx: ctx, prefix: prefix, after: after, max: max}
	if max <= 0 || !goodPrefix(prefix) {
		return nil, ctx.Err()
	}
	base := prefix[:strings.LastIndexByte(prefix, '/')+1]
	if err := l.walk(base); err != nil {
		return nil, err
	}
	return l.found, nil
}

type lister struct {
	d             *Dir
	ctx           context.Context //nolint:containedctx // lives as long as the call
	prefix, after string
	max           int
	found         []Info
}

// walk adds what is below base, a prefix that ends with "/" or is empty.
func (l *lister) walk(base string) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	keys, err := l.children(base)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if len(l.found) == l.max {
			return nil
		}
		if strings.HasSuffix(key, "/") {
			if err := l.walk(key); err != nil {
				return err
			}
			continue
		}
		stat, err := l.d.root.Lstat(objectPath(key))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted since
		}
		if err != nil {
			return unavailable(err)
		}
		l.found = append(l.found, describe(key, stat))
	}
	return nil
}

// children returns the keys, and as "key/" the folders, right below base that
// can hold an answer, in key order: "a", "a-b", "a/", "a0".
func (l *lister) children(base string) ([]string, error) {
	path := "."
	if base != "" {
		path = objectPath(base[:len(base)-1]) + "+"
	}
	f, err := l.d.root.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	entries, err := f.ReadDir(-1)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, unavailable(err)
	}
	keys := make([]string, 0, len(entries))
	for _, e := range entries {
		name, isFolder := strings.CutSuffix(e.Name(), "+")
		if !goodSegment(name) || isFolder != e.IsDir() {
			continue // the folder of temporary files, or not ours
		}
		key := base + name
		if isFolder {
			key += "/"
		}
		if l.wanted(key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

func (l *lister) wanted(key string) bool {
	if strings.HasSuffix(key, "/") {
		return (strings.HasPrefix(key, l.prefix) || strings.HasPrefix(l.prefix, key)) &&
			(key > l.after || strings.HasPrefix(l.after, key))
	}
	return strings.HasPrefix(key, l.prefix) && key > l.after
}
