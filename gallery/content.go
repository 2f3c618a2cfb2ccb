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
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/imaging"
)

// ThumbnailSizes are the longer sides that thumbnails come in, in pixels.
func ThumbnailSizes() []int { return []int{64, 128, 256, 512, 1024, 2048} }

// decodeFor bounds the work on one picture.
const decodeFor = 30 * time.Second

// Image returns what GET /api/images/{id}/file serves. CodeNotFound, CodeGone.
func (g *Gallery) Image(ctx context.Context, p easel.Principal, id easel.ID) (Content, error) {
	image, err := g.look(ctx, p, id)
	if err != nil {
		return Content{}, err
	}
	return Content{
		ContentType: image.ContentType, Size: image.Size, ETag: image.SHA256,
		Modified: image.CreatedAt, Filename: image.Filename,
		Open: g.whole(originalKey(p.Tenant, id), image.Size, image.SHA256),
	}, nil
}

// PresignImage returns a URL of the store's own that serves the image until ttl
// is over; ok is false if the store has none.
func (g *Gallery) PresignImage(ctx context.Context, p easel.Principal, id easel.ID, ttl time.Duration) (url string, ok bool, err error) {
	image, err := g.look(ctx, p, id)
	if err != nil {
		return "", false, err
	}
	presigner, ok := g.c.Blobs.(blob.Presigner)
	if !ok {
		return "", false, nil
	}
	url, err = presigner.PresignGet(ctx, originalKey(p.Tenant, id), ttl, image.ContentType, image.Filename)
	return url, err == nil, outage(err)
}

// look returns the row of an image that p may see.
func (g *Gallery) look(ctx context.Context, p easel.Principal, id easel.ID) (easel.Image, error) {
	if !id.Valid() || p.Image != "" && p.Image != id {
		return easel.Image{}, easel.Errorf(easel.CodeNotFound, "no such image")
	}
	reply, err := as[canvas.ImageReply](g.canvas(ctx, p.Tenant, id, canvas.Look{}))
	return reply.Image, err
}

// opener returns a Content.Open for an object.
func (g *Gallery) opener(key string) func(context.Context, blob.Range) (io.ReadCloser, error) {
	return func(ctx context.Context, r blob.Range) (io.ReadCloser, error) {
		body, _, err := g.c.Blobs.Get(ctx, key, r)
		if errors.Is(err, blob.ErrNotFound) {
			return nil, &easel.Error{Code: easel.CodeNotFound, Message: "the content is no more", Err: err}
		}
		return body, outage(err)
	}
}

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
	key := fmt.Sprintf("%sthumb-%d", imagePrefix(p.Tenant, id), size)
	content := Content{
		ETag:     fmt.Sprintf("%.32s-%d", image.SHA256, size),
		Modified: image.CreatedAt, Filename: image.Filename,
		Open: g.opener(key),
	}
	content.ContentType, content.Size, err = g.stored(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		// The work is everyone's who waits for it, so nobody's leaving ends it.
		_, err, _ = g.thumbnails.Do(key, func() (any, error) {
			return nil, g.shrink(context.WithoutCancel(ctx), originalKey(p.Tenant, id), key, size)
		})
		if err == nil {
			content.ContentType, content.Size, err = g.stored(ctx, key)
		}
	}
	return content, outage(err)
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

// stored returns the content type and size of a picture in the store.
func (g *Gallery) stored(ctx context.Context, key string) (contentType string, size int64, err error) {
	body, info, err := g.c.Blobs.Get(ctx, key, blob.Range{Length: imaging.HeadLen})
	if err != nil {
		return "", 0, err
	}
	head, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return "", 0, fmt.Errorf("read %s: %w", key, err)
	}
	contentType, ok := imaging.Sniff(head)
	if !ok {
		return "", 0, fmt.Errorf("gallery: %s is no picture", key)
	}
	return contentType, info.Size, nil
}

// shrink makes a thumbnail and stores it.
func (g *Gallery) shrink(ctx context.Context, from, to string, size int) error {
	ctx, cancel := context.WithTimeout(ctx, decodeFor)
	defer cancel()
	select {
	case g.decoding <- struct{}{}:
		defer func() { <-g.decoding }()
	case <-ctx.Done():
		return &easel.Error{Code: easel.CodeOverloaded, Message: "too many thumbnails are being made", RetryAfter: time.Second, Err: ctx.Err()}
	}
	r, err := newSeeker(ctx, g.c.Blobs, from)
	if err != nil {
		return fmt.Errorf("open original: %w", err)
	}
	data, _, err := imaging.Thumbnail(r, size)
	if err != nil {
		return refusal(err)
	}
	if _, err := g.c.Blobs.Put(ctx, to, bytes.NewReader(data)); err != nil {
		return fmt.Errorf("store thumbnail: %w", err)
	}
	return nil
}

// Probe reads the dimensions of an image's file, after EXIF orientation.
// CodeUnsupportedMedia if it will never have any; other errors are worth a
// repeat.
func (g *Gallery) Probe(ctx context.Context, t easel.TenantID, id easel.ID) (width, height int, err error) {
	r, err := newSeeker(ctx, g.c.Blobs, originalKey(t, id))
	if err != nil {
		return 0, 0, outage(err)
	}
	width, height, err = imaging.Size(r)
	return width, height, outage(refusal(err))
}
