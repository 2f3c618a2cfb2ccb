package fencing

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// HeadKey is the key of the register of the actor whose objects lie below dir,
// which ends in "/".
func HeadKey(dir string) string { return dir + "head" }

// LogKey is the prefix of a term's slots.
func LogKey(dir string, term uint64, nonce string) string {
	return fmt.Sprintf("%slog/%016x-%s/", dir, term, nonce)
}

// SlotName is a slot's key below its LogKey.
func SlotName(seq uint64) string { return fmt.Sprintf("%016x", seq) }

// SlotSeq undoes SlotName.
func SlotSeq(s string) (uint64, bool) {
	seq, err := strconv.ParseUint(s, 16, 64)
	return seq, err == nil && SlotName(seq) == s
}

// NonceBytes is how many bytes a nonce names in hex.
const NonceBytes = 16

// CheckNonce returns an error if s is no nonce.
func CheckNonce(s string) error {
	if b, err := hex.DecodeString(s); err != nil || len(b) != NonceBytes || hex.EncodeToString(b) != s {
		return fmt.Errorf("nonce %q", s)
	}
	return nil
}

// FileKey is the key of a merge ("l1-…") or a snapshot ("snap-…").
func FileKey(dir, file string) string {
	kind, rest, _ := strings.Cut(file, "-")
	return dir + kind + "/" + rest
}

// CutSlot splits a slot's key below the actor's dir into its LogKey and its number.
func CutSlot(name string) (log string, seq uint64, ok bool) {
	i := strings.LastIndexByte(name, '/')
	if !strings.HasPrefix(name, "log/") || i < len("log/") {
		return "", 0, false
	}
	seq, ok = SlotSeq(name[i+1:])
	return name[:i+1], seq, ok
}

// CutLog reads term and nonce from a LogKey.
func CutLog(log string) (term uint64, nonce string, err error) {
	log = strings.TrimSuffix(log, "/")
	digits, nonce, _ := strings.Cut(log[strings.LastIndexByte(log, '/')+1:], "-")
	if term, err = strconv.ParseUint(digits, 16, 64); err == nil {
		err = CheckNonce(nonce)
	}
	return term, nonce, err
}
