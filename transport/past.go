package transport

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
)

// Past reads what images were and brings it back, see package gallery.
type Past interface {
	ImageAt(ctx context.Context, p easel.Principal, id easel.ID, m canvas.Moment) (gallery.Then, error)
	AnnotationsAt(ctx context.Context, p easel.Principal, id easel.ID, at canvas.Moment, m canvas.List) (canvas.Listing, error)
	Archived(ctx context.Context, p easel.Principal, id easel.ID, c canvas.Chunk, since int64, limit int) ([]easel.Batch, error)
	Revert(ctx context.Context, p easel.Principal, id easel.ID, r gallery.Revert) (gallery.Reverted, error)
}

// atParam documents ?at=.
var atParam = Param{"at", "query", "string", "As it was: a version, or a time in RFC 3339. Longer ago than history is kept is `gone`, the future `invalid`."}

func pastRoutes() []Route {
	return []Route{
		{
			Method: http.MethodGet, Path: "/api/images/{id}/annotations", Tag: "History", Summary: "All annotations of an image, as they are or as they were, newest first",
			Doc:    "X-Easel-Version says which version is shown.",
			Access: Token, Role: easel.Viewer, Answer: jsonAnswer[listAnswer](http.StatusOK, "X-Easel-Version"),
			Params: readParams(append([]Param{atParam}, listParams()...)...), serve: (*call).annotationsAt,
		},
		{
			Method: http.MethodPost, Path: "/api/images/{id}/revert", Tag: "History", Summary: "Bring back what was, as new ops",
			Doc: "Exactly one of: `version` (the whole image as it was then), `annotation` (as it was at `version`, or before its last change), " +
				"`user` with `since` (undo all that this user did since a version or from a time on, register by register: what others did stays). " +
				"The ops are broadcast, are in the op log, and can be reverted too. More than 500 go in several batches, each all or none; " +
				"if one fails, those before it stay, and a repeat with the same Idempotency-Key goes on after them. A deleted annotation comes back with its id and a higher rev.",
			Access: Token, Role: easel.Reviewer, Body: jsonBody[revertBody](), Answer: jsonAnswer[revertAnswer](http.StatusOK, "X-Easel-Version"),
			Errors: []easel.Code{easel.CodeRateLimited}, serve: (*call).revert,
		},
	}
}

// at returns the moment that ?at= names; ok is false without one.
func (q query) at() (m canvas.Moment, ok bool, err error) {
	s, ok := q.find("at")
	if !ok {
		return canvas.Moment{}, false, nil
	}
	m, err = moment("at", s)
	return m, true, err
}

// moment reads a version or a time.
func moment(name, s string) (canvas.Moment, error) {
	wrong := easel.Invalid(name, "must be a version or a time in RFC 3339")
	if s != "" && strings.Trim(s, "0123456789") == "" {
		ver, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return canvas.Moment{}, wrong
		}
		return canvas.Moment{Ver: ver}, nil
	}
	// A plus in a query that was not escaped arrives as a blank.
	t, err := time.Parse(time.RFC3339, strings.Replace(s, " ", "+", 1))
	if err != nil {
		return canvas.Moment{}, wrong
	}
	at := easel.At(t)
	if at <= 0 {
		at = 1 // before all images, and 0 is no time
	}
	return canvas.Moment{At: at}, nil
}

// wantsPast reads what a request says about the version that it may be answered
// from: the past is the same everywhere, and where it ends the owner says.
func (c *call) wantsPast() error {
	w, err := c.wants()
	if w.local {
		c.w.Header()["X-Easel-Age"] = fresh
	}
	return err
}

// imageAt answers an image's row as it was.
func (c *call) imageAt(id easel.ID, m canvas.Moment) error {
	if err := c.wantsPast(); err != nil {
		return err
	}
	then, err := c.c.Past.ImageAt(c.ctx, c.p, id, m)
	if err != nil {
		return err
	}
	c.at(then.Epoch, then.Ver)
	return c.answer(imageAnswer{then.Image})
}

func (c *call) annotationsAt() error {
	m, past, err := c.query.at()
	switch {
	case err != nil:
		return err
	case !past:
		return c.listAnnotations()
	}
	image, filter, err := c.listed()
	if err != nil {
		return err
	}
	if err := c.wantsPast(); err != nil {
		return err
	}
	list, err := c.c.Past.AnnotationsAt(c.ctx, c.p, image, m, filter)
	if err != nil {
		return err
	}
	c.at(list.Epoch, list.Ver)
	return c.listing(list)
}
