package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
)

// blobs reads every blob of a tenant and compares those of which something is
// known.
func (w *walk) blobs(id easel.TenantID, x *expected, known bool) error {
	err := eachBlob(w.ctx, w.Blobs, id, func(info blob.Info) error { return w.blob(info.Key, x, known) })
	if err != nil {
		return err
	}
	for key := range x.sha {
		w.note(Finding{What: blobMissing, Object: "blobs/" + key})
	}
	for key := range x.hist {
		w.note(Finding{What: blobMissing, Object: "blobs/" + key, Detail: "an object of history"})
	}
	return nil
}

// blob reads one blob of a tenant and crosses it off.
func (w *walk) blob(key string, x *expected, known bool) error {
	sum, sums, err := w.digest(key)
	if errors.Is(err, blob.ErrNotFound) {
		return nil // deleted since
	}
	if err != nil {
		return err
	}
	w.count("blob", sums.Size())
	object := "blobs/" + key
	want, named := x.sha[key]
	stem, hist := historyName(key)
	switch {
	case named && (want != sum || x.size[key] != sums.Size()):
		w.note(Finding{What: blobDamaged, Object: object, Detail: fmt.Sprintf("%d bytes, SHA-256 %s; its row says %d, %s", sums.Size(), sum, x.size[key], want)})
	case named && len(x.sums[key]) > 0 && !bytes.Equal(x.sums[key], sums.Encode()):
		w.note(Finding{What: sumsDamaged, Object: object})
	case hist && !strings.HasPrefix(sum, stem):
		w.note(Finding{What: blobDamaged, Object: object, Detail: "its SHA-256 is " + sum + ", its name says " + stem})
	case !named && !hist && known && !ofListed(key, x):
		w.note(Finding{What: blobUnnamed, Harmless: true, Object: object})
	}
	delete(x.sha, key)
	delete(x.hist, key)
	if strings.HasSuffix(key, sealedEnd) {
		return w.sealed(key)
	}
	return nil
}

// sealedEnd ends the keys of thumbnails, which have their own sums in front.
const sealedEnd = "-sealed"

// sealed looks whether a sealed object is what it says.
func (w *walk) sealed(key string) error {
	get := func(ctx context.Context, r blob.Range) (io.ReadCloser, error) {
		body, _, err := w.Blobs.Get(ctx, key, r)
		return body, err
	}
	err := readSealed(w.ctx, get)
	switch {
	case errors.Is(err, blob.ErrDamaged):
		w.note(Finding{What: thumbDamaged, Harmless: true, Object: "blobs/" + key, Detail: err.Error()})
	case errors.Is(err, blob.ErrNotFound): // deleted since
	default:
		return err
	}
	return nil
}

func readSealed(ctx context.Context, get func(context.Context, blob.Range) (io.ReadCloser, error)) error {
	r, err := get(ctx, blob.Range{Length: int64(blob.SealFront)})
	if err != nil {
		return err
	}
	head, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	sums, front, err := blob.ReadSeal(head)
	if err != nil {
		return err
	}
	content, err := sums.Open(ctx, blob.All, func(ctx context.Context, r blob.Range) (io.ReadCloser, error) {
		return get(ctx, blob.Range{Offset: r.Offset + front, Length: r.Length})
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, content)
	return errors.Join(err, content.Close())
}

// historyName returns the hash at the end of the name of an object of history.
func historyName(key string) (hash string, ok bool) {
	i := strings.LastIndexByte(key, '/')
	name, is := strings.CutPrefix(key[i+1:], "hist-")
	if !is {
		return "", false
	}
	hash = name[strings.LastIndexByte(name, '-')+1:]
	_, err := hex.DecodeString(hash)
	return hash, err == nil && len(hash) >= 16
}

// ofListed reports whether a blob lies beside the file of an image that a row
// lists: thumbnails are named by nobody.
func ofListed(key string, x *expected) bool {
	parts := strings.Split(key, "/")
	if len(parts) < 5 || parts[2] != "i" {
		return false
	}
	_, listed := x.rows[easel.ID(parts[3])]
	return listed
}

// digest returns a blob's SHA-256 and the sums of its blocks.
func (w *walk) digest(key string) (sum string, sums *blob.Sums, err error) {
	r, _, err := w.Blobs.Get(w.ctx, key, blob.All)
	if err != nil {
		return "", nil, err
	}
	h := sha256.New()
	var blocks blob.Summing
	_, err = io.Copy(io.MultiWriter(h, &blocks), r)
	return hex.EncodeToString(h.Sum(nil)), blocks.Sums(), errors.Join(err, r.Close())
}
