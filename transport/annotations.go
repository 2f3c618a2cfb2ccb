package transport

import (
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/opcodec"
)

type annotationAnswer struct {
	Annotation easel.Annotation `json:"annotation"`
}

type bulkAnswer struct {
	Inserted int        `json:"inserted"`
	Total    int        `json:"total"`
	IDs      []easel.ID `json:"ids" doc:"In the order of the request."`
}

type listAnswer struct {
	Annotations []easel.Annotation `json:"annotations"`
	Version     int64              `json:"version"`
}

func annotationRoutes() []Route {
	return []Route{
		{
			Method: http.MethodPost, Path: "/api/annotations", Tag: "Annotations", Summary: "Draw one annotation",
			Access: Token, Role: easel.Annotator, Body: jsonBody[draftBody](),
			Answer: jsonAnswer[annotationAnswer](http.StatusCreated, "ETag", "X-Easel-Version"),
			Errors: []easel.Code{easel.CodeNotFound, easel.CodeGone, easel.CodeRateLimited}, serve: (*call).createAnnotation,
		},
		{
			Method: http.MethodPost, Path: "/api/annotations/bulk", Tag: "Annotations", Summary: "Draw 1 to 500 annotations, all or none",
			Doc:    "They may be on several images; the outcome is one.",
			Access: Token, Role: easel.Annotator, Body: jsonBody[bulkBody](), Answer: jsonAnswer[bulkAnswer](http.StatusCreated),
			Errors: []easel.Code{easel.CodeNotFound, easel.CodeGone, easel.CodeRateLimited}, serve: (*call).bulk,
		},
		{
			Method: http.MethodGet, Path: "/api/annotations/by-image/{imageId}", Tag: "Annotations", Summary: "All annotations of one version of an image, newest first",
			Access: Token, Role: easel.Viewer, Answer: jsonAnswer[listAnswer](http.StatusOK, "X-Easel-Version"),
			Params: readParams(append([]Param{atParam}, listParams()...)...), serve: (*call).annotationsAt,
		},
		{
			Method: http.MethodGet, Path: "/api/images/{id}/annotations/{annotationId}", Tag: "Annotations", Summary: "One annotation",
			Access: Token, Role: easel.Viewer, Params: readParams(), Answer: jsonAnswer[annotationAnswer](http.StatusOK, "ETag", "X-Easel-Version"),
			serve: (*call).oneAnnotation,
		},
		{
			Method: http.MethodPatch, Path: "/api/images/{id}/annotations/{annotationId}", Tag: "Annotations", Summary: "Change an annotation",
			Doc:    "At least one field. With If-Match only if it still has that rev, else 412 with `current`.",
			Access: Token, Role: easel.Annotator, Params: []Param{ifMatchParam}, Body: Body{Media: "application/json", Doc: reflect.TypeFor[patchBody]()},
			Answer: jsonAnswer[annotationAnswer](http.StatusOK, "ETag", "X-Easel-Version"), Errors: []easel.Code{easel.CodeRateLimited},
			serve: (*call).patchAnnotation,
		},
		{
			Method: http.MethodDelete, Path: "/api/images/{id}/annotations/{annotationId}", Tag: "Annotations", Summary: "Delete an annotation",
			Doc:    "With If-Match only if it still has that rev, else 412 with `current`. A second delete is `gone`.",
			Access: Token, Role: easel.Annotator, Params: []Param{ifMatchParam}, Answer: noContent(), Errors: []easel.Code{easel.CodeRateLimited},
			serve: (*call).deleteAnnotation,
		},
	}
}

var ifMatchParam = Param{"If-Match", "header", "string", "The ETag that must still be current."}

func (c *call) createAnnotation() error {
	in, body, err := decode[draftBody](c)
	if err != nil {
		return err
	}
	draft := in.draft()
	if err := invalid(in.broken(&draft, "")); err != nil {
		return err
	}
	if err := c.spend("", 1); err != nil {
		return err
	}
	reply, err := c.apply(in.ImageID.Value, easel.Op{Kind: easel.OpPut, Draft: &draft}, body)
	if err != nil {
		return err
	}
	return c.annotation(reply.Annotations[0], reply.Epoch, reply.Ver)
}

// apply sends one op as a plain write and returns the annotation after it.
func (c *call) apply(image easel.ID, op easel.Op, body []byte) (canvas.Applied, error) {
	reply, err := askImage[canvas.Applied](c, image, canvas.Apply{
		By: c.author(), Ops: []easel.Op{op}, Full: true,
	}, c.once(body))
	switch {
	case err != nil:
		return reply, err
	case reply.Rejected != nil:
		return reply, reply.Rejected
	case len(reply.Annotations) != 1:
		return reply, easel.Errorf(easel.CodeInternal, "an op was answered with %d annotations", len(reply.Annotations))
	default:
		return reply, nil
	}
}

// annotation answers with one annotation of the given version.
func (c *call) annotation(a easel.Annotation, epoch string, ver int64) error {
	c.at(epoch, ver)
	c.w.Header()["Etag"] = []string{revTag(a.Rev)}
	b := make([]byte, 0, 512)
	b = append(b, `{"annotation":`...)
	b = opcodec.AppendAnnotation(b, &a)
	writeBytes(c.w, c.route.Answer.Status, append(b, '}', '\n'))
	return nil
}

// revTag is the ETag of a revision.
func revTag(rev int64) string { return `"` + strconv.FormatInt(rev, 10) + `"` }

