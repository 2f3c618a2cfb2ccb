package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"time"
)

// temp is a file that is being written.
type temp struct {
	d     *Dir
	f     *os.File
	name  string
	stamp int64
	moved bool // to its place, so that nothing is left to remove
}

func (d *Dir) newTemp() (*temp, error) {
	name := tempFolder + "/" + rand.Text()
	f, err := d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &temp{d: d, f: f, name: name}, nil
}

// seal stamps, syncs and closes the file.
func (t *temp) seal() error {
	for {
		last := t.d.stamp.Load()
		t.stamp = max(time.Now().UnixNano(), last+1)
		if t.d.stamp.CompareAndSwap(last, t.stamp) {
			break
		}
	}
	at := time.Unix(0, t.stamp)
	if err := t.d.root.Chtimes(t.name, at, at); err != nil {
		return err
	}
	if err := t.f.Sync(); err != nil {
		return err
	}
	return t.f.Close()
}

func (t *temp) discard() {
	_ = t.f.Close() // again, if sealed: no harm
	if !t.moved {
		_ = t.d.root.Remove(t.name) // else swept at the next start
	}
}

// source remembers the reader's own error, to tell it from the disk's, and ends
// with its context.
type source struct {
	ctx context.Context //nolint:containedctx // lives as long as the call
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err = s.ctx.Err(); s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
