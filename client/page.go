package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
)

// pages yields the items of a list that is answered page by page in field. An
// error ends it.
func pages[T any](ctx context.Context, c *Client, path, field string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		query := maps.Clone(query)
		query.Set("limit", "500")
		for {
			var page map[string]json.RawMessage
			if _, err := c.call(ctx, request{method: http.MethodGet, path: path, query: query}, &page); err != nil {
				yield(none, err)
				return
			}
			var items []T
			var next *string
			if err := json.Unmarshal(page[field], &items); err != nil {
				yield(none, fmt.Errorf("decode answer: %w", err))
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if err := json.Unmarshal(page["next_cursor"], &next); err != nil || next == nil {
				if err != nil {
					yield(none, fmt.Errorf("decode answer: %w", err))
				}
				return
			}
			query.Set("cursor", *next)
		}
	}
}
