package journal

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path/filepath"
)

func (n *Node) writeActorFile(name Name, file string, b []byte) error {
	path := filepath.Join(n.actorDir(name), file)
	f, err := n.fs.Create(path)
	if err != nil {
		return unavailable("create "+file, err)
	}
	w := &fileWriter{file: f}
	_, err = w.Write(b)
	if err == nil {
		err = w.finish(!n.hooks.headBeforeSnap)
	}
	if cerr := f.Close(); err == nil && cerr != nil {
		err = cerr
	}
	if err != nil {
		return unavailable("write "+file, err)
	}
	return nil
}

func (n *Node) syncActorDir(name Name) error {
	if err := n.syncDir(n.actorDir(name)); err != nil {
		return unavailable("sync directory", err)
	}
	return nil
}

// fileWriter writes a File from its start and counts what it wrote. Small
// writes are gathered.
type fileWriter struct {
	file File
	buf  []byte
	size int64 // written and gathered
	crc  uint32
}

// Write implements io.Writer.
func (w *fileWriter) Write(b []byte) (int, error) {
	w.crc = crc32.Update(w.crc, castagnoli, b)
	w.size += int64(len(b))
	w.buf = append(w.buf, b...)
	if len(w.buf) < 1<<18 {
		return len(b), nil
	}
	return len(b), w.flush()
}

func (w *fileWriter) flush() error {
	_, err := w.file.WriteAt(w.buf, w.size-int64(len(w.buf)))
	w.buf = w.buf[:0]
	return err
}

// finish writes what is left and, but for the planted fault, syncs.
func (w *fileWriter) finish(sync bool) error {
	if err := w.flush(); err != nil {
		return unavailable("write file", err)
	}
	if !sync {
		return nil
	}
	if err := w.file.Sync(); err != nil {
		return unavailable("sync file", err)
	}
	return nil
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

func (n *Node) actorDir(name Name) string {
	fan, dir := name.dir()
	return filepath.Join(n.dir, "actors", fan, dir)
}

// readHead returns the head of an actor. Without one, ok is false and there is
// no error.
func (n *Node) readHead(name Name) (h head, ok bool, err error) {
	path := filepath.Join(n.actorDir(name), "head")
	b, err := readFile(n.fs, path, maxHead)
	if errors.Is(err, fs.ErrNotExist) {
		return head{}, false, nil
	}
	if err != nil {
		return head{}, false, unavailable("read head", err)
	}
	h, err = decodeHead(b)
	if err == nil && h.Name != name {
		err = fmt.Errorf("it is of %s", h.Name)
	}
	if err != nil {
		return head{}, false, n.corruptActor(name, fmt.Errorf("head: %w", err))
	}
	return h, true, nil
}
