package blob

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Dir is a Store in a folder, which belongs to one process at a time (who opens
// it holds a lock on something above it).
//
// Each object is a plain file with the object's bytes. The file of key "a/b/c"
// is a+/b+/c: folders end with "+", which no key holds, so that "a" and "a/b"
// can both be objects. Temporary files are in the folder "+tmp".
//
// An object's Version is made of its time of change, in nanoseconds, and its
// size. Dir stamps each write later than any before it, so that no two writes
// share a version; copying the folder without its times changes versions.
//
// A write is a temporary file, synced, then linked or renamed to its place,
// then a sync of every folder above that is new.
type Dir struct {
	root    *os.Root
	folders folders
	seed    maphash.Seed
	stamp   atomic.Int64 // of the last write, Unix nanoseconds
	buffers sync.Pool    // of *[copySize]byte, for Put

	// A stripe makes look-and-replace of one key atomic. It is held over a stat
	// and a rename, never over a sync or over reading a body.
	stripes [64]sync.Mutex
}

var _ Store = (*Dir)(nil)

const tempFolder = "+tmp"

// maxAttempts bounds how often a write makes its folder again.
const maxAttempts = 100

// OpenDir opens the folder at path, makes it if there is none, and removes what
// writes left behind that did not end.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	d := &Dir{root: root, seed: maphash.MakeSeed()}
	d.buffers.New = func() any { return new([copySize]byte) }
	d.folders.init(root)
	if err := d.prepare(); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("open blob folder %s: %w", path, err)
	}
	return d, nil
}

// prepare sweeps temporary files and checks that the file system can hold what
// Version is made of.
func (d *Dir) prepare() error {
	if err := d.root.RemoveAll(tempFolder); err != nil {
		return err
	}
	if err := d.root.Mkdir(tempFolder, 0o700); err != nil {
		return err
	}
	t, err := d.newTemp()
	if err != nil {
		return err
	}
	defer t.discard()
	if err = t.seal(); err != nil {
		return err
	}
	info, err := d.root.Stat(t.name)
	if err != nil {
		return err
	}
	if got := info.ModTime().UnixNano(); got != t.stamp {
		return fmt.Errorf("file system keeps no nanoseconds in file times (wrote %d, read %d)", t.stamp, got)
	}
	return d.folders.sync(".")
}

// Close lets go of the folder. It does not wait for calls under way.
func (d *Dir) Close() error { return d.root.Close() }

// Put streams r into an object.
func (d *Dir) Put(ctx context.Context, key string, r io.Reader) (Info, error) {
	if err := d.check(ctx, key); err != nil {
		return Info{}, err
	}
	t, err := d.newTemp()
	if err != nil {
		return Info{}, unavailable(err)
	}
	defer t.discard()
	src := &source{ctx: ctx, r: r}
	size, err := d.copy(t.f, src)
	if src.err != nil {
		return Info{}, src.err
	}
	if err != nil {
		return Info{}, unavailable(err)
	}
	if err := t.seal(); err != nil {
		return Info{}, unavailable(err)
	}
	if err := d.place(t, key, nil); err != nil {
		return Info{}, err
	}
	return Info{Key: key, Size: size, Version: version(t.stamp, size), Modified: time.Unix(0, t.stamp)}, nil
}

// copySize is how much Put collects before it writes: bodies come in small pieces,
// and each write costs the file system the same.
const copySize = 128 << 10

// copy writes all that is left of src to w and returns its length.
func (d *Dir) copy(w io.Writer, src *source) (size int64, err error) {
	buffer := d.buffers.Get().(*[copySize]byte) //nolint:forcetypeassert // it holds nothing else
	defer d.buffers.Put(buffer)
	for {
		n, end := io.ReadFull(src, buffer[:])
		if src.err != nil {
			return size, src.err
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return size, err
		}
		size += int64(n)
		if end != nil { // of src, as it did not fail
			return size, nil
		}
	}
}

// PutIfAbsent writes b if the key has no object.
func (d *Dir) PutIfAbsent(ctx context.Context, key string, b []byte) (Version, error) {
	return d.putIf(ctx, key, b, func(now Version) bool { return now == "" })
}

// PutIfMatch replaces the object if it has version v.
func (d *Dir) PutIfMatch(ctx context.Context, key string, b []byte, v Version) (Version, error) {
	return d.putIf(ctx, key, b, func(now Version) bool { return now == v && v != "" })
}

