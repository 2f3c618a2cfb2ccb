package imaging

import (
	"bytes"
	"fmt"
	"image"
	stdgif "image/gif"
	stdjpeg "image/jpeg"
	stdpng "image/png"
	"io"

	"golang.org/x/image/draw"
	xtiff "golang.org/x/image/tiff"
	xwebp "golang.org/x/image/webp"
)

// MaxThumbnail is the longest side that Thumbnail makes, in pixels.
const MaxThumbnail = 4096

const jpegQuality = 82

// Thumbnail returns r's first frame, shown upright, scaled to fit in a square
// of size pixels (1 to MaxThumbnail; values outside are moved to the nearest)
// and never enlarged: a JPEG, or a PNG when something is transparent. AVIF
// files and animated WebP are ErrUnsupported. Other errors are as for Size; a
// file that ends early is ErrCorrupt, one whose pixels need too much memory
// ErrTooLarge.
func Thumbnail(r io.ReadSeeker, size int) (data []byte, contentType string, err error) {
	size = min(max(size, 1), MaxThumbnail)
	s, err := open(r)
	if err != nil {
		return nil, "", err
	}
	width, height, err := s.size()
	if err != nil {
		return nil, "", s.blame(err)
	}
	if err := s.affordable(width, height); err != nil {
		return nil, "", s.blame(err)
	}
	upright := s.orientation()
	frame, err := s.decode(width, height)
	if err != nil {
		return nil, "", s.blame(err)
	}
	small, err := scale(frame, image.Rect(0, 0, width, height), size)
	if err != nil {
		return nil, "", s.blame(err)
	}
	// Not every failure to read shows: metadata that is not found is none.
	if s.failed != nil {
		return nil, "", s.failed
	}
	return encode(upright.apply(small))
}

// decode returns the pixels of the first frame. Its bounds say where on the
// width x height canvas it lies.
func (s *source) decode(width, height int) (frame image.Image, err error) {
	defer guard(&err)
	r, err := s.stream()
	if err != nil {
		return nil, err
	}
	switch s.kind {
	case png:
		return stdpng.Decode(r)
	case jpeg:
		return stdjpeg.Decode(&scanCounter{r: r, left: maxScans(width, height)})
	case gif:
		return stdgif.Decode(r) // stops after the first frame
	case webp:
		if s.animated {
			return nil, fmt.Errorf("%w: animated WebP", ErrUnsupported)
		}
		return xwebp.Decode(r)
	case tiff:
		return xtiff.Decode(r)
	default:
		return nil, fmt.Errorf("%w: no decoder for %s", ErrUnsupported, s.kind)
	}
}

// scale draws frame, which lies on canvas, to fit in a square of size pixels.
func scale(frame image.Image, canvas image.Rectangle, size int) (small *image.RGBA, err error) {
	defer guard(&err)
	w, h := fit(canvas.Dx(), canvas.Dy(), size)
	frame, canvas = halved(frame, canvas, max(w, h))
	small = image.NewRGBA(image.Rect(0, 0, w, h))
	at := frame.Bounds()
	to := image.Rect(
		at.Min.X*w/canvas.Dx(), at.Min.Y*h/canvas.Dy(),
		(at.Max.X*w+canvas.Dx()-1)/canvas.Dx(), (at.Max.Y*h+canvas.Dy()-1)/canvas.Dy(),
	)
	draw.CatmullRom.Scale(small, to, frame, at, draw.Src, nil)
	return small, nil
}

// halved returns frame at half its size, and again, as long as it stays at least
// twice as long as size. The last step to size is a fine one, whose memory goes by
// the rows that it starts from.
func halved(frame image.Image, canvas image.Rectangle, size int) (image.Image, image.Rectangle) {
	for min(frame.Bounds().Dx(), frame.Bounds().Dy()) > 1 && max(canvas.Dx(), canvas.Dy()) >= 2*size {
		at := frame.Bounds()
		half := image.NewRGBA(image.Rect(at.Min.X/2, at.Min.Y/2, (at.Max.X+1)/2, (at.Max.Y+1)/2))
		draw.ApproxBiLinear.Scale(half, half.Bounds(), frame, at, draw.Src, nil)
		frame, canvas = half, image.Rect(0, 0, (canvas.Dx()+1)/2, (canvas.Dy()+1)/2)
	}
	return frame, canvas
}

// fit returns the largest size with the same proportions whose longer side is
// at most size, and that does not exceed width x height.
func fit(width, height, size int) (w, h int) {
	longest := max(width, height)
	if longest <= size {
		return width, height
	}
	return max(1, (width*size+longest/2)/longest), max(1, (height*size+longest/2)/longest)
}

func encode(img *image.RGBA) (data []byte, contentType string, err error) {
	var out bytes.Buffer
	if img.Opaque() {
		err = stdjpeg.Encode(&out, img, &stdjpeg.Options{Quality: jpegQuality})
		contentType = jpeg
	} else {
		err = stdpng.Encode(&out, img)
		contentType = png
	}
	if err != nil {
		return nil, "", fmt.Errorf("encode thumbnail: %w", err)
	}
	return out.Bytes(), contentType, nil
}
