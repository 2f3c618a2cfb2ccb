package opcodec

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/easelhq/easel"
)

// AppendAnnotation appends a as JSON: the same object as encoding/json makes, in
// the same order of keys, several times as fast.
func AppendAnnotation(b []byte, a *easel.Annotation) []byte {
	b = append(b, `{"id":"`...)
	b = append(b, a.ID...)
	b = append(b, `","image_id":"`...)
	b = append(b, a.ImageID...)
	b = append(b, `","label":`...)
	b = AppendString(b, a.Label)
	b = append(b, `,"x":`...)
	b = AppendFloat(b, a.X)
	b = append(b, `,"y":`...)
	b = AppendFloat(b, a.Y)
	b = append(b, `,"width":`...)
	b = AppendFloat(b, a.Width)
	b = append(b, `,"height":`...)
	b = AppendFloat(b, a.Height)
	b = append(b, `,"confidence":`...)
	if a.Confidence != nil {
		b = AppendFloat(b, *a.Confidence)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"created_by":`...)
	b = AppendString(b, a.CreatedBy)
	b = append(b, `,"created_at":`...)
	b = AppendTime(b, a.CreatedAt)
	b = append(b, `,"updated_by":`...)
	b = AppendString(b, a.UpdatedBy)
	b = append(b, `,"updated_at":`...)
	b = AppendTime(b, a.UpdatedAt)
	b = append(b, `,"rev":`...)
	b = strconv.AppendInt(b, a.Rev, 10)
	if a.Shape != "" {
		b = append(append(b, `,"shape":`...), a.Shape...)
	}
	if a.Attributes != "" {
		b = append(append(b, `,"attributes":`...), a.Attributes...)
	}
	if a.Source != "" {
		b = AppendString(append(b, `,"source":`...), a.Source)
	}
	if a.Model != "" {
		b = AppendString(append(b, `,"model":`...), a.Model)
	}
	return append(b, '}')
}

// AppendBatch appends m as JSON: the same object as encoding/json makes.
func AppendBatch(b []byte, m *easel.Batch) []byte {
	b = append(b, `{"ver":`...)
	b = strconv.AppendInt(b, m.Ver, 10)
	b = append(b, `,"by":`...)
	b = AppendString(b, m.By)
	if m.Conn != "" {
		b = append(b, `,"conn":`...)
		b = AppendString(b, m.Conn)
	}
	if m.Seq != 0 {
		b = append(b, `,"seq":`...)
		b = strconv.AppendInt(b, m.Seq, 10)
	}
	b = append(b, `,"at":`...)
	b = AppendTime(b, m.At)
	b = append(b, `,"ops":[`...)
	for i := range m.Ops {
		if i > 0 {
			b = append(b, ',')
		}
		e := &m.Ops[i]
		b = append(b, `{"k":`...)
		b = AppendString(b, string(e.Kind))
		b = append(b, `,"id":"`...)
		b = append(b, e.ID...)
		b = append(b, '"')
		if e.Annotation != nil {
			b = append(b, `,"annotation":`...)
			b = AppendAnnotation(b, e.Annotation)
		}
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// AppendTime appends t as a JSON string, zero as null.
func AppendTime(b []byte, t easel.Time) []byte {
	const day = 24 * 60 * 60 * 1000
	if t == 0 {
		return append(b, "null"...)
	}
	if t < 0 || t >= 253402300800000 { // from the year 10000 on
		text, _ := t.AppendText(append(b, '"')) // never fails
		return append(text, '"')
	}
	year, month, dayOfMonth := civil(int64(t) / day)
	ms := int(int64(t) % day)
	b = append(b, '"', byte('0'+year/1000), byte('0'+year/100%10))
	b = append(appendTwo(b, year%100), '-')
	b = append(appendTwo(b, month), '-')
	b = append(appendTwo(b, dayOfMonth), 'T')
	b = append(appendTwo(b, ms/3600000), ':')
	b = append(appendTwo(b, ms/60000%60), ':')
	b = append(appendTwo(b, ms/1000%60), '.')
	ms %= 1000
	b = append(appendTwo(b, ms/10), byte('0'+ms%10))
	return append(b, 'Z', '"')
}

func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// civil returns the date of a day since 1970, by Hinnant's days_from_civil
// turned round (howardhinnant.github.io/date_algorithms.html).
func civil(days int64) (year, month, day int) {
	z := days + 719468
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	month = int(mp + 3)
	if month > 12 {
		month -= 12
	}
	year = int(yoe + era*400)
	if month <= 2 {
		year++
	}
	return year, month, day
}

// AppendFloat appends v in the spelling of encoding/json. What no JSON number can
// say (NaN, infinities) is null.
func AppendFloat(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(b, "null"...)
	}
	abs := math.Abs(v)
	if abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, v, 'e', -1, 64)
	// e-09 is written e-9.
	if n := len(b); n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// AppendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD, and
// U+2028 and U+2029, which JavaScript once took for line ends, are escaped;
// characters that only HTML minds are not.
func AppendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(append(b, s[start:i]...), "\ufffd"...)
			start = i + size
		case r == '\u2028' || r == '\u2029':
			b = append(append(b, s[start:i]...), '\\', 'u', '2', '0', '2', hex[r&15])
			start = i + size
		}
		i += size
	}
	return append(append(b, s[start:]...), '"')
}
