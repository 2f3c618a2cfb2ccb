package transport

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/easelhq/easel"
)

// problem is the catalogue's entry for one code.
type problem struct {
	code   easel.Code
	status int
	doc    string
}

// problems is the one table of codes and statuses.
var problems = [...]problem{
	{easel.CodeBadRequest, http.StatusBadRequest, "The request is not what the route takes: not JSON, a duplicate or unknown key, a wrong type, bytes after the value."},
	{easel.CodeUnauthorized, http.StatusUnauthorized, "The token, key or ticket is missing, wrong or expired. Why is not told."},
	{easel.CodeForbidden, http.StatusForbidden, "The role may not do this, or a signed URL was altered or has expired."},
	{easel.CodeNotFound, http.StatusNotFound, "There is no such thing in this tenant, or no such route."},
	{easel.CodeMethodNotAllowed, http.StatusMethodNotAllowed, "The route exists for other methods, named in Allow."},
	{easel.CodeConflict, http.StatusConflict, "What is there now does not fit the request. 412 with `current` where it answers If-Match or If-None-Match; with Retry-After while a request with the same Idempotency-Key runs."},
	{easel.CodeBadSeq, http.StatusConflict, "The seq skips; `expected` is the one that would be taken. Nothing was consumed."},
	{easel.CodeGone, http.StatusGone, "It was there and is deleted; a seq older than the kept verdicts."},
	{easel.CodeTooLarge, http.StatusRequestEntityTooLarge, "The body is larger than the route takes."},
	{easel.CodeUnsupportedMedia, http.StatusUnsupportedMediaType, "The body is of a kind that the route does not take; for images, by their first bytes."},
	{easel.CodeRange, http.StatusRequestedRangeNotSatisfiable, "The Range starts after the end; Content-Range tells the size."},
	{easel.CodeInvalid, http.StatusUnprocessableEntity, "A value breaks a rule or a field is missing; `details` names each. Also an Idempotency-Key that was used with another body."},
	{easel.CodeRateLimited, http.StatusTooManyRequests, "A limit or quota is reached; Retry-After says when to try again."},
	{easel.CodeInternal, http.StatusInternalServerError, "A fault of the server; the log has the cause under the request id."},
	{easel.CodeOverloaded, http.StatusServiceUnavailable, "A queue is full; nothing was done. Retry-After says when to try again."},
	{easel.CodeUnavailable, http.StatusServiceUnavailable, "The durable home cannot be reached: the outcome is unknown and nothing was acknowledged. Repeat with the same seq or Idempotency-Key."},
}

// Status returns the HTTP status of a code; 500 for one that is not in the
// table.
func Status(code easel.Code) int {
	for i := range problems {
		if problems[i].code == code {
			return problems[i].status
		}
	}
	return http.StatusInternalServerError
}

// errorBody is the JSON of every error.
type errorBody struct {
	Error     easel.Code     `json:"error" doc:"What went wrong, in one word."`
	Message   string         `json:"message" doc:"What went wrong, for a person."`
	RequestID string         `json:"request_id" doc:"The X-Request-Id of the answer."`
	Details   []easel.Detail `json:"details,omitempty" doc:"The offending values."`
	Current   rawJSON        `json:"current,omitempty" doc:"The state that a compare-and-set met."`
	Expected  int64          `json:"expected,omitempty" doc:"With bad_seq, the seq that would be taken."`
}

// rawJSON is JSON that is passed on as it is.
type rawJSON []byte

// MarshalJSON returns the bytes.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// asError returns what a client may see of err.
func asError(err error) *easel.Error {
	if e, ok := errors.AsType[*easel.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(e.Limit)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &easel.Error{Code: easel.CodeUnavailable, Message: "no answer in time; the outcome is unknown", Err: err}
	}
	return &easel.Error{Code: easel.CodeInternal, Message: "internal error", Err: err}
}

func tooLarge(limit int64) *easel.Error {
	return easel.Errorf(easel.CodeTooLarge, "the body is larger than %d bytes", limit)
}

// WriteError answers r with err: the one form of every error. The response must
// be one that API gave out, which has its request id already.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := asError(err)
	status := Status(e.Code)
	if e.Code == easel.CodeConflict && len(e.Current) > 0 && conditional(r) {
		status = http.StatusPreconditionFailed
	}
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Disposition", "Etag", "Last-Modified", "Accept-Ranges"} {
		h.Del(name) // of the answer that came to nothing
	}
	h.Set("Cache-Control", "no-store")
	switch {
	case e.RetryAfter > 0:
		h.Set("Retry-After", seconds(e.RetryAfter))
	case e.Code == easel.CodeRateLimited, e.Code == easel.CodeOverloaded, e.Code == easel.CodeUnavailable:
		h.Set("Retry-After", "1")
	}
	if e.Code == easel.CodeUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	code := e.Code
	if code == "" {
		code = easel.CodeInternal
	}
	writeJSON(w, status, errorBody{
		Error: code, Message: e.Message, RequestID: h.Get("X-Request-Id"),
		Details: e.Details, Current: rawJSON(e.Current), Expected: e.Expected,
	})
}

// conditional reports whether the request asked for compare-and-set.
func conditional(r *http.Request) bool {
	return r.Header.Get("If-Match") != "" || r.Header.Get("If-None-Match") != ""
}

// seconds rounds d up to whole seconds, as Retry-After has them.
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64(math.Ceil(d.Seconds()))), 10)
}
