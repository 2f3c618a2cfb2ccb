package gallery

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/imaging"
	"github.com/easelhq/easel/tenant"
)

// Upload stores an image and returns its row once it is listed. Errors:
// CodeForbidden for viewers; CodeUnsupportedMedia by magic bytes, and for files
// that are cut short or lie about themselves; CodeTooLarge; CodeInvalid for an
// empty body and for an Once.ID used with other bytes; CodeConflict with
// RetryAfter while an upload with the same Once.ID runs; CodeRateLimited at a
// quota. What reading Body fails with is returned wrapped.
func (g *Gallery) Upload(ctx context.Context, p easel.Principal, u Upload) (easel.Image, error) {
	c, err := g.claim(ctx, p.Tenant, onceKey("upload", u.Once.ID))
	if err != nil {
		return easel.Image{}, err
	}
	if c.done != nil {
		return g.uploaded(*c.done, u.Body)
	}
	work, release := c.work(ctx)
	defer release()
	image, err := g.upload(work, p, u, c)
	if err != nil {
		ending, cancel := g.ending(ctx)
		defer cancel()
		c.fail(ending, "", err)
	}
	return image, outage(err)
}

// onceKey keeps the keys of different sagas apart.
func onceKey(saga, id string) string {
	if id == "" {
		return ""
	}
	return saga + "/" + id
}

// uploaded answers a repeat of an upload that has happened.
func (g *Gallery) uploaded(done tenant.Claimed, body io.Reader) (image easel.Image, err error) {
	m := newMeter(body, g.c.MaxUpload)
	if _, err := io.Copy(io.Discard, m); err != nil {
		return easel.Image{}, fmt.Errorf("read upload: %w", err)
	}
	if m.hex() != done.Hash {
		return easel.Image{}, errReused()
	}
	err = json.Unmarshal(done.Answer, &image)
	return image, err
}

// upload is the saga: reserve, store, birth, list.
func (g *Gallery) upload(ctx context.Context, p easel.Principal, u Upload, c claim) (easel.Image, error) {
	body := bufio.NewReaderSize(u.Body, imaging.HeadLen)
	contentType, err := sniff(body)
	if err != nil {
		return easel.Image{}, err
	}
	image := easel.Image{
		ID: easel.NewIDIn(g.c.Region), Filename: BaseName(u.Filename), ContentType: contentType,
		UploadedBy: p.User, Metadata: json.RawMessage("{}"),
	}
	if _, err := g.tenant(ctx, p.Tenant, tenant.Reserve{ID: image.ID, By: author(p), Filename: image.Filename}); err != nil {
		return easel.Image{}, err
	}
	image, err = g.complete(ctx, p.Tenant, image, body, c)
	if err != nil {
		g.abandon(ctx, p.Tenant, image.ID)
	}
	return image, err
}

// sniff tells the content type of body without consuming it.
func sniff(body *bufio.Reader) (contentType string, err error) {
	head, err := body.Peek(imaging.HeadLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read upload: %w", err)
	}
	if len(head) == 0 {
		return "", easel.Invalid("image", "is empty")
	}
	contentType, ok := imaging.Sniff(head)
	if !ok {
		return "", easel.Errorf(easel.CodeUnsupportedMedia, "the file is no PNG, JPEG, GIF, WebP, TIFF or AVIF")
	}
	return contentType, nil
}

