package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/easelhq/easel"
)

// Health is what a node says of itself.
type Health struct {
	Status  string `json:"status"` // "ok"
	Region  string `json:"region"`
	Node    string `json:"node"`
	Version string `json:"version"`
}

// Health asks the node whether it lives. It wakes nothing and needs no token.
func (c *Client) Health(ctx context.Context) (Health, error) {
	var out Health
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/health"}, &out)
	return out, err
}

// Node is one node of a cluster, as the one that answers sees it.
type Node struct {
	Name    string     `json:"name"`
	Region  string     `json:"region"`
	Zone    string     `json:"zone"`
	State   string     `json:"state"` // joining, ready or draining
	Version string     `json:"version"`
	Since   easel.Time `json:"since"` // when it was seen to come
	Load    *Load      `json:"load"`  // nil: it did not say
}

// Load is how much a node carries.
type Load struct {
	Owned   int `json:"owned"`   // actors that it owns
	Open    int `json:"open"`    // of them in memory
	Sockets int `json:"sockets"` // live connections
}

// Cluster is the nodes that there are.
type Cluster struct {
	Node    string `json:"node"` // that answers
	Members []Node `json:"members"`
	Owner   string `json:"owner,omitempty"` // of the image that was asked for
}

// Cluster returns the nodes, and which of them owns an image unless that is "".
// It needs an admin's token.
func (c *Client) Cluster(ctx context.Context, image easel.ID) (Cluster, error) {
	query := url.Values{}
	if image != "" {
		query.Set("image", string(image))
	}
	var out Cluster
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/api/cluster", query: query}, &out)
	return out, err
}
