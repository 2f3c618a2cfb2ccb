package gallery

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/imaging"
)

// Image returns what GET /api/images/{id}/file serves. CodeNotFound, CodeGone.
func (g *Gallery) Image(ctx context.Context, p easel.Principal, id easel.ID) (Content, error) {
	image, o, err := g.original(ctx, p, id, false)
	if err != nil {
		return Content{}, err
	}
	return Content{
		ContentType: image.ContentType, Size: image.Size, ETag: image.SHA256,
		Modified: image.CreatedAt, Filename: image.Filename,
		Open: g.checked(o),
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

// original returns the row and the file of an image that p may see, or with deleted
// also if it is deleted.
func (g *Gallery) original(ctx context.Context, p easel.Principal, id easel.ID, deleted bool) (easel.Image, object, error) {
	if !id.Valid() || p.Image != "" && p.Image != id {
		return easel.Image{}, object{}, easel.Errorf(easel.CodeNotFound, "no such image")
	}
	reply, err := as[canvas.ImageReply](g.canvas(ctx, p.Tenant, id, canvas.Look{Sums: true, Deleted: deleted}))
	return reply.Image, originalOf(p.Tenant, reply.Image, reply.Sums), err
}

// opener opens parts of an object, as they are.
func (g *Gallery) opener(key string) func(context.Context, blob.Range) (io.ReadCloser, error) {
	return func(ctx context.Context, r blob.Range) (io.ReadCloser, error) {
		body, _, err := g.c.Blobs.Get(ctx, key, r)
		if errors.Is(err, blob.ErrNotFound) {
			return nil, &easel.Error{Code: easel.CodeNotFound, Message: "the content is no more", Err: err}
		}
		return body, outage(err)
	}
}

// Probe reads the dimensions of an image's file, after EXIF orientation.
// CodeUnsupportedMedia if it will never have any; other errors are worth a
// repeat.
func (g *Gallery) Probe(ctx context.Context, t easel.TenantID, id easel.ID) (width, height int, err error) {
	_, o, err := g.original(ctx, easel.Principal{Tenant: t}, id, true)
	if err != nil {
		return 0, 0, err
	}
	r, err := g.seeker(ctx, o)
	if err != nil {
		return 0, 0, outage(err)
	}
	width, height, err = imaging.Size(r)
	return width, height, outage(refusal(err))
}
