package journal

import (
	"context"
	"errors"
	"path/filepath"
)

// Erase implements Journal.
func (n *Node) Erase(ctx context.Context, name Name) error {
	if err := name.Check(); err != nil {
		return err
	}
	leave, err := n.enter(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	if err := n.writable(); err != nil {
		return err
	}
	number, err := n.fence(ctx, name, ErrFenced)
	if err != nil {
		return err
	}
	h, sleeping, err := n.readHead(name)
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return err
	}
	if err == nil && !sleeping && !n.alive(name) {
		return n.writable() // a birth that was fenced may have failed just now
	}
	// An erasure that was cut short is done again from the start.
	tomb := head{Name: name, Term: max(number, h.Term) + 1, Erased: true}
	if err := n.putHead(tomb); err != nil {
		return err
	}
	n.mu.Lock()
	n.forgetLocked(name)
	n.mu.Unlock()
	return n.sweep(tomb)
}

// forgetLocked takes an actor out of the index.
func (n *Node) forgetLocked(name Name) {
	if c := n.index[name]; c != nil {
		for _, r := range c.refs {
			r.seg.live--
			r.seg.erased = true
		}
		delete(n.index, name)
	}
}

// putHead makes h the actor's head; its directory is made if need be.
func (n *Node) putHead(h head) error {
	b, err := encodeHead(h)
	if err != nil {
		return err
	}
	if err := n.makeActorDir(h.Name); err != nil {
		return unavailable("make directory", err)
	}
	if err := n.replaceFile(filepath.Join(n.actorDir(h.Name), "head"), b); err != nil {
		return unavailable("write head", err)
	}
	return nil
}

// makeActorDir makes the actor's directory and its name durable.
func (n *Node) makeActorDir(name Name) error {
	// Also if they exist: an earlier process may have made them just before it
	// died, without syncing.
	dir := n.actorDir(name)
	fan := filepath.Dir(dir)
	if err := n.fs.Mkdir(fan); err != nil {
		return err
	}
	if err := n.syncDir(filepath.Dir(fan)); err != nil {
		return err
	}
	if err := n.fs.Mkdir(dir); err != nil {
		return err
	}
	return n.syncDir(fan)
}

func (n *Node) syncDir(path string) error {
	if n.hooks.noDirSync {
		return nil
	}
	return n.fs.SyncDir(path)
}

func (n *Node) replaceFile(path string, b []byte) error {
	if n.hooks.noDirSync {
		if err := writeFile(n.fs, path+".tmp", b); err != nil {
			return err
		}
		return n.fs.Rename(path+".tmp", path)
	}
	return replaceFile(n.fs, path, b)
}

// sweep removes what the head does not name: files that it replaced, and what a
// crash left behind.
func (n *Node) sweep(h head) error {
	keep := map[string]bool{"head": true}
	if h.Snap != nil {
		keep[h.Snap.File] = true
	}
	for _, f := range h.L1 {
		keep[f.File] = true
	}
	dir := n.actorDir(h.Name)
	names, err := n.fs.ReadDir(dir)
	if err != nil {
		return unavailable("read directory", err)
	}
	for _, name := range names {
		if keep[name] {
			continue
		}
		if err := n.fs.Remove(filepath.Join(dir, name)); err != nil && !isNotExist(err) {
			return unavailable("remove "+name, err)
		}
	}
	return nil
}
