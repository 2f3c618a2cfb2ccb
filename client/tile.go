package client

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/easelhq/easel"
)

// Tiles is how a large picture is cut into deep-zoom tiles.
type Tiles struct {
	State    string `json:"state"` // none, making or ready; only then is the rest known
	Width    int    `json:"width"` // of the picture, in pixels
	Height   int    `json:"height"`
	TileSize int    `json:"tile_size"`
	Overlap  int    `json:"overlap"`   // pixels by which a tile reaches into each neighbour
	MinLevel int    `json:"min_level"` // that is one tile
	MaxLevel int    `json:"max_level"` // of the picture's own pixels
}

// Tiles returns how an image is cut. One that is not cut yet will be.
func (c *Client) Tiles(ctx context.Context, id easel.ID) (Tiles, error) {
	var out Tiles
	_, err := c.call(ctx, request{method: http.MethodGet, path: imagePath(id) + "/tiles"}, &out)
	return out, err
}

// Tile opens one tile; CodeNotFound if there is none. Who calls closes it.
func (c *Client) Tile(ctx context.Context, id easel.ID, level, column, row int) (io.ReadCloser, error) {
	path := imagePath(id) + "/tiles/" + strconv.Itoa(level) + "/" + strconv.Itoa(column) + "_" + strconv.Itoa(row)
	return c.content(ctx, request{method: http.MethodGet, path: path})
}

// Progress is how many images there are of each state, as their metadata say.
type Progress struct {
	New        int64 `json:"new"`
	InProgress int64 `json:"in_progress"`
	Done       int64 `json:"done"`
	More       bool  `json:"more"` // only the newest were counted
}

// Progress counts the images that a filter leaves by their state.
func (c *Client) Progress(ctx context.Context, f ImageFilter) (Progress, error) {
	var out Progress
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/api/images/states", query: f.query()}, &out)
	return out, err
}
