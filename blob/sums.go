package blob

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

const (
	leafSize   = 64 << 10 // bytes that one checksum is made of
	mostBlocks = 4096     // that Sums has; of larger objects the blocks are larger
	mostLevel  = 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Sums are checksums of an object's blocks, so that any part of it can be checked
// without the rest. Blocks have 64 KiB, of objects of more than 256 MiB as much
// more as keeps their number at 4,096. The sums find accidents, not attacks. The
// zero Sums are those of nothing.
type Sums struct {
	size  int64
	level int // a block has leafSize << level bytes
	crcs  []uint32
}

// Size returns the bytes of the object.
func (s *Sums) Size() int64 { return s.size }

// Block returns the bytes of a block.
func (s *Sums) Block() int64 { return leafSize << s.level }

// Encode returns the sums without the size: a byte for the size of blocks, and four
// bytes for each block.
func (s *Sums) Encode() []byte {
	b := make([]byte, 1, 1+4*len(s.crcs))
	b[0] = byte(s.level)
	for _, c := range s.crcs {
		b = binary.BigEndian.AppendUint32(b, c)
	}
	return b
}

// DecodeSums reads what Encode has made of an object of so many bytes.
func DecodeSums(b []byte, size int64) (*Sums, error) {
	s := &Sums{size: size}
	if len(b) > 0 {
		s.level = int(b[0])
	}
	if len(b) == 0 || size < 0 || s.level > mostLevel || int64(len(b)-1) != 4*s.blocks() {
		return nil, fmt.Errorf("blob: %d bytes are no sums of an object of %d", len(b), size)
	}
	for b = b[1:]; len(b) > 0; b = b[4:] {
		s.crcs = append(s.crcs, binary.BigEndian.Uint32(b))
	}
	return s, nil
}

func (s *Sums) blocks() int64 { return (s.size + s.Block() - 1) / s.Block() }

// Summing makes the Sums of what is written to it. The zero value is ready.
type Summing struct {
	size   int64
	leaf   uint32 // of the last leaf, which is not whole
	leaves []uint32
}

// Write implements io.Writer and never fails.
func (w *Summing) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		part := p[:min(int64(len(p)), leafSize-w.size%leafSize)]
		w.leaf = crc32.Update(w.leaf, castagnoli, part)
		if w.size += int64(len(part)); w.size%leafSize == 0 {
			w.leaves, w.leaf = append(w.leaves, w.leaf), 0
		}
		p = p[len(part):]
	}
	return n, nil
}

// Sums returns the sums of all that was written.
func (w *Summing) Sums() *Sums {
	s := &Sums{size: w.size, crcs: w.all()}
	for len(s.crcs) > mostBlocks {
		s.crcs = fold(s.crcs)
		s.level++
	}
	return s
}

// all returns the sums of all leaves, the last one too.
func (w *Summing) all() []uint32 {
	leaves := append([]uint32(nil), w.leaves...)
	if w.size%leafSize != 0 {
		leaves = append(leaves, w.leaf)
	}
	return leaves
}

// fold makes of each two sums the one of both together, in place.
func fold(crcs []uint32) []uint32 {
	out := crcs[:0]
	for i := 0; i < len(crcs); i += 2 {
		var pair []byte
		for _, c := range crcs[i:min(i+2, len(crcs))] {
			pair = binary.BigEndian.AppendUint32(pair, c)
		}
		out = append(out, crc32.Checksum(pair, castagnoli))
	}
	return out
}

// holds reports whether b is block i.
func (s *Sums) holds(i int64, b []byte) bool {
	var w Summing
	_, _ = w.Write(b) // it never fails
	crcs := w.all()
	for range s.level {
		crcs = fold(crcs)
	}
	return len(crcs) == 1 && crcs[0] == s.crcs[i]
}

// Open reads a range of the object, of which get opens any. No byte leaves before
// the block that it is in has been checked, the first one before Open returns:
// else the error is ErrDamaged. ErrRange past the end. A block is held in memory.
func (s *Sums) Open(ctx context.Context, r Range, get func(context.Context, Range) (io.ReadCloser, error)) (io.ReadCloser, error) {
	offset, length, err := r.span(s.size)
	if err != nil {
		return nil, err
	}
	if length == 0 {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	first, end := offset/s.Block(), min((offset+length+s.Block()-1)/s.Block()*s.Block(), s.size)
	from := first * s.Block()
	body, err := get(ctx, Range{Offset: from, Length: end - from})
	if errors.Is(err, ErrRange) {
		return nil, fmt.Errorf("%w: it is shorter than it was", ErrDamaged)
	}
	if err != nil {
		return nil, err
	}
	c := &checked{ReadCloser: body, sums: s, next: first, left: length}
	if err := c.fill(); err != nil {
		return nil, errors.Join(err, body.Close())
	}
	c.ready = c.ready[offset-from:]
	return c, nil
}

// checked reads an object block by block.
type checked struct {
	io.ReadCloser
	sums  *Sums
	next  int64  // block
	left  int64  // bytes that are asked for and were not read
	block []byte // the buffer
	ready []byte // what is checked and was not read
}

// Read implements io.Reader.
func (c *checked) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	if len(c.ready) == 0 {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.ready[:min(int64(len(c.ready)), c.left)])
	c.ready, c.left = c.ready[n:], c.left-int64(n)
	return n, nil
}

// fill reads and checks the next block.
func (c *checked) fill() error {
	size := min(c.sums.Block(), c.sums.size-c.next*c.sums.Block())
	if int64(cap(c.block)) < size {
		c.block = make([]byte, size)
	}
	c.block = c.block[:size]
	switch _, err := io.ReadFull(c.ReadCloser, c.block); {
	case errors.Is(err, ErrUnavailable):
		return err // an answer that was cut off is no end of the object, though it wraps one
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it is shorter than it was", ErrDamaged)
	case err != nil:
		return err
	}
	if !c.sums.holds(c.next, c.block) {
		return fmt.Errorf("%w: block %d of %d bytes", ErrDamaged, c.next, c.sums.Block())
	}
	c.ready = c.block
	c.next++
	return nil
}
