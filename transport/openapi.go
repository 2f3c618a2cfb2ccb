package transport

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/easelhq/easel"
)

// document makes the OpenAPI 3.1 document of the routes.
func document(routes []Route, version string) ([]byte, error) {
	if version == "" {
		version = "dev"
	}
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	registry.RegisterTypeAlias(reflect.TypeFor[easel.Time](), reflect.TypeFor[time.Time]())
	registry.RegisterTypeAlias(reflect.TypeFor[rawJSON](), reflect.TypeFor[anyDoc]())
	registry.RegisterTypeAlias(reflect.TypeFor[json.RawMessage](), reflect.TypeFor[objectDoc]())
	registry.RegisterTypeAlias(reflect.TypeFor[instant](), reflect.TypeFor[instantDoc]())
	registry.RegisterTypeAlias(reflect.TypeFor[jsontext.Value](), reflect.TypeFor[objectDoc]())
	registry.RegisterTypeAlias(reflect.TypeFor[easel.Shape](), reflect.TypeFor[shapeDoc]())
	registry.RegisterTypeAlias(reflect.TypeFor[easel.Attributes](), reflect.TypeFor[attributesDoc]())
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Easel", Version: version,
			Description: "Live, multi-user image annotation. Ids are 32 lower-case hex characters, times RFC 3339 UTC with milliseconds, coordinates fractions of the image's sides. Any answer may also be `internal` 500, `overloaded` 503 or `unavailable` 503.",
		},
		Components: &huma.Components{
			Schemas: registry,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"token":  {Type: "http", Scheme: "bearer", Description: "A JWT, or a service key."},
				"ticket": {Type: "apiKey", In: "query", Name: "ticket", Description: "A ticket of POST /api/tickets."},
			},
		},
	}
	for i := range routes {
		doc.AddOperation(operation(&routes[i], registry))
	}
	neverNull(registry)
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("encode openapi document: %w", err)
	}
	return b, nil
}

func operation(r *Route, registry huma.Registry) *huma.Operation {
	op := &huma.Operation{
		Method: r.Method, Path: openPath(r.Path), OperationID: operationID(r),
		Summary: r.Summary, Description: describe(r), Tags: []string{r.Tag},
		Responses: map[string]*huma.Response{},
	}
	switch r.Access {
	case Token:
		op.Security = []map[string][]string{{"token": {}}}
	case Ticketed:
		op.Security = []map[string][]string{{"token": {}}, {"ticket": {}}}
	case Open, Signed:
	}
	for _, name := range r.PathParams() {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: pathSchema(r, name)})
	}
	for _, p := range r.Params {
		op.Parameters = append(op.Parameters, &huma.Param{Name: p.Name, In: p.In, Description: p.Doc, Schema: &huma.Schema{Type: p.Type}})
	}
	if r.Writes() {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: "string"},
			Description: "Makes a repeat within 24 h return the first verdict; with another body it is `invalid`.",
		})
	}
	if r.Body.Media != "" {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			r.Body.Media: {Schema: bodySchema(r, registry)},
		}}
	}
	op.Responses[strconv.Itoa(r.Answer.Status)] = success(r, registry)
	failures(r, op, registry)
	return op
}

// openPath turns a ServeMux path into an OpenAPI one.
func openPath(path string) string { return strings.ReplaceAll(path, "...}", "}") }

// operationID is the method and the path in words: get-api-images-id.
func operationID(r *Route) string {
	words := strings.FieldsFunc(strings.ToLower(r.Method+r.Path), func(c rune) bool { return strings.ContainsRune("/{}.", c) })
	return strings.Join(words, "-")
}

func describe(r *Route) string {
	var parts []string
	if r.Doc != "" {
		parts = append(parts, r.Doc)
	}
	if r.Role != "" {
		parts = append(parts, "Needs role "+string(r.Role)+" or more.")
	}
	return strings.Join(parts, " ")
}

func pathSchema(r *Route, name string) *huma.Schema {
	if strings.Contains(r.Path, name+"...}") {
		return &huma.Schema{Type: "string", Description: "May hold slashes, plain or as %2F."}
	}
	length := easel.IDLength
	return &huma.Schema{Type: "string", Pattern: "^[0-9a-f]{32}$", MinLength: &length, MaxLength: &length}
}

func bodySchema(r *Route, registry huma.Registry) *huma.Schema {
	switch {
	case r.Body.Doc != nil:
		return registry.Schema(r.Body.Doc, true, "")
	case r.Body.Type != nil:
		return registry.Schema(r.Body.Type, true, "")
	default:
		return &huma.Schema{Type: "string", Format: "binary"}
	}
}

func success(r *Route, registry huma.Registry) *huma.Response {
	res := &huma.Response{Description: r.Summary}
	for _, name := range append([]string{"X-Request-Id"}, r.Answer.Headers...) {
		if res.Headers == nil {
			res.Headers = map[string]*huma.Param{}
		}
		res.Headers[name] = &huma.Param{Schema: &huma.Schema{Type: "string"}}
	}
	if r.Answer.Media == "" {
		return res
	}
	media := &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	switch {
	case r.Answer.Type != nil:
		media.Schema = registry.Schema(r.Answer.Type, true, "")
	case r.Answer.Media == "application/json":
		media.Schema = &huma.Schema{Type: "object"}
	case strings.HasPrefix(r.Answer.Media, "text/"):
		media.Schema = &huma.Schema{Type: "string"}
	}
	res.Content = map[string]*huma.MediaType{r.Answer.Media: media}
	return res
}

// failures adds the route's errors, those of one status together.
func failures(r *Route, op *huma.Operation, registry huma.Registry) {
	schema := registry.Schema(reflect.TypeFor[errorBody](), true, "")
	byStatus := map[int][]string{}
	for _, code := range r.Codes() {
		statuses := []int{Status(code)}
		if code == easel.CodeConflict && r.conditional() {
			statuses = append(statuses, 412)
		}
		for _, s := range statuses {
			byStatus[s] = append(byStatus[s], "`"+string(code)+"`")
		}
	}
	for status, codes := range byStatus {
		slices.Sort(codes)
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: strings.Join(codes, ", "),
			Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
		}
	}
}

// conditional reports whether the route takes If-Match.
func (r *Route) conditional() bool {
	return slices.ContainsFunc(r.Params, func(p Param) bool { return p.Name == "If-Match" })
}
