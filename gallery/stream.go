package gallery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
)

// meter is a body on its way through: it counts, hashes and bounds it.
type meter struct {
	r    io.Reader
	max  int64
	size int64
	sum  hash.Hash
}

func newMeter(r io.Reader, max int64) *meter { return &meter{r: r, max: max, sum: sha256.New()} }

// Read fails with CodeTooLarge at the first byte over the bound.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.size += int64(n)
	if m.size > m.max {
		return 0, easel.Errorf(easel.CodeTooLarge, "the file has more than %d bytes", m.max)
	}
	m.sum.Write(p[:n])
	return n, err
}

// hex returns the SHA-256 of what was read.
func (m *meter) hex() string { return hex.EncodeToString(m.sum.Sum(nil)) }

// seeker reads an object with seeks, for decoders that jump about. Nothing is
// read ahead of need but what the store buffers.
type seeker struct {
	ctx   context.Context //nolint:containedctx // of the one call that decodes
	blobs blob.Store
	key   string
	size  int64
	at    int64         // where the next Read reads
	body  io.ReadCloser // open at position from, or nil
	from  int64
}

// newSeeker opens nothing yet; the caller closes it. blob.ErrNotFound.
func newSeeker(ctx context.Context, blobs blob.Store, key string) (*seeker, error) {
	info, err := blobs.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	return &seeker{ctx: ctx, blobs: blobs, key: key, size: info.Size}, nil
}

// Read implements io.Reader.
func (s *seeker) Read(p []byte) (int, error) {
	if s.at >= s.size {
		return 0, io.EOF
	}
	if s.body != nil && s.from != s.at {
		if err := s.Close(); err != nil {
			return 0, err
		}
	}
	if s.body == nil {
		body, _, err := s.blobs.Get(s.ctx, s.key, blob.Range{Offset: s.at, Length: -1})
		if err != nil {
			return 0, err
		}
		s.body, s.from = body, s.at
	}
	n, err := s.body.Read(p)
	s.at += int64(n)
	s.from = s.at
	if errors.Is(err, io.EOF) && s.at < s.size {
		return n, io.ErrUnexpectedEOF // the object got shorter: not the picture's fault
	}
	return n, err
}

// Seek implements io.Seeker.
func (s *seeker) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.at
	case io.SeekEnd:
		offset += s.size
	}
	if offset < 0 {
		return 0, fmt.Errorf("gallery: seek to %d", offset)
	}
	s.at = offset
	return offset, nil
}

// Close closes what is open.
func (s *seeker) Close() error {
	if s.body == nil {
		return nil
	}
	err := s.body.Close()
	s.body = nil
	return err
}

var _ io.ReadSeekCloser = (*seeker)(nil)
