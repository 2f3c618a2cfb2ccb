package imaging_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"io"
	"testing"

	"github.com/easelhq/easel/imaging"
)

func TestPyramidCoversEveryPixelOfEveryLevel(t *testing.T) {
	tests := []struct {
		name                   string
		width, height          int
		lowest, highest, count int
	}{
		{"one pixel", 1, 1, 0, 0, 1},
		{"one tile", 512, 300, 9, 9, 1},
		{"a pixel more than a tile", 513, 300, 9, 10, 3},
		{"a photograph", 6000, 4000, 9, 13, 12*8 + 6*4 + 3*2 + 2*1 + 1},
		{"tall and narrow", 3, 5000, 9, 13, 10 + 5 + 3 + 2 + 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := imaging.Pyramid{Width: tt.width, Height: tt.height}
			lowest, highest := p.Levels()
			if lowest != tt.lowest || highest != tt.highest || p.Count() != tt.count {
				t.Fatalf("levels %d to %d, %d tiles, want %d to %d, %d", lowest, highest, p.Count(), tt.lowest, tt.highest, tt.count)
			}
			if w, h := p.Size(highest); w != tt.width || h != tt.height {
				t.Errorf("the highest level has %d x %d pixels", w, h)
			}
			if columns, rows := p.Grid(lowest); columns*rows != 1 {
				t.Errorf("the lowest level has %d tiles", columns*rows)
			}
			n := 0
			for level := highest; level >= lowest; level-- {
				w, h := p.Size(level)
				covered := image.Rectangle{}
				columns, rows := p.Grid(level)
				for y := range rows {
					for x := range columns {
						b := p.Bounds(level, x, y)
						if b.Empty() || b.Dx() > imaging.TileSize+2*imaging.TileOverlap {
							t.Errorf("tile %d/%d_%d is %v", level, x, y, b)
						}
						covered = covered.Union(b)
						if got, ok := p.Index(level, x, y); !ok || got != n {
							t.Errorf("tile %d/%d_%d is number %d, %v, want %d", level, x, y, got, ok, n)
						}
						n++
					}
				}
				if covered != image.Rect(0, 0, w, h) {
					t.Errorf("level %d shows %v of %d x %d", level, covered, w, h)
				}
				for _, at := range [][2]int{{-1, 0}, {0, -1}, {columns, 0}, {0, rows}} {
					if _, ok := p.Index(level, at[0], at[1]); ok {
						t.Errorf("tile %d/%d_%d is there", level, at[0], at[1])
					}
				}
			}
			for _, level := range []int{lowest - 1, highest + 1, -1 << 40, 1 << 40} {
				if _, ok := p.Index(level, 0, 0); ok {
					t.Errorf("level %d is there", level)
				}
			}
		})
	}
}

func TestPyramidIsOnlyForLargePicturesThatAreNoStrips(t *testing.T) {
	for p, want := range map[imaging.Pyramid]bool{
		{Width: 2048, Height: 2048}:       false,
		{Width: 2049, Height: 10}:         true,
		{Width: 10, Height: 65_536}:       true,
		{Width: 10, Height: 65_537}:       false,
		{Width: 10_000, Height: 10_000}:   true,
		{Width: 10_001, Height: 10_000}:   false,
		{Width: 1 << 40, Height: 1 << 40}: false,
		{}:                                false,
	} {
		if p.Tiled() != want {
			t.Errorf("%v: %v, want %v", p, p.Tiled(), want)
		}
	}
}

// whole puts a level together again from its tiles.
func whole(t *testing.T, p imaging.Pyramid, level int, tiles [][]byte) *image.RGBA {
	t.Helper()
	w, h := p.Size(level)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	columns, rows := p.Grid(level)
	for y := range rows {
		for x := range columns {
			n, _ := p.Index(level, x, y)
			tile, bounds := decoded(t, tiles[n]), p.Bounds(level, x, y)
			if tile.Bounds().Size() != bounds.Size() {
				t.Fatalf("tile %d/%d_%d has %v pixels, want %v", level, x, y, tile.Bounds().Size(), bounds.Size())
			}
			for ty := range bounds.Dy() {
				for tx := range bounds.Dx() {
					out.Set(bounds.Min.X+tx, bounds.Min.Y+ty, tile.At(tx, ty))
				}
			}
		}
	}
	return out
}

