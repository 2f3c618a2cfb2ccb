package tenant

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/easelhq/easel"
)

// A page holds this many entries unless the request says otherwise.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

func pageLimit(n int) int {
	switch {
	case n == 0:
		return defaultLimit
	default:
		return min(max(n, 1), maxLimit)
	}
}

func badCursor() error {
	return easel.Invalid("cursor", "is not one that was given out for this list")
}

// A position is where the last entry of a page was in the order of lists by
// time: newest first, then by id.
type position struct {
	at easel.Time
	id easel.ID
}

// top is before every entry.
var top = position{at: 1<<63 - 1}

func (p position) cursor(list string) string {
	return encodeCursor(list, strconv.FormatInt(int64(p.at), 36)+":"+string(p.id))
}

func parsePosition(list, cursor string) (position, error) {
	if cursor == "" {
		return top, nil
	}
	s, err := decodeCursor(list, cursor)
	if err != nil {
		return position{}, err
	}
	at, id, ok := strings.Cut(s, ":")
	ms, err := strconv.ParseInt(at, 36, 64)
	if !ok || err != nil || !easel.ID(id).Valid() {
		return position{}, badCursor()
	}
	return position{at: easel.Time(ms), id: easel.ID(id)}, nil
}

// encodeCursor makes an opaque cursor of the last entry's place in a list. The
// name of the list is part of it, so that a cursor is good for one list only.
func encodeCursor(list, place string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + "\x00" + place))
}

func decodeCursor(list, cursor string) (string, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return "", badCursor()
	}
	got, place, ok := strings.Cut(string(b), "\x00")
	if !ok || got != list {
		return "", badCursor()
	}
	return place, nil
}

// parseAfter returns the last key of the page before; "" is before every key.
func parseAfter(list, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	return decodeCursor(list, cursor)
}
