package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/easelhq/easel"
)

// Schema is one version of the tenant's label schema.
type Schema struct {
	Version int64 `json:"version"` // 0: nobody has put one
	easel.LabelSchema
	UpdatedBy string     `json:"updated_by"`
	UpdatedAt easel.Time `json:"updated_at"`
}

// Schema returns the newest label schema.
func (c *Client) Schema(ctx context.Context) (Schema, error) {
	var out Schema
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/api/schema"}, &out)
	return out, err
}

// PutSchema replaces the label schema if its newest version is still the one that
// next was made from, next.Version: else CodeConflict with the newest as Current.
func (c *Client) PutSchema(ctx context.Context, next Schema) (Schema, error) {
	body, err := encode(struct {
		Version int64         `json:"version"`
		Labels  []easel.Label `json:"labels"`
		Open    bool          `json:"open"`
	}{next.Version, append([]easel.Label{}, next.Labels...), next.Open})
	if err != nil {
		return Schema{}, err
	}
	var out Schema
	_, err = c.call(ctx, request{method: http.MethodPut, path: "/api/schema", body: body}, &out)
	return out, err
}

func encode[T any](v T) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	return b, nil
}
