package easel

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Code says what went wrong, in the words of the protocol. Transports map it to
// an HTTP status or a close code in one table each.
type Code string

// The codes a client can meet. CodeBadSeq is a conflict of sequence numbers and
// carries Error.Expected.
const (
	CodeBadRequest       Code = "bad_request"
	CodeUnauthorized     Code = "unauthorized"
	CodeForbidden        Code = "forbidden"
	CodeNotFound         Code = "not_found"
	CodeMethodNotAllowed Code = "method_not_allowed"
	CodeConflict         Code = "conflict"
	CodeBadSeq           Code = "bad_seq"
	CodeGone             Code = "gone"
	CodeTooLarge         Code = "too_large"
	CodeUnsupportedMedia Code = "unsupported_media"
	CodeRange            Code = "range"
	CodeInvalid          Code = "invalid"
	CodeRateLimited      Code = "rate_limited"
	CodeInternal         Code = "internal"
	CodeOverloaded       Code = "overloaded"
	CodeUnavailable      Code = "unavailable"
)

// Temporary reports whether the same request may succeed when it is repeated
// unchanged, and that nothing was decided about it.
func (c Code) Temporary() bool {
	switch c {
	case CodeRateLimited, CodeInternal, CodeOverloaded, CodeUnavailable, CodeBadSeq:
		return true
	default:
		return false
	}
}

// Error is a failure that a client may see. Any other error is internal: its
// text stays in the log. The JSON form is what actors store as a verdict and
// send each other; transports write their own.
type Error struct {
	Code       Code            `json:"code"`
	Message    string          `json:"message"`
	Details    []Detail        `json:"details,omitempty"`
	Current    json.RawMessage `json:"current,omitempty"`     // the state that a compare-and-set met
	Expected   int64           `json:"expected,omitempty"`    // with CodeBadSeq, the seq that would be taken
	RetryAfter time.Duration   `json:"retry_after,omitempty"` // nanoseconds; 0 says nothing
	Err        error           `json:"-"`                     // the cause, for the log only
}

// Detail points at one offending value of a request body.
type Detail struct {
	Path    string `json:"path"`    // such as "annotations[3].x"
	Message string `json:"message"` //
}

// Error returns the code, the message and the cause.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an *Error with the same code and message, so that
// errors.Is finds an error that is known by name also after it has crossed nodes.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Message == e.Message
}

// Errorf makes an error that a client may see. A %w verb keeps a cause for
// errors.Is; its text becomes part of the message, so wrap only what a client
// may read.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Invalid makes a CodeInvalid error about one value.
func Invalid(path, message string) *Error {
	return &Error{Code: CodeInvalid, Message: path + " " + message, Details: []Detail{{Path: path, Message: message}}}
}

// CodeOf returns the code that a client sees for err: CodeInternal for errors
// that are not an *Error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
