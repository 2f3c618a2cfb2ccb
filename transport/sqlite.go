package transport

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/archive"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
)

// Copies is where images come from as SQLite files, see package archive.
type Copies interface {
	Image(ctx context.Context, tenant easel.TenantID, id easel.ID, tag string) (archive.Copy, error)
}

// sqliteType is the registered media type.
const sqliteType = "application/vnd.sqlite3"

// copyTime is how long a file may take to be made, which grows with the image.
const copyTime = 2 * time.Minute

func sqliteRoutes() []Route {
	return []Route{{
		Method: http.MethodGet, Path: "/api/images/{id}/sqlite", Tag: "Images", Summary: "The image with all its annotations as a SQLite file",
		Doc:    "One consistent state, with everything that was acknowledged before; the tables are described in docs/data.md.",
		Access: Token, Role: easel.Viewer,
		Params: contentParams(),
		Answer: Answer{
			Status: http.StatusOK, Media: sqliteType,
			Headers: []string{"Accept-Ranges", "Cache-Control", "Content-Disposition", "Content-Range", "ETag", "X-Easel-Version"},
		},
		Errors: []easel.Code{easel.CodeRange}, serve: (*call).sqlite,
	}}
}

func (c *call) sqlite() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	if c.c.Copies == nil {
		return easel.Errorf(easel.CodeNotFound, "this node makes no copies")
	}
	// What is answered is never older than what anybody was shown, so that there is
	// nothing to wait for; a version that is none is refused as everywhere.
	if _, err := c.wants(); err != nil {
		return err
	}
	// The actor knows who asks for what; its file is read without a turn of it.
	now, err := askImage[canvas.ImageReply](c, id, canvas.Look{}, actors.Once{})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, copyTime)
	defer cancel()
	file, err := c.c.Copies.Image(ctx, c.p.Tenant, id, now.Tag())
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	c.at(file.Epoch, file.Ver)
	h := c.w.Header()
	h.Set("Content-Disposition", attachment(string(id)+".sqlite"))
	err = c.content(gallery.Content{
		ContentType: sqliteType, Size: file.Size, ETag: file.Tag,
		Open: func(_ context.Context, r blob.Range) (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(file, r.Offset, r.Length)), nil
		},
	}, "private, no-cache")
	if err != nil {
		h.Del("Content-Disposition")
	}
	return err
}

// attachment tells a browser to keep a file under a name.
func attachment(name string) string { return fmt.Sprintf("attachment; filename=%q", name) }
