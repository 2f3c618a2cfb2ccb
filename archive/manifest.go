package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/tenant"
)

// Format is the version of the archives that this package writes. It reads all up
// to it.
const Format = 1

// manifestName is the part that says what the others are. It is written last: an
// archive without one is not complete.
const manifestName = "manifest.json"

// Manifest says what an archive holds.
type Manifest struct {
	Format int            `json:"format"`
	Tenant string         `json:"tenant"` // as the operator called it
	ID     easel.TenantID `json:"id"`     // as stores call it
	MadeBy string         `json:"made_by"`
	MadeAt easel.Time     `json:"made_at"`
	Parts  []Part         `json:"parts"`
}

// Part is one file of an archive: an actor's SQLite file, or a blob.
type Part struct {
	Name   string `json:"name"` // where it lies in the archive
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// At says which state of the source this is: an actor's newest batch, or the
	// size of a blob, whose bytes never change under one key.
	At     string       `json:"at"`
	Actor  journal.Name `json:"actor,omitempty"`
	Schema int          `json:"schema,omitempty"` // of an actor's file
	Blob   string       `json:"blob,omitempty"`   // its key, with {tenant} for the tenant's id
}

// check returns what makes a manifest unusable.
func (m *Manifest) check() error {
	switch {
	case m.Format < 1 || m.Format > Format:
		return fmt.Errorf("the archive has format %d, this program reads up to %d", m.Format, Format)
	case !easel.ID(m.ID).Valid(): // a tenant's id has the form of one
		return fmt.Errorf("the archive is of %q, which is no tenant's id", m.ID)
	}
	for _, p := range m.Parts {
		if p.Actor == "" && p.Blob == "" || p.Actor != "" && p.Actor.Check() != nil || len(p.SHA256) != 2*sha256.Size || p.Size < 0 {
			return fmt.Errorf("part %q of the manifest makes no sense", p.Name)
		}
		if p.Actor != "" && !ofTenant(p.Actor, m.ID) {
			return fmt.Errorf("part %q is of another tenant", p.Name)
		}
	}
	return nil
}

// digest names what the archive holds, whenever it was made.
func (m *Manifest) digest() (string, error) {
	b, err := json.Marshal(Manifest{ID: m.ID, Parts: m.Parts})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

// Names of actors and keys of blobs hold the tenant's id in their second segment.

func tenantName(id easel.TenantID) journal.Name {
	return journal.Name(tenant.KindName + "/" + string(id))
}

func imagesOf(id easel.TenantID) journal.Name {
	return journal.Name(tenant.ImageKind + "/" + string(id))
}

func ofTenant(n journal.Name, id easel.TenantID) bool {
	return n == tenantName(id) || n.Below(imagesOf(id)) && n != imagesOf(id)
}

// actorPart is where an actor's file lies in an archive.
func actorPart(n journal.Name, id easel.TenantID) string {
	if n == tenantName(id) {
		return "tenant.sqlite"
	}
	return "images/" + strings.TrimPrefix(string(n), string(imagesOf(id))+"/") + ".sqlite"
}

const anyTenant = "{tenant}"

// blobPart returns where a blob lies in an archive, and its key without the tenant.
func blobPart(key string, id easel.TenantID) (name, neutral string) {
	root, rest, _ := strings.Cut(key, "/"+string(id)+"/")
	return "blobs/" + root + "/" + rest, root + "/" + anyTenant + "/" + rest
}

func blobKey(neutral string, id easel.TenantID) (string, error) {
	root, rest, ok := strings.Cut(neutral, "/"+anyTenant+"/")
	if !ok || strings.Contains(root, "/") {
		return "", fmt.Errorf("%q is no blob of a tenant", neutral)
	}
	return root + "/" + string(id) + "/" + rest, nil
}

// sums is a reader that counts and hashes what goes through it, and fails at the
// end if that is not what was promised.
type sums struct {
	r    io.Reader
	hash interface {
		io.Writer
		Sum(b []byte) []byte
	}
	size int64
	want *Part // nil: anything
}

func newSums(r io.Reader, want *Part) *sums { return &sums{r: r, hash: sha256.New(), want: want} }

// errMismatch: a part is not what its manifest says.
var errMismatch = errors.New("is not what the manifest says")

// Read implements io.Reader.
func (s *sums) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	s.size += int64(n)
	_, _ = s.hash.Write(b[:n]) // a hash never fails
	if errors.Is(err, io.EOF) && s.want != nil && (s.size != s.want.Size || s.hex() != s.want.SHA256) {
		return n, fmt.Errorf("%s %w", s.want.Name, errMismatch)
	}
	return n, err
}

func (s *sums) hex() string { return hex.EncodeToString(s.hash.Sum(nil)) }
