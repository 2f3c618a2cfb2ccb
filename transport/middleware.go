package transport

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/cors"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/easelhq/easel"
)

// recorder notes what became of a request, for the log and the metrics.
type recorder struct {
	http.ResponseWriter
	route  string // pattern's path; "" if none matched
	status int    // 0 until the header is written
	bytes  int64
	taken  bool // hijacked
	start  time.Time
	stall  time.Duration // for which a client may take nothing of its answer
}

// largeWrite is how many bytes are given to the connection at once, each with a
// deadline of its own: what is smaller the kernel takes for all but those who do
// not read at all, which the server's own WriteTimeout is for.
const largeWrite = 16 << 10

// renew makes the next write wait no longer than a stall. The server gave the
// request a deadline when it came, which is good enough for a while.
func (r *recorder) renew(large bool) {
	if !large && time.Since(r.start) < r.stall {
		return
	}
	// Not every ResponseWriter has deadlines.
	_ = http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(r.stall))
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		r.status = status
	}
	r.renew(false)
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	written := 0
	for {
		part := b[written:min(len(b), written+largeWrite)]
		r.renew(len(b) > largeWrite)
		n, err := r.ResponseWriter.Write(part)
		written, r.bytes = written+n, r.bytes+int64(n)
		if err != nil || written == len(b) {
			return written, err
		}
	}
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Flush implements http.Flusher.
func (r *recorder) Flush() {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	// A writer that cannot flush sends when the handler returns.
	_ = http.NewResponseController(r.ResponseWriter).Flush()
}

// Hijack implements http.Hijacker, for WebSockets.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(r.ResponseWriter).Hijack()
	if err == nil {
		r.taken = true
		if r.status == 0 {
			r.status = http.StatusSwitchingProtocols
		}
	}
	return conn, rw, err
}

// metrics are what the edge counts.
type metrics struct {
	latency *prometheus.HistogramVec
	running prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "easel_http_request_seconds", Help: "Time to answer a request, by route; sockets and streams count until they end.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"method", "route", "status"}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "easel_http_requests_in_flight", Help: "Requests being answered, sockets and streams included.",
		}),
	}
	if r != nil {
		r.MustRegister(m.latency, m.running)
	}
	return m
}

// recorded gives a request its id and the headers of every answer, and writes
// down how it ended. A panic in a handler is answered as internal.
func (a *API) recorded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now() // a duration, so not the injected clock
		rec := &recorder{ResponseWriter: w, start: start, stall: a.c.Stall}
		id := requestID(r)
		h := w.Header()
		h["X-Request-Id"] = []string{id}
		h["X-Content-Type-Options"] = nosniff
		h["Referrer-Policy"] = noReferrer
		h["Content-Security-Policy"] = closedPolicy
		if r.TLS != nil {
			h["Strict-Transport-Security"] = longTLS
		}
		a.metrics.running.Inc()
		defer func() {
			v := recover()
			// With ErrAbortHandler a handler has the connection cut, because an answer
			// that is under way came to nothing.
			abort := v == http.ErrAbortHandler //nolint:errorlint // a panic's value, compared as net/http does
			if v != nil && !abort {
				a.panicked(rec, r, v)
			}
			a.metrics.running.Dec()
			a.finish(rec, r, id, time.Since(start))
			if abort {
				panic(v)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// Header values of every answer; a route that serves a page sets its own policy.
var (
	nosniff      = []string{"nosniff"}
	noReferrer   = []string{"no-referrer"}
	closedPolicy = []string{"default-src 'none'; frame-ancestors 'none'"}
	longTLS      = []string{"max-age=31536000"}
)

// requestID takes the id that a proxy gave, if it is a sane one, or makes one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id == "" || len(id) > 64 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
		return string(easel.NewID())
	}
	return id
}

func (a *API) panicked(rec *recorder, r *http.Request, v any) {
	a.c.Log.ErrorContext(r.Context(), "panic in a request", "route", rec.route,
		"request_id", rec.Header().Get("X-Request-Id"), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if rec.status == 0 && !rec.taken {
		WriteError(rec, r, &easel.Error{Code: easel.CodeInternal, Message: "internal error"})
	}
}

func (a *API) finish(rec *recorder, r *http.Request, id string, took time.Duration) {
	route, status := rec.route, rec.status
	if route == "" {
		route = "none"
	}
	if status == 0 {
		status = http.StatusOK
	}
	method := knownMethod(r.Method)
	a.metrics.latency.WithLabelValues(method, route, statusText(status)).Observe(took.Seconds())
	if span := trace.SpanFromContext(r.Context()); span.IsRecording() {
		span.SetName(method + " " + route)
		span.SetAttributes(attribute.String("http.route", route), attribute.String("easel.request_id", id))
	}
	if !a.c.Log.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	a.c.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("method", method), slog.String("route", route), slog.Int("status", status),
		slog.Int64("bytes", rec.bytes), slog.Duration("took", took), slog.String("request_id", id))
}

// knownMethod bounds the values of a label.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	default:
		return "other"
	}
}

