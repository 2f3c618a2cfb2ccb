package transport

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/tenant"
)

// Bounds of an image's metadata: bytes of JSON, and how deep it may nest. JSON
// readers have a bound of their own, which metadata that just fits a request
// would break where it stands deeper, as in a stored answer.
const (
	maxMetadata = 64 << 10
	maxNesting  = 100
)

type imageAnswer struct {
	Image easel.Image `json:"image"`
}

type imagesAnswer struct {
	Images     []easel.Image `json:"images"`
	NextCursor *string       `json:"next_cursor" doc:"null at the end."`
}

// amendBody changes an image's own row.
type amendBody struct {
	Filename maybe[string]         `json:"filename" required:"false" minLength:"1" doc:"1 to 255 bytes; the base name is kept."`
	Metadata maybe[jsontext.Value] `json:"metadata" required:"false" doc:"A JSON object; replaces the old one."`
}

// uploadBody documents the multipart form of an upload.
type uploadBody struct {
	Image string `json:"image" format:"binary" doc:"The file. PNG, JPEG, GIF, WebP, TIFF or AVIF, by its first bytes."`
}

func imageRoutes() []Route {
	return []Route{
		{
			Method: http.MethodPost, Path: "/api/images/upload", Tag: "Images", Summary: "Upload an image",
			Doc:    "multipart/form-data with the file in the field `image`. The type is decided by the file's first bytes. Width and height are 0 if they could not be read at once: then a job in the background does.",
			Access: Token, Role: easel.Annotator, Body: Body{Media: "multipart/form-data", Doc: reflect.TypeFor[uploadBody]()},
			Answer: jsonAnswer[imageAnswer](http.StatusCreated), Errors: []easel.Code{easel.CodeRateLimited}, serve: (*call).upload,
		},
		{
			Method: http.MethodGet, Path: "/api/images", Tag: "Images", Summary: "Images of the tenant, newest first",
			Access: Token, Role: easel.Viewer, Params: pageParams(append(imageFilters(),
				Param{"state", "query", "string", "Only those whose metadata say so in `state`: `new` (also those that say nothing), `in_progress` or `done`."},
			)...),
			Answer: jsonAnswer[imagesAnswer](http.StatusOK), Errors: []easel.Code{easel.CodeInvalid}, serve: (*call).listImages,
		},
		{
			Method: http.MethodGet, Path: "/api/images/states", Tag: "Images", Summary: "How many images are new, in progress and done",
			Doc:    "As their metadata say in `state`, under the filters of `GET /api/images`. Of more than 20,000 images the newest are counted; `more` says so.",
			Access: Token, Role: easel.Viewer, Params: imageFilters(), Answer: jsonAnswer[tenant.ImageProgressReply](http.StatusOK),
			Errors: []easel.Code{easel.CodeInvalid}, serve: (*call).countImages,
		},
		{
			Method: http.MethodGet, Path: "/api/images/{id}", Tag: "Images", Summary: "One image",
			Doc:    "With `at` the row as it was: its name, metadata, dimensions, deletion and count.",
			Access: Token, Role: easel.Viewer, Params: readParams(atParam), Answer: jsonAnswer[imageAnswer](http.StatusOK, "X-Easel-Version"),
			serve: (*call).oneImage,
		},
		{
			Method: http.MethodPatch, Path: "/api/images/{id}", Tag: "Images", Summary: "Rename an image or replace its metadata",
			Doc:    "Annotators may do so to their own images, admins to any.",
			Access: Token, Role: easel.Annotator, Body: jsonBody[amendBody](), Answer: jsonAnswer[imageAnswer](http.StatusOK, "X-Easel-Version"),
			serve: (*call).amendImage,
		},
		{
			Method: http.MethodDelete, Path: "/api/images/{id}", Tag: "Images", Summary: "Delete an image; it can be restored for a while",
			Doc:    "Annotators may delete their own images, admins any. A repeat is fine; everything else on a deleted image is `gone`.",
			Access: Token, Role: easel.Annotator, Answer: noContent(), serve: (*call).deleteImage,
		},
		{
			Method: http.MethodPost, Path: "/api/images/{id}/restore", Tag: "Images", Summary: "Restore a deleted image",
			Access: Token, Role: easel.Annotator, Answer: jsonAnswer[imageAnswer](http.StatusOK, "X-Easel-Version"), serve: (*call).restoreImage,
		},
	}
}

