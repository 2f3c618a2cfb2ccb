package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// Moment is a state of an image in the past: a version, or what it was at a time.
// The zero Moment is version 0, before anything was drawn.
type Moment struct {
	Version int64
	Time    time.Time // counts unless it is zero
}

func (m Moment) String() string {
	if m.Time.IsZero() {
		return strconv.FormatInt(m.Version, 10)
	}
	return m.Time.UTC().Format(time.RFC3339Nano)
}

// ImageAt returns an image's row as it was.
func (c *Client) ImageAt(ctx context.Context, id easel.ID, at Moment) (easel.Image, error) {
	var out struct{ Image easel.Image }
	_, err := c.call(ctx, request{method: http.MethodGet, path: imagePath(id), query: url.Values{"at": {at.String()}}}, &out)
	return out.Image, err
}

// AnnotationsAt returns an image's annotations as they were, newest first, and the
// version that they are of. Longer ago than history is kept is CodeGone.
func (c *Client) AnnotationsAt(ctx context.Context, image easel.ID, at Moment) ([]easel.Annotation, int64, error) {
	var out struct {
		Annotations []easel.Annotation
		Version     int64
	}
	_, err := c.call(ctx, request{method: http.MethodGet, path: imagePath(image) + "/annotations", query: url.Values{"at": {at.String()}}}, &out)
	return out.Annotations, out.Version, err
}

// Batches yields what was done to an image's annotations after version since,
// oldest first. An error ends it.
func (c *Client) Batches(ctx context.Context, image easel.ID, since int64) iter.Seq2[easel.Batch, error] {
	return pages[easel.Batch](ctx, c, imagePath(image)+"/ops", "ops", url.Values{"since": {strconv.FormatInt(since, 10)}})
}

// Apply applies 1 to easel.MaxOps ops as one batch, as a Live does. Client names
// the writer among those of its user; its seqs count from 1. A seq that was judged
// already gets that verdict again.
func (c *Client) Apply(ctx context.Context, image easel.ID, client string, seq int64, ops []easel.Op) (Ack, error) {
	// A frame, with the writer's name instead of what kind of frame it is.
	frame := opcodec.AppendFrame(nil, seq, ops)
	const kind = `{"t":"op"`
	body := append([]byte(`{"client":`), opcodec.AppendString(nil, client)...)
	body = append(body, frame[len(kind):]...)
	var out struct {
		Ver     int64
		Results []easel.Result
	}
	_, err := c.call(ctx, request{method: http.MethodPost, path: imagePath(image) + "/ops", body: body}, &out)
	return Ack{Ver: out.Ver, Results: out.Results}, err
}

// Reverted says what a revert did.
type Reverted struct {
	Annotations []easel.ID `json:"ids"`     // that changed
	Version     int64      `json:"version"` // of the image, after it
}

// Revert brings a whole image back to a version, as new ops.
func (c *Client) Revert(ctx context.Context, image easel.ID, version int64) (Reverted, error) {
	return c.revert(ctx, image, map[string]any{"version": version})
}

// RevertAnnotation brings one annotation back to what it was before its last change.
func (c *Client) RevertAnnotation(ctx context.Context, image, id easel.ID) (Reverted, error) {
	return c.revert(ctx, image, map[string]any{"annotation": id})
}

// RevertUser takes back what a user did after a version, or from a time on. What
// others did stays.
func (c *Client) RevertUser(ctx context.Context, image easel.ID, user string, since Moment) (Reverted, error) {
	what := map[string]any{"user": user, "since": since.Version}
	if !since.Time.IsZero() {
		what["since"] = since.String()
	}
	return c.revert(ctx, image, what)
}

func (c *Client) revert(ctx context.Context, image easel.ID, what map[string]any) (Reverted, error) {
	body, err := encode(what)
	if err != nil {
		return Reverted{}, err
	}
	var out Reverted
	_, err = c.call(ctx, request{method: http.MethodPost, path: imagePath(image) + "/revert", body: body}, &out)
	return out, err
}
