package imaging

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Check tells whether r may be kept as an image: its header holds up (as for
// Size) and the file reaches its format's own end. Pixels are not decoded, so
// that a Thumbnail may still find it ErrCorrupt. Bytes after the end are
// allowed; cameras and phones append them.
func Check(r io.ReadSeeker) error {
	s, err := open(r)
	if err != nil {
		return err
	}
	if _, _, err := s.size(); err != nil {
		return s.blame(err)
	}
	length, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("measure image: %w", err)
	}
	switch s.kind {
	case png:
		_, err = s.checkPNG(length)
	case jpeg:
		err = s.checkJPEG()
	case gif:
		err = s.checkGIF()
	case webp:
		err = s.checkRIFF(length)
	case avif:
		err = s.checkBoxes(length)
	}
	return s.blame(err)
}

// checkPNG walks the chunks up to IEND and returns where that ends.
func (s *source) checkPNG(length int64) (end int64, err error) {
	const signature, overhead = 8, 12 // of a chunk: length, type, CRC
	var head [8]byte
	data := false
	for at := int64(signature); ; {
		if _, err := s.ReadAt(head[:], at); err != nil {
			return 0, fmt.Errorf("%w: no IEND chunk", ErrCorrupt)
		}
		at += overhead + int64(binary.BigEndian.Uint32(head[:4]))
		if at > length {
			return 0, fmt.Errorf("%w: chunk %q ends after the file", ErrCorrupt, head[4:])
		}
		switch string(head[4:]) {
		case "IDAT":
			data = true
		case "IEND":
			if !data {
				return 0, fmt.Errorf("%w: no IDAT chunk", ErrCorrupt)
			}
			return at, nil
		}
	}
}

// checkJPEG walks the segments, and the compressed data between them, up to the
// end-of-image marker.
func (s *source) checkJPEG() error {
	const (
		endOfImage  = 0xd9
		startOfScan = 0xda
	)
	if err := s.rewind(); err != nil {
		return err
	}
	r := bufio.NewReaderSize(s, 32<<10)
	scanned := false
	for {
		b, err := r.ReadByte()
		if err != nil {
			return fmt.Errorf("%w: no end of image", ErrCorrupt)
		}
		if b != 0xff {
			continue // compressed data, or padding
		}
		for b == 0xff {
			if b, err = r.ReadByte(); err != nil {
				return fmt.Errorf("%w: no end of image", ErrCorrupt)
			}
		}
		switch {
		case b == 0, b >= 0xd0 && b <= 0xd8, b == 0x01: // stuffing and markers without a body
			continue
		case b == endOfImage:
			if !scanned {
				return fmt.Errorf("%w: no scan", ErrCorrupt)
			}
			return nil
		}
		scanned = scanned || b == startOfScan
		var size [2]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return fmt.Errorf("%w: segment cut short", ErrCorrupt)
		}
		if _, err := r.Discard(max(0, int(binary.BigEndian.Uint16(size[:]))-len(size))); err != nil {
			return fmt.Errorf("%w: segment cut short", ErrCorrupt)
		}
	}
}

// checkGIF walks the blocks up to the trailer.
func (s *source) checkGIF() error {
	if err := s.rewind(); err != nil {
		return err
	}
	r := bufio.NewReaderSize(s, 32<<10)
	short := fmt.Errorf("%w: no trailer", ErrCorrupt)
	var screen [13]byte
	if _, err := io.ReadFull(r, screen[:]); err != nil {
		return short
	}
	if _, err := r.Discard(colorTable(screen[10])); err != nil {
		return short
	}
	framed := false
	for {
		kind, err := r.ReadByte()
		if err != nil {
			return short
		}
		switch kind {
		case ';': // the trailer
			if !framed {
				return fmt.Errorf("%w: no frame", ErrCorrupt)
			}
			return nil
		case '!': // an extension: its label, then sub-blocks
			if _, err := r.Discard(1); err != nil {
				return short
			}
		case ',': // a frame: descriptor, colours, code size, then sub-blocks
			framed = true
			var frame [9]byte
			if _, err := io.ReadFull(r, frame[:]); err != nil {
				return short
			}
			if _, err := r.Discard(colorTable(frame[8]) + 1); err != nil {
				return short
			}
		default:
			return fmt.Errorf("%w: unknown block 0x%02x", ErrCorrupt, kind)
		}
		for {
			n, err := r.ReadByte()
			if err != nil {
				return short
			}
			if n == 0 {
				break
			}
			if _, err := r.Discard(int(n)); err != nil {
				return short
			}
		}
	}
}

// colorTable returns the bytes of the colour table that a GIF's flags announce.
func colorTable(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// checkRIFF compares the length that a WebP's header states.
func (s *source) checkRIFF(length int64) error {
	var head [8]byte
	if _, err := s.ReadAt(head[:], 0); err != nil {
		return fmt.Errorf("%w: short header", ErrCorrupt)
	}
	if want := int64(binary.LittleEndian.Uint32(head[4:])) + 8; want > length {
		return fmt.Errorf("%w: %d of %d bytes", ErrCorrupt, length, want)
	}
	return nil
}

// checkBoxes walks the top-level boxes of an AVIF.
func (s *source) checkBoxes(length int64) error {
	var head [16]byte
	for at := int64(0); at < length; {
		n, _ := s.ReadAt(head[:], at)
		if n < 8 {
			return fmt.Errorf("%w: box cut short", ErrCorrupt)
		}
		size := int64(binary.BigEndian.Uint32(head[:4]))
		switch {
		case size == 0: // up to the end
			return nil
		case size == 1 && n == len(head):
			size = int64(binary.BigEndian.Uint64(head[8:]))
		}
		if size < 8 || size > length-at {
			return fmt.Errorf("%w: box %q ends after the file", ErrCorrupt, head[4:8])
		}
		at += size
	}
	return nil
}
