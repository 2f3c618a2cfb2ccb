package imaging

import (
	"bytes"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	stdpng "image/png"
	"io"

	"golang.org/x/image/draw"
)

// tileQuality is higher than that of thumbnails: people look at single pixels.
const tileQuality = 90

// Tiler makes the tiles of one picture, one at a time. It holds the decoded picture,
// and later each of its smaller levels: see the package on memory.
type Tiler struct {
	pyramid  Pyramid
	upright  orientation
	lossless bool
	frame    image.Image     // of the level, as it is stored
	canvas   image.Rectangle // of the level, as it is stored
	level    int
	x, y     int // of the next tile
	lowest   int
}

// Tiles decodes r's first frame, to be cut into tiles. Errors are as for Thumbnail;
// also ErrTooLarge for a picture that gets no tiles because of its size, which
// Pyramid.Tiled tells before; a small one may be cut, too.
func Tiles(r io.ReadSeeker) (*Tiler, error) {
	s, err := open(r)
	if err != nil {
		return nil, err
	}
	width, height, err := s.size()
	if err != nil {
		return nil, s.blame(err)
	}
	if max(width, height) > MaxTiledSide {
		return nil, fmt.Errorf("%w: %d x %d pixels for tiles", ErrTooLarge, width, height)
	}
	if err := s.affordable(width, height); err != nil {
		return nil, s.blame(err)
	}
	t := &Tiler{upright: s.orientation(), lossless: s.kind == png || s.kind == gif || s.kind == tiff, canvas: image.Rect(0, 0, width, height)}
	if t.frame, err = s.decode(width, height); err != nil {
		return nil, s.blame(err)
	}
	if s.failed != nil { // while looking for the orientation
		return nil, s.failed
	}
	t.pyramid = Pyramid{width, height}
	if t.upright.swaps() {
		t.pyramid = Pyramid{height, width}
	}
	t.lowest, t.level = t.pyramid.Levels()
	return t, nil
}

// Pyramid returns how the picture is cut.
func (t *Tiler) Pyramid() Pyramid { return t.pyramid }

// Next returns the next tile, in the order of Pyramid.Index: a PNG if the picture's
// file keeps every pixel or something is transparent, else a JPEG. io.EOF after the
// last one.
func (t *Tiler) Next() (tile []byte, err error) {
	defer guard(&err)
	if t.level < t.lowest {
		return nil, io.EOF
	}
	tile, err = t.encode(t.cut(t.pyramid.Bounds(t.level, t.x, t.y)))
	if err != nil {
		return nil, fmt.Errorf("encode tile: %w", err)
	}
	columns, rows := t.pyramid.Grid(t.level)
	if t.x++; t.x == columns {
		t.x, t.y = 0, t.y+1
	}
	if t.y == rows {
		t.y = 0
		if t.level--; t.level >= t.lowest {
			t.halve()
		}
	}
	return tile, nil
}

// cut returns a part of the level as it is shown.
func (t *Tiler) cut(shown image.Rectangle) *image.RGBA {
	stored := t.upright.stored(shown, t.canvas.Dx(), t.canvas.Dy())
	tile := image.NewRGBA(image.Rect(0, 0, stored.Dx(), stored.Dy()))
	draw.Draw(tile, t.frame.Bounds().Sub(stored.Min).Intersect(tile.Bounds()), t.frame, t.frame.Bounds().Intersect(stored).Min, draw.Src)
	return t.upright.apply(tile)
}

// halve goes to the next lower level.
func (t *Tiler) halve() {
	at := t.frame.Bounds()
	half := image.NewRGBA(image.Rect(at.Min.X/2, at.Min.Y/2, (at.Max.X+1)/2, (at.Max.Y+1)/2))
	draw.ApproxBiLinear.Scale(half, half.Bounds(), t.frame, at, draw.Src, nil)
	t.frame, t.canvas = half, image.Rect(0, 0, (t.canvas.Dx()+1)/2, (t.canvas.Dy()+1)/2)
}

func (t *Tiler) encode(tile *image.RGBA) ([]byte, error) {
	var out bytes.Buffer
	if t.lossless || !tile.Opaque() {
		err := (&stdpng.Encoder{CompressionLevel: stdpng.BestSpeed}).Encode(&out, tile)
		return out.Bytes(), err
	}
	err := stdjpeg.Encode(&out, tile, &stdjpeg.Options{Quality: tileQuality})
	return out.Bytes(), err
}
