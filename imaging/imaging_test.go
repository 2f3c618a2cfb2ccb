package imaging_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/easelhq/easel/imaging"
)

func TestSniffTrustsOnlyMagicBytes(t *testing.T) {
	pixel := quadrants(2, 2)
	tests := []struct {
		name string
		head []byte
		want string
	}{
		{"png", pngFile(t, pixel), "image/png"},
		{"jpeg", jpegFile(t, pixel), "image/jpeg"},
		{"gif", gifFile(t, 4, 4, 1), "image/gif"},
		{"webp lossy", webpLossy(t), "image/webp"},
		{"webp lossless", webpLossless(t), "image/webp"},
		{"tiff", tiffFile(t, pixel), "image/tiff"},
		{"tiff, big endian", []byte("MM\x00*\x00\x00\x00\x08"), "image/tiff"},
		{"avif", avifFile(4, 4, 0), "image/avif"},
		{"empty", nil, ""},
		{"half a png signature", []byte("\x89PNG"), ""},
		{"svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), ""},
		{"svg after a declaration", []byte(`<?xml version="1.0"?><svg/>`), ""},
		{"html", []byte("<!doctype html><script>alert(1)</script>"), ""},
		{"pdf", []byte("%PDF-1.7\n"), ""},
		{"zip", []byte("PK\x03\x04"), ""},
		{"riff that is sound", []byte("RIFF\x00\x00\x00\x00WAVEfmt \x00"), ""},
		{"mp4", []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42"), ""},
		{"heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), ""},
		{"bmp", []byte("BM\x00\x00\x00\x00"), ""},
		{"text", []byte("hello"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := imaging.Sniff(tt.head)
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("Sniff = %q, %v, want %q", got, ok, tt.want)
			}
		})
	}
}

func TestSizeIsWhatABrowserShows(t *testing.T) {
	photo := quadrants(40, 20)
	tests := []struct {
		name string
		file []byte
		w, h int
	}{
		{"png", pngFile(t, photo), 40, 20},
		{"jpeg", jpegFile(t, photo), 40, 20},
		{"gif counts the canvas, not the frame", gifFile(t, 32, 16, 2), 32, 16},
		{"webp lossy", webpLossy(t), 1, 1},
		{"webp lossless", webpLossless(t), 1, 1},
		{"webp extended", webpExtended(0, 300, 200, nil), 300, 200},
		{"tiff", tiffFile(t, photo), 40, 20},
		{"avif", avifFile(640, 480, 0), 640, 480},
		{"avif turned", avifFile(640, 480, 1), 480, 640},
		{"jpeg turned", jpegWithExif(jpegFile(t, photo), exif(6)), 20, 40},
		{"jpeg upside down", jpegWithExif(jpegFile(t, photo), exif(3)), 40, 20},
		{"jpeg with nonsense for an orientation", jpegWithExif(jpegFile(t, photo), exif(99)), 40, 20},
		{"jpeg with broken metadata", jpegWithExif(jpegFile(t, photo), []byte("MM\x00*\xff\xff\xff\xff")), 40, 20},
		{"png turned", pngWithExif(pngFile(t, photo), exif(8)), 20, 40},
		{"webp turned", webpExtended(8, 300, 200, riffChunk("EXIF", exif(6))), 200, 300},
		{"exactly the limit", pngClaiming(10_000, 10_000), 10_000, 10_000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, h, err := imaging.Size(bytes.NewReader(tt.file))
			if err != nil || w != tt.w || h != tt.h {
				t.Errorf("Size = %d x %d, %v, want %d x %d", w, h, err, tt.w, tt.h)
			}
		})
	}
}

func TestThumbnailIsUpright(t *testing.T) {
	// Corners as shown: top left, top right, bottom left, bottom right.
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
	photo := quadrants(160, 80)
	for orientation, want := range shown {
		for name, file := range map[string][]byte{
			"jpeg": jpegWithExif(jpegFile(t, photo), exif(orientation)),
			"png":  pngWithExif(pngFile(t, photo), exif(orientation)),
		} {
			data, contentType, err := imaging.Thumbnail(bytes.NewReader(file), 64)
			if err != nil || contentType != "image/jpeg" {
				t.Fatalf("%s, orientation %d: %q, %v", name, orientation, contentType, err)
			}
			img := decoded(t, data)
			w, h := img.Bounds().Dx(), img.Bounds().Dy()
			wantW, wantH := 64, 32
			if orientation >= 5 {
				wantW, wantH = 32, 64
			}
			if w != wantW || h != wantH {
				t.Errorf("%s, orientation %d: %d x %d, want %d x %d", name, orientation, w, h, wantW, wantH)
			}
			corners := []image.Point{{4, 4}, {w - 5, 4}, {4, h - 5}, {w - 5, h - 5}}
			for i, at := range corners {
				if !alike(img.At(at.X, at.Y), want[i]) {
					t.Errorf("%s, orientation %d: corner %d is %v, want %v", name, orientation, i, img.At(at.X, at.Y), want[i])
				}
			}
		}
	}
}

func TestThumbnailKeepsProportionsAndTransparency(t *testing.T) {
	half := quadrants(60, 60)
	half.SetRGBA(30, 30, color.RGBA{})
	tests := []struct {
		name        string
		file        []byte
		size        int
		w, h        int
		contentType string
	}{
		{"never enlarged", pngFile(t, quadrants(40, 20)), 256, 40, 20, "image/jpeg"},
		{"tall", jpegFile(t, quadrants(30, 300)), 100, 10, 100, "image/jpeg"},
		{"a line stays visible", pngFile(t, quadrants(2000, 2)), 100, 100, 1, "image/jpeg"},
		{"transparent", pngFile(t, half), 30, 30, 30, "image/png"},
		{"only the first frame of an animation", gifFile(t, 64, 64, 50), 32, 32, 32, "image/png"},
		{"tiff", tiffFile(t, quadrants(64, 64)), 16, 16, 16, "image/jpeg"},
		{"webp lossy", webpLossy(t), 16, 1, 1, "image/jpeg"},
		{"size of nothing is one pixel", jpegFile(t, quadrants(64, 64)), -3, 1, 1, "image/jpeg"},
		{"size is bounded", jpegFile(t, quadrants(64, 64)), math.MaxInt, 64, 64, "image/jpeg"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, contentType, err := imaging.Thumbnail(bytes.NewReader(tt.file), tt.size)
			if err != nil {
				t.Fatal(err)
			}
			got := decoded(t, data).Bounds()
			if got.Dx() != tt.w || got.Dy() != tt.h || contentType != tt.contentType {
				t.Errorf("%d x %d %s, want %d x %d %s", got.Dx(), got.Dy(), contentType, tt.w, tt.h, tt.contentType)
			}
		})
	}
}