// imageFilters are what lists and counts of images are narrowed by.
func imageFilters() []Param {
	return []Param{
		{"uploaded_by", "query", "string", "Only this user's."},
		{"label", "query", "string", "Only those with an annotation of this label."},
		{"filename", "query", "string", "Only those whose file name contains this, in any case."},
	}
}

// Bounds of an upload's form, beside the file itself.
const (
	maxParts     = 16
	maxPartBytes = 64 << 10
	formOverhead = 1 << 20 // parts, boundaries and headers
)

// bodies are buffers for uploads: a form is read 4 KB at a time, the connection should
// not be.
var bodies = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 64<<10) }}

func (c *call) upload() error {
	limit := c.c.Limits.Upload
	if c.r.ContentLength > limit+formOverhead {
		return tooLarge(limit)
	}
	if !strings.HasPrefix(strings.ToLower(c.r.Header.Get("Content-Type")), "multipart/form-data") {
		return easel.Errorf(easel.CodeUnsupportedMedia, "an upload must be multipart/form-data")
	}
	body := http.MaxBytesReader(c.w, c.r.Body, limit+formOverhead)
	collected := bodies.Get().(*bufio.Reader) //nolint:forcetypeassert // it holds nothing else
	collected.Reset(&patient{r: body, rc: http.NewResponseController(c.w)})
	defer func() {
		collected.Reset(nil)
		bodies.Put(collected)
	}()
	c.r.Body = struct {
		io.Reader
		io.Closer
	}{collected, body}
	form, err := c.r.MultipartReader()
	if err != nil {
		return easel.Errorf(easel.CodeBadRequest, "the form is malformed")
	}
	part, err := imagePart(form)
	if err != nil {
		return err
	}
	name, err := baseName(part.FileName())
	if err != nil {
		return err
	}
	file := &fileReader{part: part, form: form, left: limit, limit: limit}
	image, err := c.c.Images.Upload(c.ctx, c.p, gallery.Upload{
		Filename: name, Body: file, Once: actors.Once{ID: c.key},
	})
	if err != nil {
		if file.err != nil && easel.CodeOf(err) == easel.CodeInternal {
			return file.err // what is wrong with the request, not with the store
		}
		return err
	}
	return c.answer(imageAnswer{image})
}

// imagePart passes over the small fields before the file.
func imagePart(form *multipart.Reader) (*multipart.Part, error) {
	for range maxParts {
		// Raw: a part's own transfer encoding would inflate past the bounds.
		part, err := form.NextRawPart()
		switch {
		case err == io.EOF: //nolint:errorlint // a form that ends early has EOF wrapped
			return nil, easel.Invalid("image", "is required")
		case err != nil:
			return nil, formFailed(err)
		case part.FormName() == "image":
			return part, nil
		}
		n, err := io.Copy(io.Discard, io.LimitReader(part, maxPartBytes+1))
		if err != nil {
			return nil, formFailed(err)
		}
		if n > maxPartBytes {
			return nil, tooLarge(maxPartBytes)
		}
	}
	return nil, easel.Invalid("image", "must be among the first 16 fields")
}

// formFailed is the error for a form that could not be read on.
func formFailed(err error) error {
	if e := asError(err); e.Code == easel.CodeTooLarge {
		return e
	}
	return &easel.Error{Code: easel.CodeBadRequest, Message: "the form is malformed or ended early", Err: err}
}

// fileReader reads the file's part to its end, and then checks that the form
// ends too: a form that was cut off is no upload.
type fileReader struct {
	part  *multipart.Part
	form  *multipart.Reader
	left  int64
	limit int64
	err   error // the first failure but io.EOF
	over  bool
}

