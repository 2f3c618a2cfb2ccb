package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/easelhq/easel"
)

const metaPrefix = "X-Easel-Meta-"

// File is a file of the tenant, without its content.
type File struct {
	Name        string            `json:"name"`
	ContentType string            `json:"content_type"`
	Size        int64             `json:"size"` // bytes
	ETag        string            `json:"etag"` // without quotes
	Meta        map[string]string `json:"meta"` // by lower-case names
	UpdatedBy   string            `json:"updated_by"`
	UpdatedAt   easel.Time        `json:"updated_at"`
}

// PutFile stores a file under f.Name with its ContentType and Meta, and returns its
// ETag. The content is streamed, so this is not repeated: after a failure that is
// no *easel.Error it may have happened.
func (c *Client) PutFile(ctx context.Context, f File, content io.Reader, when Condition) (string, error) {
	header := when.header()
	if f.ContentType != "" {
		header.Set("Content-Type", f.ContentType)
	}
	for name, v := range f.Meta {
		header.Set(metaPrefix+name, v)
	}
	res, err := c.send(ctx, request{method: http.MethodPut, path: filePath(f.Name)}, content, header)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return "", fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		return "", failure(res, b)
	}
	var out struct{ ETag string }
	if err := json.Unmarshal(b, &out); err != nil {
		return "", fmt.Errorf("decode answer: %w", err)
	}
	return out.ETag, nil
}

// File opens a file; CodeNotFound if there is none. Who calls closes the content.
func (c *Client) File(ctx context.Context, name string) (File, io.ReadCloser, error) {
	res, err := c.open(ctx, request{method: http.MethodGet, path: filePath(name)})
	if err != nil {
		return File{}, nil, err
	}
	f := File{Name: name, ContentType: res.Header.Get("Content-Type"), Size: res.ContentLength, ETag: etagOf(res), Meta: map[string]string{}}
	for field, v := range res.Header {
		if rest, ok := strings.CutPrefix(field, metaPrefix); ok {
			f.Meta[strings.ToLower(rest)] = v[0]
		}
	}
	return f, res.Body, nil
}

// DeleteFile deletes a file.
func (c *Client) DeleteFile(ctx context.Context, name string, when Condition) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: filePath(name), header: when.header()}, nil)
	return err
}

// Files yields the files whose names begin with prefix. An error ends it.
func (c *Client) Files(ctx context.Context, prefix string) iter.Seq2[File, error] {
	return pages[File](ctx, c, "/api/files", "files", url.Values{"prefix": {prefix}})
}

func filePath(name string) string { return "/api/files/" + url.PathEscape(name) }
