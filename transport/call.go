package transport

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/auth"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/tenant"
)

// call is one request that has been let in.
type call struct {
	*API
	w     http.ResponseWriter
	r     *http.Request
	ctx   context.Context //nolint:containedctx // the request's own, and no longer lived than it
	route *Route
	p     easel.Principal // zero on open and signed routes
	query query
	key   string // the Idempotency-Key, scoped; "" for none
	// timeout of one request to an actor; 0: as configured.
	timeout time.Duration
}

// endpoint makes the handler of a route: who asks, whether they may, and then
// the route's own work.
func (a *API) endpoint(route *Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rec, ok := w.(*recorder); ok {
			rec.route = route.Path
		}
		c := &call{API: a, w: w, r: r, ctx: r.Context(), route: route}
		body := r.Body // a route may bound it
		if err := c.run(); err != nil {
			passOver(w, r, body)
			WriteError(w, r, err)
			a.note(r, route.Path, w.Header().Get("X-Request-Id"), err)
		}
	})
}

func (c *call) run() error {
	if c.route.stream && c.r.Method == http.MethodHead {
		c.w.Header().Set("Allow", http.MethodGet)
		return easel.Errorf(easel.CodeMethodNotAllowed, "a stream has no HEAD")
	}
	var err error
	if c.query, err = parseQuery(c.r.URL.RawQuery); err != nil {
		return err
	}
	if err := c.admit(); err != nil {
		return err
	}
	if !c.route.Writes() {
		return c.route.serve(c)
	}
	release, err := c.idempotent()
	if err != nil {
		return err
	}
	defer release()
	return c.route.serve(c)
}

// admit finds out who asks and whether the route is for them.
func (c *call) admit() error {
	switch c.route.Access {
	case Open, Signed:
		return nil
	case Ticketed:
		if ticket, ok := c.query.find("ticket"); ok {
			return c.admitTicket(ticket)
		}
	case Token:
	}
	p, err := c.authenticate()
	if err != nil {
		return err
	}
	c.p = p
	if !p.Role.AtLeast(c.route.Role) {
		return easel.Errorf(easel.CodeForbidden, "role %s may not do this; it needs %s", p.Role, c.route.Role)
	}
	ctx, cancel := c.bounded()
	defer cancel()
	err = c.c.Auth.Meet(ctx, p)
	if c.erasing() && easel.CodeOf(err) == easel.CodeGone {
		return nil
	}
	return err
}

func (c *call) admitTicket(ticket string) error {
	p, err := c.c.Auth.Ticket(ticket, easel.ID(c.r.PathValue(c.route.Image())))
	if err != nil {
		return err
	}
	c.p = p
	if !p.Role.AtLeast(c.route.Role) {
		return easel.Errorf(easel.CodeForbidden, "role %s may not do this; it needs %s", p.Role, c.route.Role)
	}
	return nil
}

// protocolPrefix starts the second subprotocol that a browser offers, because it
// cannot set a header on a WebSocket.
const protocolPrefix = "bearer."

func (c *call) authenticate() (easel.Principal, error) {
	headers := c.r.Header.Values("Authorization")
	switch {
	case len(headers) == 1:
		return c.c.Auth.Header(c.ctx, headers[0])
	case len(headers) > 1:
		return easel.Principal{}, auth.Missing()
	}
	if c.route.stream {
		for _, line := range c.r.Header.Values("Sec-WebSocket-Protocol") {
			for _, protocol := range strings.Split(line, ",") {
				if token, ok := strings.CutPrefix(strings.TrimSpace(protocol), protocolPrefix); ok {
					return c.c.Auth.Bearer(c.ctx, token)
				}
			}
		}
	}
	return easel.Principal{}, auth.Missing()
}

// author is c's principal as images' actors know it.
func (c *call) author() canvas.Author {
	return canvas.Author{User: c.p.User, Name: c.p.Name, Role: c.p.Role}
}

// member is c's principal as tenants' actors know it.
func (c *call) member() tenant.Author {
	return tenant.Author{User: c.p.User, Name: c.p.Name, Role: c.p.Role}
}

// imageID returns the id of the image in the path.
func (c *call) imageID() (easel.ID, error) { return c.pathID(c.route.Image()) }

// pathID returns a path parameter that is an id. A malformed one is CodeInvalid.
func (c *call) pathID(name string) (easel.ID, error) {
	id := easel.ID(c.r.PathValue(name))
	if !id.Valid() {
		return "", easel.Invalid(name, "must be "+idRule)
	}
	return id, nil
}

// bounded returns a context for one question to an actor: it is asked for as long as
// the route may take, and not only for as long as questions without an end are.
func (c *call) bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.ctx, cmp.Or(c.timeout, c.c.Timeout))
}

