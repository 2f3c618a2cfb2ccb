package journal

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/easelhq/easel/journal/fencing"
)

// maxKeyName is the longest name that is an actor's key segment as it is.
const maxKeyName = 128

// keyName is the segment that stands for an actor in keys: its name with "/" as
// ".", or a hash if that is too long.
func (n Name) keyName() string {
	s := strings.ReplaceAll(string(n), "/", ".")
	if len(s) > maxKeyName {
		sum := sha256.Sum256([]byte(n))
		return "=" + hex.EncodeToString(sum[:])
	}
	return s
}

func (b *Bucket) actorsKey() string            { return b.prefix + "actors/" }
func (b *Bucket) actorKey(name Name) string    { return b.actorsKey() + name.keyName() + "/" }
func (b *Bucket) headKey(name Name) string     { return fencing.HeadKey(b.actorKey(name)) }
func (b *Bucket) templateKey(id string) string { return b.prefix + "templates/" + id }

// logKey is the prefix of a term's slots.
func (b *Bucket) logKey(name Name, term uint64, nonce string) string {
	return fencing.LogKey(b.actorKey(name), term, nonce)
}

// fileKey is the key of a merge ("l1-…") or a snapshot ("snap-…").
func (b *Bucket) fileKey(name Name, file string) string {
	return fencing.FileKey(b.actorKey(name), file)
}

// newNonce returns what no other claim ever has.
func newNonce() string {
	var b [fencing.NonceBytes]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}
