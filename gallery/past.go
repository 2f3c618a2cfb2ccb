package gallery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// askTime bounds one question to an image's actor about the past.
const askTime = 10 * time.Second

// relocations is how often a read of the past starts over because history was
// archived or forgotten under it.
const relocations = 5

// errEnough ends a reading that has found what it was for.
var errEnough = errors.New("gallery: enough")

// errMoved is the error of a read that has to start over.
var errMoved = errors.New("gallery: history has moved")

// Then is an image as it was.
type Then struct {
	Image easel.Image
	Epoch string
	Ver   int64 // the version shown
}

// ImageAt returns an image's own row at a moment. CodeGone, CodeInvalid and
// CodeNotFound as for canvas.Locate.
func (g *Gallery) ImageAt(ctx context.Context, p easel.Principal, id easel.ID, m canvas.Moment) (Then, error) {
	var out Then
	err := g.past(ctx, p, id, func(h history) error {
		at, err := h.locate(canvas.Locate{Moment: m, Row: true})
		if err != nil {
			return err
		}
		if !at.Counted {
			live, err := h.count(&at)
			if err != nil {
				return err
			}
			at.Image.AnnotationCount, at.Image.Version = live, at.Found
		}
		out = Then{Image: at.Image, Epoch: at.Epoch, Ver: at.Found}
		return nil
	})
	return out, err
}

// AnnotationsAt returns the annotations at a moment that match m, as a
// canvas.List of then would. Errors as ImageAt.
func (g *Gallery) AnnotationsAt(ctx context.Context, p easel.Principal, id easel.ID, at canvas.Moment, m canvas.List) (canvas.Listing, error) {
	var out canvas.Listing
	err := g.past(ctx, p, id, func(h history) error {
		scene, epoch, err := h.scene(canvas.Locate{Moment: at})
		if err != nil {
			return err
		}
		body, err := scene.Listing(m)
		out = canvas.Listing{Body: body, Epoch: epoch, Ver: scene.Ver}
		return err
	})
	return out, err
}

// Archived returns batches of a chunk after a version, oldest first, until limit
// or about 192 KB are reached, and at least one if there are any.
func (g *Gallery) Archived(ctx context.Context, p easel.Principal, id easel.ID, c canvas.Chunk, since int64, limit int) ([]easel.Batch, error) {
	const most = 192 << 10
	object, err := g.Archive().Get(ctx, p.Tenant, id, c.Ops)
	if err != nil {
		return nil, err
	}
	var out []easel.Batch
	size := 0
	err = c.Batches(id, since, object, func(m *easel.Batch, _ int64) bool {
		out = append(out, *m)
		for i := range m.Ops {
			size += 80
			if a := m.Ops[i].Annotation; a != nil {
				size += 350 + len(a.Label) + len(a.Shape) + len(a.Attributes)
			}
		}
		return len(out) < limit && size < most
	})
	return out, err
}

// Archive returns where the history of images is kept.
func (g *Gallery) Archive() Archive { return Archive{Blobs: g.c.Blobs, Log: g.c.Log} }

// past runs work that reads the history of an image. Few run at once, because each
// may hold a whole image in memory.
func (g *Gallery) past(ctx context.Context, p easel.Principal, id easel.ID, work func(history) error) error {
	if !id.Valid() || p.Image != "" && p.Image != id {
		return easel.Errorf(easel.CodeNotFound, "no such image")
	}
	leave, err := g.replaying.Enter(ctx, p.Tenant)
	if err != nil {
		return &easel.Error{Code: easel.CodeOverloaded, Message: "too many read the past", RetryAfter: time.Second, Err: err}
	}
	defer leave()
	h := history{g: g, ctx: ctx, tenant: p.Tenant, image: id}
	for try := 1; ; try++ {
		err := work(h)
		switch {
		case !h.moved(err):
			return err
		case try == relocations:
			// It is not moving: what is named is not there. That is no answer to a
			// request but damage, so the code of the error must not show through.
			return fmt.Errorf("gallery: history of image %s cannot be read: %s", id, err.Error())
		}
	}
}

