package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/easelhq/easel/archive"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
)

// homeView is a durable home that is only read.
type homeView struct {
	place     durableHome
	histories interface {
		journal.Reader
		io.Closer
	}
	blobs interface {
		archive.Blobs
		io.Closer
	}
	audit   func(context.Context, journal.Auditor) error
	scratch string
	closers []func() error
}

// openView opens the configured home to read it. A folder must not be in use by a
// node; a bucket may be. It returns a *usageError if the home cannot be read.
func openView(c Config, sh shell) (_ *homeView, err error) {
	place, err := parseHome(c, sh.lookup)
	if err != nil {
		return nil, err
	}
	v := &homeView{place: place}
	defer func() {
		if err != nil {
			err = errors.Join(err, v.Close())
		}
	}()
	if place.bucket == nil {
		err = v.openFolder(place.dir)
	} else {
		err = v.openBucket()
	}
	if err != nil {
		return nil, err
	}
	if v.scratch, err = os.MkdirTemp("", "easel-"); err != nil {
		return nil, err
	}
	v.closers = append(v.closers, func() error { return os.RemoveAll(v.scratch) })
	return v, nil
}

func (v *homeView) openFolder(dir string) error {
	histories := filepath.Join(dir, "journal")
	if _, err := os.Stat(histories); err != nil {
		return badKey("store", "%v", err)
	}
	lock, err := journal.ShareDir(dir)
	if err != nil {
		return badKey("store", "%v", err)
	}
	v.closers = append(v.closers, lock.Close)
	blobs, err := blob.ViewDir(filepath.Join(dir, "blobs"))
	if err != nil {
		return badKey("store", "%v", err)
	}
	v.closers = append(v.closers, blobs.Close)
	n, err := journal.View(journal.NodeOptions{Dir: histories})
	if err != nil {
		return badKey("store", "%v", err)
	}
	v.closers = append(v.closers, n.Close)
	v.histories, v.blobs = n, blobs
	v.audit = func(ctx context.Context, a journal.Auditor) error { return journal.Audit(ctx, histories, a) }
	return nil
}

func (v *homeView) openBucket() error {
	objects, err := v.place.openS3("journal")
	if err != nil {
		return err
	}
	v.closers = append(v.closers, objects.Close)
	options := journal.BucketOptions{Store: objects}
	b, err := journal.ViewBucket(options)
	if err != nil {
		return badKey("store", "%v", err)
	}
	v.closers = append(v.closers, b.Close)
	blobs, err := v.place.openS3("blobs")
	if err != nil {
		return err
	}
	v.closers = append(v.closers, blobs.Close)
	v.histories, v.blobs = b, blobs
	v.audit = func(ctx context.Context, a journal.Auditor) error { return journal.AuditBucket(ctx, options, a) }
	return nil
}

// Close lets go of the home.
func (v *homeView) Close() error {
	var errs []error
	for i := len(v.closers) - 1; i >= 0; i-- {
		errs = append(errs, v.closers[i]())
	}
	v.closers = nil
	return errors.Join(errs...)
}
