package gallery

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/tenant"
)

// Sniffer tells what a file is by its first bytes. Package imaging has one.
type Sniffer interface {
	// Sniff returns the content type of an image that Easel takes; ok is false
	// for anything else. 512 bytes are enough, fewer mean a shorter file.
	Sniff(head []byte) (contentType string, ok bool)
}

// Decoder reads pictures. Its methods use bounded memory, refuse pictures that
// would not (CodeInvalid), and end early with ctx.
type Decoder interface {
	// Size returns width and height in pixels after EXIF orientation. An error
	// with CodeInvalid means that the file will never have any.
	Size(ctx context.Context, r io.Reader) (width, height int, err error)
	// Thumbnail writes a picture whose longer side is at most size pixels, and
	// returns its content type.
	Thumbnail(ctx context.Context, w io.Writer, r io.Reader, size int) (contentType string, err error)
}

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
	Sniffer   Sniffer
	Decoder   Decoder
	Now       func() time.Time
	Log       *slog.Logger

	MaxUpload int64         // bytes of an image; 10 MiB
	MaxFile   int64         // bytes of a tenant's file; 5 GiB
	Retention time.Duration // for how long a soft-deleted image is kept; 30 days
	Grace     time.Duration // how old an orphaned blob must be; 24 h
	Decodes   int           // pictures decoded at once; 2
}

// Gallery runs the sagas. See New.
type Gallery struct {
	c Config
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
	Size        int64      // bytes of the whole
	ETag        string     // strong, without quotes
	Modified    easel.Time //
	Filename    string     // for Content-Disposition; "" if there is none
	// Open reads the range; the caller closes it. blob.ErrRange past the end;
	// CodeNotFound or CodeGone if the content went away in between.
	Open func(ctx context.Context, r blob.Range) (io.ReadCloser, error)
}

// FileUpload is one of a tenant's files on its way in.
type FileUpload struct {
	Name        string // 1 to 512 bytes of UTF-8, may hold slashes
	ContentType string // kept as it is; "": application/octet-stream
	Meta        map[string]string
	If          tenant.Condition
	Body        io.Reader
	Once        actors.Once
}

// Upload stores an image and returns its row once it is listed. Errors:
// CodeForbidden for viewers; CodeUnsupportedMedia by magic bytes; CodeTooLarge;
// CodeInvalid for an empty body, a bad name, or an Once.ID used with other bytes;
// CodeConflict with RetryAfter while an upload with the same Once.ID runs;
// CodeRateLimited at a quota. What reading Body fails with is returned wrapped.
func (g *Gallery) Upload(ctx context.Context, p easel.Principal, u Upload) (easel.Image, error) {
	panic("unwritten")
}

// Bulk draws all items or none, also if they are on several images, and returns
// their ids in order. Items are checked (CodeInvalid with Details for
// "annotations[i]."), 1 to easel.MaxOps of them. An image that is missing or
// deleted fails all: CodeNotFound, CodeGone.
func (g *Gallery) Bulk(ctx context.Context, p easel.Principal, items []Item, once actors.Once) ([]easel.ID, error) {
	panic("unwritten")
}

// Image returns what GET /api/images/{id}/file serves. CodeNotFound, CodeGone.
func (g *Gallery) Image(ctx context.Context, p easel.Principal, id easel.ID) (Content, error) {
	panic("unwritten")
}

// Thumbnail returns the image made small. size is the longer side in pixels and
// is rounded up to one of ThumbnailSizes. CodeInvalid if the file is no picture
// that can be decoded.
func (g *Gallery) Thumbnail(ctx context.Context, p easel.Principal, id easel.ID, size int) (Content, error) {
	panic("unwritten")
}

// PresignImage returns a URL of the store's own that serves the image until ttl
// is over; ok is false if the store has none.
func (g *Gallery) PresignImage(ctx context.Context, p easel.Principal, id easel.ID, ttl time.Duration) (url string, ok bool, err error) {
	panic("unwritten")
}

// Probe reads the dimensions of an image's file, after EXIF orientation.
// CodeInvalid if it will never have any; other errors are worth a repeat.
func (g *Gallery) Probe(ctx context.Context, t easel.TenantID, id easel.ID) (width, height int, err error) {
	panic("unwritten")
}

// PutFile stores a file and returns its row. Errors as tenant.FilePut;
// CodeTooLarge.
func (g *Gallery) PutFile(ctx context.Context, p easel.Principal, f FileUpload) (tenant.File, error) {
	panic("unwritten")
}

// File returns a file's row and content. CodeNotFound.
func (g *Gallery) File(ctx context.Context, p easel.Principal, name string) (tenant.File, Content, error) {
	panic("unwritten")
}

// DeleteFile removes a file. CodeNotFound, CodeForbidden, CodeConflict.
func (g *Gallery) DeleteFile(ctx context.Context, p easel.Principal, name string, c tenant.Condition, once actors.Once) error {
	panic("unwritten")
}

// Report counts what a chore did.
type Report struct {
	Tenants int // looked at
	Done    int // images, blobs or rows removed
	Failed  int // that the next run tries again
}

// PurgeImages removes images that were soft-deleted longer than Retention ago,
// and half-made ones, with their blobs and histories. CodeConflict if it is
// already running.
func (g *Gallery) PurgeImages(ctx context.Context) (Report, error) { panic("unwritten") }

// SweepOrphans queues blobs older than Grace that no row names for deletion.
// CodeConflict if it is already running.
func (g *Gallery) SweepOrphans(ctx context.Context) (Report, error) { panic("unwritten") }

// DrainDrops deletes the blobs in the tenants' deletion queues. CodeConflict if
// it is already running.
func (g *Gallery) DrainDrops(ctx context.Context) (Report, error) { panic("unwritten") }

// New returns a Gallery.
func New(c Config) *Gallery { return &Gallery{c: c} }