// history is one read of an image's past.
type history struct {
	g      *Gallery
	ctx    context.Context //nolint:containedctx // of the one call that reads
	tenant easel.TenantID
	image  easel.ID
}

// moved reports whether a read failed because what it was told had changed by then.
func (h history) moved(err error) bool {
	e, ok := errors.AsType[*easel.Error](err)
	return errors.Is(err, errMoved) || ok && e.Code == easel.CodeGone && e.Err != nil && h.ctx.Err() == nil
}

func (h history) ask(m actors.Message, once actors.Once) (actors.Message, error) {
	ctx, cancel := context.WithTimeout(h.ctx, askTime)
	defer cancel()
	return h.g.c.Asker.Ask(ctx, actors.Request{To: canvas.Key(h.tenant, h.image), Message: m, Once: once})
}

func (h history) object(name string) ([]byte, error) {
	return h.g.Archive().Get(h.ctx, h.tenant, h.image, name)
}

// locate finds a moment, its version included.
func (h history) locate(m canvas.Locate) (canvas.Located, error) {
	at, err := as[canvas.Located](h.ask(m, actors.Once{}))
	if err != nil || len(at.Chunks) == 0 {
		return at, err
	}
	last := at.Chunks[len(at.Chunks)-1]
	switch {
	case at.Found < 0:
		object, err := h.object(last.Ops)
		if err != nil {
			return at, err
		}
		at.Found, at.Image.AnnotationCount, err = last.Find(h.image, m.At, object)
		at.Counted, at.Image.Version = true, at.Found
		return at, err
	case m.At == 0 && at.Found < last.Last && last.Began <= at.Cutoff:
		// The chunk reaches back to before the retention: the version may have been
		// over by then.
		object, err := h.object(last.Ops)
		if err != nil {
			return at, err
		}
		over, _, err := last.At(h.image, at.Found+1, object)
		if err == nil && over <= at.Cutoff {
			err = &easel.Error{Code: easel.CodeGone, Message: "that is longer ago than history is kept"}
		}
		return at, err
	default:
		return at, nil
	}
}

// count returns how many annotations an archived version had.
func (h history) count(at *canvas.Located) (int64, error) {
	last := at.Chunks[len(at.Chunks)-1]
	object, err := h.object(last.Ops)
	if err != nil {
		return 0, err
	}
	_, live, err := last.At(h.image, at.Found, object)
	return live, err
}

// scene makes the state of a moment.
func (h history) scene(m canvas.Locate) (*canvas.Scene, string, error) {
	at, err := h.locate(m)
	if err != nil {
		return nil, "", err
	}
	s := &canvas.Scene{Image: h.image}
	if err := s.Replay(h.ctx, h.g.Archive(), h.tenant, at.Chunks, at.Found); err != nil {
		return nil, "", err
	}
	err = h.batches(s.Ver, at.Found, s.Apply)
	return s, at.Epoch, err
}

// batches calls f with the batches after a version up to another, wherever they
// are, until it returns an error.
func (h history) batches(after, to int64, f func(*easel.Batch) error) error {
	for after < to {
		log, err := as[canvas.LogReply](h.ask(canvas.Log{Since: after, Archived: true}, actors.Once{}))
		switch {
		case err != nil:
			return err
		case log.Chunk != nil:
			if err := h.chunk(*log.Chunk, after, to, f); err != nil {
				return err
			}
			after = min(to, log.Chunk.Last)
			continue
		case len(log.Batches) == 0 || log.Batches[0].Ver != after+1:
			return errMoved
		}
		for i := range log.Batches {
			if after = log.Batches[i].Ver; after > to {
				break
			}
			if err := f(&log.Batches[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// chunk calls f with the batches of a chunk after a version up to another.
func (h history) chunk(c canvas.Chunk, after, to int64, f func(*easel.Batch) error) error {
	object, err := h.object(c.Ops)
	if err != nil {
		return err
	}
	var failed error
	err = c.Batches(h.image, after, object, func(m *easel.Batch, _ int64) bool {
		if m.Ver > to {
			return false
		}
		failed = f(m)
		return failed == nil
	})
	return errors.Join(err, failed)
}
