package transport

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
)

// Sizes of thumbnails that may be asked for, in pixels of the longer side.
const (
	defaultThumbnail = 256
	maxThumbnail     = 4096
)

type urlAnswer struct {
	URL       string     `json:"url" doc:"Answers GET without a token."`
	ExpiresAt easel.Time `json:"expires_at"`
}

func contentRoutes() []Route {
	media := Answer{Status: http.StatusOK, Media: "image/*", Headers: contentHeaders}
	return []Route{
		{
			Method: http.MethodGet, Path: "/api/images/{id}/file", Tag: "Images", Summary: "The image's file",
			Access: Ticketed, Role: easel.Viewer, Params: contentParams(), Answer: media,
			Errors: []easel.Code{easel.CodeRange}, serve: (*call).file,
		},
		{
			Method: http.MethodGet, Path: "/api/images/{id}/thumbnail", Tag: "Images", Summary: "The image made small",
			Access: Ticketed, Role: easel.Viewer,
			Params: contentParams(Param{"size", "query", "integer", "The longer side in pixels, 1 to 4096; 256 by default. The next larger size that is made is answered."}),
			Answer: media, Errors: []easel.Code{easel.CodeRange}, serve: (*call).thumbnail,
		},
		{
			Method: http.MethodGet, Path: "/api/images/{id}/url", Tag: "Images", Summary: "A URL of the file that works without a token for an hour",
			Access: Token, Role: easel.Viewer, Answer: jsonAnswer[urlAnswer](http.StatusOK), serve: (*call).presign,
		},
		{
			Method: http.MethodGet, Path: "/signed/{tenant}/{image}", Tag: "Images", Summary: "The image's file, for whoever has a signed URL",
			Doc:    "The answer of /api/images/{id}/url on a store that signs none itself. Altered or expired: `forbidden`.",
			Access: Signed, Params: contentParams(
				Param{"expires", "query", "integer", "Unix seconds."}, Param{"signature", "query", "string", ""},
			),
			Answer: media, Errors: []easel.Code{easel.CodeForbidden, easel.CodeNotFound, easel.CodeGone, easel.CodeRange}, serve: (*call).signed,
		},
		{
			Method: http.MethodGet, Path: "/api/images/{id}/live", Tag: "Live", Summary: "The live socket, subprotocol easel.v1",
			Doc:    "A browser offers the second subprotocol `bearer.<JWT>` instead of a header, or comes with ?ticket=. See the protocol's own page.",
			Access: Ticketed, Role: easel.Viewer, Answer: Answer{Status: http.StatusSwitchingProtocols}, stream: true, serve: (*call).live,
		},
		{
			Method: http.MethodGet, Path: "/api/images/{id}/events", Tag: "Live", Summary: "The socket's stream as server-sent events",
			Doc:    "Starts with `snap`, like the socket; each event's data is a frame and its id EPOCH:VER.",
			Access: Ticketed, Role: easel.Viewer, Params: []Param{{"Last-Event-ID", "header", "string", "EPOCH:VER to resume from."}},
			Answer: Answer{Status: http.StatusOK, Media: "text/event-stream"}, stream: true, serve: (*call).events,
		},
	}
}

var contentHeaders = []string{"Accept-Ranges", "Cache-Control", "Content-Range", "ETag", "Last-Modified"}

func contentParams(own ...Param) []Param {
	return append(own,
		Param{"Range", "header", "string", "bytes=FIRST-LAST, one range."},
		Param{"If-None-Match", "header", "string", "304 if it is still the same."},
		Param{"If-Match", "header", "string", "412 if it is another one by now."},
	)
}

func (c *call) file() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	content, err := c.c.Pictures.Image(c.ctx, c.p, id)
	if err != nil {
		return err
	}
	return c.content(content, imageCache)
}

func (c *call) thumbnail() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	size, err := c.query.integer("size", defaultThumbnail, 1, maxThumbnail)
	if err != nil {
		return err
	}
	content, err := c.c.Pictures.Thumbnail(c.ctx, c.p, id, int(size))
	if err != nil {
		return err
	}
	return c.content(content, imageCache)
}

func (c *call) live() error {
	if !c.sameOrigin(c.r) {
		return easel.Errorf(easel.CodeForbidden, "the page's origin may not open a socket")
	}
	return c.stream(c.c.Live)
}

func (c *call) events() error { return c.stream(c.c.Events) }

// stream hands over to s, once it is known that the image is there: what can be
// known before a stream starts is an HTTP status.
func (c *call) stream(s Stream) error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	if s == nil {
		return easel.Errorf(easel.CodeNotFound, "no such route")
	}
	if _, err := askImage[canvas.ImageReply](c, id, canvas.Look{}, actors.Once{}); err != nil {
		return err
	}
	s(c.w, c.r, c.p, id)
	return nil
}

// imageCache is how long a browser may keep an image's bytes, which never change.
const imageCache = "private, max-age=3600"

// sandbox keeps bytes that a stranger chose from running in our origin.
var sandbox = []string{"sandbox; default-src 'none'"}

