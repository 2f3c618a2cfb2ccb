package transport

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/tenant"
)

// schemaBody is a whole label schema. Its rules are those of easel.LabelSchema.
type schemaBody struct {
	Labels  need[[]labelBody] `json:"labels" maxItems:"500" doc:"In the order in which pages show them."`
	Open    maybe[bool]       `json:"open" required:"false" doc:"Whether labels beyond these are welcome; true by default."`
	Version maybe[int64]      `json:"version" required:"false" minimum:"0" doc:"What it was made from: if it is no longer the newest, the answer is 409 conflict with current."`
}

type labelBody struct {
	Name       need[string]           `json:"name" minLength:"1" maxLength:"100"`
	Color      maybe[string]          `json:"color" required:"false" pattern:"^#[0-9a-f]{6}$"`
	Key        maybe[string]          `json:"key" required:"false" doc:"The character that chooses the label."`
	Attributes maybe[[]attributeBody] `json:"attributes" required:"false" maxItems:"64"`
}

type attributeBody struct {
	Name     need[string]    `json:"name" minLength:"1" maxLength:"64"`
	Type     need[string]    `json:"type" enum:"text,number,boolean,select"`
	Values   maybe[[]string] `json:"values" required:"false" doc:"Of a select: 1 to 100."`
	Min      maybe[float64]  `json:"min" required:"false" doc:"Of a number."`
	Max      maybe[float64]  `json:"max" required:"false" doc:"Of a number."`
	Required maybe[bool]     `json:"required" required:"false"`
}

func (b *schemaBody) schema() easel.LabelSchema {
	s := easel.LabelSchema{Labels: make([]easel.Label, len(b.Labels.Value)), Open: b.Open.Value || !b.Open.Set}
	for i := range b.Labels.Value {
		l := &b.Labels.Value[i]
		label := easel.Label{Name: l.Name.Value, Color: strings.ToLower(l.Color.Value), Key: l.Key.Value}
		for j := range l.Attributes.Value {
			a := &l.Attributes.Value[j]
			attribute := easel.LabelAttribute{Name: a.Name.Value, Type: a.Type.Value, Values: a.Values.Value, Required: a.Required.Value}
			if a.Min.Set {
				attribute.Min = &a.Min.Value
			}
			if a.Max.Set {
				attribute.Max = &a.Max.Value
			}
			label.Attributes = append(label.Attributes, attribute)
		}
		s.Labels[i] = label
	}
	return s
}

// schemaAnswer documents tenant.SchemaReply.
type schemaAnswer struct {
	Version   int64         `json:"version" doc:"0: nobody has put one."`
	Labels    []easel.Label `json:"labels"`
	Open      bool          `json:"open"`
	UpdatedBy string        `json:"updated_by"`
	UpdatedAt easel.Time    `json:"updated_at" nullable:"true" doc:"null: never."`
}

func schemaRoutes() []Route {
	return []Route{
		{
			Method: http.MethodGet, Path: "/api/schema", Tag: "Label schema", Summary: "The labels that the tenant draws with",
			Doc:    "It guides pages and refuses nothing: annotations may have any label and attributes. Poll it with If-None-Match.",
			Access: Token, Role: easel.Viewer, Answer: jsonAnswer[schemaAnswer](http.StatusOK, "ETag"),
			Params: []Param{
				{"version", "query", "integer", "An older version; the last 100 are kept."},
				{"If-None-Match", "header", "string", "304 if it is still that version."},
			},
			Errors: []easel.Code{easel.CodeNotFound, easel.CodeInvalid}, serve: (*call).getSchema,
		},
		{
			Method: http.MethodPut, Path: "/api/schema", Tag: "Label schema", Summary: "Replace the label schema by a new version",
			Doc:    "Annotations stay as they are, whatever the schema says. What is equal to the newest version makes no new one.",
			Access: Token, Role: easel.Admin, Params: conditionParams, Body: jsonBody[schemaBody](),
			Answer: jsonAnswer[schemaAnswer](http.StatusOK, "ETag"), serve: (*call).putSchema,
		},
		{
			Method: http.MethodGet, Path: "/api/schema/versions", Tag: "Label schema", Summary: "Who changed the label schema, newest first",
			Access: Token, Role: easel.Viewer, Answer: jsonAnswer[tenant.SchemaVersionsReply](http.StatusOK), serve: (*call).schemaVersions,
		},
	}
}

func (c *call) getSchema() error {
	version, err := c.query.integer("version", 0, 1, math.MaxInt64)
	if err != nil {
		return err
	}
	reply, err := askTenant[tenant.SchemaReply](c, tenant.Schema{Version: version}, actors.Once{})
	if err != nil {
		return err
	}
	tag := schemaTag(reply.Version)
	h := c.w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, no-cache")
	if m := c.r.Header.Get("If-None-Match"); m != "" && tagMatches(strings.ReplaceAll(m, "W/", ""), tag) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return c.answer(reply)
}

// schemaTag is the ETag of a version.
func schemaTag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

func (c *call) putSchema() error {
	in, body, err := decode[schemaBody](c)
	if err != nil {
		return err
	}
	schema := in.schema()
	if err := invalid(schema.Validate()); err != nil {
		return err
	}
	cond, err := c.condition()
	if err != nil {
		return err
	}
	if in.Version.Set && cond.IfMatch == "" {
		cond.IfMatch = strconv.FormatInt(in.Version.Value, 10)
	}
	reply, err := askTenant[tenant.SchemaReply](c, tenant.SchemaPut{By: c.member(), Schema: schema, If: cond}, c.once(body))
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", schemaTag(reply.Version))
	return c.answer(reply)
}

func (c *call) schemaVersions() error {
	reply, err := askTenant[tenant.SchemaVersionsReply](c, tenant.SchemaVersions{}, actors.Once{})
	if err != nil {
		return err
	}
	return c.answer(reply)
}
