package journaltest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"

	"github.com/easelhq/easel/journal"
)

// ErrPowerLoss is what every operation returns once the power is gone.
var ErrPowerLoss = errors.New("journaltest: power lost")

// Op is a change that an FS is asked for.
type Op string

// The changes that count as steps of an FS.
const (
	OpCreate  Op = "create"
	OpWrite   Op = "write"
	OpSync    Op = "sync"
	OpRename  Op = "rename"
	OpRemove  Op = "remove"
	OpMkdir   Op = "mkdir"
	OpSyncDir Op = "syncdir"
)

// Loss says what of the changes that were not synced a loss of power leaves.
type Loss int

// The kinds of loss.
const (
	// LoseAll leaves only what was synced.
	LoseAll Loss = iota
	// LoseNothing leaves everything: only the process ended. What was not synced
	// is not durable yet, and a later loss of power may take it.
	LoseNothing
	// LoseSome leaves any part: sectors of writes and changes of directories, in
	// any order.
	LoseSome
)

const sector = 512

// FS is a file system in memory that can lose its power. It is strict: file
// contents survive only after File.Sync, and names only after SyncDir of their
// directory; renames are atomic.
type FS struct {
	mu    sync.Mutex // guards all fields, and all inodes
	root  *inode
	steps int
	cut   int // no step after this one is done; 0: never
	off   bool
	fail  func(op Op, path string) error
}

var _ journal.FS = (*FS)(nil)

// inode is a file or a directory.
type inode struct {
	dir bool

	// Of a file: its bytes, and what of them is durable.
	data, synced []byte
	dirty        []extent // written since the last sync, the oldest first

	// Of a directory.
	names, kept map[string]*inode
	pending     []rename // since the last sync, the oldest first
}

type extent struct {
	off  int64
	data []byte
}

// rename is one change of names in one directory: from, unless it is empty,
// goes, and to, unless it is empty, becomes node.
type rename struct {
	from, to string
	node     *inode
}

// NewFS returns an empty file system with one durable directory, "/".
func NewFS() *FS { return &FS{root: newDir()} }

func newDir() *inode {
	return &inode{dir: true, names: map[string]*inode{}, kept: map[string]*inode{}}
}

// CutAfter lets the power fail at step n from now, counted from 1: that step is
// done, but not synced, and reports a failure like all that follow.
func (f *FS) CutAfter(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut = f.steps + n
}

// Off lets the power fail now.
func (f *FS) Off() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = true
}

// Steps returns how many changes were asked for.
func (f *FS) Steps() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.steps
}