// statusText is a status as a label, without making a string each time.
func statusText(status int) string {
	switch status {
	case http.StatusOK:
		return "200"
	case http.StatusCreated:
		return "201"
	case http.StatusNoContent:
		return "204"
	default:
		return fmt.Sprint(status)
	}
}

// note logs the cause of an answer that was the server's fault. A client's fault
// is in its answer.
func (a *API) note(r *http.Request, route, id string, err error) {
	switch easel.CodeOf(err) {
	case easel.CodeInternal:
		if r.Context().Err() != nil {
			return // the client left; nobody was answered
		}
		a.c.Log.ErrorContext(r.Context(), "request failed", "route", route, "request_id", id, "err", err)
	case easel.CodeUnavailable:
		a.c.Log.WarnContext(r.Context(), "request unanswered", "route", route, "request_id", id, "err", err)
	case easel.CodeUnauthorized:
		a.c.Log.DebugContext(r.Context(), "credential refused", "route", route, "request_id", id, "err", errors.Unwrap(err))
	}
}

// crossOrigin lets the pages of the listed origins call. There are no cookies, so
// a request of another site's page carries no authority of its own, and the
// cross-origin protection of net/http has nothing to protect.
func (a *API) crossOrigin(next http.Handler) http.Handler {
	if len(a.c.Origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: a.c.Origins,
		AllowedMethods: []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
		AllowedHeaders: []string{"*"}, // X-Easel-Meta-* cannot be listed
		ExposedHeaders: []string{
			"Accept-Ranges", "Content-Range", "ETag", "Retry-After", "X-Easel-Age", "X-Easel-Version", "X-Request-Id",
		},
		MaxAge: 600,
	}).Handler(next)
}

// sameOrigin reports whether a socket may be opened from the page that asks for
// it: one of this host, of a listed origin, or none at all (no browser).
func (a *API) sameOrigin(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	if len(values) > 1 {
		return false
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	origin := values[0]
	return a.origins[origin] || strings.EqualFold(origin, scheme+"://"+r.Host) ||
		a.c.PublicURL != "" && strings.EqualFold(origin, a.c.PublicURL)
}

// restRoutes take the rest of the path as a name, which may hold what a mux would
// clean away.
var restRoutes = [...]string{"/api/files/", "/api/kv/", "/api/users/"}

// dispatch hands the request to the mux. The mux would answer a path that is not
// clean by a redirect in HTML; names of files and values may be unclean, so they
// go on with their slashes escaped, and nothing else has such a path.
func (a *API) dispatch(w http.ResponseWriter, r *http.Request) {
	if !utf8.ValidString(r.URL.Path) {
		WriteError(w, r, easel.Invalid("path", "must be UTF-8"))
		return
	}
	if escaped := r.URL.EscapedPath(); !clean(escaped) {
		for _, prefix := range restRoutes {
			if rest, ok := strings.CutPrefix(r.URL.Path, prefix); ok && rest != "." && rest != ".." {
				r2 := new(http.Request)
				*r2 = *r
				u := *r.URL
				u.RawPath = prefix + escapeSegment(rest)
				r2.URL = &u
				a.mux.ServeHTTP(w, r2)
				return
			}
		}
		a.otherwise(w, r)
		return
	}
	if slices.Contains(restRoutes[:], r.URL.Path+"/") && a.pattern(r) == "" {
		a.otherwise(w, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// pattern returns that of the route that takes a request, "" if none does. The
// mux thinks that the routes of names take their path without a name too, by a
// redirect.
func (a *API) pattern(r *http.Request) string {
	_, pattern := a.mux.Handler(r)
	if pattern == "/" || strings.HasSuffix(pattern, "...}") && slices.Contains(restRoutes[:], r.URL.Path+"/") {
		return ""
	}
	return pattern
}

// clean reports whether the mux takes a path as it is.
func clean(p string) bool {
	if p == "" || p[0] != '/' {
		return false
	}
	cleaned := path.Clean(p)
	return cleaned == p || p == cleaned+"/"
}

// otherwise answers what no route took: with the methods that the path has, with
// the page, or with not_found.
func (a *API) otherwise(w http.ResponseWriter, r *http.Request) {
	if allowed := a.allowed(r); len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		WriteError(w, r, easel.Errorf(easel.CodeMethodNotAllowed, "this path takes %s", strings.Join(allowed, ", ")))
		return
	}
	if a.c.Page != nil && !strings.HasPrefix(r.URL.Path, "/api/") && clean(r.URL.EscapedPath()) {
		if rec, ok := w.(*recorder); ok {
			rec.route = "page"
		}
		a.c.Page.ServeHTTP(w, r)
		return
	}
	WriteError(w, r, easel.Errorf(easel.CodeNotFound, "no such route"))
}

// allowed returns the methods that the request's path has.
func (a *API) allowed(r *http.Request) []string {
	var out []string
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if a.pattern(probe) != "" && clean(r.URL.EscapedPath()) {
			out = append(out, method)
		}
	}
	return out
}

// escapeSegment escapes a name so that it is one segment of a path.
func escapeSegment(name string) string {
	return strings.ReplaceAll(url.PathEscape(name), "/", "%2F")
}
