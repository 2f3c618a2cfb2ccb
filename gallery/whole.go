package gallery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"github.com/easelhq/easel/blob"
)

// errDamaged ends the reading of an object that is not what was stored.
var errDamaged = errors.New("gallery: the object is damaged")

// whole returns a Content.Open for an object of which size and hash are known. One
// that has changed since is never served whole: its last byte is held back until all
// has been seen. A part of an object is served as it is, because its hash is not
// known; easel verify looks at all of them.
func (g *Gallery) whole(key string, size int64, sum string) func(context.Context, blob.Range) (io.ReadCloser, error) {
	open := g.opener(key)
	return func(ctx context.Context, r blob.Range) (io.ReadCloser, error) {
		body, err := open(ctx, r)
		if err != nil || r.Offset != 0 || r.Length >= 0 && r.Length < size {
			return body, err
		}
		return &verified{
			ReadCloser: body, left: size, hash: sha256.New(), sum: sum,
			damaged: func() { g.c.Log.ErrorContext(ctx, "an object is damaged and was not served whole", "object", key) },
		}, nil
	}
}

// verified reads an object and ends it with errDamaged, before its last byte, if it
// has not the right hash.
type verified struct {
	io.ReadCloser
	left    int64 // bytes that are still to come
	hash    hash.Hash
	sum     string
	damaged func()
}

// Read implements io.Reader.
func (v *verified) Read(p []byte) (int, error) {
	switch {
	case v.left <= 0:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	case v.left > 1:
		n, err := v.ReadCloser.Read(p[:min(int64(len(p)), v.left-1)])
		v.hash.Write(p[:n])
		v.left -= int64(n)
		if errors.Is(err, io.EOF) {
			err = v.cut()
		}
		return n, err
	}
	if _, err := io.ReadFull(v.ReadCloser, p[:1]); errors.Is(err, io.EOF) {
		return 0, v.cut()
	} else if err != nil {
		return 0, err
	}
	v.hash.Write(p[:1])
	v.left = 0
	if hex.EncodeToString(v.hash.Sum(nil)) != v.sum {
		v.damaged()
		return 0, errDamaged
	}
	return 1, nil
}

// cut is the end of an object that is shorter than it was.
func (v *verified) cut() error {
	v.damaged()
	return errDamaged
}
