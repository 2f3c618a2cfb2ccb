package gallery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/imaging"
)

// ThumbnailSizes are the longer sides that thumbnails come in, in pixels.
func ThumbnailSizes() []int { return []int{64, 128, 256, 512, 1024, 2048} }

// decodeFor bounds the work on one picture.
const decodeFor = 30 * time.Second

// Thumbnail returns the image made small. size is the longer side in pixels and
// is rounded up to one of ThumbnailSizes, at most the last. It is made at the
// first request and kept in the store. CodeUnsupportedMedia if the file is no
// picture that can be decoded; CodeOverloaded if too many wait for theirs.
func (g *Gallery) Thumbnail(ctx context.Context, p easel.Principal, id easel.ID, size int) (Content, error) {
	image, err := g.look(ctx, p, id)
	if err != nil {
		return Content{}, err
	}
	size = step(size)
	// Those that the first releases made are not sealed and have no more use.
	key := fmt.Sprintf("%sthumb-%d-sealed", imagePrefix(p.Tenant, id), size)
	small, err := g.stored(ctx, key)
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrDamaged) {
		// The work is everyone's who waits for it, so nobody's leaving ends it.
		_, err, _ = g.thumbnails.Do(key, func() (any, error) {
			return nil, g.shrink(context.WithoutCancel(ctx), p, id, key, size)
		})
		if err == nil {
			small, err = g.stored(ctx, key)
		}
	}
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrDamaged) {
		// It went, or broke, since it was made just now.
		return Content{}, &easel.Error{Code: easel.CodeUnavailable, Message: "the thumbnail was not kept; ask again", Err: err, RetryAfter: time.Second}
	}
	if err != nil {
		return Content{}, outage(err)
	}
	return Content{
		ContentType: small.contentType, Size: small.sums.Size(),
		ETag:     fmt.Sprintf("%.32s-%d", image.SHA256, size),
		Modified: image.CreatedAt, Filename: image.Filename,
		Open: func(ctx context.Context, r blob.Range) (io.ReadCloser, error) {
			return g.openThumbnail(ctx, small, r)
		},
	}, nil
}

// step returns the size of thumbnail that serves a request for size.
func step(size int) int {
	sizes := ThumbnailSizes()
	for _, s := range sizes {
		if size <= s {
			return s
		}
	}
	return sizes[len(sizes)-1]
}

// thumbHead is how much of a thumbnail is read at once: most are smaller. It has room
// for the seal and the first block.
const thumbHead = 128 << 10

// thumbnail is one in the store.
type thumbnail struct {
	key         string
	contentType string
	sums        *blob.Sums
	front       int64  // bytes of the seal
	head        []byte // the beginning of the object
	whole       bool   // head is all of it
}

// stored returns a thumbnail whose beginning is as it was. blob.ErrNotFound,
// blob.ErrDamaged.
func (g *Gallery) stored(ctx context.Context, key string) (thumbnail, error) {
	body, info, err := g.c.Blobs.Get(ctx, key, blob.Range{Length: thumbHead})
	if err != nil {
		return thumbnail{}, err
	}
	t := thumbnail{key: key}
	t.head, err = io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return thumbnail{}, fmt.Errorf("read %s: %w", key, err)
	}
	t.whole = int64(len(t.head)) == info.Size
	if t.sums, t.front, err = blob.ReadSeal(t.head); err != nil {
		return thumbnail{}, fmt.Errorf("read %s: %w", key, err)
	}
	first, err := t.sums.Open(ctx, blob.Range{Length: imaging.HeadLen}, t.inHead)
	if err != nil {
		return thumbnail{}, fmt.Errorf("read %s: %w", key, err)
	}
	start, err := io.ReadAll(first)
	if err != nil {
		return thumbnail{}, fmt.Errorf("read %s: %w", key, err)
	}
	var ok bool
	if t.contentType, ok = imaging.Sniff(start); !ok {
		return thumbnail{}, fmt.Errorf("gallery: %s is no picture", key)
	}
	return t, nil
}

// inHead opens a part of the content that is in memory.
func (t *thumbnail) inHead(_ context.Context, r blob.Range) (io.ReadCloser, error) {
	content := t.head[t.front:]
	from := min(r.Offset, int64(len(content)))
	return io.NopCloser(bytes.NewReader(content[from:min(from+r.Length, int64(len(content)))])), nil
}

// openThumbnail opens a range of a thumbnail. One that is damaged goes, so that the
// next request makes it again.
func (g *Gallery) openThumbnail(ctx context.Context, t thumbnail, r blob.Range) (io.ReadCloser, error) {
	get := t.inHead
	if !t.whole {
		all := g.opener(t.key)
		get = func(ctx context.Context, r blob.Range) (io.ReadCloser, error) {
			return all(ctx, blob.Range{Offset: r.Offset + t.front, Length: r.Length})
		}
	}
	damaged := func() {
		err := g.c.Blobs.Delete(context.WithoutCancel(ctx), t.key)
		g.c.Log.WarnContext(ctx, "a thumbnail is damaged and was not served", "object", t.key, "err", err)
	}
	body, err := t.sums.Open(ctx, r, get)
	if err != nil {
		if errors.Is(err, blob.ErrDamaged) {
			damaged()
		}
		return nil, err
	}
	return &watched{ReadCloser: body, damaged: damaged}, nil
}

// shrink makes a thumbnail and stores it.
func (g *Gallery) shrink(ctx context.Context, p easel.Principal, id easel.ID, to string, size int) error {
	ctx, cancel := context.WithTimeout(ctx, decodeFor)
	defer cancel()
	select {
	case g.decoding <- struct{}{}:
		defer func() { <-g.decoding }()
	case <-ctx.Done():
		return &easel.Error{Code: easel.CodeOverloaded, Message: "too many thumbnails are being made", RetryAfter: time.Second, Err: ctx.Err()}
	}
	_, from, err := g.original(ctx, p, id, false)
	if err != nil {
		return err
	}
	r, err := g.seeker(ctx, from)
	if err != nil {
		return fmt.Errorf("open original: %w", err)
	}
	data, _, err := imaging.Thumbnail(r, size)
	if err != nil {
		return refusal(err)
	}
	if _, err := g.c.Blobs.Put(ctx, to, bytes.NewReader(blob.Seal(data))); err != nil {
		return fmt.Errorf("store thumbnail: %w", err)
	}
	return nil
}
