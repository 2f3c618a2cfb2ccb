package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// Item is one annotation to draw.
type Item struct {
	Image easel.ID
	Draft easel.Draft
}

// draft returns the body that draws an item.
func (i *Item) body() []byte {
	b := append([]byte(`{"image_id":`), opcodec.AppendString(nil, string(i.Image))...)
	d := opcodec.AppendDraft(nil, &i.Draft)
	d[0] = ','
	return append(b, d...)
}

// answered is the form of answers with one annotation.
type answered struct{ Annotation easel.Annotation }

// Draw makes an annotation.
func (c *Client) Draw(ctx context.Context, image easel.ID, d easel.Draft) (easel.Annotation, error) {
	var out answered
	item := Item{image, d}
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/api/annotations", body: item.body()}, &out)
	return out.Annotation, err
}

// DrawAll makes 1 to easel.MaxOps annotations, on any images, all or none, and
// returns their ids in order.
func (c *Client) DrawAll(ctx context.Context, items []Item) ([]easel.ID, error) {
	b := []byte(`{"annotations":[`)
	for i := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, items[i].body()...)
	}
	var out struct{ IDs []easel.ID }
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/api/annotations/bulk", body: append(b, "]}"...)}, &out)
	return out.IDs, err
}

// Filter says which annotations are meant; nil fields filter nothing.
type Filter struct {
	Label         *string
	MinConfidence *float64
}

// Annotations returns the annotations of an image at one version, newest first,
// and the version.
func (c *Client) Annotations(ctx context.Context, image easel.ID, f Filter) ([]easel.Annotation, int64, error) {
	query := url.Values{}
	if f.Label != nil {
		query.Set("label", *f.Label)
	}
	if f.MinConfidence != nil {
		query.Set("minConfidence", strconv.FormatFloat(*f.MinConfidence, 'g', -1, 64))
	}
	var out struct {
		Annotations []easel.Annotation
		Version     int64
	}
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/api/annotations/by-image/" + url.PathEscape(string(image)), query: query}, &out)
	return out.Annotations, out.Version, err
}

// Annotation returns one annotation.
func (c *Client) Annotation(ctx context.Context, image, id easel.ID) (easel.Annotation, error) {
	var out answered
	_, err := c.call(ctx, request{method: http.MethodGet, path: annotationPath(image, id)}, &out)
	return out.Annotation, err
}

// Change changes what p names, at the given rev only (CodeConflict with the
// Current one) unless that is 0.
func (c *Client) Change(ctx context.Context, image, id easel.ID, p easel.Patch, rev int64) (easel.Annotation, error) {
	var out answered
	_, err := c.call(ctx, request{
		method: http.MethodPatch, path: annotationPath(image, id), header: ifMatch(rev), body: opcodec.AppendPatch(nil, &p),
	}, &out)
	return out.Annotation, err
}

// Delete deletes an annotation, at the given rev only unless that is 0.
func (c *Client) Delete(ctx context.Context, image, id easel.ID, rev int64) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: annotationPath(image, id), header: ifMatch(rev)}, nil)
	return err
}

func annotationPath(image, id easel.ID) string {
	return imagePath(image) + "/annotations/" + url.PathEscape(string(id))
}

func ifMatch(rev int64) http.Header {
	if rev == 0 {
		return nil
	}
	return http.Header{"If-Match": {`"` + strconv.FormatInt(rev, 10) + `"`}}
}

// Judgement says which predictions to accept or reject: those of IDs, at most
// easel.MaxOps, or all that have at least MinConfidence.
type Judgement struct {
	IDs           []easel.ID `json:"ids,omitempty"`
	MinConfidence *float64   `json:"min_confidence,omitempty"`
}

// Accept makes predictions people's annotations and returns how many.
func (c *Client) Accept(ctx context.Context, image easel.ID, j Judgement) (int, error) {
	return c.judge(ctx, imagePath(image)+"/predictions/accept", j)
}

// Reject deletes predictions and returns how many.
func (c *Client) Reject(ctx context.Context, image easel.ID, j Judgement) (int, error) {
	return c.judge(ctx, imagePath(image)+"/predictions/reject", j)
}

func (c *Client) judge(ctx context.Context, path string, j Judgement) (judged int, err error) {
	body, err := encode(j)
	if err != nil {
		return 0, err
	}
	for {
		var out struct {
			Judged int
			More   bool
		}
		if _, err := c.call(ctx, request{method: http.MethodPost, path: path, body: body}, &out); err != nil {
			return judged, err
		}
		if judged += out.Judged; !out.More {
			return judged, nil
		}
	}
}
