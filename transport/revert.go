package transport

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
)

// revertBody says what to bring back: exactly one of three.
type revertBody struct {
	Version    maybe[int64]    `json:"version" required:"false" minimum:"0" doc:"The state to go back to; with annotation, of that one."`
	Annotation maybe[easel.ID] `json:"annotation" required:"false" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$" doc:"Only this one: to version or, without one, to before its last change."`
	User       maybe[string]   `json:"user" required:"false" minLength:"1" maxLength:"1000" doc:"Undo what this user did since."`
	Since      maybe[instant]  `json:"since" required:"false" doc:"With user: a version, after which, or a time in RFC 3339, from which on."`
}

// instant is a version or a time, as it was sent.
type instant jsontext.Value

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (i *instant) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	*i = instant(v.Clone())
	return err
}

type revertAnswer struct {
	Reverted int        `json:"reverted" doc:"How many annotations changed."`
	Version  int64      `json:"version" doc:"Of the image, after it."`
	IDs      []easel.ID `json:"ids" doc:"Those that changed."`
}

// request turns the body into what the gallery takes.
func (b *revertBody) request() (gallery.Revert, error) {
	r := gallery.Revert{Annotation: b.Annotation.Value, User: b.User.Value}
	if b.Version.Set {
		r.Version = &b.Version.Value
	}
	switch {
	case b.User.Set && (b.Annotation.Set || b.Version.Set):
		return r, easel.Invalid("user", "must not come with annotation or version")
	case b.User.Set && !b.Since.Set:
		return r, easel.Invalid("since", "is required with user")
	case b.Since.Set && !b.User.Set:
		return r, easel.Invalid("since", "must come with user")
	case !b.User.Set && !b.Annotation.Set && !b.Version.Set:
		return r, easel.Invalid("version", "or annotation or user is required")
	case !b.Since.Set:
		return r, nil
	}
	var err error
	r.Since, err = sinceOf(jsontext.Value(b.Since.Value))
	return r, err
}

// sinceOf reads a version, which is a number, or a time, which is a string.
func sinceOf(v jsontext.Value) (canvas.Moment, error) {
	switch v.Kind() {
	case '0':
		return moment("since", string(v))
	case '"':
		s, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return canvas.Moment{}, easel.Errorf(easel.CodeBadRequest, "since must be a number or a string")
		}
		m, err := moment("since", string(s))
		if err == nil && m.At == 0 {
			err = easel.Invalid("since", "must be a version as a number, or a time in RFC 3339")
		}
		return m, err
	default:
		return canvas.Moment{}, easel.Errorf(easel.CodeBadRequest, "since must be a number or a string")
	}
}

func (c *call) revert() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	in, body, err := decode[revertBody](c)
	if err != nil {
		return err
	}
	r, err := in.request()
	if err != nil {
		return err
	}
	r.Once, r.Spend = c.once(body), c.await
	done, err := c.c.Past.Revert(c.ctx, c.p, id, r)
	if err != nil {
		return err
	}
	c.at(done.Epoch, done.Ver)
	return c.answer(revertAnswer{Reverted: len(done.IDs), Version: done.Ver, IDs: done.IDs})
}

// await counts n ops like spend, and waits until there is leave for them: what is
// half done should not end because it was fast.
func (c *call) await(ctx context.Context, n int) error {
	for {
		err := c.spend("", n)
		if easel.CodeOf(err) != easel.CodeRateLimited {
			return err
		}
		timer := time.NewTimer(asError(err).RetryAfter)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}
