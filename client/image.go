package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"

	"github.com/easelhq/easel"
)

// Upload stores an image. The content is streamed, so this is not repeated: after
// a failure that is no *easel.Error it may have happened.
func (c *Client) Upload(ctx context.Context, filename string, content io.Reader) (easel.Image, error) {
	r, w := io.Pipe()
	form := multipart.NewWriter(w)
	done := make(chan struct{})
	go func() {
		defer close(done)
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", multipart.FileContentDisposition("image", filename))
		part, err := form.CreatePart(h)
		if err == nil {
			_, err = io.Copy(part, content)
		}
		if err == nil {
			err = form.Close()
		}
		_ = w.CloseWithError(err) // never fails
	}()
	defer func() {
		_ = r.Close() // never fails
		<-done
	}()
	res, err := c.send(ctx, request{method: http.MethodPost, path: "/api/images/upload"}, r, http.Header{"Content-Type": {form.FormDataContentType()}})
	if err != nil {
		return easel.Image{}, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return easel.Image{}, fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode != http.StatusCreated {
		return easel.Image{}, failure(res, b)
	}
	var out struct{ Image easel.Image }
	if err := json.Unmarshal(b, &out); err != nil {
		return easel.Image{}, fmt.Errorf("decode answer: %w", err)
	}
	return out.Image, nil
}

// Image returns an image's row.
func (c *Client) Image(ctx context.Context, id easel.ID) (easel.Image, error) {
	var out struct{ Image easel.Image }
	_, err := c.call(ctx, request{method: http.MethodGet, path: imagePath(id)}, &out)
	return out.Image, err
}

// ImageFilter says which images are meant; empty fields filter nothing.
type ImageFilter struct {
	UploadedBy string
	Label      string // with an annotation of exactly this label
	Filename   string // a part of it, in any case
	State      string // "new", "in_progress" or "done", as the metadata say
}

// Images yields the tenant's images, newest first. An error ends it.
func (c *Client) Images(ctx context.Context, f ImageFilter) iter.Seq2[easel.Image, error] {
	return pages[easel.Image](ctx, c, "/api/images", "images", f.query())
}

func (f ImageFilter) query() url.Values {
	query := url.Values{}
	for name, v := range map[string]string{"uploaded_by": f.UploadedBy, "label": f.Label, "filename": f.Filename, "state": f.State} {
		if v != "" {
			query.Set(name, v)
		}
	}
	return query
}

// Rename gives an image another name.
func (c *Client) Rename(ctx context.Context, id easel.ID, filename string) (easel.Image, error) {
	return c.amend(ctx, id, map[string]string{"filename": filename})
}

// Describe replaces an image's metadata, a JSON object.
func (c *Client) Describe(ctx context.Context, id easel.ID, metadata json.RawMessage) (easel.Image, error) {
	return c.amend(ctx, id, map[string]json.RawMessage{"metadata": metadata})
}

func (c *Client) amend(ctx context.Context, id easel.ID, fields any) (easel.Image, error) {
	body, err := encode(fields)
	if err != nil {
		return easel.Image{}, err
	}
	var out struct{ Image easel.Image }
	_, err = c.call(ctx, request{method: http.MethodPatch, path: imagePath(id), body: body}, &out)
	return out.Image, err
}

// Picture opens an image's picture. Who calls closes it.
func (c *Client) Picture(ctx context.Context, id easel.ID) (io.ReadCloser, error) {
	return c.content(ctx, request{method: http.MethodGet, path: imagePath(id) + "/file"})
}

// Thumbnail opens a smaller picture of at most size pixels a side. Who calls closes
// it.
func (c *Client) Thumbnail(ctx context.Context, id easel.ID, size int) (io.ReadCloser, error) {
	return c.content(ctx, request{method: http.MethodGet, path: imagePath(id) + "/thumbnail", query: url.Values{"size": {strconv.Itoa(size)}}})
}

// SQLite opens an image's annotations and history as a file of SQLite. Who calls
// closes it.
func (c *Client) SQLite(ctx context.Context, id easel.ID) (io.ReadCloser, error) {
	return c.content(ctx, request{method: http.MethodGet, path: imagePath(id) + "/sqlite"})
}

func (c *Client) content(ctx context.Context, r request) (io.ReadCloser, error) {
	res, err := c.open(ctx, r)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// PictureURL returns an address of an image's picture that works without a token,
// and until when.
func (c *Client) PictureURL(ctx context.Context, id easel.ID) (string, easel.Time, error) {
	var out struct {
		URL       string
		ExpiresAt easel.Time `json:"expires_at"`
	}
	_, err := c.call(ctx, request{method: http.MethodGet, path: imagePath(id) + "/url"}, &out)
	if err != nil {
		return "", 0, err
	}
	ref, err := c.base.Parse(out.URL)
	if err != nil {
		return "", 0, fmt.Errorf("decode answer: %w", err)
	}
	return ref.String(), out.ExpiresAt, nil
}

// RestoreImage brings a deleted image back.
func (c *Client) RestoreImage(ctx context.Context, id easel.ID) (easel.Image, error) {
	var out struct{ Image easel.Image }
	_, err := c.call(ctx, request{method: http.MethodPost, path: imagePath(id) + "/restore"}, &out)
	return out.Image, err
}

// DeleteImage hides an image; it can be restored for some time.
func (c *Client) DeleteImage(ctx context.Context, id easel.ID) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: imagePath(id)}, nil)
	return err
}

func imagePath(id easel.ID) string { return "/api/images/" + url.PathEscape(string(id)) }