// Fail has fail asked before each step; an error that it returns is the
// step's. A write that fails is done in half, a sync that fails forgets what
// was not written, as Linux does. Nil ends it.
func (f *FS) Fail(fail func(op Op, path string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

// Restart returns the file system that a machine finds when the power is back.
// The old one is of no more use.
func (f *FS) Restart(loss Loss, rng *rand.Rand) *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = true
	if loss == LoseNothing {
		return &FS{root: f.root} // what was not synced can still be lost
	}
	return &FS{root: f.root.survive(loss, rng, map[*inode]*inode{})}
}

func (n *inode) survive(loss Loss, rng *rand.Rand, seen map[*inode]*inode) *inode {
	if s := seen[n]; s != nil {
		return s
	}
	if !n.dir {
		s := &inode{data: n.surviveBytes(loss, rng)}
		s.synced = slices.Clone(s.data)
		seen[n] = s
		return s
	}
	s := newDir()
	seen[n] = s
	names := map[string]*inode{}
	for name, child := range n.kept {
		names[name] = child
	}
	for _, r := range n.pending {
		if loss == LoseAll || loss == LoseSome && rng.IntN(2) == 0 {
			continue
		}
		r.apply(names)
	}
	for _, name := range sortedNames(names) {
		s.names[name] = names[name].survive(loss, rng, seen)
	}
	for name, child := range s.names {
		s.kept[name] = child
	}
	return s
}

func (n *inode) surviveBytes(loss Loss, rng *rand.Rand) []byte {
	switch loss {
	case LoseNothing: // of Clone
		return slices.Clone(n.data)
	case LoseAll:
		return slices.Clone(n.synced)
	}
	out := slices.Clone(n.synced)
	for _, e := range n.dirty {
		for at := e.off; at < e.off+int64(len(e.data)); {
			end := min(e.off+int64(len(e.data)), at/sector*sector+sector)
			if rng.IntN(3) > 0 {
				out = writeAt(out, e.data[at-e.off:end-e.off], at)
			}
			at = end
		}
	}
	if len(out) < len(n.data) && rng.IntN(2) == 0 {
		out = append(out, make([]byte, len(n.data)-len(out))...)
	}
	return out
}

func sortedNames(m map[string]*inode) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (r rename) apply(names map[string]*inode) {
	if r.from != "" {
		delete(names, r.from)
	}
	if r.to != "" {
		names[r.to] = r.node
	}
}

func writeAt(data, b []byte, off int64) []byte {
	if need := int(off) + len(b); need > len(data) {
		data = append(data, make([]byte, need-len(data))...)
	}
	copy(data[off:], b)
	return data
}

// step counts a change. done reports whether it is to take effect, half
// whether only in part.
func (f *FS) step(op Op, path string) (done, half bool, err error) {
	if f.off {
		return false, false, ErrPowerLoss
	}
	f.steps++
	if f.cut != 0 && f.steps >= f.cut {
		f.off = true
		return true, true, ErrPowerLoss
	}
	if f.fail != nil {
		if err := f.fail(op, path); err != nil {
			return false, true, err
		}
	}
	return true, false, nil
}

func (f *FS) lookup(path string) (*inode, error) {
	if f.off {
		return nil, ErrPowerLoss
	}
	at := f.root
	for _, name := range split(path) {
		next := at.names[name]
		if next == nil {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		at = next
	}
	return at, nil
}

func split(path string) []string {
	var out []string
	for path = filepath.Clean(path); path != "/" && path != "."; path = filepath.Dir(path) {
		out = append(out, filepath.Base(path))
	}
	slices.Reverse(out)
	return out
}

func (n *inode) change(r rename) {
	r.apply(n.names)
	n.pending = append(n.pending, r)
}

// Create implements journal.FS.
func (f *FS) Create(path string) (journal.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir, err := f.lookup(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	done, _, err := f.step(OpCreate, path)
	if !done {
		return nil, err
	}
	name := filepath.Base(path)
	node := dir.names[name]
	if node == nil {
		node = &inode{}
		dir.change(rename{to: name, node: node})
	} else {
		// Truncation is not synced either; the strictest reading is that the old
		// bytes are gone and the new ones not there yet.
		node.data, node.synced, node.dirty = nil, nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &file{fs: f, node: node, path: path}, nil
}

// Open implements journal.FS.
func (f *FS) Open(path string) (journal.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	node, err := f.lookup(path)
	if err != nil {
		return nil, err
	}
	if node.dir {
		return nil, fmt.Errorf("open %s: is a directory", path)
	}
	return &file{fs: f, node: node, path: path}, nil
}

// Rename implements journal.FS. Both names must be in one directory.
func (f *FS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if filepath.Dir(from) != filepath.Dir(to) {
		return fmt.Errorf("rename %s to %s: other directory", from, to)
	}
	node, err := f.lookup(from)
	if err != nil {
		return err
	}
	dir, err := f.lookup(filepath.Dir(to))
	if err != nil {
		return err
	}
	done, _, err := f.step(OpRename, to)
	if done {
		dir.change(rename{from: filepath.Base(from), to: filepath.Base(to), node: node})
	}
	return err
}

// Remove implements journal.FS.
func (f *FS) Remove(path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.lookup(path); err != nil {
		return err
	}
	dir, err := f.lookup(filepath.Dir(path))
	if err != nil {
		return err
	}
	done, _, err := f.step(OpRemove, path)
	if done {
		dir.change(rename{from: filepath.Base(path)})
	}
	return err
}

// Mkdir implements journal.FS.
func (f *FS) Mkdir(path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir, err := f.lookup(filepath.Dir(path))
	if err != nil {
		return err
	}
	if dir.names[filepath.Base(path)] != nil {
		return nil
	}
	done, _, err := f.step(OpMkdir, path)
	if done {
		dir.change(rename{to: filepath.Base(path), node: newDir()})
	}
	return err
}

// ReadDir implements journal.FS.
func (f *FS) ReadDir(path string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir, err := f.lookup(path)
	if err != nil {
		return nil, err
	}
	return sortedNames(dir.names), nil
}

// SyncDir implements journal.FS.
func (f *FS) SyncDir(path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir, err := f.lookup(path)
	if err != nil {
		return err
	}
	done, half, err := f.step(OpSyncDir, path)
	if done && !half {
		dir.kept = map[string]*inode{}
		for name, child := range dir.names {
			dir.kept[name] = child
		}
		dir.pending = nil
	}
	return err
}

// Flip inverts one bit of a file, on disk and in memory.
func (f *FS) Flip(path string, bit int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	node, err := f.lookup(path)
	if err != nil {
		return err
	}
	if bit/8 >= int64(len(node.data)) {
		return io.ErrUnexpectedEOF
	}
	node.data[bit/8] ^= 1 << (bit % 8)
	if bit/8 < int64(len(node.synced)) {
		node.synced[bit/8] ^= 1 << (bit % 8)
	}
	return nil
}

// Clone returns a copy of everything as it is now.
func (f *FS) Clone() *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &FS{root: f.root.survive(LoseNothing, nil, map[*inode]*inode{})}
}

// Files returns the path and length of every file, in order of the paths.
func (f *FS) Files() []FileInfo {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.root.files("/", nil)
}

// FileInfo is one file of an FS.
type FileInfo struct {
	Path string
	Size int64 // bytes
}

func (n *inode) files(path string, out []FileInfo) []FileInfo {
	if !n.dir {
		return append(out, FileInfo{Path: path, Size: int64(len(n.data))})
	}
	for _, name := range sortedNames(n.names) {
		out = n.names[name].files(filepath.Join(path, name), out)
	}
	return out
}

type file struct {
	fs   *FS
	node *inode
	path string
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(b []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.off {
		return 0, ErrPowerLoss
	}
	if off > int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.node.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements io.WriterAt.
func (f *file) WriteAt(b []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	done, half, err := f.fs.step(OpWrite, f.path)
	if half {
		if !done {
			b = b[:len(b)/2]
		}
		done = true
	}
	if !done {
		return 0, err
	}
	f.node.data = writeAt(f.node.data, b, off)
	f.node.dirty = append(f.node.dirty, extent{off: off, data: slices.Clone(b)})
	return len(b), err
}

// Size implements journal.File.
func (f *file) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.off {
		return 0, ErrPowerLoss
	}
	return int64(len(f.node.data)), nil
}

// Sync implements journal.File.
func (f *file) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	done, half, err := f.fs.step(OpSync, f.path)
	switch {
	case done && !half:
		for _, e := range f.node.dirty {
			f.node.synced = writeAt(f.node.synced, e.data, e.off)
		}
		f.node.dirty = nil
	case half && !done:
		// The pages are marked clean although they were not written: the next
		// sync succeeds and writes nothing of them.
		f.node.dirty = nil
	}
	return err
}

// Close implements io.Closer.
func (f *file) Close() error { return nil }
