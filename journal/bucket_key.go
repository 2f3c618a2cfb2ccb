package journal

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
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
func (b *Bucket) headKey(name Name) string     { return b.actorKey(name) + "head" }
func (b *Bucket) templateKey(id string) string { return b.prefix + "templates/" + id }

// logKey is the prefix of a term's slots.
func (b *Bucket) logKey(name Name, term uint64, nonce string) string {
	return fmt.Sprintf("%slog/%016x-%s/", b.actorKey(name), term, nonce)
}

func slotName(seq uint64) string { return fmt.Sprintf("%016x", seq) }

// slotSeq undoes slotName.
func slotSeq(s string) (uint64, bool) {
	seq, err := strconv.ParseUint(s, 16, 64)
	return seq, err == nil && slotName(seq) == s
}

// fileKey is the key of a merge ("l1-…") or a snapshot ("snap-…").
func (b *Bucket) fileKey(name Name, file string) string {
	kind, rest, _ := strings.Cut(file, "-")
	return b.actorKey(name) + kind + "/" + rest
}

const nonceBytes = 16

// newNonce returns what no other claim ever has.
func newNonce() string {
	var b [nonceBytes]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

func checkNonce(s string) error {
	if b, err := hex.DecodeString(s); err != nil || len(b) != nonceBytes || hex.EncodeToString(b) != s {
		return fmt.Errorf("nonce %q", s)
	}
	return nil
}