// content answers with bytes: whole, a range, or not at all if the client has
// them.
func (c *call) content(o gallery.Content, cacheControl string) error {
	h := c.w.Header()
	tag := `"` + o.ETag + `"`
	h["Content-Security-Policy"] = sandbox
	h.Set("ETag", tag)
	h.Set("Accept-Ranges", "bytes")
	h.Set("Cache-Control", cacheControl)
	if o.Modified != 0 {
		h.Set("Last-Modified", o.Modified.Std().Format(http.TimeFormat))
	}
	if m := c.r.Header.Get("If-Match"); m != "" && !tagMatches(m, tag) {
		return &easel.Error{Code: easel.CodeConflict, Message: "it is another one by now", Current: []byte(`{"etag":` + strconv.Quote(o.ETag) + `}`)}
	}
	if m := c.r.Header.Get("If-None-Match"); m != "" && tagMatches(strings.ReplaceAll(m, "W/", ""), tag) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	rng, partial, err := c.wantedRange(o, tag)
	if err != nil {
		h.Set("Content-Range", "bytes */"+strconv.FormatInt(o.Size, 10))
		return err
	}
	h.Set("Content-Type", o.ContentType)
	if o.Filename != "" {
		h.Set("Content-Disposition", disposition(o.Filename))
	}
	h.Set("Content-Length", strconv.FormatInt(rng.Length, 10))
	status := http.StatusOK
	if partial {
		status = http.StatusPartialContent
		h.Set("Content-Range", "bytes "+strconv.FormatInt(rng.Offset, 10)+"-"+
			strconv.FormatInt(rng.Offset+rng.Length-1, 10)+"/"+strconv.FormatInt(o.Size, 10))
	}
	if c.r.Method == http.MethodHead || rng.Length == 0 {
		c.w.WriteHeader(status)
		return nil
	}
	return c.copyContent(o, rng, status)
}

func (c *call) copyContent(o gallery.Content, rng blob.Range, status int) error {
	body, err := o.Open(c.ctx, rng)
	if err != nil {
		return blobError(err)
	}
	defer func() { _ = body.Close() }() // it was only read
	c.w.WriteHeader(status)
	rc := http.NewResponseController(c.w)
	_, err = io.Copy(&steady{w: c.w, rc: rc}, io.LimitReader(body, rng.Length))
	_ = rc.SetWriteDeadline(time.Now().Add(stallTime)) // for what is still buffered; the next request has its own
	if err != nil && c.ctx.Err() == nil {
		c.c.Log.DebugContext(c.ctx, "content was cut off", "route", c.route.Path, "err", err)
		panic(http.ErrAbortHandler) // the status is out: only the connection can still tell
	}
	return nil
}

// steady gives every write its own time-out, so that a reader that stalls does
// not hold its connection.
type steady struct {
	w  io.Writer
	rc *http.ResponseController
}

// Write implements io.Writer.
func (s *steady) Write(b []byte) (int, error) {
	// Not every ResponseWriter has deadlines.
	_ = s.rc.SetWriteDeadline(time.Now().Add(stallTime))
	return s.w.Write(b)
}

// blobError is what a client sees of a store's error.
func blobError(err error) error {
	switch {
	case errors.Is(err, blob.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return &easel.Error{Code: easel.CodeUnavailable, Message: "the store cannot be reached", Err: err}
	case errors.Is(err, blob.ErrNotFound):
		return &easel.Error{Code: easel.CodeNotFound, Message: "the content is no longer there", Err: err}
	case errors.Is(err, blob.ErrRange):
		return &easel.Error{Code: easel.CodeRange, Message: "the range is not satisfiable", Err: err}
	default:
		return err
	}
}

// tagMatches reports whether a list of entity tags names tag.
func tagMatches(header, tag string) bool {
	for _, t := range strings.Split(header, ",") {
		if t = strings.TrimSpace(t); t == "*" || t == tag {
			return true
		}
	}
	return false
}

// wantedRange returns the part that is asked for. Several ranges, other units
// and malformed ones are answered by the whole, as RFC 9110 allows.
func (c *call) wantedRange(o gallery.Content, tag string) (rng blob.Range, partial bool, err error) {
	whole := blob.Range{Offset: 0, Length: o.Size}
	spec, ok := strings.CutPrefix(c.r.Header.Get("Range"), "bytes=")
	if !ok || strings.Contains(spec, ",") {
		return whole, false, nil
	}
	if cond := c.r.Header.Get("If-Range"); cond != "" && cond != tag {
		return whole, false, nil
	}
	from, to, ok := strings.Cut(strings.TrimSpace(spec), "-")
	first, firstOK := digits(from)
	last, lastOK := digits(to)
	switch {
	case !ok || !firstOK && from != "" || !lastOK && to != "" || from == "" && to == "":
		return whole, false, nil
	case from == "": // the last so many bytes
		if last == 0 {
			return whole, false, unsatisfiable()
		}
		first, last = max(0, o.Size-last), o.Size-1
	case to == "":
		last = o.Size - 1
	case first > last:
		return whole, false, nil
	}
	if first >= o.Size {
		return whole, false, unsatisfiable()
	}
	last = min(last, o.Size-1)
	return blob.Range{Offset: first, Length: last - first + 1}, true, nil
}

func unsatisfiable() error {
	return easel.Errorf(easel.CodeRange, "the range starts past the end")
}

// digits parses a number without a sign.
func digits(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 1<<62 - 1, true // past every end
	}
	return n, true
}

// disposition tells a browser the file's name.
func disposition(name string) string {
	return mime.FormatMediaType("inline", map[string]string{"filename": name})
}
