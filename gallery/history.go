package gallery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
)

// Archive keeps the objects of images' history beside the image files, so that
// they go with the image.
type Archive struct {
	Blobs blob.Store
	Log   *slog.Logger
}

var _ canvas.Archive = Archive{}

// Put implements canvas.Archive. An object of that name that has other bytes is
// damaged, and replaced.
func (a Archive) Put(ctx context.Context, t easel.TenantID, image easel.ID, name string, object []byte) error {
	key := historyKey(t, image, name)
	_, err := a.Blobs.PutIfAbsent(ctx, key, object)
	if errors.Is(err, blob.ErrExists) {
		var stored []byte
		if stored, err = a.read(ctx, key); err == nil && !bytes.Equal(stored, object) {
			a.Log.WarnContext(ctx, "object of history was damaged and is replaced", "key", key)
			_, err = a.Blobs.Put(ctx, key, bytes.NewReader(object))
		}
	}
	if err != nil {
		a.Log.WarnContext(ctx, "object of history not stored; it is tried again", "key", key, "err", err)
		return fmt.Errorf("store history: %w", outage(err))
	}
	return nil
}

// Get implements canvas.Archive.
func (a Archive) Get(ctx context.Context, t easel.TenantID, image easel.ID, name string) ([]byte, error) {
	object, err := a.read(ctx, historyKey(t, image, name))
	if errors.Is(err, blob.ErrNotFound) {
		return nil, &easel.Error{Code: easel.CodeGone, Message: "that part of the history is no more", Err: err}
	}
	return object, outage(err)
}

// Delete implements canvas.Archive.
func (a Archive) Delete(ctx context.Context, t easel.TenantID, image easel.ID, name string) error {
	return outage(a.Blobs.Delete(ctx, historyKey(t, image, name)))
}

func (a Archive) read(ctx context.Context, key string) ([]byte, error) {
	r, info, err := a.Blobs.Get(ctx, key, blob.All)
	if err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(make([]byte, 0, info.Size+bytes.MinRead))
	_, err = io.Copy(b, r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return b.Bytes(), nil
}

func historyKey(t easel.TenantID, image easel.ID, name string) string {
	return imagePrefix(t, image) + "hist-" + name
}
