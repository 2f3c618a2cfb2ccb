package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/easelhq/easel/blob"
)

// View opens the log of a folder home to read it. It changes nothing in the
// folder and starts no goroutine: what opening a log would write stays in memory.
// The caller holds ShareDir's lock of the folder, so that no node writes it
// meanwhile. Only the methods of Reader, and Close, may be called.
func View(opts NodeOptions) (*Node, error) {
	opts.FS = viewFS{}
	return newNode(opts)
}

// ViewBucket opens the actor logs of a bucket to read them. Nodes may work on it
// meanwhile: each actor is read as of one moment. Only the methods of Reader, and
// Close, may be called.
func ViewBucket(opts BucketOptions) (*Bucket, error) {
	opts.Store = struct{ blob.Store }{opts.Store} // hides Probe, which writes
	return OpenBucket(opts)
}

// viewFS is the operating system's files, unchanged: what is written to those that
// exist is dropped (replay writes back what it has read), new ones are in memory.
type viewFS struct{}

var _ FS = viewFS{}

func (viewFS) Create(string) (File, error) { return &memoryFile{}, nil }

func (viewFS) Open(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return viewFile{osFile{f}}, nil
}

func (viewFS) Rename(from, to string) error {
	return &fs.PathError{Op: "rename", Path: from + " to " + to, Err: errReadOnly}
}

func (viewFS) Remove(path string) error {
	return &fs.PathError{Op: "remove", Path: path, Err: errReadOnly}
}

func (viewFS) Mkdir(string) error                    { return nil }
func (viewFS) SyncDir(string) error                  { return nil }
func (viewFS) ReadDir(path string) ([]string, error) { return OS{}.ReadDir(path) }

var errReadOnly = errors.New("the home is open for reading only")

type viewFile struct{ osFile }

func (viewFile) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
func (viewFile) Sync() error                            { return nil }

// memoryFile is a file that nobody else ever sees.
type memoryFile struct {
	mu sync.Mutex // guards b
	b  []byte
}

func (m *memoryFile) ReadAt(b []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if off >= int64(len(m.b)) {
		return 0, io.EOF
	}
	n := copy(b, m.b[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (m *memoryFile) WriteAt(b []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if end := off + int64(len(b)); end > int64(len(m.b)) {
		m.b = append(m.b, make([]byte, end-int64(len(m.b)))...)
	}
	return copy(m.b[off:], b), nil
}

func (m *memoryFile) Size() (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.b)), nil
}

func (*memoryFile) Sync() error  { return nil }
func (*memoryFile) Close() error { return nil }

// ShareDir takes a shared lock of a folder: several readers may hold it, but no
// node with LockDir. It writes nothing. A folder without a lock file was never
// used by a node, or is a copy: then there is nothing to lock. If a node has it,
// the error wraps ErrLocked and says which.
func ShareDir(dir string) (io.Closer, error) {
	f, err := os.Open(filepath.Join(dir, "lock"))
	if errors.Is(err, fs.ErrNotExist) {
		return io.NopCloser(nil), nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w by %s", dir, ErrLocked, holderOf(f))
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}
