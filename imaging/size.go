package imaging

import (
	"errors"
	"fmt"
	"image"
	stdgif "image/gif"
	stdjpeg "image/jpeg"
	stdpng "image/png"
	"io"

	"github.com/bep/imagemeta"
	xtiff "golang.org/x/image/tiff"
	xwebp "golang.org/x/image/webp"
)

// Size returns the width and height in pixels at which r is shown, after EXIF
// orientation. It reads headers only. It returns an error that wraps
// ErrUnsupported, ErrCorrupt or ErrTooLarge, or the error of r itself.
func Size(r io.ReadSeeker) (width, height int, err error) {
	s, err := open(r)
	if err != nil {
		return 0, 0, err
	}
	width, height, err = s.size()
	if err != nil {
		return 0, 0, s.blame(err)
	}
	if s.orientation().swaps() {
		width, height = height, width
	}
	if s.failed != nil { // while looking for the orientation
		return 0, 0, s.failed
	}
	return width, height, nil
}

// size returns the stored width and height, checked against MaxPixels.
func (s *source) size() (width, height int, err error) {
	defer guard(&err)
	config, err := s.config()
	if err != nil {
		return 0, 0, err
	}
	width, height = config.Width, config.Height
	if width < 1 || height < 1 {
		return 0, 0, fmt.Errorf("%w: %d x %d pixels", ErrCorrupt, width, height)
	}
	if int64(width)*int64(height) > MaxPixels {
		return 0, 0, fmt.Errorf("%w: %d x %d pixels", ErrTooLarge, width, height)
	}
	return width, height, nil
}

// config asks the format's decoder for its header.
func (s *source) config() (image.Config, error) {
	r, err := s.stream()
	if err != nil {
		return image.Config{}, err
	}
	switch s.kind {
	case png:
		return stdpng.DecodeConfig(r)
	case jpeg:
		return stdjpeg.DecodeConfig(r)
	case gif:
		return stdgif.DecodeConfig(r)
	case webp:
		return xwebp.DecodeConfig(r)
	case tiff:
		return xtiff.DecodeConfig(r)
	case avif:
		found, err := imagemeta.Decode(imagemeta.Options{R: s, ImageFormat: imagemeta.AVIF, Sources: imagemeta.CONFIG})
		return image.Config{Width: found.ImageConfig.Width, Height: found.ImageConfig.Height}, err
	default:
		return image.Config{}, ErrUnsupported
	}
}

// unsupported reports whether a decoder refused a variant that it does not
// know, rather than a broken file.
func unsupported(err error) bool {
	if _, ok := errors.AsType[stdjpeg.UnsupportedError](err); ok {
		return true
	}
	if _, ok := errors.AsType[stdpng.UnsupportedError](err); ok {
		return true
	}
	_, ok := errors.AsType[xtiff.UnsupportedError](err)
	return ok
}
