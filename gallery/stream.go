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
	most int64
	size int64
	sum  hash.Hash
}

func newMeter(r io.Reader, most int64) *meter { return &meter{r: r, most: most, sum: sha256.New()} }

// Read fails with CodeTooLarge at the first byte over the bound.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.size += int64(n)
	if m.size > m.most {
		return 0, easel.Errorf(easel.CodeTooLarge, "the file has more than %d bytes", m.most)
	}
	m.sum.Write(p[:n])
	return n, err
}

// hex returns the SHA-256 of what was read.
func (m *meter) hex() string { return hex.EncodeToString(m.sum.Sum(nil)) }

// Blocks that a seeker reads: small at first, because most of what jumps about
// looks at a header only, then larger while reading goes straight on.
const (
	minBlock = 32 << 10
	maxBlock = 1 << 20
)

// seeker reads an object with seeks, for decoders that jump about in steps of a
// few bytes. It asks the store for one block at a time.
type seeker struct {
	ctx   context.Context //nolint:containedctx // of the one call that decodes
	blobs blob.Store
	key   string
	size  int64
	at    int64  // where the next Read reads
	block []byte // what lies at start
	start int64
	next  int // size of the next block
}

// newSeeker reads nothing yet. blob.ErrNotFound.
func newSeeker(ctx context.Context, blobs blob.Store, key string) (*seeker, error) {
	info, err := blobs.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	return &seeker{ctx: ctx, blobs: blobs, key: key, size: info.Size, next: minBlock}, nil
}

// Read implements io.Reader.
func (s *seeker) Read(p []byte) (int, error) {
	if s.at >= s.size {
		return 0, io.EOF
	}
	if s.at < s.start || s.at >= s.start+int64(len(s.block)) {
		if err := s.fetch(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.block[s.at-s.start:])
	s.at += int64(n)
	return n, nil
}

// fetch reads the block at s.at.
func (s *seeker) fetch() error {
	if s.at == s.start+int64(len(s.block)) && s.at > 0 {
		s.next = min(2*s.next, maxBlock)
	} else {
		s.next = minBlock
	}
	want := min(int64(s.next), s.size-s.at)
	body, _, err := s.blobs.Get(s.ctx, s.key, blob.Range{Offset: s.at, Length: want})
	if err != nil {
		return err
	}
	if int64(cap(s.block)) < want {
		s.block = make([]byte, want)
	}
	s.block, s.start = s.block[:want], s.at
	_, err = io.ReadFull(body, s.block)
	if err := errors.Join(err, body.Close()); err != nil {
		s.block = s.block[:0]
		return fmt.Errorf("read %s: %w", s.key, err)
	}
	return nil
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

var _ io.ReadSeeker = (*seeker)(nil)
