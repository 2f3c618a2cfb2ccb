package client

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/easelhq/easel"
)

// Condition says when a write is made; else it is CodeConflict. The zero Condition
// holds always.
type Condition struct {
	ETag   string // only over this one, without quotes
	Absent bool   // only where nothing is
}

func (c Condition) header() http.Header {
	h := http.Header{}
	if c.ETag != "" {
		h.Set("If-Match", strconv.Quote(c.ETag))
	}
	if c.Absent {
		h.Set("If-None-Match", "*")
	}
	return h
}

// Value is a small value of the tenant, without its content.
type Value struct {
	Key       string     `json:"key"`
	Size      int64      `json:"size"` // bytes
	ETag      string     `json:"etag"` // without quotes
	ExpiresAt easel.Time `json:"expires_at"`
	UpdatedAt easel.Time `json:"updated_at"`
}

// PutValue stores a value of at most 1 MiB, for life unless that is 0 (seconds
// count), and returns its ETag.
func (c *Client) PutValue(ctx context.Context, key string, content []byte, life time.Duration, when Condition) (string, error) {
	query := url.Values{}
	if life > 0 {
		query.Set("ttl", strconv.FormatInt(int64(life/time.Second), 10))
	}
	var out struct{ ETag string }
	_, err := c.call(ctx, request{
		method: http.MethodPut, path: valuePath(key), query: query, header: when.header(),
		body: append([]byte{}, content...), media: "application/octet-stream",
	}, &out)
	return out.ETag, err
}

// Value returns a value's content and its ETag; CodeNotFound if there is none.
func (c *Client) Value(ctx context.Context, key string) (content []byte, etag string, err error) {
	res, err := c.open(ctx, request{method: http.MethodGet, path: valuePath(key)})
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	content, err = io.ReadAll(res.Body)
	if err != nil {
		return nil, "", fmt.Errorf("read value: %w", err)
	}
	return content, etagOf(res), nil
}

// DeleteValue deletes a value.
func (c *Client) DeleteValue(ctx context.Context, key string, when Condition) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: valuePath(key), header: when.header()}, nil)
	return err
}

// Values yields the values whose keys begin with prefix, in byte order. An error
// ends it.
func (c *Client) Values(ctx context.Context, prefix string) iter.Seq2[Value, error] {
	return pages[Value](ctx, c, "/api/kv", "keys", url.Values{"prefix": {prefix}})
}

func valuePath(key string) string { return "/api/kv/" + url.PathEscape(key) }

func etagOf(res *http.Response) string { return strings.Trim(res.Header.Get("ETag"), `"`) }