// baseRev returns the rev that If-Match names: 0 without one and for "*", which
// any annotation that is there meets. A tag that is no rev of ours matches none,
// like a rev that never was. Of several tags it is the one that is current now.
func (c *call) baseRev(image, id easel.ID) int64 {
	header := strings.TrimSpace(c.r.Header.Get("If-Match"))
	if header == "" || header == "*" {
		return 0
	}
	if !strings.Contains(header, ",") {
		return tagRev(header)
	}
	one, err := askImage[canvas.OneReply](c, image, canvas.One{ID: id}, actors.Once{})
	if err != nil {
		return noRev // the write itself finds what is wrong, or that it is a repeat
	}
	for _, tag := range strings.Split(header, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tagRev(tag) == one.Annotation.Rev {
			return one.Annotation.Rev
		}
	}
	return noRev
}

// noRev is a rev that no annotation has.
const noRev = math.MaxInt64

// tagRev returns the rev that an entity tag names.
func tagRev(tag string) int64 {
	n, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	if err != nil || n < 1 {
		return noRev
	}
	return n
}

func (c *call) bulk() error {
	in, body, err := decode[bulkBody](c)
	if err != nil {
		return err
	}
	list := in.Annotations.Value
	items := make([]gallery.Item, len(list))
	var details []easel.Detail
	for i := range list {
		items[i] = gallery.Item{Image: list[i].ImageID.Value, Draft: list[i].draft()}
		if len(details) < maxDetails {
			details = append(details, list[i].broken(&items[i].Draft, "annotations["+strconv.Itoa(i)+"].")...)
		}
	}
	if err := invalid(details); err != nil {
		return err
	}
	if err := c.spend("", len(items)); err != nil {
		return err
	}
	ids, err := c.c.Images.Bulk(c.ctx, c.p, items, c.once(body))
	if err != nil {
		return err
	}
	return c.answer(bulkAnswer{Inserted: len(ids), Total: len(items), IDs: ids})
}

func (c *call) listAnnotations() error {
	image, filter, err := c.listed()
	if err != nil {
		return err
	}
	w, err := c.wants()
	if err != nil {
		return err
	}
	if v, ok := c.readCopy(image, "", &w); ok {
		list, err := v.List(filter)
		if err != nil {
			return err
		}
		return c.listing(list)
	}
	list, err := readOwner(c, image, filter, func(l canvas.Listing) (string, int64) { return l.Epoch, l.Ver }, w)
	if err != nil {
		return err
	}
	return c.listing(list)
}

// listParams are the parameters of a list of annotations.
func listParams() []Param {
	return []Param{
		{"label", "query", "string", "Only those with exactly this label."},
		{"minConfidence", "query", "number", "Only those with at least this confidence, 0 to 1; those without one do not match."},
	}
}

// listed returns the image in the path and which of its annotations are wanted.
func (c *call) listed() (image easel.ID, m canvas.List, err error) {
	if image, err = c.imageID(); err != nil {
		return "", m, err
	}
	if m.Label, err = c.query.text("label"); err != nil {
		return "", m, err
	}
	m.MinConfidence, err = c.query.fraction("minConfidence")
	return image, m, err
}

// listing answers a list.
func (c *call) listing(list canvas.Listing) error {
	if !c.large.hold(len(list.Body)) {
		return &easel.Error{Code: easel.CodeOverloaded, Message: "too many long lists are on their way", RetryAfter: time.Second}
	}
	defer c.large.release(len(list.Body))
	writeBytes(c.w, http.StatusOK, list.Body)
	return nil
}

// annotationIDs returns the ids in the path of one annotation.
func (c *call) annotationIDs() (image, id easel.ID, err error) {
	if image, err = c.imageID(); err != nil {
		return "", "", err
	}
	id, err = c.pathID("annotationId")
	return image, id, err
}

func (c *call) oneAnnotation() error {
	image, id, err := c.annotationIDs()
	if err != nil {
		return err
	}
	w, err := c.wants()
	if err != nil {
		return err
	}
	if v, ok := c.readCopy(image, id, &w); ok {
		return c.annotation(*v.One(), v.Epoch, v.Ver)
	}
	one, err := readOwner(c, image, canvas.One{ID: id}, func(o canvas.OneReply) (string, int64) { return o.Epoch, o.Ver }, w)
	if err != nil {
		return err
	}
	return c.annotation(one.Annotation, one.Epoch, one.Ver)
}

func (c *call) patchAnnotation() error {
	image, id, err := c.annotationIDs()
	if err != nil {
		return err
	}
	base := c.baseRev(image, id)
	body, err := c.jsonBytes()
	if err != nil {
		return err
	}
	set, err := opcodec.ParsePatch(body)
	if err != nil {
		return err
	}
	if err := c.spend("", 1); err != nil {
		return err
	}
	reply, err := c.apply(image, easel.Op{Kind: easel.OpPatch, ID: id, Set: &set, Base: base}, body)
	if err != nil {
		return err
	}
	return c.annotation(reply.Annotations[0], reply.Epoch, reply.Ver)
}

func (c *call) deleteAnnotation() error {
	image, id, err := c.annotationIDs()
	if err != nil {
		return err
	}
	base := c.baseRev(image, id)
	if err := c.spend("", 1); err != nil {
		return err
	}
	reply, err := askImage[canvas.Applied](c, image, canvas.Apply{
		By: c.author(), Ops: []easel.Op{{Kind: easel.OpDelete, ID: id, Base: base}},
	}, c.once(nil))
	if err == nil && reply.Rejected != nil {
		err = reply.Rejected
	}
	if err != nil {
		return err
	}
	c.at(reply.Epoch, reply.Ver)
	return c.done()
}