func allTiles(t *testing.T, file []byte) (imaging.Pyramid, [][]byte) {
	t.Helper()
	tiler, err := imaging.Tiles(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var tiles [][]byte
	for {
		tile, err := tiler.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		tiles = append(tiles, tile)
	}
	if got, want := len(tiles), tiler.Pyramid().Count(); got != want {
		t.Fatalf("%d tiles, want %d", got, want)
	}
	return tiler.Pyramid(), tiles
}

func TestTilesShowThePictureUpright(t *testing.T) {
	// As in TestThumbnailIsUpright: top left, top right, bottom left, bottom right.
	shown := map[uint16][4]color.RGBA{
		1: {topLeft, topRight, bottomLeft, bottomRight},
		2: {topRight, topLeft, bottomRight, bottomLeft},
		3: {bottomRight, bottomLeft, topRight, topLeft},
		4: {bottomLeft, bottomRight, topLeft, topRight},
		5: {topLeft, bottomLeft, topRight, bottomRight},
		6: {bottomLeft, topLeft, bottomRight, topRight},
		7: {bottomRight, topRight, bottomLeft, topLeft},
		8: {topRight, bottomRight, topLeft, bottomLeft},
	}
	photo := quadrants(1101, 617) // neither side is even
	for orientation, want := range shown {
		for name, file := range map[string][]byte{
			"jpeg": jpegWithExif(jpegFile(t, photo), exif(orientation)),
			"png":  pngWithExif(pngFile(t, photo), exif(orientation)),
		} {
			p, tiles := allTiles(t, file)
			wantSize := imaging.Pyramid{Width: 1101, Height: 617}
			if orientation >= 5 {
				wantSize = imaging.Pyramid{Width: 617, Height: 1101}
			}
			if p != wantSize {
				t.Fatalf("%s, orientation %d: %v", name, orientation, p)
			}
			lowest, highest := p.Levels()
			for level := lowest; level <= highest; level++ {
				img := whole(t, p, level, tiles)
				w, h := img.Bounds().Dx(), img.Bounds().Dy()
				for i, at := range []image.Point{{w / 8, h / 8}, {w - w/8, h / 8}, {w / 8, h - h/8}, {w - w/8, h - h/8}} {
					if !alike(img.At(at.X, at.Y), want[i]) {
						t.Errorf("%s, orientation %d, level %d: corner %d is %v, want %v", name, orientation, level, i, img.At(at.X, at.Y), want[i])
					}
				}
			}
		}
	}
}

func TestTilesOfALosslessFileKeepEveryPixel(t *testing.T) {
	noise := image.NewRGBA(image.Rect(0, 0, 700, 530))
	for i := range noise.Pix {
		noise.Pix[i] = byte(i * i >> 3)
		if i%4 == 3 {
			noise.Pix[i] = 255
		}
	}
	for _, orientation := range []uint16{1, 6} {
		p, tiles := allTiles(t, pngWithExif(pngFile(t, noise), exif(orientation)))
		_, highest := p.Levels()
		got := whole(t, p, highest, tiles)
		for y := range 530 {
			for x := range 700 {
				at := image.Pt(x, y)
				if orientation == 6 {
					at = image.Pt(530-1-y, x)
				}
				if got.RGBAAt(at.X, at.Y) != noise.RGBAAt(x, y) {
					t.Fatalf("orientation %d: pixel %v differs", orientation, at)
				}
			}
		}
	}
}

func TestTilesOfAFrameSmallerThanItsCanvas(t *testing.T) {
	p, tiles := allTiles(t, gifFile(t, 1200, 800, 2))
	_, highest := p.Levels()
	img := whole(t, p, highest, tiles)
	if _, _, _, alpha := img.At(1100, 700).RGBA(); alpha != 0 || !alike(img.At(300, 200), topLeft) {
		t.Errorf("got %v where nothing is, and %v where the frame is", img.At(1100, 700), img.At(300, 200))
	}
}

func TestTilesRefuseWhatThumbnailsRefuse(t *testing.T) {
	for _, tt := range hostile(t) {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := imaging.Tiles(bytes.NewReader(tt.file)); !errors.Is(err, tt.thumbnail) || (tt.thumbnail == nil && err != nil) {
				t.Errorf("got %v, want %v", err, tt.thumbnail)
			}
		})
	}
	if _, err := imaging.Tiles(bytes.NewReader(pngClaiming(100_000, 100))); !errors.Is(err, imaging.ErrTooLarge) {
		t.Errorf("a strip: %v", err)
	}
}

func BenchmarkTiles(b *testing.B) {
	file := jpegFile(b, quadrants(6000, 4000))
	for b.Loop() {
		tiler, err := imaging.Tiles(bytes.NewReader(file))
		for err == nil {
			_, err = tiler.Next()
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
}