// hostile is every kind of file that must be refused somewhere: with which error
// by Size, Check and Thumbnail (nil: accepted).
func hostile(t testing.TB) []struct {
	name                   string
	file                   []byte
	size, check, thumbnail error
} {
	photo := quadrants(800, 400)
	whole := map[string][]byte{
		"png": pngFile(t, photo), "jpeg": jpegFile(t, photo), "gif": gifFile(t, 64, 64, 2), "webp": webpLossy(t),
	}
	half := func(kind string) []byte { return whole[kind][:len(whole[kind])*3/4] }
	bomb := jpegFile(t, photo)
	const startOfFrame, heightAt = "\xff\xc0", 5
	at := bytes.Index(bomb, []byte(startOfFrame))
	binary.BigEndian.PutUint16(bomb[at+heightAt:], 65535)
	binary.BigEndian.PutUint16(bomb[at+heightAt+2:], 65535)
	zero := jpegFile(t, photo)
	binary.BigEndian.PutUint16(zero[at+heightAt:], 0)

	return []struct {
		name                   string
		file                   []byte
		size, check, thumbnail error
	}{
		{"empty", nil, imaging.ErrCorrupt, imaging.ErrCorrupt, imaging.ErrCorrupt},
		{"svg", []byte("<svg/>"), imaging.ErrUnsupported, imaging.ErrUnsupported, imaging.ErrUnsupported},
		{"html behind a jpeg's magic bytes", []byte("\xff\xd8\xff<html><script>"), imaging.ErrCorrupt, imaging.ErrCorrupt, imaging.ErrCorrupt},
		{"png signature alone", whole["png"][:8], imaging.ErrCorrupt, imaging.ErrCorrupt, imaging.ErrCorrupt},
		{"truncated png", half("png"), nil, imaging.ErrCorrupt, imaging.ErrCorrupt},
		{"truncated jpeg", half("jpeg"), nil, imaging.ErrCorrupt, imaging.ErrCorrupt},
		{"truncated gif", half("gif"), nil, imaging.ErrCorrupt, nil},
		{"truncated webp", half("webp"), nil, imaging.ErrCorrupt, imaging.ErrCorrupt},
		{"truncated avif", avifFile(4, 4, 0)[:140], nil, imaging.ErrCorrupt, imaging.ErrUnsupported},
		{"png bomb of one bit a pixel", pngClaiming(65535, 65535), imaging.ErrTooLarge, imaging.ErrTooLarge, imaging.ErrTooLarge},
		{"png whose sides overflow", pngClaiming(math.MaxInt32, math.MaxInt32), imaging.ErrUnsupported, imaging.ErrUnsupported, imaging.ErrUnsupported},
		{"png without width", pngClaiming(0, 10), imaging.ErrCorrupt, imaging.ErrCorrupt, imaging.ErrCorrupt},
		{"png without pixels", pngClaiming(100, 100), nil, nil, imaging.ErrCorrupt},
		{"jpeg bomb", bomb, imaging.ErrTooLarge, imaging.ErrTooLarge, imaging.ErrTooLarge},
		{"jpeg without height", zero, imaging.ErrCorrupt, imaging.ErrCorrupt, imaging.ErrCorrupt},
		{"avif bomb", avifFile(100_000, 100_000, 0), imaging.ErrTooLarge, imaging.ErrTooLarge, imaging.ErrTooLarge},
		{"avif without a size", box("ftyp", []byte("avif\x00\x00\x00\x00mif1")), imaging.ErrCorrupt, imaging.ErrCorrupt, imaging.ErrCorrupt},
		{"webp bomb", webpExtended(0, 1<<24, 100, nil), imaging.ErrTooLarge, imaging.ErrTooLarge, imaging.ErrTooLarge},
		{"webp whose picture is larger than it says", webpExtended(0, 10, 10, webpLossless(t)[12:]), nil, nil, imaging.ErrCorrupt},
		{"webp animation", webpExtended(2, 10, 10, nil), nil, nil, imaging.ErrUnsupported},
		{"tiff whose directory is far away", []byte("II*\x00\xff\xff\xff\x7f"), imaging.ErrCorrupt, imaging.ErrCorrupt, imaging.ErrCorrupt},
		{"tiff whose directory is itself", []byte("II*\x00\x00\x00\x00\x00"), imaging.ErrCorrupt, imaging.ErrCorrupt, imaging.ErrCorrupt},
		{"png of 8 bytes a pixel", pngDeep(9000, 9000), nil, nil, imaging.ErrTooLarge},
		{"progressive jpeg of 15 bytes a pixel", jpegProgressive(7000, 7000), nil, nil, imaging.ErrTooLarge},
		{"jpeg of thousands of scans", manyScans(t), nil, nil, imaging.ErrTooLarge},
	}
}

