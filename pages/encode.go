package pages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/klauspost/compress/s2"
)

// Limits of one encoded set. They bound what a decoder allocates.
const (
	MinPageSize = 512
	MaxPageSize = 65536
	// MaxSize is the largest number of pages of a database.
	MaxSize = 1<<32 - 2

	formatV1 = 1
	// chunkBytes is how much page data is compressed at once. A decoder
	// allocates no more than this ahead of the input that proves it is there.
	chunkBytes = 1 << 18
)

// ErrMalformed is wrapped by every error about bytes that are no encoded set,
// and about sets that break the rules of Set.
var ErrMalformed = errors.New("pages: malformed")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// Check reports whether s keeps the rules that Set documents.
func (s Set) Check() error {
	if s.Empty() {
		return nil
	}
	if !validPageSize(s.PageSize) {
		return malformed("page size %d", s.PageSize)
	}
	if s.Size > MaxSize {
		return malformed("size %d", s.Size)
	}
	prev := uint32(0)
	for _, p := range s.Pages {
		if p.No <= prev || p.No > s.Size {
			return malformed("page %d after %d of %d", p.No, prev, s.Size)
		}
		if uint32(len(p.Data)) != s.PageSize {
			return malformed("page %d has %d bytes, not %d", p.No, len(p.Data), s.PageSize)
		}
		prev = p.No
	}
	return nil
}

// Encode returns the encoding of s; see Encoder.
func Encode(s Set) ([]byte, error) {
	var e Encoder
	return e.Encode(nil, s)
}

// Encoder encodes one set after another and keeps its working memory, up to
// 1 MiB, in between. The zero Encoder is ready.
type Encoder struct {
	raw []byte // page data, to be compressed at once
	buf []byte // the encoding
}

const maxScratch = 1 << 20

// Encode returns prefix, followed by the encoding of s, in memory of exactly
// their length. The encoding has no checksum of its own: whoever stores it adds
// one. It returns ErrMalformed for a set that Check refuses.
//
//	byte     format, 1
//	byte     log2 of the page size, 0 for an empty set (and nothing follows)
//	uvarint  pages in the database
//	uvarint  pages in the set
//	uvarint  for each page: its number less the one before it
//	blocks   uvarint length and S2 block for each 256 KiB of page data
func (e *Encoder) Encode(prefix []byte, s Set) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	e.buf = append(e.buf[:0], prefix...)
	if s.Empty() {
		e.buf = append(e.buf, formatV1, 0)
	} else {
		e.encode(s)
	}
	out := bytes.Clone(e.buf)
	if cap(e.buf) > maxScratch {
		e.buf = nil
	}
	return out, nil
}

func (e *Encoder) encode(s Set) {
	dst := e.buf
	dst = append(dst, formatV1, byte(bits.TrailingZeros32(s.PageSize)))
	dst = binary.AppendUvarint(dst, uint64(s.Size))
	dst = binary.AppendUvarint(dst, uint64(len(s.Pages)))
	prev := uint32(0)
	for _, p := range s.Pages {
		dst = binary.AppendUvarint(dst, uint64(p.No-prev))
		prev = p.No
	}
	per := chunkBytes / int(s.PageSize)
	for at := 0; at < len(s.Pages); at += per {
		e.raw = e.raw[:0]
		for _, p := range s.Pages[at:min(at+per, len(s.Pages))] {
			e.raw = append(e.raw, p.Data...)
		}
		dst = appendBlock(dst, e.raw)
	}
	e.buf = dst
}

// appendBlock compresses raw straight into dst, behind a length of fixed width
// that is filled in afterwards, so that nothing is copied twice.
func appendBlock(dst, raw []byte) []byte {
	const width = 3 // uvarint of up to 2^21, more than any block of chunkBytes
	at := len(dst)
	need := at + width + s2.MaxEncodedLen(len(raw))
	if cap(dst) < need {
		grown := make([]byte, at, need)
		copy(grown, dst)
		dst = grown
	}
	block := s2.Encode(dst[at+width:need:need], raw)
	n := len(block)
	dst = dst[:at+width+n]
	dst[at] = byte(n)&0x7f | 0x80
	dst[at+1] = byte(n>>7)&0x7f | 0x80
	dst[at+2] = byte(n >> 14)
	return dst
}

// Decode returns the set that b encodes. The set does not share memory with b.
// Bytes that are no encoding, or that go on after it, give ErrMalformed.
func Decode(b []byte) (Set, error) {
	if len(b) < 2 || b[0] != formatV1 {
		return Set{}, malformed("unknown format")
	}
	log := b[1]
	b = b[2:]
	if log == 0 {
		if len(b) != 0 {
			return Set{}, malformed("%d bytes after an empty set", len(b))
		}
		return Set{}, nil
	}
	if log > 16 || !validPageSize(1<<log) {
		return Set{}, malformed("page size 2^%d", log)
	}
	s := Set{PageSize: 1 << log}
	size, b, err := uvarint(b, MaxSize)
	if err != nil {
		return Set{}, err
	}
	s.Size = uint32(size)
	// Every page takes at least one byte of the input: its number.
	count, b, err := uvarint(b, min(uint64(s.Size), uint64(len(b))))
	if err != nil {
		return Set{}, err
	}
	if count == 0 && s.Size == 0 {
		return Set{}, malformed("empty set with a page size")
	}
	if count > 0 {
		s.Pages = make([]Page, count)
	}
	prev := uint64(0)
	for i := range s.Pages {
		var delta uint64
		if delta, b, err = uvarint(b, uint64(s.Size)-prev); err != nil {
			return Set{}, err
		}
		if delta == 0 {
			return Set{}, malformed("page %d twice", prev)
		}
		prev += delta
		s.Pages[i].No = uint32(prev)
	}
	return decodeBlocks(s, b)
}

func decodeBlocks(s Set, b []byte) (Set, error) {
	per := chunkBytes / int(s.PageSize)
	for at := 0; at < len(s.Pages); at += per {
		chunk := s.Pages[at:min(at+per, len(s.Pages))]
		n, rest, err := uvarint(b, uint64(len(b)))
		if err != nil {
			return Set{}, err
		}
		if n > uint64(len(rest)) {
			return Set{}, malformed("block of %d bytes, %d left", n, len(rest))
		}
		block := rest[:n]
		b = rest[n:]
		want := len(chunk) * int(s.PageSize)
		if got, err := s2.DecodedLen(block); err != nil || got != want {
			return Set{}, malformed("block of %d bytes of page data, not %d", got, want)
		}
		raw, err := s2.Decode(make([]byte, want), block)
		if err != nil {
			return Set{}, malformed("block: %v", err)
		}
		for i := range chunk {
			chunk[i].Data = raw[i*int(s.PageSize) : (i+1)*int(s.PageSize) : (i+1)*int(s.PageSize)]
		}
	}
	if len(b) != 0 {
		return Set{}, malformed("%d bytes after the set", len(b))
	}
	return s, nil
}

// uvarint reads one number of at most limit from b and returns what follows.
func uvarint(b []byte, limit uint64) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, malformed("truncated number")
	}
	if v > limit {
		return 0, nil, malformed("number %d over %d", v, limit)
	}
	return v, b[n:], nil
}

func validPageSize(n uint32) bool {
	return n >= MinPageSize && n <= MaxPageSize && n&(n-1) == 0
}
