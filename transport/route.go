package transport

import (
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/easelhq/easel"
)

// Access says what a route asks for before it serves.
type Access int

// The kinds of access.
const (
	Open     Access = iota // nothing
	Token                  // a JWT or a service key
	Ticketed               // a JWT, a service key, or ?ticket= of the image in the path
	Signed                 // a signature in the URL itself
)

// String returns the kind's name in the documentation.
func (a Access) String() string {
	switch a {
	case Open:
		return "none"
	case Token:
		return "token"
	case Ticketed:
		return "token or ticket"
	default:
		return "signed URL"
	}
}

// Route declares one endpoint.
type Route struct {
	Method  string
	Path    string // as in ServeMux; {name...} takes the rest, slashes and all
	Tag     string // groups routes in the documentation
	Summary string
	Doc     string // more than the summary says; may be ""
	Access  Access
	Role    easel.Role // the least one; "" if Access is Open or Signed
	Params  []Param    // query and header parameters; path parameters follow from Path
	Body    Body
	Answer  Answer
	Errors  []easel.Code // besides those of every route of its kind

	stream bool // lives until its client leaves; HEAD makes no sense
	serve  func(*call) error
}

// Param is a query or header parameter.
type Param struct {
	Name string
	In   string // "query" or "header"
	Type string // JSON schema type
	Doc  string
}

// Body is what a route takes. The zero Body is none.
type Body struct {
	Media string       // "application/json", "multipart/form-data" or "*/*"
	Type  reflect.Type // of a JSON body that is decoded and checked by its tags
	Doc   reflect.Type // describes a body that is read otherwise
}

// Answer is what a route answers when it succeeds.
type Answer struct {
	Status  int
	Media   string       // "" has no body
	Type    reflect.Type // of a JSON answer
	Headers []string
}

// Writes reports whether the route changes something, so that it takes an
// Idempotency-Key.
func (r *Route) Writes() bool {
	return r.Access == Token && r.Method != http.MethodGet && r.Method != http.MethodHead
}

// Pattern returns the route as ServeMux takes it.
func (r *Route) Pattern() string { return r.Method + " " + r.Path }

// Image returns the name of the path parameter that is an image's id; "" if the
// path has none.
func (r *Route) Image() string {
	switch {
	case strings.Contains(r.Path, "{imageId}"):
		return "imageId"
	case strings.HasPrefix(r.Path, "/api/images/{id}"):
		return "id"
	default:
		return ""
	}
}

// Codes returns every error code that the route may answer, sorted, except those
// that any server may answer at any time: internal, overloaded and unavailable.
func (r *Route) Codes() []easel.Code {
	codes := slices.Clone(r.Errors)
	if r.Access != Open {
		codes = append(codes, easel.CodeUnauthorized, easel.CodeForbidden)
	}
	if r.Image() != "" {
		codes = append(codes, easel.CodeNotFound, easel.CodeGone, easel.CodeInvalid)
	}
	if r.Body.Media != "" {
		codes = append(codes, easel.CodeBadRequest, easel.CodeInvalid, easel.CodeTooLarge, easel.CodeUnsupportedMedia)
	}
	if r.Writes() {
		codes = append(codes, easel.CodeConflict, easel.CodeInvalid)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// PathParams returns the names of the path's parameters in order.
func (r *Route) PathParams() []string {
	var out []string
	for _, s := range strings.Split(r.Path, "/") {
		if name, ok := strings.CutPrefix(s, "{"); ok && name != "$}" {
			out = append(out, strings.TrimSuffix(strings.TrimSuffix(name, "}"), "..."))
		}
	}
	return out
}

// Routes returns every route, in the order of the documentation.
func Routes() []Route {
	return slices.Concat(
		nodeRoutes(), clusterRoutes(), accountRoutes(), eraseRoutes(), imageRoutes(), contentRoutes(), tileRoutes(), sqliteRoutes(), annotationRoutes(),
		opRoutes(), predictionRoutes(), pastRoutes(), messageRoutes(), fileRoutes(), valueRoutes(), schemaRoutes(), keyRoutes(),
	)
}

// jsonBody declares a JSON body of type T.
func jsonBody[T any]() Body {
	return Body{Media: "application/json", Type: reflect.TypeFor[T]()}
}

// jsonAnswer declares a JSON answer of type T.
func jsonAnswer[T any](status int, headers ...string) Answer {
	return Answer{Status: status, Media: "application/json", Type: reflect.TypeFor[T](), Headers: headers}
}

// noContent declares an answer without a body.
func noContent() Answer { return Answer{Status: http.StatusNoContent} }