func TestHostileFilesAreRefused(t *testing.T) {
	for _, tt := range hostile(t) {
		t.Run(tt.name, func(t *testing.T) {
			_, _, size := imaging.Size(bytes.NewReader(tt.file))
			check := imaging.Check(bytes.NewReader(tt.file))
			_, _, thumbnail := imaging.Thumbnail(bytes.NewReader(tt.file), 64)
			for _, c := range []struct {
				name      string
				got, want error
			}{{"Size", size, tt.size}, {"Check", check, tt.check}, {"Thumbnail", thumbnail, tt.thumbnail}} {
				if !errors.Is(c.got, c.want) || (c.want == nil && c.got != nil) {
					t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
				}
			}
		})
	}
}

func TestCheckAcceptsWholeFiles(t *testing.T) {
	photo := quadrants(64, 32)
	for name, file := range map[string][]byte{
		"png": pngFile(t, photo), "jpeg": jpegFile(t, photo), "gif": gifFile(t, 64, 64, 3), "webp": webpLossy(t),
		"tiff": tiffFile(t, photo), "avif": avifFile(4, 4, 0),
		"jpeg with metadata":       jpegWithExif(jpegFile(t, photo), exif(6)),
		"jpeg with trailing bytes": append(jpegFile(t, photo), "trailer"...),
		"png with trailing bytes":  append(pngFile(t, photo), "trailer"...),
	} {
		if err := imaging.Check(bytes.NewReader(file)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFailingStoreIsNotABrokenImage(t *testing.T) {
	file := jpegFile(t, quadrants(400, 400))
	broken := errors.New("disk on fire")
	for _, good := range []int{0, 100, 600, len(file) - 10} {
		r := &failing{ReadSeeker: bytes.NewReader(file), good: good, err: broken}
		if _, _, err := imaging.Thumbnail(r, 64); !errors.Is(err, broken) || errors.Is(err, imaging.ErrCorrupt) {
			t.Errorf("after %d bytes: %v, want the store's error", good, err)
		}
	}
}

func TestSizeReadsHeadersOnly(t *testing.T) {
	file := append(jpegFile(t, quadrants(64, 64)), make([]byte, 8<<20)...)
	r := &counting{ReadSeeker: bytes.NewReader(file)}
	if _, _, err := imaging.Size(r); err != nil {
		t.Fatal(err)
	}
	if r.n > 128<<10 {
		t.Errorf("read %d bytes of %d", r.n, len(file))
	}
}

func FuzzNothingPanics(f *testing.F) {
	for _, tt := range hostile(f) {
		f.Add(tt.file)
	}
	photo := quadrants(8, 4)
	for _, file := range [][]byte{
		jpegWithExif(jpegFile(f, photo), exif(6)), pngWithExif(pngFile(f, photo), exif(5)),
		gifFile(f, 8, 8, 2), webpLossy(f), webpLossless(f), tiffFile(f, photo), avifFile(8, 8, 1),
	} {
		f.Add(file)
	}
	known := []error{imaging.ErrUnsupported, imaging.ErrCorrupt, imaging.ErrTooLarge}
	f.Fuzz(func(t *testing.T, file []byte) {
		w, h, err := imaging.Size(bytes.NewReader(file))
		if err == nil && (w < 1 || h < 1 || w*h > imaging.MaxPixels) {
			t.Fatalf("size %d x %d", w, h)
		}
		errs := []error{err, imaging.Check(bytes.NewReader(file))}
		if w*h < 1<<20 { // larger ones only cost the fuzzer time
			_, _, err := imaging.Thumbnail(bytes.NewReader(file), 16)
			errs = append(errs, err)
			tiler, err := imaging.Tiles(bytes.NewReader(file))
			for err == nil {
				_, err = tiler.Next()
			}
			if !errors.Is(err, io.EOF) {
				errs = append(errs, err)
			}
		}
		for _, err := range errs {
			if err != nil && !errors.Is(err, known[0]) && !errors.Is(err, known[1]) && !errors.Is(err, known[2]) {
				t.Fatalf("an error of no kind: %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "panicked") {
				t.Logf("a decoder panicked: %v", err)
			}
		}
	})
}

// manyScans repeats a scan of two bytes, in which no block changes, thousands of
// times. A frame may be scanned again only if it is progressive.
func manyScans(t testing.TB) []byte {
	file := jpegFile(t, quadrants(16, 16))
	file[bytes.Index(file, []byte("\xff\xc0"))+1] = 0xc2
	at := bytes.Index(file, []byte("\xff\xda"))
	header := slices.Clone(file[at : at+14])
	header[12] = 0 // the last coefficient of the scan: only averages
	scan := append(header, 0, 0)
	out := file[:at:at]
	for range 2000 {
		out = append(out, scan...)
	}
	return append(out, 0xff, 0xd9)
}

func decoded(t testing.TB, data []byte) image.Image {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func alike(a, b color.Color) bool {
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	far := func(x, y uint32) bool { return math.Abs(float64(x)-float64(y)) > 24*257 }
	return !far(ar, br) && !far(ag, bg) && !far(ab, bb)
}

// failing is a file whose reads fail once good bytes were read in sum.
type failing struct {
	io.ReadSeeker
	good int
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	if f.good <= 0 {
		return 0, f.err
	}
	n, err := f.ReadSeeker.Read(p[:min(len(p), f.good)])
	f.good -= n
	return n, err
}

type counting struct {
	io.ReadSeeker
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.ReadSeeker.Read(p)
	c.n += n
	return n, err
}