// complete does what follows the reservation. The image that it returns has its id
// also with an error.
func (g *Gallery) complete(ctx context.Context, t easel.TenantID, image easel.Image, body io.Reader, c claim) (easel.Image, error) {
	m := newMeter(body, g.c.MaxUpload)
	m.head = make([]byte, 0, minBlock)
	if _, err := g.c.Blobs.Put(ctx, originalKey(t, image.ID), m); err != nil {
		return image, fmt.Errorf("store upload: %w", err)
	}
	image.Size, image.SHA256, image.CreatedAt = m.size, m.hex(), easel.At(g.c.Now())
	sums := m.blocks.Sums().Encode()
	width, height, err := g.check(ctx, originalOf(t, image, sums), m.head)
	if err != nil {
		return image, err
	}
	// From here on the caller's leaving does not stop the saga: it has all that
	// it needs, and half an image helps nobody.
	ctx, cancel := g.ending(ctx)
	defer cancel()
	born, err := as[canvas.ImageReply](insist(ctx, func() (actors.Message, error) {
		return g.canvas(ctx, t, image.ID, canvas.Birth{Image: image, Sums: sums, Width: width, Height: height})
	}))
	if err != nil {
		return image, fmt.Errorf("birth of image: %w", err)
	}
	answer, err := json.Marshal(born.Image)
	if err != nil {
		return image, err
	}
	ready := tenant.Ready{Image: born.Image, Settle: c.settle(m.hex(), answer)}
	if _, err := insist(ctx, func() (actors.Message, error) { return g.tenant(ctx, t, ready) }); err != nil {
		return image, fmt.Errorf("list image: %w", err)
	}
	return born.Image, nil
}

// check refuses what only looks like an image. It returns the dimensions, while the
// header is at hand; 0 if they cannot be read, which is then left to the image's job.
// What the file begins with need not be read from the store again.
func (g *Gallery) check(ctx context.Context, o object, head []byte) (width, height int, err error) {
	r, err := g.seeker(ctx, o)
	if err != nil {
		return 0, 0, fmt.Errorf("open upload: %w", err)
	}
	r.block = head
	if err := imaging.Check(r); err != nil {
		return 0, 0, refusal(err)
	}
	if width, height, err = imaging.Size(r); err != nil {
		return 0, 0, nil //nolint:nilerr // see above
	}
	return width, height, nil
}

// refusal gives an error of package imaging the code that a client sees. Others
// pass.
func refusal(err error) error {
	for _, known := range []error{imaging.ErrTooLarge, imaging.ErrCorrupt, imaging.ErrUnsupported} {
		if errors.Is(err, known) {
			return &easel.Error{Code: easel.CodeUnsupportedMedia, Message: "the file is not an image that can be served", Err: err}
		}
	}
	return err
}

// abandon gives the reservation of a failed upload up, with what was stored for
// it. It may fail at any point, also because the image was listed after all: the
// tenant's alarm and the chores do the rest.
func (g *Gallery) abandon(ctx context.Context, t easel.TenantID, id easel.ID) {
	ctx, cancel := g.ending(ctx)
	defer cancel()
	answer, err := as[tenant.Abandoned](g.tenant(ctx, t, tenant.Abandon{ID: id}))
	if err != nil {
		g.c.Log.DebugContext(ctx, "reservation not abandoned", "err", err)
		return
	}
	if !answer.Doomed {
		return // it is listed: only the answer was lost
	}
	if _, err := g.purge(ctx, t, tenant.Gone{ID: id, Doomed: true}, 0); err != nil {
		g.c.Log.DebugContext(ctx, "failed upload not purged", "err", err)
	}
}

// BaseName returns what is kept of an uploaded file's name: its last element,
// without control characters, cut to easel.MaxFilename bytes with its extension;
// "image" if nothing is left.
func BaseName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r // of a byte that is no UTF-8: U+FFFD
	}, name)
	if name == "" || name == "." || name == ".." {
		return "image"
	}
	if len(name) <= easel.MaxFilename {
		return name
	}
	const longExtension = 32
	extension := ""
	if dot := strings.LastIndexByte(name, '.'); dot > 0 && len(name)-dot <= longExtension {
		extension = name[dot:]
	}
	cut := easel.MaxFilename - len(extension)
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + extension
}

// originalOf returns the file of an image with that row.
func originalOf(t easel.TenantID, image easel.Image, sums []byte) object {
	return object{key: originalKey(t, image.ID), size: image.Size, sha256: image.SHA256, sums: sums}
}

func originalKey(t easel.TenantID, id easel.ID) string { return imagePrefix(t, id) + "original" }

func imagePrefix(t easel.TenantID, id easel.ID) string {
	return "t/" + string(t) + "/i/" + string(id) + "/"
}
