package easel

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// IDLength is the length of an ID in characters.
const IDLength = 32

// ID names an image, an annotation, a message or a key: a UUID as 32 lower-case
// hex characters, without dashes. The zero value names nothing.
type ID string

// NewID returns a fresh UUIDv7 (RFC 9562), so that ids sort by time of birth to
// the millisecond.
func NewID() ID {
	var b [16]byte
	// crypto/rand.Read never fails; it ends the process instead.
	_, _ = rand.Read(b[6:])
	ms := uint64(time.Now().UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return ID(hex.EncodeToString(b[:]))
}

// Valid reports whether the id has the form of one: any 32 lower-case hex
// characters, whatever made them.
func (id ID) Valid() bool {
	if len(id) != IDLength {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// TenantID is the hash that stands for a tenant inside Easel, so that names
// never reach file names, metrics or the durable home. See the auth package for
// how it is made.
type TenantID string