// Read implements io.Reader.
func (f *fileReader) Read(b []byte) (int, error) {
	switch {
	case f.err != nil:
		return 0, f.err
	case f.over:
		return 0, io.EOF
	}
	n, err := f.part.Read(b)
	if f.left -= int64(n); f.left < 0 {
		f.err = tooLarge(f.limit)
		return 0, f.err
	}
	switch {
	case errors.Is(err, io.EOF):
		if f.err = f.rest(); f.err != nil {
			return n, f.err
		}
		f.over = true
		return n, io.EOF
	case err != nil:
		f.err = formFailed(err)
		return n, f.err
	default:
		return n, nil
	}
}

// rest reads what follows the file: only small fields, and no second file.
func (f *fileReader) rest() error {
	part, err := imagePart(f.form)
	switch {
	case err == nil:
		_ = part.Close()
		return easel.Invalid("image", "is there twice")
	case easel.CodeOf(err) == easel.CodeInvalid:
		return nil // no other one, as it should be
	default:
		return err
	}
}

// patient gives every read of a body its own time-out, so that a large body may
// take long, but neither one that stalls nor one that drips holds its connection.
type patient struct {
	r     io.Reader
	rc    *http.ResponseController
	start time.Time // of the first read
	read  int64
}

// stallTime is how long a body may stall, slowest how few bytes a second it may
// bring on the whole.
const (
	stallTime = 30 * time.Second
	slowest   = 4 << 10
)

// patience returns how long a body may take for its next bytes that began at
// start and has brought read bytes by now.
func patience(start, now time.Time, read int64) time.Time {
	stalled := now.Add(stallTime)
	dripped := start.Add(stallTime + time.Duration(read/slowest)*time.Second)
	if dripped.Before(stalled) {
		return dripped
	}
	return stalled
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	now := time.Now()
	if p.start.IsZero() {
		p.start = now
	}
	// Not every ResponseWriter has deadlines.
	_ = p.rc.SetReadDeadline(patience(p.start, now, p.read))
	n, err := p.r.Read(b)
	p.read += int64(n)
	if err != nil {
		// The server goes on reading to see whether the client leaves; that is no
		// stalled body.
		_ = p.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

// baseName returns the base name of a file name: what is after the last slash of
// either kind, without control characters, cut to easel.MaxFilename bytes of
// UTF-8 with its extension kept. Nothing left is "image".
func baseName(name string) (string, error) {
	if !utf8.ValidString(name) {
		return "", easel.Invalid("image", "must have a file name in UTF-8")
	}
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, name))
	if name == "" || name == "." || name == ".." {
		return "image", nil
	}
	if len(name) > easel.MaxFilename {
		ext := ""
		if i := strings.LastIndexByte(name, '.'); i >= 0 && len(name)-i <= 16 {
			ext = name[i:]
		}
		name = strings.ToValidUTF8(name[:easel.MaxFilename-len(ext)], "") + ext
	}
	return name, nil
}

func (c *call) listImages() error {
	limit, err := c.query.limit()
	if err != nil {
		return err
	}
	filters, err := c.imageFilters()
	if err != nil {
		return err
	}
	m := tenant.Images{UploadedBy: filters.UploadedBy, Label: filters.Label, Filename: filters.Filename, Limit: limit}
	state, err := c.query.text("state")
	if err != nil {
		return err
	}
	if state != nil {
		m.Progress = tenant.Progress(*state)
	}
	m.Cursor, _ = c.query.find("cursor")
	reply, err := askTenant[tenant.ImagesReply](c, m, actors.Once{})
	if err != nil {
		return err
	}
	return c.answer(imagesAnswer{Images: list(reply.Images), NextCursor: next(reply.Next)})
}

// imageFilters reads the filters of the query.
func (c *call) imageFilters() (tenant.ImageProgress, error) {
	var m tenant.ImageProgress
	by, err := c.query.text("uploaded_by")
	if err != nil {
		return m, err
	}
	if by != nil {
		m.UploadedBy = *by
	}
	if m.Label, err = c.query.text("label"); err != nil {
		return m, err
	}
	m.Filename, err = c.query.text("filename")
	return m, err
}