// ask sends m to an actor and returns its answer as an R.
func ask[R actors.Message](c *call, to actors.Key, m actors.Message, once actors.Once) (R, error) {
	ctx, cancel := c.bounded()
	defer cancel()
	return actors.Ask[R](ctx, c.c.Actors, actors.Request{To: to, Message: m, Once: once})
}

// askImage asks the actor of the image in c's tenant.
func askImage[R actors.Message](c *call, image easel.ID, m actors.Message, once actors.Once) (R, error) {
	return ask[R](c, canvas.Key(c.p.Tenant, image), m, once)
}

// askTenant asks the actor of c's tenant.
func askTenant[R actors.Message](c *call, m actors.Message, once actors.Once) (R, error) {
	return ask[R](c, tenant.Key(c.p.Tenant), m, once)
}

// bodyTime is how long a client may take to send a JSON body.
const bodyTime = 30 * time.Second

// jsonBytes reads a whole body that is not declared to be anything but JSON.
func (c *call) jsonBytes() ([]byte, error) {
	if err := c.wantJSON(); err != nil {
		return nil, err
	}
	return c.bytes(c.c.Limits.Body)
}

// bytes reads a whole body of at most limit bytes.
func (c *call) bytes(limit int64) ([]byte, error) {
	if c.r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	// Not every ResponseWriter has deadlines; a test's has none.
	rc := http.NewResponseController(c.w)
	_ = rc.SetReadDeadline(time.Now().Add(bodyTime))
	defer func() { _ = rc.SetReadDeadline(time.Time{}) }()
	var buf bytes.Buffer
	if n := c.r.ContentLength; n > 0 {
		buf.Grow(int(n) + bytes.MinRead) // so that ReadFrom finds the end without growing
	}
	if _, err := buf.ReadFrom(http.MaxBytesReader(c.w, c.r.Body, limit)); err != nil {
		return nil, readFailed(err)
	}
	return buf.Bytes(), nil
}

// readFailed is the error for a body that could not be read to its end.
func readFailed(err error) error {
	if e := asError(err); e.Code == easel.CodeTooLarge {
		return e
	}
	return &easel.Error{Code: easel.CodeBadRequest, Message: "the body ended early", Err: err}
}

// wantJSON refuses a body that is said to be something else. One that is said to
// be nothing is taken for JSON.
func (c *call) wantJSON() error {
	if e := c.r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return easel.Errorf(easel.CodeUnsupportedMedia, "a body may not be encoded")
	}
	ct := c.r.Header.Get("Content-Type")
	if ct == "" || ct == "application/json" {
		return nil
	}
	media, params, err := mime.ParseMediaType(ct)
	if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return easel.Errorf(easel.CodeUnsupportedMedia, "the body must be application/json")
	}
	if cs := params["charset"]; cs != "" && !strings.EqualFold(cs, "utf-8") {
		return easel.Errorf(easel.CodeUnsupportedMedia, "the body must be UTF-8")
	}
	return nil
}

// decode reads the route's JSON body and checks it by the rules in its tags. It
// returns the bytes too, for the request's hash.
func decode[T any](c *call) (*T, []byte, error) {
	b, err := c.jsonBytes()
	if err != nil {
		return nil, nil, err
	}
	v := new(T)
	if err := decodeStrict(b, v); err != nil {
		return nil, nil, err
	}
	var details []easel.Detail
	c.shapes[c.route].check(reflect.ValueOf(v), "", &details)
	return v, b, invalid(details)
}

// once returns what makes the request take effect once, given its body.
func (c *call) once(body []byte) actors.Once {
	if c.key == "" {
		return actors.Once{}
	}
	h := sha256.New()
	for _, part := range []string{c.r.URL.RawQuery, c.r.Header.Get("If-Match"), c.r.Header.Get("If-None-Match")} {
		_, _ = io.WriteString(h, part+"\x00") // a hash never fails
	}
	h.Write(body)
	return actors.Once{ID: c.key, Hash: hex.EncodeToString(h.Sum(nil))}
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// Answers are made of encodable types only.
		panic("transport: encode answer: " + err.Error())
	}
	writeBytes(w, status, buf.Bytes())
}

// writeBytes answers with JSON that is encoded already.
func writeBytes(w http.ResponseWriter, status int, b []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	if h["Cache-Control"] == nil {
		h["Cache-Control"] = noStore
	}
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client may have gone, which is its affair
}

// Header values that never change are shared.
var (
	jsonType = []string{"application/json"}
	noStore  = []string{"no-store"}
)

// answer writes v with the route's own status.
func (c *call) answer(v any) error {
	writeJSON(c.w, c.route.Answer.Status, v)
	return nil
}

// done answers without a body.
func (c *call) done() error {
	c.w.WriteHeader(c.route.Answer.Status)
	return nil
}

// at tells which version of the image the answer shows.
func (c *call) at(epoch string, ver int64) {
	c.w.Header()["X-Easel-Version"] = []string{epoch + ":" + strconv.FormatInt(ver, 10)}
}
