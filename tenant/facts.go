package tenant

import (
	"errors"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/migrations"
	"github.com/easelhq/easel/sqlite"
)

// FileSchema returns the schema of tenants' files.
func FileSchema() (*sqlite.Schema, error) {
	scripts, err := migrations.Tenant()
	if err != nil {
		return nil, err
	}
	return actors.NewSchema(KindName, scripts)
}

// Holding is something that a tenant's file says there is outside of it: an image
// with its actor and its file, or one of the tenant's own files.
type Holding struct {
	Image   easel.ID // "" for a file
	Blob    string   // the key of a file's content; "" for an image
	Name    string   // of a file; "" for an image
	Size    int64
	SHA256  string
	Sums    []byte // of the blocks of a file's content; empty: not known, or an image
	Version int64  // of an image when it was last heard of
}

// EachHolding calls f for everything that a tenant's file stands for: listed
// images, also soft-deleted ones, and files. tx may be of a private copy.
func EachHolding(tx *sqlite.Tx, f func(Holding) error) error {
	images, err := tx.Query(`SELECT id, size, sha256, version FROM image WHERE state = ? ORDER BY id`, listed)
	if err != nil {
		return err
	}
	for images.Next() {
		var h Holding
		if err := images.Scan(&h.Image, &h.Size, &h.SHA256, &h.Version); err != nil {
			return errors.Join(err, images.Close())
		}
		if err := f(h); err != nil {
			return errors.Join(err, images.Close())
		}
	}
	if err := images.Close(); err != nil {
		return err
	}
	files, err := tx.Query(`SELECT name, blob, size, etag, sums FROM file ORDER BY name`)
	if err != nil {
		return err
	}
	for files.Next() {
		var h Holding
		if err := files.Scan(&h.Name, &h.Blob, &h.Size, &h.SHA256, &h.Sums); err != nil {
			return errors.Join(err, files.Close())
		}
		if err := f(h); err != nil {
			return errors.Join(err, files.Close())
		}
	}
	return files.Close()
}
