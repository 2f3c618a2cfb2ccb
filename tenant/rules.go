package tenant

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/easelhq/easel"
)

// Bounds of names, values and what goes with them.
const (
	MaxKey      = 512     // bytes of a KV key and of a file's name
	MaxValue    = 1 << 20 // bytes of a KV value
	MaxMeta     = 8 << 10 // bytes of a file's X-Easel-Meta-* names and values
	MaxKeyName  = 100     // code points of a service key's name
	maxMetaKeys = 64
	maxType     = 255 // bytes of a file's content type

	// maxTTL keeps sums of times far from overflow: a hundred years in seconds.
	maxTTL = 100 * 365 * 24 * 3600
)

// OwnPrefix returns the prefix below which an annotator may write values and
// files.
func OwnPrefix(user string) string {
	return "u/" + base64.RawURLEncoding.EncodeToString([]byte(user)) + "/"
}

// mayWrite checks that by may write the value or file called name.
func mayWrite(by Author, name string) error {
	if by.Role.AtLeast(easel.Admin) {
		return nil
	}
	if by.Role.AtLeast(easel.Annotator) && strings.HasPrefix(name, OwnPrefix(by.User)) {
		return nil
	}
	return easel.Errorf(easel.CodeForbidden, "role %s may write below %s only", by.Role, OwnPrefix(by.User))
}

// needAdmin checks that by may do what admins may.
func needAdmin(by Author) error {
	if !by.Role.AtLeast(easel.Admin) {
		return easel.Errorf(easel.CodeForbidden, "needs role %s", easel.Admin)
	}
	return nil
}

// checkName checks a KV key or a file's name. field is what it is called.
func checkName(field, name string) error {
	switch {
	case name == "" || len(name) > MaxKey:
		return easel.Invalid(field, "must have 1 to 512 bytes")
	case !utf8.ValidString(name):
		return easel.Invalid(field, "must be UTF-8")
	case strings.ContainsRune(name, 0):
		return easel.Invalid(field, "must not hold a NUL")
	default:
		return nil
	}
}

func checkTTL(seconds int64) error {
	if seconds < 0 || seconds > maxTTL {
		return easel.Invalid("ttl", "must be from 1 to 3153600000 seconds")
	}
	return nil
}

// check returns nil if c holds for what is there: etag is "" if nothing is.
func (c Condition) check(etag string) error {
	switch {
	case c.IfAbsent && etag != "":
		return conflict("exists already", etag)
	case c.IfMatch == "*" && etag == "":
		return conflict("does not exist", etag)
	case c.IfMatch != "" && c.IfMatch != "*" && !slices.Contains(strings.Split(c.IfMatch, ","), etag):
		return conflict("is another one by now", etag)
	default:
		return nil
	}
}

func conflict(message, etag string) error {
	e := easel.Errorf(easel.CodeConflict, "what is stored %s", message)
	e.Current = json.RawMessage("null")
	if etag != "" {
		b, err := json.Marshal(map[string]string{"etag": etag})
		if err != nil {
			return err
		}
		e.Current = b
	}
	return e
}
