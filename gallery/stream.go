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
	r      io.Reader
	most   int64
	size   int64
	sum    hash.Hash
	blocks blob.Summing
	head   []byte // the first bytes, as many as it has room for
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
	_, _ = m.blocks.Write(p[:n]) // it never fails
	m.head = append(m.head, p[:min(n, cap(m.head)-len(m.head))]...)
	return n, err
}

// hex returns the SHA-256 of what was read.
func (m *meter) hex() string { return hex.EncodeToString(m.sum.Sum(nil)) }

// Blocks that a seeker reads: small at first, because most of what jumps about
// looks at a header only, then larger while reading goes straight on.
const (
	minBlock = 64 << 10
	maxBlock = 1 << 20
)

// seeker reads an object with seeks, for decoders that jump about in steps of a
// few bytes. It asks the store for some blocks at a time, and checks them.
type seeker struct {
	ctx   context.Context //nolint:containedctx // of the one call that decodes
	get   func(context.Context, blob.Range) (io.ReadCloser, error)
	sums  *blob.Sums
	at    int64  // where the next Read reads
	block []byte // what lies at start
	start int64
	next  int64 // how much is read next
}

// seeker reads nothing yet, unless the sums of an old object have to be made first.
func (g *Gallery) seeker(ctx context.Context, o object) (*seeker, error) {
	sums, err := g.sums(ctx, o)
	if err != nil {
		return nil, err
	}
	get := func(ctx context.Context, r blob.Range) (io.ReadCloser, error) {
		body, _, err := g.c.Blobs.Get(ctx, o.key, r)
		return body, err
	}
	return &seeker{ctx: ctx, get: get, sums: sums, next: minBlock}, nil
}

// Read implements io.Reader.
func (s *seeker) Read(p []byte) (int, error) {
	if s.at >= s.sums.Size() {
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

// fetch reads the blocks from the one of s.at on.
func (s *seeker) fetch() error {
	if s.at == s.start+int64(len(s.block)) && s.at > 0 {
		s.next = min(2*s.next, maxBlock)
	} else {
		s.next = minBlock
	}
	start := s.at - s.at%s.sums.Block()
	want := min(max(s.next, s.sums.Block()), s.sums.Size()-start)
	s.block, s.start = s.block[:0], start
	body, err := s.sums.Open(s.ctx, blob.Range{Offset: start, Length: want}, s.get)
	if err != nil {
		return err
	}
	block := s.block
	if int64(cap(block)) < want {
		block = make([]byte, want)
	}
	_, err = io.ReadFull(body, block[:want])
	if err := errors.Join(err, body.Close()); err != nil {
		return fmt.Errorf("read %d bytes at %d: %w", want, start, err)
	}
	s.block = block[:want]
	return nil
}

// Seek implements io.Seeker.
func (s *seeker) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.at
	case io.SeekEnd:
		offset += s.sums.Size()
	}
	if offset < 0 {
		return 0, fmt.Errorf("gallery: seek to %d", offset)
	}
	s.at = offset
	return offset, nil
}

var _ io.ReadSeeker = (*seeker)(nil)
