package transport

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/tenant"
)

type keysAnswer struct {
	Keys       []tenant.KVEntry `json:"keys"`
	NextCursor *string          `json:"next_cursor" doc:"null at the end."`
}

func valueRoutes() []Route {
	ttl := Param{"ttl", "query", "integer", "Seconds after which the value is gone; without it, it stays."}
	return []Route{
		{
			Method: http.MethodPut, Path: "/api/kv/{key...}", Tag: "Values", Summary: "Store a small value, to 1 MiB",
			Doc:    "The body is the value, byte for byte. Annotators write below u/<base64url(sub)>/, admins anywhere.",
			Access: Token, Role: easel.Annotator, Params: append([]Param{ttl}, conditionParams...), Body: Body{Media: "*/*"},
			Answer: jsonAnswer[storedAnswer](http.StatusOK, "ETag"), Errors: []easel.Code{easel.CodeRateLimited}, serve: (*call).putValue,
		},
		{
			Method: http.MethodGet, Path: "/api/kv/{key...}", Tag: "Values", Summary: "A value",
			Access: Token, Role: easel.Viewer, Params: contentParams(),
			Answer: Answer{Status: http.StatusOK, Media: "application/octet-stream", Headers: contentHeaders},
			Errors: []easel.Code{easel.CodeNotFound, easel.CodeInvalid, easel.CodeRange, easel.CodeConflict}, serve: (*call).getValue,
		},
		{
			Method: http.MethodDelete, Path: "/api/kv/{key...}", Tag: "Values", Summary: "Delete a value",
			Access: Token, Role: easel.Annotator, Params: conditionParams, Answer: noContent(),
			Errors: []easel.Code{easel.CodeNotFound}, serve: (*call).deleteValue,
		},
		{
			Method: http.MethodGet, Path: "/api/kv", Tag: "Values", Summary: "The tenant's keys in byte order",
			Access: Token, Role: easel.Viewer, Params: pageParams(Param{"prefix", "query", "string", "Only keys that start so."}),
			Answer: jsonAnswer[keysAnswer](http.StatusOK), Errors: []easel.Code{easel.CodeInvalid}, serve: (*call).listValues,
		},
	}
}

func (c *call) putValue() error {
	key, err := c.pathName("key")
	if err != nil {
		return err
	}
	cond, err := c.condition()
	if err != nil {
		return err
	}
	ttl, err := c.query.integer("ttl", 0, 1, math.MaxInt64)
	if err != nil {
		return err
	}
	if e := c.r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return easel.Errorf(easel.CodeUnsupportedMedia, "a body may not be encoded")
	}
	body, err := c.bytes(tenant.MaxValue)
	if err != nil {
		return err
	}
	reply, err := askTenant[tenant.KVStored](c, tenant.KVPut{
		By: c.member(), Key: key, Value: body, TTL: ttl, If: cond,
	}, c.once(body))
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", `"`+reply.ETag+`"`)
	out := storedAnswer{OK: true, ETag: reply.ETag, Size: reply.Size}
	if reply.ExpiresAt != 0 {
		out.ExpiresAt = &reply.ExpiresAt
	}
	return c.answer(out)
}

func (c *call) getValue() error {
	key, err := c.pathName("key")
	if err != nil {
		return err
	}
	reply, err := askTenant[tenant.KVValue](c, tenant.KVGet{Key: key}, actors.Once{})
	if err != nil {
		return err
	}
	return c.content(gallery.Content{
		ContentType: "application/octet-stream", Size: int64(len(reply.Value)),
		ETag: reply.Entry.ETag, Modified: reply.Entry.UpdatedAt,
		Open: func(_ context.Context, r blob.Range) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(reply.Value[r.Offset : r.Offset+r.Length])), nil
		},
	}, "private, no-cache")
}

func (c *call) deleteValue() error {
	key, err := c.pathName("key")
	if err != nil {
		return err
	}
	cond, err := c.condition()
	if err != nil {
		return err
	}
	if _, err := askTenant[tenant.Empty](c, tenant.KVDelete{By: c.member(), Key: key, If: cond}, c.once(nil)); err != nil {
		return err
	}
	return c.done()
}

func (c *call) listValues() error {
	prefix, cursor, limit, err := c.prefix()
	if err != nil {
		return err
	}
	reply, err := askTenant[tenant.KVListReply](c, tenant.KVList{Prefix: prefix, Limit: limit, Cursor: cursor}, actors.Once{})
	if err != nil {
		return err
	}
	return c.answer(keysAnswer{Keys: list(reply.Keys), NextCursor: next(reply.Next)})
}
