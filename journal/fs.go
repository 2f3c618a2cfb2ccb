package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FS is the file system a folder home lives in. Paths are those of the
// operating system. The errors are those of package os: fs.ErrNotExist for
// what is not there, fs.ErrExist for what already is. Nothing is durable before
// File.Sync, and no name (of a new, renamed or removed file) before SyncDir of
// the directory it is in.
type FS interface {
	// Create opens a new, empty file for reading and writing, in place of what
	// was there.
	Create(path string) (File, error)
	// Open opens a file for reading and writing.
	Open(path string) (File, error)
	Rename(from, to string) error
	Remove(path string) error
	// Mkdir makes one directory. That it exists is no error.
	Mkdir(path string) error
	// ReadDir returns the names in a directory, in no order.
	ReadDir(path string) ([]string, error)
	// SyncDir makes the names in a directory durable.
	SyncDir(path string) error
}

// File is one open file of an FS.
type File interface {
	io.ReaderAt
	io.WriterAt
	// Size returns the length in bytes.
	Size() (int64, error)
	// Sync makes the file's bytes and length durable.
	Sync() error
	Close() error
}

// OS is the FS of the operating system. Files are made with mode 0600 and
// directories with 0700: a home holds what tenants own.
type OS struct{}

var _ FS = OS{}

// Create implements FS.
func (OS) Create(path string) (File, error) {
	return openOS(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

// Open implements FS.
func (OS) Open(path string) (File, error) { return openOS(path, os.O_RDWR) }

func openOS(path string, flag int) (File, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Rename implements FS.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements FS.
func (OS) Remove(path string) error { return os.Remove(path) }

// Mkdir implements FS.
func (OS) Mkdir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// ReadDir implements FS.
func (OS) ReadDir(path string) ([]string, error) {
	d, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// SyncDir implements FS.
func (OS) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// Sync implements File.
func (f osFile) Sync() error { return syncData(f.File) }

// readFile returns the whole of a file of at most limit bytes.
func readFile(fsys FS, path string, limit int64) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errTooLong}
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil && !(errors.Is(err, io.EOF) && size == 0) {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return b, nil
}

var errTooLong = errors.New("file too long")

// replaceFile makes path hold b, so that after a crash it holds either all of
// b or what it held before.
func replaceFile(fsys FS, path string, b []byte) error {
	tmp := path + ".tmp"
	if err := writeFile(fsys, tmp, b); err != nil {
		return err
	}
	if err := fsys.Rename(tmp, path); err != nil {
		return err
	}
	return fsys.SyncDir(filepath.Dir(path))
}

// writeFile writes and syncs a file; its name is not durable yet.
func writeFile(fsys FS, path string, b []byte) error {
	f, err := fsys.Create(path)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