func (d *Dir) putIf(ctx context.Context, key string, b []byte, want func(Version) bool) (Version, error) {
	if err := d.check(ctx, key); err != nil {
		return "", err
	}
	// Refuse without writing b where that is clear already; place asks again.
	if now, err := d.current(objectPath(key)); err != nil {
		return "", unavailable(err)
	} else if !want(now) {
		return "", ErrExists
	}
	t, err := d.newTemp()
	if err != nil {
		return "", unavailable(err)
	}
	defer t.discard()
	if _, err := t.f.Write(b); err != nil {
		return "", unavailable(err)
	}
	if err := t.seal(); err != nil {
		return "", unavailable(err)
	}
	if err := d.place(t, key, want); err != nil {
		return "", err
	}
	return version(t.stamp, int64(len(b))), nil
}

// place moves a sealed temporary file to the key if want, unless nil, accepts the
// version that is there ("": none).
func (d *Dir) place(t *temp, key string, want func(Version) bool) error {
	path := objectPath(key)
	folder := parent(path)
	for attempt := 1; ; attempt++ {
		chain, err := d.folders.make(folder)
		if err != nil {
			return unavailable(err)
		}
		err = d.swap(t, path, want)
		if errors.Is(err, fs.ErrNotExist) && attempt < maxAttempts {
			d.folders.forget(folder) // a Delete took it away, empty, in between
			continue
		}
		if errors.Is(err, ErrExists) {
			return err
		}
		if err != nil {
			return unavailable(err)
		}
		if err := d.folders.settle(chain); err != nil {
			return unavailable(err)
		}
		return nil
	}
}

func (d *Dir) swap(t *temp, path string, want func(Version) bool) error {
	stripe := d.stripe(path)
	stripe.Lock()
	defer stripe.Unlock()
	var now Version
	if want != nil {
		var err error
		if now, err = d.current(path); err != nil {
			return err
		}
		if !want(now) {
			return ErrExists
		}
	}
	if want != nil && now == "" {
		// link, unlike rename, never replaces what another process may have put.
		err := d.root.Link(t.name, path)
		if errors.Is(err, fs.ErrExist) {
			return ErrExists
		}
		return err
	}
	if err := d.root.Rename(t.name, path); err != nil {
		return err
	}
	t.moved = true
	return nil
}

func (d *Dir) stripe(path string) *sync.Mutex {
	return &d.stripes[maphash.String(d.seed, path)%uint64(len(d.stripes))]
}

// current returns the version at path, "" if there is none.
func (d *Dir) current(path string) (Version, error) {
	info, err := d.root.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return version(info.ModTime().UnixNano(), info.Size()), nil
}

// Get opens an object.
func (d *Dir) Get(ctx context.Context, key string, r Range) (io.ReadCloser, Info, error) {
	if err := d.check(ctx, key); err != nil {
		return nil, Info{}, err
	}
	f, err := d.root.Open(objectPath(key))
	if err != nil {
		return nil, Info{}, notFound(err)
	}
	stat, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, Info{}, unavailable(err)
	}
	info := describe(key, stat)
	offset, length, err := r.span(info.Size)
	if err == nil && offset > 0 {
		if _, e := f.Seek(offset, io.SeekStart); e != nil {
			err = unavailable(e)
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, Info{}, err
	}
	return &section{LimitedReader: io.LimitedReader{R: f, N: length}, f: f}, info, nil
}

// Stat describes an object.
func (d *Dir) Stat(ctx context.Context, key string) (Info, error) {
	if err := d.check(ctx, key); err != nil {
		return Info{}, err
	}
	stat, err := d.root.Lstat(objectPath(key))
	if err != nil {
		return Info{}, notFound(err)
	}
	return describe(key, stat), nil
}

// Delete removes an object, and folders that it leaves empty.
func (d *Dir) Delete(ctx context.Context, key string) error {
	if err := d.check(ctx, key); err != nil {
		return err
	}
	path := objectPath(key)
	stripe := d.stripe(path)
	stripe.Lock()
	err := d.root.Remove(path)
	stripe.Unlock()
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return unavailable(err)
	}
	if err := d.folders.sync(d.folders.prune(parent(path))); err != nil {
		return unavailable(err)
	}
	return nil
}

func (d *Dir) check(ctx context.Context, key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	return ctx.Err()
}

// objectPath maps a key to its file.
func objectPath(key string) string { return strings.ReplaceAll(key, "/", "+/") }

// parent returns the folder of a path, "." for the root.
func parent(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "."
	}
	return path[:i]
}

func version(stamp, size int64) Version { return Version(fmt.Sprintf("%x-%x", stamp, size)) }

func describe(key string, stat fs.FileInfo) Info {
	return Info{
		Key: key, Size: stat.Size(), Modified: stat.ModTime(),
		Version: version(stat.ModTime().UnixNano(), stat.Size()),
	}
}

func notFound(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return unavailable(err)
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", ErrUnavailable, err) }

// section is a part of a file. It keeps the way open for sendfile.
type section struct {
	io.LimitedReader
	f *os.File
}

func (s *section) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, &s.LimitedReader) }

func (s *section) Close() error { return s.f.Close() }
