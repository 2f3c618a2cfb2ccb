package transport

import (
	"encoding/base64"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/easelhq/easel"
)

// Bounds of a list's limit.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// query is a request's parsed query; nil if it has none.
type query url.Values

func parseQuery(raw string) (query, error) {
	if raw == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, easel.Errorf(easel.CodeBadRequest, "the query is malformed")
	}
	return query(values), nil
}

// find returns the first value of a parameter.
func (q query) find(name string) (string, bool) {
	if v := q[name]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}

// text returns a parameter that filters: nil if it is missing or empty.
func (q query) text(name string) (*string, error) {
	s, ok := q.find(name)
	if !ok || s == "" {
		return nil, nil
	}
	if !utf8.ValidString(s) {
		return nil, easel.Invalid(name, "must be UTF-8")
	}
	return &s, nil
}

// limit returns how many items a page may have.
func (q query) limit() (int, error) {
	s, ok := q.find("limit")
	if !ok {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(s)
	switch {
	case err != nil && s != "" && strings.Trim(s, "0123456789") == "":
		return maxLimit, nil // a number that no int holds
	case err != nil || n < 1:
		return 0, easel.Invalid("limit", "must be a number from 1; more than 1000 is taken as 1000")
	default:
		return min(n, maxLimit), nil
	}
}

// integer returns a parameter from low to high, or def if it is missing.
func (q query) integer(name string, def, low, high int64) (int64, error) {
	s, ok := q.find(name)
	if !ok {
		return def, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < low || n > high {
		return 0, easel.Invalid(name, "must be an integer from "+strconv.FormatInt(low, 10)+" to "+strconv.FormatInt(high, 10))
	}
	return n, nil
}

// fraction returns a parameter from 0 to 1; nil if it is missing.
func (q query) fraction(name string) (*float64, error) {
	s, ok := q.find(name)
	if !ok {
		return nil, nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= 0 && v <= 1) {
		return nil, easel.Invalid(name, "must be a number from 0 to 1")
	}
	return &v, nil
}

// id returns a parameter that is an id; "" if it is missing or empty.
func (q query) id(name string) (easel.ID, error) {
	s, _ := q.find(name)
	if s != "" && !easel.ID(s).Valid() {
		return "", easel.Invalid(name, "must be "+idRule)
	}
	return easel.ID(s), nil
}

// versionCursor is the opaque form of a place in an op log.
func versionCursor(ver int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("v" + strconv.FormatInt(ver, 10)))
}

// since returns where a page of the op log starts: after the cursor's version,
// or else after ?since=.
func (q query) since() (int64, error) {
	cursor, ok := q.find("cursor")
	if !ok || cursor == "" {
		return q.integer("since", 0, 0, math.MaxInt64)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err == nil {
		digits, isVersion := strings.CutPrefix(string(b), "v")
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil && isVersion && n >= 0 && cursor == versionCursor(n) {
			return n, nil
		}
	}
	return 0, easel.Invalid("cursor", "is not one that was given out for this list")
}

// next is a list's next_cursor: null at the end.
func next(cursor string) *string {
	if cursor == "" {
		return nil
	}
	return &cursor
}
