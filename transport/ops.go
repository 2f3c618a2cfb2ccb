package transport

import (
	"net/http"
	"reflect"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/opcodec"
)

// opsBody documents what opcodec.ParseBody reads.
type opsBody struct {
	Client string   `json:"client" minLength:"1" maxLength:"64" doc:"Names the writer, with its user; bytes."`
	Seq    int64    `json:"seq" minimum:"1" doc:"Counts up by one per client, from 1."`
	Ops    []opBody `json:"ops" minItems:"1" maxItems:"500" doc:"All apply or none."`
}

type opBody struct {
	Kind       string     `json:"k" enum:"put,patch,del"`
	ID         string     `json:"id,omitempty" pattern:"^[0-9a-f]{32}$" doc:"Required but for put, where the server chooses it if it is missing."`
	Annotation *opDraft   `json:"annotation,omitempty" doc:"put"`
	Set        *patchBody `json:"set,omitempty" doc:"patch"`
	Base       int64      `json:"base,omitempty" minimum:"1" doc:"patch, del: only if the annotation still has this rev."`
}

type opDraft struct {
	Label      string           `json:"label" minLength:"1" maxLength:"100"`
	X          float64          `json:"x,omitempty" minimum:"0" maximum:"1" doc:"The four sides are required without a shape."`
	Y          float64          `json:"y,omitempty" minimum:"0" maximum:"1"`
	Width      float64          `json:"width,omitempty" minimum:"0.001" maximum:"1"`
	Height     float64          `json:"height,omitempty" minimum:"0.001" maximum:"1"`
	Confidence *float64         `json:"confidence,omitempty" nullable:"true" minimum:"0" maximum:"1"`
	Shape      easel.Shape      `json:"shape,omitempty"`
	Attributes easel.Attributes `json:"attributes,omitempty"`
	Source     string           `json:"source,omitempty" enum:"human,model"`
	Model      string           `json:"model,omitempty" maxLength:"100"`
}

type ackAnswer struct {
	Type    string         `json:"t" enum:"ack"`
	Seq     int64          `json:"seq"`
	Ver     int64          `json:"ver"`
	Results []easel.Result `json:"results"`
}

type logAnswer struct {
	Ops        []logEntry `json:"ops" doc:"Oldest first, without gap."`
	NextCursor *string    `json:"next_cursor" doc:"null at the end."`
}

type logEntry struct {
	Ver int64          `json:"ver"`
	By  string         `json:"by"`
	At  easel.Time     `json:"at"`
	Ops []easel.Effect `json:"ops"`
}

func opRoutes() []Route {
	return []Route{
		{
			Method: http.MethodPost, Path: "/api/images/{id}/ops", Tag: "Ops", Summary: "One batch of ops, exactly once by client and seq",
			Doc:    "The same as the socket's op frame: the answer is its ack, or the error of its rej. An ack and a permanent error consume the seq.",
			Access: Token, Role: easel.Annotator, Body: Body{Media: "application/json", Doc: reflect.TypeFor[opsBody]()},
			Answer: jsonAnswer[ackAnswer](http.StatusOK, "X-Easel-Version"),
			Errors: []easel.Code{easel.CodeBadSeq, easel.CodeRateLimited}, serve: (*call).postOps,
		},
		{
			Method: http.MethodGet, Path: "/api/images/{id}/ops", Tag: "Ops", Summary: "The op log",
			Access: Token, Role: easel.Viewer, Params: pageParams(readParams(
				Param{"since", "query", "integer", "Only what came after this version; 0 by default. A cursor takes its place."},
			)...),
			Answer: jsonAnswer[logAnswer](http.StatusOK, "X-Easel-Version"), serve: (*call).opLog,
		},
	}
}

func (c *call) postOps() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	body, err := c.jsonBytes()
	if err != nil {
		return err
	}
	frame, bad := opcodec.ParseBody(body)
	if bad != nil && frame.Seq == 0 {
		return bad
	}
	if err := c.spend(frame.Client, len(frame.Ops)); err != nil {
		return err
	}
	m := canvas.Apply{By: c.author(), Client: frame.Client, Seq: frame.Seq, Hash: frame.Hash, Ops: frame.Ops}
	if bad != nil {
		m.Refused = asError(bad) // refused for good, and so it consumes its seq
	}
	reply, err := askImage[canvas.Applied](c, id, m, c.once(body))
	switch {
	case err != nil:
		return err
	case reply.Rejected != nil:
		return reply.Rejected
	}
	c.at(reply.Epoch, reply.Ver)
	return c.answer(ackAnswer{Type: "ack", Seq: frame.Seq, Ver: reply.Ver, Results: list(reply.Results)})
}

func (c *call) opLog() error {
	id, err := c.imageID()
	if err != nil {
		return err
	}
	since, err := c.query.since()
	if err != nil {
		return err
	}
	limit, err := c.query.limit()
	if err != nil {
		return err
	}
	reply, err := readImage(c, id, canvas.Log{Since: since, Limit: limit, Archived: true}, func(l canvas.LogReply) (string, int64) { return l.Epoch, l.Ver })
	if err != nil {
		return err
	}
	if chunk := reply.Chunk; chunk != nil {
		if reply.Batches, err = c.c.Past.Archived(c.ctx, c.p, id, *chunk, since, limit); err != nil {
			return err
		}
		if n := len(reply.Batches); n > 0 {
			reply.Next = reply.Batches[n-1].Ver // the log has newer ones at least
		}
	}
	entries := make([]logEntry, len(reply.Batches))
	for i, b := range reply.Batches {
		entries[i] = logEntry{Ver: b.Ver, By: b.By, At: b.At, Ops: list(b.Ops)}
	}
	cursor := ""
	if reply.Next > 0 {
		cursor = versionCursor(reply.Next)
	}
	return c.answer(logAnswer{Ops: entries, NextCursor: next(cursor)})
}
