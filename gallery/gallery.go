package gallery

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/tenant"
	"github.com/easelhq/easel/turnstile"
)

// Histories is the part of a journal.Journal that chores need.
type Histories interface {
	Names(ctx context.Context, prefix journal.Name, each func(journal.Name) bool) error
	Erase(ctx context.Context, name journal.Name) error
}

// Config is what a Gallery works with. Zero durations and sizes mean the default.
type Config struct {
	Asker     actors.Asker
	Blobs     blob.Store
	Histories Histories
	Now       func() time.Time
	Log       *slog.Logger

	Node      string        // name of this node, unique and stable; "": claims of a process that died last until they run out
	Region    string        // where this node is: what is uploaded here is at home here
	MaxUpload int64         // bytes of an image; 10 MiB
	MaxFile   int64         // bytes of a tenant's file; 5 GiB
	Retention time.Duration // for how long a soft-deleted image is kept; 30 days
	Grace     time.Duration // how old an orphaned blob must be; 24 h
	Decodes   int           // pictures decoded at once; 2
	Settle    time.Duration // how long a saga tries to end what it has begun; 15 s
}

// Gallery runs the sagas. See New.
type Gallery struct {
	c          Config
	life       easel.ID             // of the process
	decoding   chan struct{}        // one token for each picture that is being decoded
	replaying  *turnstile.Turnstile // of past states that are being made
	thumbnails singleflight.Group
	tiling     tileLine
	packs      tilePacks
	summing    singleflight.Group // of objects that were stored without sums
	oldSums    oldSums

	// Each is held while its chore runs; a chore that finds it held is refused.
	purging, sweeping, draining sync.Mutex
}

// New returns a Gallery. Asker, Blobs, Histories, Now and Log must be there.
func New(c Config) *Gallery {
	c.MaxUpload = or(c.MaxUpload, 10<<20)
	c.MaxFile = or(c.MaxFile, 5<<30)
	c.Retention = or(c.Retention, 30*24*time.Hour)
	c.Grace = or(c.Grace, 24*time.Hour)
	c.Decodes = or(c.Decodes, 2)
	c.Settle = or(c.Settle, 15*time.Second)
	return &Gallery{c: c, life: easel.NewID(), decoding: make(chan struct{}, c.Decodes), replaying: turnstile.New(replays)}
}

// replays is how many past states are made at once.
const replays = 4

func or[T int | int64 | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}

// Upload is one image on its way in.
type Upload struct {
	Filename string      // of which the base name is kept
	Body     io.Reader   // read to its end
	Once     actors.Once // ID: the Idempotency-Key scoped to user, method and path; Hash is not used
}

// Item is one annotation of a bulk.
type Item struct {
	Image easel.ID
	Draft easel.Draft
}

// Content is something to serve. Nothing is open until Open is called.
type Content struct {
	ContentType string
	Size        int64  // bytes of the whole
	ETag        string // strong, without quotes
	Modified    easel.Time
	Filename    string // for Content-Disposition; "" if there is none
	// Open reads the range; the caller closes it. blob.ErrRange past the end;
	// CodeNotFound if the content went away in between; CodeUnavailable.
	Open func(ctx context.Context, r blob.Range) (io.ReadCloser, error)
}

// FileUpload is one of a tenant's files on its way in.
type FileUpload struct {
	Name        string // 1 to 512 bytes of UTF-8, may hold slashes
	ContentType string // kept as it is; "": application/octet-stream
	Meta        map[string]string
	If          tenant.Condition
	Body        io.Reader
	Once        actors.Once // ID: as in Upload; Hash is not used
}

// Report counts what a chore did.
type Report struct {
	Tenants int // looked at
	Done    int // images or blobs removed, or blobs queued
	Failed  int // left for the next run
}
