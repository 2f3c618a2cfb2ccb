package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"
)

const (
	maxNameSegments = 4
	maxNameSegment  = 64
	maxName         = maxNameSegments*maxNameSegment + maxNameSegments - 1
	// maxDirName keeps the directory of an actor below the 255 bytes that file
	// systems take; longer names are hashed.
	maxDirName = 200
)

// Check returns an error if n breaks the rules that Name documents.
func (n Name) Check() error {
	if len(n) > maxName {
		return fmt.Errorf("journal: name of %d bytes", len(n))
	}
	parts := strings.Split(string(n), "/")
	if len(parts) > maxNameSegments {
		return fmt.Errorf("journal: name %q has more than %d segments", n, maxNameSegments)
	}
	for _, p := range parts {
		if len(p) == 0 || len(p) > maxNameSegment {
			return fmt.Errorf("journal: name %q has a segment of %d bytes", n, len(p))
		}
		for i := range len(p) {
			c := p[i]
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
				return fmt.Errorf("journal: name %q holds %q", n, c)
			}
		}
	}
	return nil
}

// Below reports whether n is prefix or lies below it, by whole segments. Every
// name is below the empty prefix.
func (n Name) Below(prefix Name) bool {
	if prefix == "" || n == prefix {
		return true
	}
	return len(n) > len(prefix) && n[:len(prefix)] == prefix && n[len(prefix)] == '/'
}

// dir returns the actor's directory below "actors": two hex digits of fan-out
// and a flat name.
func (n Name) dir() (fan, dir string) {
	dir = strings.ReplaceAll(string(n), "/", ".")
	if len(dir) > maxDirName {
		sum := sha256.Sum256([]byte(n))
		dir = "=" + hex.EncodeToString(sum[:])
	}
	return fmt.Sprintf("%02x", byte(ownerOf(n))), dir
}

// nameOf undoes dir where the directory alone tells the name.
func nameOf(dir string) (Name, bool) {
	n := Name(strings.ReplaceAll(dir, ".", "/"))
	return n, n.Check() == nil
}

// ownerOf is the hash under which a record's fixed header names its actor.
func ownerOf(n Name) uint64 { return xxhash.Sum64String(string(n)) }
