package imaging

import (
	"bufio"
	"fmt"
	"image/color"
	"io"
)

// mostMemory is how many bytes the pixels of a picture may need while it is
// decoded. MaxPixels alone does not bound them well: a PNG may have 8 bytes a
// pixel, and of a progressive JPEG all coefficients, of 4 bytes, are kept to the
// end, so that a file of a few kilobytes could ask for more than a gigabyte.
const mostMemory = 512 << 20

// affordable refuses a picture that needs more than mostMemory.
func (s *source) affordable(width, height int) (err error) {
	defer guard(&err)
	pixels := int64(width) * int64(height)
	need, err := s.memory(pixels)
	if err != nil {
		return err
	}
	if need > mostMemory {
		return fmt.Errorf("%w: %d x %d pixels decode to %d bytes", ErrTooLarge, width, height, need)
	}
	return nil
}

// memory estimates what so many pixels of s decode to, in bytes.
func (s *source) memory(pixels int64) (int64, error) {
	if s.kind == jpeg {
		return s.jpegMemory(pixels)
	}
	c, err := s.config()
	if err != nil {
		return 0, err
	}
	switch c.ColorModel {
	case color.GrayModel:
		return pixels, nil
	case color.Gray16Model:
		return 2 * pixels, nil
	case color.RGBA64Model, color.NRGBA64Model:
		return 8 * pixels, nil
	}
	if _, ok := c.ColorModel.(color.Palette); ok {
		return pixels, nil
	}
	return 4 * pixels, nil
}

// jpegMemory looks for the frame header, which says how finely each component is
// sampled and whether the image is progressive.
func (s *source) jpegMemory(pixels int64) (int64, error) {
	const progressive, coefficient = 0xc2, 4
	if err := s.rewind(); err != nil {
		return 0, err
	}
	r := bufio.NewReaderSize(s, 16<<10)
	for {
		marker, body, err := segment(r)
		if err != nil {
			return 0, fmt.Errorf("%w: no frame header", ErrCorrupt)
		}
		if marker < 0xc0 || marker > 0xcf || marker == 0xc4 || marker == 0xc8 || marker == 0xcc || len(body) < 6 {
			continue
		}
		var samples, largest int64 // in each block of the coarsest component
		for i := 6; i+2 < len(body); i += 3 {
			area := int64(body[i+1]>>4) * int64(body[i+1]&0xf)
			samples, largest = samples+area, max(largest, area)
		}
		need := pixels * samples / max(largest, 1)
		if marker == progressive {
			need += need * coefficient
		}
		return need, nil
	}
}

// segment returns the next marker of a JPEG's head and what belongs to it.
func segment(r *bufio.Reader) (marker byte, body []byte, err error) {
	for marker == 0 || marker == 0xff || marker >= 0xd0 && marker <= 0xd8 { // those have no body
		for last := byte(0); last != 0xff; {
			if last, err = r.ReadByte(); err != nil {
				return 0, nil, err
			}
		}
		for marker = 0xff; marker == 0xff; { // padding
			if marker, err = r.ReadByte(); err != nil {
				return 0, nil, err
			}
		}
	}
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return 0, nil, err
	}
	body = make([]byte, max(0, int(size[0])<<8+int(size[1])-len(size)))
	_, err = io.ReadFull(r, body)
	return marker, body, err
}
