package imaging_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"

	"golang.org/x/image/tiff"
)

// The colours of the test picture's quadrants, by where they are stored.
var (
	topLeft     = color.RGBA{R: 220, G: 20, B: 20, A: 255}
	topRight    = color.RGBA{R: 20, G: 200, B: 20, A: 255}
	bottomLeft  = color.RGBA{R: 20, G: 20, B: 220, A: 255}
	bottomRight = color.RGBA{R: 230, G: 230, B: 230, A: 255}
)

// quadrants returns a picture with a colour in each quarter.
func quadrants(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := [2][2]color.RGBA{{topLeft, topRight}, {bottomLeft, bottomRight}}[y*2/h][x*2/w]
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func jpegFile(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pngFile(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func tiffFile(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := tiff.Encode(&out, img, &tiff.Options{Compression: tiff.Deflate}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// gifFile returns an animation whose first frame covers only the top left
// quarter of the canvas.
func gifFile(t testing.TB, w, h, frames int) []byte {
	t.Helper()
	palette := color.Palette{color.Transparent, topLeft, bottomRight}
	g := gif.GIF{Config: image.Config{ColorModel: palette, Width: w, Height: h}}
	for i := range frames {
		frame := image.NewPaletted(image.Rect(0, 0, w/2, h/2), palette)
		for n := range frame.Pix {
			frame.Pix[n] = uint8(1 + i%2)
		}
		g.Image, g.Delay = append(g.Image, frame), append(g.Delay, 1)
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, &g); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func decode64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func webpLossy(t testing.TB) []byte {
	t.Helper()
	return decode64(t, "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAwA0JaQAA3AA/vuUAAA=")
}

func webpLossless(t testing.TB) []byte {
	t.Helper()
	return decode64(t, "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
}

// webpExtended puts an extended header of its own before chunks of another file.
func webpExtended(flags byte, w, h int, chunks []byte) []byte {
	body := []byte("WEBPVP8X\x0a\x00\x00\x00")
	body = append(body, flags, 0, 0, 0)
	body = append(body, byte(w-1), byte((w-1)>>8), byte((w-1)>>16), byte(h-1), byte((h-1)>>8), byte((h-1)>>16))
	body = append(body, chunks...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func riffChunk(kind string, data []byte) []byte {
	b := append(binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data))), data...)
	return append(b, make([]byte, len(data)%2)...)
}

// exif returns a TIFF block that holds nothing but an orientation.
func exif(orientation uint16) []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	b = binary.BigEndian.AppendUint16(b, orientation)
	return append(b, 0, 0, 0, 0, 0, 0)
}

func jpegWithExif(file []byte, block []byte) []byte {
	segment := append([]byte("Exif\x00\x00"), block...)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(segment)+2))
	return slices.Concat(file[:2], head, segment, file[2:])
}

func pngChunk(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func pngWithExif(file []byte, block []byte) []byte {
	const afterHeader = 8 + 25
	return slices.Concat(file[:afterHeader], pngChunk("eXIf", block), file[afterHeader:])
}

// pngClaiming returns a valid PNG header of any size, with no pixels behind it.
func pngClaiming(w, h uint32) []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	header = append(header, 1, 0, 0, 0, 0)
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header), pngChunk("IDAT", nil), pngChunk("IEND", nil))
}

// pngDeep is pngClaiming with 16 bits for each of four channels.
func pngDeep(w, h uint32) []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	header = append(header, 16, 6, 0, 0, 0)
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header), pngChunk("IDAT", nil), pngChunk("IEND", nil))
}

// jpegProgressive returns the frame header of a progressive JPEG of three
// components, each as fine as the others, and an empty scan.
func jpegProgressive(w, h uint16) []byte {
	frame := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{0xff, 0xc2, 0, 17, 8}, h), w)
	frame = append(frame, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0)
	return slices.Concat([]byte{0xff, 0xd8}, frame, []byte{0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0, 0xff, 0xd9})
}

func box(kind string, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(body)+8)), []byte(kind), body)
}

// avifFile returns the boxes that state a size, turned by angle quarters, and
// no pixels.
func avifFile(w, h uint32, angle byte) []byte {
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(make([]byte, 4), w), h)
	return slices.Concat(
		box("ftyp", []byte("mif1\x00\x00\x00\x00mif1avifmiaf")),
		box("meta", make([]byte, 4),
			box("pitm", make([]byte, 4), []byte{0, 1}),
			box("iprp",
				box("ipco", box("ispe", size), box("irot", []byte{angle})),
				box("ipma", make([]byte, 4), []byte{0, 0, 0, 1, 0, 1, 2, 1, 2}))),
		box("mdat", make([]byte, 16)))
}
