package easel

import (
	"fmt"
	"time"
)

// timeFormat is RFC 3339 UTC with exactly three decimals.
const timeFormat = "2006-01-02T15:04:05.000Z"

// Time is a moment in UTC to the millisecond: milliseconds since 1970. Zero is
// "never" and encodes as null.
type Time int64

// At rounds t down to the millisecond.
func At(t time.Time) Time { return Time(t.UnixMilli()) }

// Std returns t as a time.Time in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// String returns t in RFC 3339 with milliseconds.
func (t Time) String() string { return t.Std().Format(timeFormat) }

// AppendText appends t in RFC 3339 with milliseconds.
func (t Time) AppendText(b []byte) ([]byte, error) { return t.Std().AppendFormat(b, timeFormat), nil }

// MarshalJSON encodes t as an RFC 3339 string, and zero as null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	b := make([]byte, 0, len(timeFormat)+2)
	b = append(b, '"')
	b = t.Std().AppendFormat(b, timeFormat)
	return append(b, '"'), nil
}

// UnmarshalJSON is the inverse of MarshalJSON; it takes any RFC 3339 time.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = 0
		return nil
	}
	parsed, err := time.Parse(`"`+time.RFC3339+`"`, string(b))
	if err != nil {
		return fmt.Errorf("parse time: %w", err)
	}
	*t = At(parsed)
	return nil
}
