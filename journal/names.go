package journal

import (
	"context"
	"path/filepath"
)

// Names implements Journal.
func (n *Node) Names(ctx context.Context, prefix Name, each func(Name) bool) error {
	if prefix != "" {
		if err := prefix.Check(); err != nil {
			return err
		}
	}
	n.mu.Lock()
	if n.stopping {
		n.mu.Unlock()
		return ErrClosed
	}
	awake := make(map[Name]bool, len(n.index))
	for name := range n.index {
		if name.Below(prefix) {
			awake[name] = true
		}
	}
	n.mu.Unlock()
	for name := range awake {
		// Batches of an erased actor stay in segments for a while.
		if h, _, err := n.readHead(name); err == nil && h.Erased {
			continue
		}
		if !each(name) {
			return nil
		}
	}
	root := filepath.Join(n.dir, "actors")
	fans, err := n.fs.ReadDir(root)
	if err != nil {
		return unavailable("list actors", err)
	}
	for _, fan := range fans {
		dirs, err := n.fs.ReadDir(filepath.Join(root, fan))
		if err != nil {
			return unavailable("list actors", err)
		}
		for _, dir := range dirs {
			if err := ctx.Err(); err != nil {
				return err
			}
			name, live := n.sleeper(filepath.Join(root, fan, dir), dir, prefix)
			if live && !awake[name] && !each(name) {
				return nil
			}
		}
	}
	return nil
}

// sleeper returns the name of the actor in a directory, if it lies below
// prefix and lives.
func (n *Node) sleeper(path, dir string, prefix Name) (Name, bool) {
	name, known := nameOf(dir)
	if known && !name.Below(prefix) {
		return "", false
	}
	b, err := readFile(n.fs, filepath.Join(path, "head"), maxHead)
	if err != nil {
		return "", false // made just before a crash: its batches are in live segments
	}
	h, err := decodeHead(b)
	if err != nil {
		return name, known // corrupt is not gone
	}
	return h.Name, !h.Erased && h.Name.Below(prefix)
}
