package canvas

import (
	"context"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// Options are the limits and helpers of all images of a process.
type Options struct {
	// MaxAnnotations bounds one image; 0: 100,000. At the bound a put is
	// CodeRateLimited, as at every limit: it may succeed after a delete.
	MaxAnnotations int

	// MaxText bounds the shapes and attributes of one image together, in bytes of
	// JSON; 0: 64 MiB. All of them are in memory while somebody watches or lists.
	// At the bound what adds to them is CodeRateLimited.
	MaxText int64

	// OpLogKeep is how many of its newest batches an image's file keeps for clients
	// that come back; 0: 10,000. Older ones go to Archive, a chunk at a time.
	OpLogKeep int
	// Archive is where batches that leave the file go. Nil: they stay.
	Archive Archive
	// History is for how long past states can be asked for; 0: 30 days.
	History time.Duration

	// Retention is for how long a soft-deleted image can be restored; 0: 30 days.
	Retention time.Duration

	// Probe reads an image file's width and height in pixels, after EXIF
	// orientation. It is called outside of turns. An error whose code is not
	// temporary means that the file will never have dimensions; any other is
	// tried again. Nil: dimensions stay 0.
	Probe func(ctx context.Context, tenant easel.TenantID, image easel.ID) (width, height int, err error)

	// Tile cuts an image into tiles whose longer side has more than TileOver pixels.
	// It is called outside of turns, once the dimensions are known and whenever
	// somebody misses the tiles, until it succeeds or fails with an error whose code
	// is not temporary. Nil, or TileOver 0: no image has tiles.
	Tile     func(ctx context.Context, tenant easel.TenantID, image easel.ID) error
	TileOver int
}

func (o Options) withDefaults() Options {
	if o.MaxAnnotations == 0 {
		o.MaxAnnotations = 100_000
	}
	if o.MaxText == 0 {
		o.MaxText = 64 << 20
	}
	if o.OpLogKeep == 0 {
		o.OpLogKeep = 10_000
	}
	if o.History == 0 {
		o.History = 30 * 24 * time.Hour
	}
	if o.Retention == 0 {
		o.Retention = 30 * 24 * time.Hour
	}
	return o
}

// Turn is what a State needs of the runtime while it works; *actors.Turn is one.
type Turn interface {
	Key() actors.Key
	Now() time.Time
	Tx() *sqlite.Tx
	Publish(m actors.Message)
	Tell(r actors.Request)
	SetAlarm(name string, due time.Time)
	ClearAlarm(name string)
	Go(work func(ctx context.Context) actors.Message)
	Durable() int64
	Commit() int64
	Ungated()
}
