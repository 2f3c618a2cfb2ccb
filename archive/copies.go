package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/turnstile"
)

// Copies makes files of images. One that was made is kept for a while, for those who
// come for other parts of the same state.
type Copies struct {
	histories journal.Reader
	dir       string
	making    *turnstile.Turnstile
	group     singleflight.Group

	mu   sync.Mutex // guards what follows, and the counts in it
	kept []*made    // the last one used is the last
}

// made is a file that was made. Its name on disk is gone already.
type made struct {
	canvas.Published
	image string
	file  *os.File
	size  int64
	uses  int // by Copy values, and one while it is kept
	kept  *time.Timer
}

const (
	// copiesAtOnce bounds the copies that are being made: each takes a processor and
	// twice the file's size on disk. One tenant makes at most half of them.
	copiesAtOnce = 2
	// copyFor is how long one may take, which grows with the image.
	copyFor = 2 * time.Minute
	// A copy is kept for so long after it was last asked for, and so many are.
	copyKept   = time.Minute
	copiesKept = 8
)

// NewCopies empties dir, which is for nothing else.
func NewCopies(histories journal.Reader, dir string) (*Copies, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("empty folder of copies: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of copies: %w", err)
	}
	return &Copies{histories: histories, dir: dir, making: turnstile.New(copiesAtOnce)}, nil
}

// Copy is an image's file in the public schema. Close lets go of it.
type Copy struct {
	io.ReaderAt
	canvas.Published
	Size  int64 // bytes
	close func() error
}

// Close must be called once.
func (c Copy) Close() error { return c.close() }

// Image makes a file of an image, off the turns of its actor. It shows at least the
// state with that tag, which the image has now (canvas.ImageReply.Tag): a copy of it
// that is there already is used again, and one is made for all who ask at once.
// CodeNotFound; CodeGone if the image is deleted; CodeUnavailable; CodeOverloaded if
// ctx ends while too many copies are being made.
func (c *Copies) Image(ctx context.Context, tenant easel.TenantID, id easel.ID, tag string) (Copy, error) {
	image := string(tenant) + "/" + string(id)
	for {
		if out, ok := c.use(image, tag); ok {
			return out, nil
		}
		making := c.group.DoChan(image+" "+tag, func() (any, error) {
			// The work is everyone's who waits for it, so nobody's leaving ends it.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), copyFor)
			defer cancel()
			m, err := c.make(ctx, tenant, id)
			if err == nil {
				c.keep(m)
			}
			return m, err
		})
		select {
		case r := <-making:
			if r.Err != nil {
				return Copy{}, r.Err
			}
			m, _ := r.Val.(*made)
			if out, ok := c.take(m); ok {
				return out, nil
			} // it was let go of in between, which is rare
		case <-ctx.Done():
			return Copy{}, crowded(ctx.Err())
		}
	}
}

func crowded(err error) error {
	return &easel.Error{Code: easel.CodeOverloaded, Message: "too many copies are being made", RetryAfter: time.Second, Err: err}
}

// use takes a copy with that tag, if one is kept.
func (c *Copies) use(image, tag string) (Copy, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, m := range c.kept {
		if m.image == image && m.Tag == tag {
			c.kept = append(slices.Delete(c.kept, i, i+1), m)
			m.kept.Reset(copyKept)
			return c.takeLocked(m)
		}
	}
	return Copy{}, false
}

func (c *Copies) take(m *made) (Copy, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.takeLocked(m)
}

// takeLocked is not ok for a copy that is closed.
func (c *Copies) takeLocked(m *made) (Copy, bool) {
	if m.uses == 0 {
		return Copy{}, false
	}
	m.uses++
	return Copy{ReaderAt: m.file, Published: m.Published, Size: m.size, close: func() error { return c.leave(m) }}, true
}

func (c *Copies) leave(m *made) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return m.leaveLocked()
}

func (m *made) leaveLocked() error {
	if m.uses--; m.uses == 0 {
		return m.file.Close()
	}
	return nil
}

// keep puts a copy in the place of older ones of the same image, and of the one that
// was not asked for the longest.
func (c *Copies) keep(m *made) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, other := range slices.Clone(c.kept) {
		if other.image == m.image || len(c.kept) >= copiesKept {
			c.dropLocked(other)
		}
	}
	m.uses = 1
	m.kept = time.AfterFunc(copyKept, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.dropLocked(m)
	})
	c.kept = append(c.kept, m)
}

func (c *Copies) dropLocked(m *made) {
	i := slices.Index(c.kept, m)
	if i < 0 {
		return
	}
	c.kept = slices.Delete(c.kept, i, i+1)
	m.kept.Stop()
	_ = m.leaveLocked() // it was only read
}

// make makes a copy of an image as it is now.
func (c *Copies) make(ctx context.Context, tenant easel.TenantID, id easel.ID) (out *made, err error) {
	leave, err := c.making.Enter(ctx, tenant)
	if err != nil {
		return nil, crowded(err)
	}
	defer leave()
	dir, err := os.MkdirTemp(c.dir, "image-")
	if err != nil {
		return nil, fmt.Errorf("make a copy: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if _, err := c.histories.Copy(ctx, canvas.Key(tenant, id).Name(), from); err != nil {
		return nil, asked(err)
	}
	out = &made{image: string(tenant) + "/" + string(id)}
	if out.Published, err = canvas.Publish(from, to); err != nil {
		return nil, err
	}
	if out.file, err = os.Open(to); err != nil {
		return nil, fmt.Errorf("open copy: %w", err)
	}
	info, err := out.file.Stat()
	if err != nil {
		return nil, errors.Join(err, out.file.Close())
	}
	out.size = info.Size()
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
