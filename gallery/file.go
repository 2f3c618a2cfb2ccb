package gallery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/tenant"
)

// octetStream is the content type of files that come without one.
const octetStream = "application/octet-stream"

// PutFile stores a file and returns its row. Errors as tenant.FilePut;
// CodeTooLarge. What reading Body fails with is returned wrapped.
func (g *Gallery) PutFile(ctx context.Context, p easel.Principal, f FileUpload) (tenant.File, error) {
	// A repeat must not be judged by what the first request has changed.
	if f.Once.ID == "" {
		if _, err := g.tenant(ctx, p.Tenant, tenant.FileCheck{By: author(p), Name: f.Name, If: f.If}); err != nil {
			return tenant.File{}, err
		}
	}
	blob := filePrefix(p.Tenant) + string(easel.NewID())
	m := newMeter(f.Body, g.c.MaxFile)
	if _, err := g.c.Blobs.Put(ctx, blob, m); err != nil {
		return tenant.File{}, outage(fmt.Errorf("store file: %w", err))
	}
	if f.ContentType == "" {
		f.ContentType = octetStream
	}
	put := tenant.FilePut{By: author(p), Blob: blob, Sums: m.blocks.Sums().Encode(), If: f.If, File: tenant.File{
		Name: f.Name, ETag: m.hex(), Size: m.size, ContentType: f.ContentType, Meta: f.Meta,
	}}
	once, err := fileOnce(f.Once.ID, put)
	if err != nil {
		return tenant.File{}, err
	}
	ending, cancel := g.ending(ctx)
	defer cancel()
	reply, err := as[tenant.FileReply](insist(ending, func() (actors.Message, error) {
		return g.c.Asker.Ask(ending, actors.Request{To: tenant.Key(p.Tenant), Message: put, Once: once})
	}))
	// No row names the blob if the tenant refused it, or if this is a repeat of a
	// request that brought its own. If nobody knows, the sweep finds out.
	if err != nil && !easel.CodeOf(err).Temporary() || err == nil && reply.Blob != blob {
		if err := g.c.Blobs.Delete(ending, blob); err != nil {
			g.c.Log.DebugContext(ctx, "blob left to the sweep", "err", err)
		}
	}
	return reply.File, err
}

// fileOnce makes the identity of a FilePut, of everything but where the blob is.
func fileOnce(id string, put tenant.FilePut) (actors.Once, error) {
	if id == "" {
		return actors.Once{}, nil
	}
	put.Blob, put.Sums, put.By = "", nil, tenant.Author{}
	b, err := json.Marshal(put)
	sum := sha256.Sum256(b)
	return actors.Once{ID: onceKey("file", id), Hash: hex.EncodeToString(sum[:])}, err
}

// File returns a file's row and content. CodeNotFound.
func (g *Gallery) File(ctx context.Context, p easel.Principal, name string) (tenant.File, Content, error) {
	reply, err := as[tenant.FileReply](g.tenant(ctx, p.Tenant, tenant.FileGet{Name: name}))
	if err != nil {
		return tenant.File{}, Content{}, err
	}
	f := reply.File
	return f, Content{
		ContentType: f.ContentType, Size: f.Size, ETag: f.ETag, Modified: f.UpdatedAt,
		Open: g.checked(object{key: reply.Blob, size: f.Size, sha256: f.ETag, sums: reply.Sums}),
	}, nil
}

// DeleteFile removes a file. CodeNotFound, CodeForbidden, CodeConflict.
func (g *Gallery) DeleteFile(ctx context.Context, p easel.Principal, name string, c tenant.Condition, once actors.Once) error {
	if once.ID != "" {
		put := tenant.FilePut{File: tenant.File{Name: name}, If: c}
		var err error
		if once, err = fileOnce(once.ID, put); err != nil {
			return err
		}
	}
	_, err := g.c.Asker.Ask(ctx, actors.Request{
		To: tenant.Key(p.Tenant), Message: tenant.FileDelete{By: author(p), Name: name, If: c}, Once: once,
	})
	return err
}

func filePrefix(t easel.TenantID) string { return "t/" + string(t) + "/f/" }
