package transport

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/imaging"
)

// tiles is how an image is cut into tiles. But for State, all is 0 unless that is
// "ready".
type tiles struct {
	State    gallery.TileState `json:"state" enum:"none,making,ready" doc:"none: the image is small, or cannot be decoded; making: ask again, and show the file meanwhile."`
	Width    int               `json:"width" doc:"Of the image, in pixels, after EXIF orientation."`
	Height   int               `json:"height"`
	TileSize int               `json:"tile_size"`
	Overlap  int               `json:"overlap" doc:"Pixels by which a tile reaches into each neighbour."`
	MinLevel int               `json:"min_level" doc:"The level that is one tile."`
	MaxLevel int               `json:"max_level" doc:"The level of the image's own pixels."`
}

func tileRoutes() []Route {
	return []Route{
		{
			Method: http.MethodGet, Path: "/api/images/{id}/tiles", Tag: "Images", Summary: "How the image is cut into deep-zoom tiles",
			Doc:    "Images whose longer side has more than 2048 pixels are cut in the background, soon after their upload or when somebody asks first.",
			Access: Ticketed, Role: easel.Viewer, Answer: jsonAnswer[tiles](http.StatusOK), serve: (*call).tiles,
		},
		{
			Method: http.MethodGet, Path: "/api/images/{id}/tiles/{level}/{tile}", Tag: "Images", Summary: "One deep-zoom tile",
			Doc:    "tile is COLUMN_ROW, from 0. Levels are numbered as in Deep Zoom: each is twice as wide and high as the one before, the highest is the image. A JPEG, or a PNG where the image keeps every pixel or is transparent.",
			Access: Ticketed, Role: easel.Viewer, Params: contentParams(),
			Answer: Answer{Status: http.StatusOK, Media: "image/*", Headers: contentHeaders}, Errors: []easel.Code{easel.CodeRange}, serve: (*call).tile,
		},
	}
}

func (c *call) tiles() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	t, err := c.c.Pictures.Tiling(c.ctx, c.p, id)
	if err != nil {
		return err
	}
	out := tiles{State: t.State}
	if t.State == gallery.TilesReady {
		out.Width, out.Height = t.Pyramid.Width, t.Pyramid.Height
		out.TileSize, out.Overlap = imaging.TileSize, imaging.TileOverlap
		out.MinLevel, out.MaxLevel = t.Pyramid.Levels()
	}
	return c.answer(out)
}

func (c *call) tile() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	column, row, _ := strings.Cut(c.r.PathValue("tile"), "_")
	level, ok := index(c.r.PathValue("level"))
	x, xOK := index(column)
	y, yOK := index(row)
	if !ok || !xOK || !yOK {
		level = -1 // there is no such tile, but the image may not be theirs either
	}
	content, err := c.c.Pictures.Tile(c.ctx, c.p, id, level, x, y)
	if err != nil {
		return err
	}
	return c.content(content, imageCache)
}

// index parses a number of at most six digits in its only spelling.
func index(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 20)
	return int(n), err == nil && strconv.FormatUint(n, 10) == s
}
