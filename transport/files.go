package transport

import (
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/tenant"
)

// metaPrefix starts the headers that are kept with a file.
const metaPrefix = "X-Easel-Meta-"

type storedAnswer struct {
	OK        bool        `json:"ok"`
	ETag      string      `json:"etag" doc:"Without quotes."`
	Size      int64       `json:"size" doc:"Bytes."`
	ExpiresAt *easel.Time `json:"expires_at,omitempty"`
}

type filesAnswer struct {
	Files      []tenant.File `json:"files"`
	NextCursor *string       `json:"next_cursor" doc:"null at the end."`
}

func fileRoutes() []Route {
	return []Route{
		{
			Method: http.MethodPut, Path: "/api/files/{name...}", Tag: "Files", Summary: "Store a file",
			Doc:    "The body is the content, of any type. Content-Type and X-Easel-Meta-* headers are kept. Annotators write below u/<base64url(sub)>/, admins anywhere.",
			Access: Token, Role: easel.Annotator, Params: conditionParams, Body: Body{Media: "*/*"},
			Answer: jsonAnswer[storedAnswer](http.StatusOK, "ETag"), Errors: []easel.Code{easel.CodeRateLimited}, serve: (*call).putFile,
		},
		{
			Method: http.MethodGet, Path: "/api/files/{name...}", Tag: "Files", Summary: "A file's content",
			Access: Token, Role: easel.Viewer, Params: contentParams(), Answer: Answer{Status: http.StatusOK, Media: "*/*", Headers: contentHeaders},
			Errors: []easel.Code{easel.CodeNotFound, easel.CodeInvalid, easel.CodeRange, easel.CodeConflict}, serve: (*call).getFile,
		},
		{
			Method: http.MethodDelete, Path: "/api/files/{name...}", Tag: "Files", Summary: "Delete a file",
			Access: Token, Role: easel.Annotator, Params: conditionParams, Answer: noContent(),
			Errors: []easel.Code{easel.CodeNotFound}, serve: (*call).deleteFile,
		},
		{
			Method: http.MethodGet, Path: "/api/files", Tag: "Files", Summary: "The tenant's files by name",
			Access: Token, Role: easel.Viewer, Params: pageParams(Param{"prefix", "query", "string", "Only names that start so."}),
			Answer: jsonAnswer[filesAnswer](http.StatusOK), Errors: []easel.Code{easel.CodeInvalid}, serve: (*call).listFiles,
		},
	}
}

var conditionParams = []Param{
	{"If-Match", "header", "string", "Only if what is there has this ETag, or * if anything is there; else 412."},
	{"If-None-Match", "header", "string", "*: only if nothing is there; else 412."},
}

// condition reads If-Match and If-None-Match of a write.
func (c *call) condition() (tenant.Condition, error) {
	var cond tenant.Condition
	var tags []string
	for _, tag := range strings.Split(c.r.Header.Get("If-Match"), ",") {
		tags = append(tags, strings.Trim(strings.TrimSpace(tag), `"`))
	}
	cond.IfMatch = strings.Join(tags, ",")
	if c.r.Header.Get("If-Match") != "" && cond.IfMatch == "" {
		cond.IfMatch = `""` // an empty tag, which nothing has
	}
	switch c.r.Header.Get("If-None-Match") {
	case "":
	case "*":
		cond.IfAbsent = true
	default:
		return cond, easel.Invalid("If-None-Match", "must be * on a write")
	}
	return cond, nil
}

// pathName returns a path parameter that names a file or a value.
func (c *call) pathName(field string) (string, error) {
	name := c.r.PathValue(field)
	if name == "" || len(name) > tenant.MaxKey || strings.ContainsRune(name, 0) {
		return "", easel.Invalid(field, "must have 1 to 512 bytes of UTF-8 without NUL")
	}
	return name, nil
}

// meta collects the headers that are kept with a file.
func (c *call) meta() (map[string]string, error) {
	var meta map[string]string
	for name, values := range c.r.Header {
		rest, ok := strings.CutPrefix(name, metaPrefix)
		if !ok {
			continue
		}
		if len(values) > 1 || rest == "" || !utf8.ValidString(values[0]) {
			return nil, easel.Invalid(name, "must be one header in UTF-8")
		}
		if meta == nil {
			meta = make(map[string]string)
		}
		meta[strings.ToLower(rest)] = values[0]
	}
	return meta, nil
}

func (c *call) putFile() error {
	name, err := c.pathName("name")
	if err != nil {
		return err
	}
	cond, err := c.condition()
	if err != nil {
		return err
	}
	meta, err := c.meta()
	if err != nil {
		return err
	}
	if e := c.r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return easel.Errorf(easel.CodeUnsupportedMedia, "a body may not be encoded")
	}
	ct := c.r.Header.Get("Content-Type")
	if !utf8.ValidString(ct) {
		return easel.Invalid("Content-Type", "must be ASCII")
	}
	limit := c.c.Limits.File
	if c.r.ContentLength > limit {
		return tooLarge(limit)
	}
	body := &tracked{r: http.MaxBytesReader(c.w, &patientBody{patient{r: c.r.Body, rc: http.NewResponseController(c.w)}, c.r.Body}, limit)}
	file, err := c.c.Files.PutFile(c.ctx, c.p, gallery.FileUpload{
		Name: name, ContentType: ct, Meta: meta, If: cond, Body: body, Once: actors.Once{ID: c.key},
	})
	if err != nil {
		if body.err != nil && easel.CodeOf(err) == easel.CodeInternal {
			return readFailed(body.err)
		}
		return err
	}
	c.w.Header().Set("ETag", `"`+file.ETag+`"`)
	return c.answer(storedAnswer{OK: true, ETag: file.ETag, Size: file.Size})
}

// patientBody is a patient reader that closes its body.
type patientBody struct {
	patient
	io.Closer
}

// tracked remembers why a body could not be read.
type tracked struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (t *tracked) Read(b []byte) (int, error) {
	n, err := t.r.Read(b)
	if err != nil && err != io.EOF {
		t.err = err
	}
	return n, err
}

func (c *call) getFile() error {
	name, err := c.pathName("name")
	if err != nil {
		return err
	}
	file, content, err := c.c.Files.File(c.ctx, c.p, name)
	if err != nil {
		return err
	}
	h := c.w.Header()
	for name, value := range file.Meta {
		h.Set(metaPrefix+name, value)
	}
	return c.content(content, "private, no-cache")
}

func (c *call) deleteFile() error {
	name, err := c.pathName("name")
	if err != nil {
		return err
	}
	cond, err := c.condition()
	if err != nil {
		return err
	}
	if err := c.c.Files.DeleteFile(c.ctx, c.p, name, cond, c.once(nil)); err != nil {
		return err
	}
	return c.done()
}

// prefix reads the parameters of a list of names.
func (c *call) prefix() (prefix, cursor string, limit int, err error) {
	if limit, err = c.query.limit(); err != nil {
		return "", "", 0, err
	}
	p, err := c.query.text("prefix")
	if err != nil {
		return "", "", 0, err
	}
	if p != nil {
		prefix = *p
	}
	cursor, _ = c.query.find("cursor")
	return prefix, cursor, limit, nil
}

func (c *call) listFiles() error {
	prefix, cursor, limit, err := c.prefix()
	if err != nil {
		return err
	}
	reply, err := askTenant[tenant.FileListReply](c, tenant.FileList{Prefix: prefix, Limit: limit, Cursor: cursor}, actors.Once{})
	if err != nil {
		return err
	}
	return c.answer(filesAnswer{Files: list(reply.Files), NextCursor: next(reply.Next)})
}
