package transport

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/auth"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/live"
	"github.com/easelhq/easel/tenant"
)

// Images is what the image routes need of package gallery. What each method does
// and answers is said there.
type Images interface {
	Upload(ctx context.Context, p easel.Principal, u gallery.Upload) (easel.Image, error)
	Bulk(ctx context.Context, p easel.Principal, items []gallery.Item, once actors.Once) ([]easel.ID, error)
}

// Pictures is where the bytes of images come from, see package gallery.
type Pictures interface {
	Image(ctx context.Context, p easel.Principal, id easel.ID) (gallery.Content, error)
	Thumbnail(ctx context.Context, p easel.Principal, id easel.ID, size int) (gallery.Content, error)
	Tiling(ctx context.Context, p easel.Principal, id easel.ID) (gallery.Tiling, error)
	Tile(ctx context.Context, p easel.Principal, id easel.ID, level, x, y int) (gallery.Content, error)
	PresignImage(ctx context.Context, p easel.Principal, id easel.ID, ttl time.Duration) (url string, ok bool, err error)
}

// Files is where tenants' files are kept, see package gallery.
type Files interface {
	PutFile(ctx context.Context, p easel.Principal, f gallery.FileUpload) (tenant.File, error)
	File(ctx context.Context, p easel.Principal, name string) (tenant.File, gallery.Content, error)
	DeleteFile(ctx context.Context, p easel.Principal, name string, c tenant.Condition, once actors.Once) error
}

// Stream serves a WebSocket or an event stream on an image that exists and that
// p may watch. It returns when the client has left.
type Stream func(w http.ResponseWriter, r *http.Request, p easel.Principal, image easel.ID)

// Replicas are the copies of images that this node has; live.Rooms has them.
type Replicas interface {
	// Look returns a copy of an image that has reached since and is not too old: all
	// annotations, or the one with an id. It may wait a little for since.
	Look(ctx context.Context, image actors.Key, since live.Position, one easel.ID) live.View
}

// Node is what a node tells of itself.
type Node struct {
	Name    string
	Region  string
	Version string
	// Ready reports whether the node takes requests: not while it starts or
	// drains. Nil: always.
	Ready func() bool
}

// Limits bounds what is asked of the edge. A zero bound of a body means its
// default; a zero rate is no limit.
type Limits struct {
	Body   int64 // bytes of a JSON body; 1 MiB
	Upload int64 // bytes of an image; 10 MiB
	File   int64 // bytes of a tenant's file; 5 GiB
	Lists  int64 // bytes of long lists that are on their way at once; 512 MiB

	ClientOps   int // ops a second of one client, that is a user and a client id
	ClientBurst int // ops at once; ClientOps if 0
	TenantOps   int // ops a second of one tenant on this node
}

// Rates are the limits that GET /api/usage reports beside the tenant's own; they
// are kept by others. 0 is no limit, and not reported.
type Rates struct {
	ClientOps        int   `json:"client_ops_per_second,omitempty"`
	ClientBurst      int   `json:"client_ops_burst,omitempty"`
	ClientPresence   int   `json:"client_presence_per_second,omitempty"`
	ImageOps         int   `json:"image_ops_per_second,omitempty"`
	ImageSockets     int   `json:"image_sockets,omitempty"`
	ImageAnnotations int   `json:"image_annotations,omitempty"`
	TenantOps        int   `json:"tenant_ops_per_second,omitempty"`
	TenantSockets    int   `json:"tenant_sockets,omitempty"`
	FrameBytes       int64 `json:"frame_bytes,omitempty"`
	BodyBytes        int64 `json:"body_bytes,omitempty"`
	UploadBytes      int64 `json:"upload_bytes,omitempty"`
	FileBytes        int64 `json:"file_bytes,omitempty"`
}

