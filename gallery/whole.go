package gallery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/easelhq/easel/blob"
)

// object is something in the store, and what its row says of it.
type object struct {
	key    string
	size   int64
	sha256 string
	sums   []byte // of its blocks; empty: it was stored before there were any
}

// checked returns a Content.Open for an object. What has changed since it was stored
// is never served: every block is checked before a byte of it leaves, and the last
// byte of the whole is held back until its hash is known.
func (g *Gallery) checked(o object) func(context.Context, blob.Range) (io.ReadCloser, error) {
	return func(ctx context.Context, r blob.Range) (io.ReadCloser, error) {
		whole := r.Offset == 0 && (r.Length < 0 || r.Length >= o.size)
		body, err := g.open(ctx, o, r, whole)
		damaged := func() { g.c.Log.ErrorContext(ctx, "an object is damaged and was not served", "object", o.key) }
		if err != nil {
			if errors.Is(err, blob.ErrDamaged) {
				damaged()
			}
			return nil, outage(err)
		}
		if whole {
			body = &verified{ReadCloser: body, left: o.size, hash: sha256.New(), sum: o.sha256}
		}
		return &watched{ReadCloser: body, damaged: damaged}, nil
	}
}

// mostRead is up to how many bytes an object without sums is read twice when all of
// it is asked for: of a larger one only the last byte waits for the hash.
const mostRead = 64 << 20

// open opens a part of an object, block by block.
func (g *Gallery) open(ctx context.Context, o object, r blob.Range, whole bool) (io.ReadCloser, error) {
	get := g.opener(o.key)
	if whole && len(o.sums) == 0 && o.size > mostRead {
		return get(ctx, r)
	}
	sums, err := g.sums(ctx, o)
	if err != nil {
		return nil, err
	}
	return sums.Open(ctx, r, get)
}

// sums returns the checksums of an object's blocks. Those of one that was stored
// without are made of the whole, once it is known to be what it was.
func (g *Gallery) sums(ctx context.Context, o object) (*blob.Sums, error) {
	if len(o.sums) > 0 {
		s, err := blob.DecodeSums(o.sums, o.size)
		if err != nil {
			return nil, fmt.Errorf("sums of %s: %w", o.key, err)
		}
		return s, nil
	}
	if s, ok := g.oldSums.get(o.key); ok {
		return s, nil
	}
	made, err, _ := g.summing.Do(o.key, func() (any, error) {
		s, err := g.sum(context.WithoutCancel(ctx), o)
		if err == nil {
			g.oldSums.put(o.key, s)
		}
		return s, err
	})
	s, _ := made.(*blob.Sums)
	return s, err
}

// sum reads all of an object.
func (g *Gallery) sum(ctx context.Context, o object) (*blob.Sums, error) {
	body, err := g.opener(o.key)(ctx, blob.All)
	if err != nil {
		return nil, err
	}
	m := newMeter(body, o.size)
	_, err = io.Copy(io.Discard, m)
	if err := errors.Join(err, body.Close()); err != nil && m.size <= o.size {
		return nil, outage(fmt.Errorf("read %s: %w", o.key, err))
	}
	if m.size != o.size || m.hex() != o.sha256 {
		return nil, fmt.Errorf("%s: %w", o.key, blob.ErrDamaged)
	}
	return m.blocks.Sums(), nil
}

// watched tells when the object that is read turns out to be damaged.
type watched struct {
	io.ReadCloser
	damaged func()
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if errors.Is(err, blob.ErrDamaged) {
		w.damaged()
	}
	return n, err
}

// verified reads an object and ends it with blob.ErrDamaged, before its last byte, if
// it has not the right hash.
type verified struct {
	io.ReadCloser
	left int64 // bytes that are still to come
	hash hash.Hash
	sum  string
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
		return n, cut(err)
	}
	if _, err := io.ReadFull(v.ReadCloser, p[:1]); err != nil {
		return 0, cut(err)
	}
	v.hash.Write(p[:1])
	v.left = 0
	if hex.EncodeToString(v.hash.Sum(nil)) != v.sum {
		return 0, blob.ErrDamaged
	}
	return 1, nil
}

// cut returns what the end of an object means that is shorter than it was. An answer
// of the store that was cut off is no end.
func cut(err error) error {
	if errors.Is(err, io.EOF) && !errors.Is(err, blob.ErrUnavailable) {
		return fmt.Errorf("%w: it is shorter than it was", blob.ErrDamaged)
	}
	return err
}
