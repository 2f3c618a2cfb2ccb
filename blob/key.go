package blob

import (
	"fmt"
	"strings"
)

const (
	maxKey     = 1024 // bytes, S3's own limit
	maxSegment = 128
)

// CheckKey returns an error that says what is wrong with a key, or nil.
func CheckKey(key string) error {
	if len(key) > maxKey {
		return fmt.Errorf("blob: key of %d bytes is longer than %d", len(key), maxKey)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if !goodSegment(segment) {
			return fmt.Errorf("blob: bad segment %q in key %q", segment, key)
		}
	}
	return nil
}

// goodPrefix reports whether any key can start with prefix.
func goodPrefix(prefix string) bool {
	i := strings.LastIndexByte(prefix, '/')
	return (i < 0 || CheckKey(prefix[:i]) == nil) && goodBytes(prefix[i+1:])
}

func goodSegment(s string) bool {
	return s != "" && s != "." && s != ".." && len(s) <= maxSegment && goodBytes(s)
}

func goodBytes(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '_', c == '=', c == '-':
		default:
			return false
		}
	}
	return true
}

// span returns where a range starts and how many bytes it has in an object of
// size bytes.
func (r Range) span(size int64) (offset, length int64, err error) {
	if r.Offset < 0 || r.Offset > 0 && r.Offset >= size {
		return 0, 0, fmt.Errorf("%w: offset %d of %d bytes", ErrRange, r.Offset, size)
	}
	length = size - r.Offset
	if r.Length >= 0 && r.Length < length {
		length = r.Length
	}
	return r.Offset, length, nil
}
