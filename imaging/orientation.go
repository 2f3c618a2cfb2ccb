package imaging

import (
	"image"
	"io"
	"math"

	"github.com/bep/imagemeta"
)

// orientation is the EXIF tag of that name: how stored rows and columns map to
// what is shown. Values outside 2 to 8 change nothing.
type orientation int

// swaps reports whether width and height change places.
func (o orientation) swaps() bool { return o >= 5 && o <= 8 }

// orientation reads the tag. Metadata that is missing or broken counts as
// upright: browsers show such a file, too.
func (s *source) orientation() orientation {
	formats := map[string]imagemeta.ImageFormat{
		png: imagemeta.PNG, jpeg: imagemeta.JPEG, webp: imagemeta.WebP, tiff: imagemeta.TIFF,
	}
	format, ok := formats[s.kind]
	if !ok || s.rewind() != nil {
		return 1
	}
	s.steps = metadataSteps
	defer func() { s.steps = 0 }()
	var file io.ReadSeeker = s
	if s.kind == png {
		// imagemeta does not stop at the end of a PNG and takes zeros behind it for
		// empty chunks, thousands of them.
		end, err := s.checkPNG(math.MaxInt64)
		if err != nil {
			return 1
		}
		file = io.NewSectionReader(s, 0, end)
	}
	found := orientation(1)
	_, err := imagemeta.Decode(imagemeta.Options{
		R:           file,
		ImageFormat: format,
		Sources:     imagemeta.EXIF,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool {
			return tag.Tag == "Orientation" && tag.Namespace == "IFD0"
		},
		HandleTag: func(tag imagemeta.TagInfo) error {
			if v, ok := tag.Value.(uint16); ok {
				found = orientation(v)
			}
			return imagemeta.ErrStopWalking
		},
	})
	if err != nil && found == 1 {
		return 1
	}
	return found
}

// stored returns which part of a stored w x h image shows as shown.
func (o orientation) stored(shown image.Rectangle, w, h int) image.Rectangle {
	if o < 2 || o > 8 {
		return shown
	}
	// The corner pixels of the part, taken back to where they are stored. Turning by a
	// quarter is undone by turning the other way; everything else by itself.
	back := o
	switch o {
	case 6:
		back = 8
	case 8:
		back = 6
	}
	if o.swaps() {
		w, h = h, w
	}
	x0, y0 := back.place(shown.Min.X, shown.Min.Y, w, h)
	x1, y1 := back.place(shown.Max.X-1, shown.Max.Y-1, w, h)
	return image.Rect(min(x0, x1), min(y0, y1), max(x0, x1)+1, max(y0, y1)+1)
}

// apply returns src as it is shown. It is meant for small pictures: it moves one
// pixel at a time.
func (o orientation) apply(src *image.RGBA) *image.RGBA {
	if o < 2 || o > 8 {
		return src
	}
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	size := image.Rect(0, 0, w, h)
	if o.swaps() {
		size = image.Rect(0, 0, h, w)
	}
	dst := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			dx, dy := o.place(x, y, w, h)
			dst.SetRGBA(dx, dy, src.RGBAAt(x, y))
		}
	}
	return dst
}

// place returns where the stored pixel (x, y) of a w x h image is shown.
func (o orientation) place(x, y, w, h int) (int, int) {
	switch o {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return h - 1 - y, x
	case 7:
		return h - 1 - y, w - 1 - x
	case 8:
		return y, w - 1 - x
	default:
		return x, y
	}
}
