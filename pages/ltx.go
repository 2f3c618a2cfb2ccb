package pages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/superfly/ltx"
)

// Span is the range of an actor's batches that an LTX file covers, both ends
// included. It becomes the file's transaction ids, moved up by one, because
// LTX takes a file that starts at 1 for a full snapshot.
type Span struct {
	From, To uint64 // from 1
}

// LTXWriter writes one LTX file page by page, in ascending order.
type LTXWriter struct {
	enc *ltx.Encoder
}

// NewLTX starts an LTX file in w of a database of size pages. A full snapshot
// covers batches from 0 (Span.From == 0) and must be given every page from 1 to
// size, but the lock page; a merge may be given any. The file carries the
// format's own checksum of its bytes, and none of the database's content.
func NewLTX(w io.Writer, pageSize, size uint32, span Span) (*LTXWriter, error) {
	enc, err := ltx.NewEncoder(w)
	if err != nil {
		return nil, fmt.Errorf("start ltx: %w", err)
	}
	err = enc.EncodeHeader(ltx.Header{
		Version: ltx.Version, Flags: ltx.HeaderFlagNoChecksum,
		PageSize: pageSize, Commit: size,
		MinTXID: ltx.TXID(span.From + 1), MaxTXID: ltx.TXID(span.To + 1),
	})
	if err != nil {
		return nil, fmt.Errorf("write ltx header: %w", err)
	}
	return &LTXWriter{enc: enc}, nil
}

// Write adds a page. Pages that LTX cannot hold, the lock page, are left out.
func (w *LTXWriter) Write(p Page) error {
	if p.No == ltx.LockPgno(w.enc.Header().PageSize) {
		return nil
	}
	if err := w.enc.EncodePage(ltx.PageHeader{Pgno: p.No}, p.Data); err != nil {
		return fmt.Errorf("write ltx page %d: %w", p.No, err)
	}
	return nil
}

// Close ends the file. Only then are its bytes complete.
func (w *LTXWriter) Close() error {
	if err := w.enc.Close(); err != nil {
		return fmt.Errorf("end ltx: %w", err)
	}
	return nil
}

// EncodeLTX returns s as an LTX file that covers span.
func EncodeLTX(s Set, span Span) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if s.Empty() || s.Size == 0 {
		return nil, malformed("an ltx file needs a database of at least one page")
	}
	var b bytes.Buffer
	w, err := NewLTX(&b, s.PageSize, s.Size, span)
	if err != nil {
		return nil, err
	}
	for _, p := range s.Pages {
		if err := w.Write(p); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// DecodeLTX returns the set and the span of a whole LTX file.
func DecodeLTX(b []byte) (Set, Span, error) {
	var s Set
	h, err := EachLTX(b, func(p Page) error {
		s.Pages = append(s.Pages, Page{No: p.No, Data: bytes.Clone(p.Data)})
		return nil
	})
	if err != nil {
		return Set{}, Span{}, err
	}
	s.PageSize, s.Size = h.PageSize, h.Size
	return s, h.Span, nil
}

// LTXHeader says what an LTX file holds.
type LTXHeader struct {
	PageSize uint32
	Size     uint32 // pages in the database after the file is applied
	Span     Span
}

// EachLTX calls each for every page of an LTX file, in ascending order. The
// page's data is overwritten by the next call. The file's checksum is known to
// be right only when EachLTX has returned nil. Bytes that are no LTX file give
// ErrMalformed.
func EachLTX(b []byte, each func(Page) error) (LTXHeader, error) {
	if err := checkFrames(b); err != nil {
		return LTXHeader{}, err
	}
	dec := ltx.NewDecoder(bytes.NewReader(b))
	if err := dec.DecodeHeader(); err != nil {
		return LTXHeader{}, malformed("ltx header: %v", err)
	}
	lh := dec.Header()
	h := LTXHeader{
		PageSize: lh.PageSize, Size: lh.Commit,
		Span: Span{From: uint64(lh.MinTXID) - 1, To: uint64(lh.MaxTXID) - 1},
	}
	if h.Size == 0 {
		return LTXHeader{}, malformed("ltx of an empty database")
	}
	data := make([]byte, lh.PageSize)
	prev := uint32(0)
	for {
		var ph ltx.PageHeader
		err := dec.DecodePage(&ph, data)
		if errors.Is(err, io.EOF) && ph.IsZero() {
			break
		}
		if err != nil {
			return LTXHeader{}, malformed("ltx page: %v", err)
		}
		if ph.Pgno <= prev || ph.Pgno > h.Size {
			return LTXHeader{}, malformed("ltx page %d after %d of %d", ph.Pgno, prev, h.Size)
		}
		prev = ph.Pgno
		if err := each(Page{No: ph.Pgno, Data: data}); err != nil {
			return LTXHeader{}, err
		}
	}
	if err := dec.Close(); err != nil {
		return LTXHeader{}, malformed("ltx end: %v", err)
	}
	return h, nil
}

// checkFrames walks the page frames of an LTX file by their lengths. The
// decoder allocates what a frame's length field says, so it is checked first.
// Files with frames of the older, unsized kind are refused: this package never
// wrote one.
func checkFrames(b []byte) error {
	if len(b) < ltx.HeaderSize {
		return malformed("ltx of %d bytes", len(b))
	}
	b = b[ltx.HeaderSize:]
	for {
		if len(b) < ltx.PageHeaderSize {
			return malformed("ltx ends within its pages")
		}
		var h ltx.PageHeader
		if err := h.UnmarshalBinary(b[:ltx.PageHeaderSize]); err != nil {
			return malformed("ltx page header: %v", err)
		}
		b = b[ltx.PageHeaderSize:]
		if h.IsZero() {
			return nil
		}
		if h.Flags&ltx.PageHeaderFlagSize == 0 || len(b) < 4 {
			return malformed("ltx page %d without a length", h.Pgno)
		}
		n := binary.BigEndian.Uint32(b)
		b = b[4:]
		if uint64(n) > uint64(len(b)) {
			return malformed("ltx page %d of %d bytes, %d left", h.Pgno, n, len(b))
		}
		b = b[n:]
	}
}