func (c *call) countImages() error {
	m, err := c.imageFilters()
	if err != nil {
		return err
	}
	reply, err := askTenant[tenant.ImageProgressReply](c, m, actors.Once{})
	if err != nil {
		return err
	}
	return c.answer(reply)
}

// list makes an empty list of none, so that it is not null in JSON.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

func imageVersion(r canvas.ImageReply) (string, int64) { return r.Epoch, r.Ver }

func (c *call) oneImage() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	if m, past, err := c.query.at(); err != nil {
		return err
	} else if past {
		return c.imageAt(id, m)
	}
	reply, err := readImage(c, id, canvas.Look{}, imageVersion)
	if err != nil {
		return err
	}
	return c.answer(imageAnswer{reply.Image})
}

func (c *call) amendImage() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	in, body, err := decode[amendBody](c)
	if err != nil {
		return err
	}
	m := canvas.Amend{By: c.author()}
	if in.Filename.Set {
		name, err := renamed(in.Filename.Value)
		if err != nil {
			return err
		}
		m.Filename = &name
	}
	if in.Metadata.Set {
		if in.Metadata.Value.Kind() != '{' {
			return easel.Errorf(easel.CodeBadRequest, "metadata must be an object")
		}
		if len(in.Metadata.Value) > maxMetadata {
			return easel.Invalid("metadata", "must have at most 65536 bytes")
		}
		if nesting(in.Metadata.Value) > maxNesting {
			return easel.Invalid("metadata", "must nest at most 100 deep")
		}
		m.Metadata = bytes.Clone(in.Metadata.Value)
	}
	if m.Filename == nil && m.Metadata == nil {
		return easel.Invalid("filename", "or metadata is required")
	}
	reply, err := askImage[canvas.ImageReply](c, id, m, c.once(body))
	return c.imageIs(reply, err)
}

// nesting returns how deep a JSON value nests: 0 for one that is no object or
// list.
func nesting(v jsontext.Value) int {
	deepest := 0
	dec := jsontext.NewDecoder(bytes.NewReader(v))
	for {
		if _, err := dec.ReadToken(); err != nil {
			return deepest // the end: that it is JSON was seen before
		}
		deepest = max(deepest, dec.StackDepth())
	}
}

// renamed checks a file name that a client chose, which unlike an upload's is
// not mended.
func renamed(name string) (string, error) {
	mended, err := baseName(name)
	if err != nil || mended != name {
		return "", easel.Invalid("filename", "must be a base name of 1 to 255 bytes without slashes and control characters")
	}
	return name, nil
}

func (c *call) imageIs(reply canvas.ImageReply, err error) error {
	if err != nil {
		return err
	}
	if err := c.relist(reply); err != nil {
		return err
	}
	c.at(reply.Epoch, reply.Ver)
	return c.answer(imageAnswer{reply.Image})
}

// relist makes the tenant's lists show an image as the answer does, before that is
// sent. If it fails the client repeats, and the image's outbox tells it anyway.
func (c *call) relist(reply canvas.ImageReply) error {
	_, err := askTenant[tenant.Empty](c, tenant.Row{Image: reply.Image, Seq: reply.Seq}, actors.Once{})
	return err
}

func (c *call) deleteImage() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	if _, err := askImage[canvas.Empty](c, id, canvas.SoftDelete{By: c.author()}, c.once(nil)); err != nil {
		return err
	}
	reply, err := askImage[canvas.ImageReply](c, id, canvas.Look{Deleted: true}, actors.Once{})
	if err != nil {
		return err
	}
	if err := c.relist(reply); err != nil {
		return err
	}
	return c.done()
}

func (c *call) restoreImage() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	reply, err := askImage[canvas.ImageReply](c, id, canvas.Restore{By: c.author()}, c.once(nil))
	return c.imageIs(reply, err)
}
