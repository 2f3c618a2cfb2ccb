package blob

import (
	"context"
	"errors"
	"io"
	"time"
)

// Errors that callers branch on.
var (
	ErrNotFound = errors.New("blob: not found")
	// ErrExists: a conditional write met another object than it asked for.
	ErrExists = errors.New("blob: precondition failed")
	// ErrRange: the requested range starts past the end.
	ErrRange = errors.New("blob: range not satisfiable")
	// ErrDamaged: an object is not what was stored, by checksums kept elsewhere.
	ErrDamaged = errors.New("blob: the object is damaged")
	// ErrUnavailable: the store did not answer; a write's outcome is unknown.
	ErrUnavailable = errors.New("blob: store unavailable")
)

// Version stands for an object's content in conditional writes (an ETag).
type Version string

// Info describes an object.
type Info struct {
	Key      string
	Size     int64 // bytes
	Version  Version
	Modified time.Time
}

// Range asks for Length bytes from Offset; Length < 0 means to the end. The
// zero Range is the empty range; All is everything.
type Range struct{ Offset, Length int64 }

// All is the range of the whole object.
var All = Range{Offset: 0, Length: -1}

// Store is a flat set of objects. Keys are segments of [A-Za-z0-9._=-] (not "."
// or "..", 1 to 128 bytes each) joined by "/".
type Store interface {
	// Put streams an object of unknown size into the store in constant memory,
	// replacing what was there. If r fails, nothing changes and r's error returns.
	Put(ctx context.Context, key string, r io.Reader) (Info, error)
	// PutIfAbsent writes a small object only if there is none: else ErrExists.
	PutIfAbsent(ctx context.Context, key string, b []byte) (Version, error)
	// PutIfMatch replaces an object only if it still has version v: else ErrExists
	// (also when there is none).
	PutIfMatch(ctx context.Context, key string, b []byte, v Version) (Version, error)
	// Get opens an object for reading; the caller closes it. Info.Size is that of
	// the whole object. ErrNotFound, ErrRange.
	Get(ctx context.Context, key string, r Range) (io.ReadCloser, Info, error)
	// Stat returns ErrNotFound if there is no such object.
	Stat(ctx context.Context, key string) (Info, error)
	// List returns up to max objects whose keys start with prefix, in key order,
	// after the key after. Fewer than max means the end.
	List(ctx context.Context, prefix, after string, max int) ([]Info, error)
	// Delete removes an object; none is no error.
	Delete(ctx context.Context, key string) error
}

// Presigner is a Store whose objects a browser can fetch by URL alone.
type Presigner interface {
	// PresignGet returns a URL that answers GET with the object until ttl is over.
	PresignGet(ctx context.Context, key string, ttl time.Duration, contentType, filename string) (string, error)
}