// Config is what an API is made of. All parts must be there unless they say
// otherwise.
type Config struct {
	Node     Node
	Cluster  Cluster
	Auth     *auth.Authenticator
	Actors   actors.Asker
	Images   Images
	Pictures Pictures
	Files    Files
	Past     Past
	Copies   Copies   // nil: images cannot be downloaded as files
	Eraser   Eraser   // nil: tenants cannot be erased
	Replicas Replicas // nil: every read is answered by the image's owner
	Live     Stream   // WebSocket
	Events   Stream   // SSE
	// Page answers what is not under /api/ and no route takes, its own not_found
	// included. Nil: there is no page.
	Page http.Handler
	// Metrics answers GET /metrics. Nil: the route answers not_found.
	Metrics http.Handler
	// URLKey signs the URLs of images if the store cannot; at least 32 bytes, kept
	// in the store, so that URLs outlive the process.
	URLKey    []byte
	PublicURL string   // scheme and host under which clients reach the node; "": as each request says
	Origins   []string // other sites that may call: scheme://host[:port]
	Limits    Limits
	Rates     Rates
	Timeout   time.Duration // of one request to an actor; 10 s
	Stall     time.Duration // for which a client may take nothing of its answer; 30 s

	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger
	Registry prometheus.Registerer // nil: no metrics
	Tracer   trace.TracerProvider  // nil: no traces
}

// API serves all routes.
type API struct {
	c       Config
	mux     *http.ServeMux
	routes  []Route
	shapes  map[*Route]*shape
	origins map[string]bool
	running inflight
	limits  limiters
	large   largeBodies
	metrics *metrics
	openapi func() ([]byte, error) // made when first asked for, to start fast
	docs    func() []byte
	handler http.Handler
}

const (
	defaultBody    = 1 << 20
	defaultUpload  = 10 << 20
	defaultFile    = 5 << 30
	defaultLists   = 512 << 20
	defaultTimeout = 10 * time.Second
)

// New checks the configuration and makes an API.
func New(c Config) (*API, error) {
	if c.Auth == nil || c.Actors == nil || c.Images == nil || c.Pictures == nil || c.Files == nil || c.Past == nil || c.Cluster == nil || c.Log == nil {
		return nil, errors.New("transport: a part is missing")
	}
	if len(c.URLKey) < auth.MinSecret {
		return nil, errors.New("transport: the URL key is too short")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	setDefault(&c.Limits.Body, defaultBody)
	setDefault(&c.Limits.Upload, defaultUpload)
	setDefault(&c.Limits.File, defaultFile)
	setDefault(&c.Limits.Lists, defaultLists)
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Stall == 0 {
		c.Stall = stallTime
	}
	a := &API{
		c: c, mux: http.NewServeMux(), routes: Routes(),
		shapes: make(map[*Route]*shape), origins: make(map[string]bool),
		running: inflight{keys: make(map[string]struct{})},
		limits:  newLimiters(c.Limits),
		large:   largeBodies{left: c.Limits.Lists},
		metrics: newMetrics(c.Registry),
	}
	for _, o := range c.Origins {
		a.origins[o] = true
	}
	for i := range a.routes {
		route := &a.routes[i]
		if route.Body.Type != nil {
			a.shapes[route] = shapeOf(route.Body.Type)
		}
		a.mux.Handle(route.Pattern(), a.endpoint(route))
	}
	a.mux.HandleFunc("/", a.otherwise)
	a.openapi = sync.OnceValues(func() ([]byte, error) { return document(a.routes, c.Node.Version) })
	a.docs = sync.OnceValue(func() []byte { return docsPage(a.routes) })
	a.handler = a.outer()
	return a, nil
}

func setDefault(v *int64, d int64) {
	if *v == 0 {
		*v = d
	}
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// outer wraps the mux in what every request passes: tracing outermost, then the
// record that logs and counts.
func (a *API) outer() http.Handler {
	h := a.crossOrigin(http.HandlerFunc(a.dispatch))
	h = a.recorded(h)
	if _, off := a.c.Tracer.(noop.TracerProvider); off || a.c.Tracer == nil {
		return h
	}
	return otelhttp.NewHandler(h, "http", otelhttp.WithTracerProvider(a.c.Tracer),
		otelhttp.WithSpanNameFormatter(spanName))
}

// spanName is asked for before the route is known, and again at the end.
func spanName(_ string, r *http.Request) string {
	if r.Pattern == "" || r.Pattern == "/" {
		return r.Method
	}
	return r.Pattern
}

// Server returns an http.Server for h with the time-outs that keep slow clients
// from holding connections. Bodies have none as a whole: each read of an upload
// has one.
func Server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      2 * stallTime, // counts from the request on; whoever writes for longer renews it
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
