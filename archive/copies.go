package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/journal"
)

// Copies makes files of images.
type Copies struct {
	histories journal.Reader
	dir       string
	busy      chan struct{} // one token for each copy that is being made
}

// copiesAtOnce bounds the copies that are being made: each takes a processor and
// twice the file's size on disk.
const copiesAtOnce = 2

// NewCopies empties dir, which is for nothing else.
func NewCopies(histories journal.Reader, dir string) (*Copies, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("empty folder of copies: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of copies: %w", err)
	}
	return &Copies{histories: histories, dir: dir, busy: make(chan struct{}, copiesAtOnce)}, nil
}

// Copy is an image's file in the public schema. Its name on disk is gone already:
// Close ends it.
type Copy struct {
	*os.File
	canvas.Published
	Size int64 // bytes
}

// Image makes a file of an image as it is now, off the turns of its actor. It
// shows everything that was acknowledged before the call. CodeNotFound; CodeGone
// if the image is deleted; CodeUnavailable; CodeOverloaded if too many copies are
// being made.
func (c *Copies) Image(ctx context.Context, tenant easel.TenantID, id easel.ID) (out Copy, err error) {
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	case <-ctx.Done():
		return Copy{}, &easel.Error{Code: easel.CodeOverloaded, Message: "too many copies are being made", RetryAfter: time.Second, Err: ctx.Err()}
	}
	dir, err := os.MkdirTemp(c.dir, "image-")
	if err != nil {
		return Copy{}, fmt.Errorf("make a copy: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if _, err := c.histories.Copy(ctx, canvas.Key(tenant, id).Name(), from); err != nil {
		return Copy{}, asked(err)
	}
	if out.Published, err = canvas.Publish(from, to); err != nil {
		return Copy{}, err
	}
	if out.File, err = os.Open(to); err != nil {
		return Copy{}, fmt.Errorf("open copy: %w", err)
	}
	info, err := out.Stat()
	if err != nil {
		return Copy{}, errors.Join(err, out.Close())
	}
	out.Size = info.Size()
	return out, nil
}

// asked gives a journal's error the code that a client sees.
func asked(err error) error {
	switch {
	case errors.Is(err, journal.ErrNotFound), errors.Is(err, journal.ErrErased):
		return &easel.Error{Code: easel.CodeNotFound, Message: "no such image", Err: err}
	case errors.Is(err, journal.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, journal.ErrClosed):
		return &easel.Error{Code: easel.CodeUnavailable, Message: "the durable home cannot be reached", RetryAfter: time.Second, Err: err}
	default:
		return err
	}
}
