package imaging

import (
	"bytes"
	"errors"
)

// HeadLen is how many leading bytes of a file Sniff wants to see.
const HeadLen = 512

// MaxPixels is the largest width times height that is accepted.
const MaxPixels = 100_000_000

// Errors that callers branch on; the errors returned wrap them.
var (
	// ErrUnsupported: not an image of a kind that is served, or one of its rarer
	// variants that cannot be decoded.
	ErrUnsupported = errors.New("imaging: unsupported image")
	// ErrCorrupt: truncated, or its parts contradict each other.
	ErrCorrupt = errors.New("imaging: corrupt image")
	// ErrTooLarge: more than MaxPixels, or made to take very long to decode.
	ErrTooLarge = errors.New("imaging: image too large")
)

// Content types that Sniff answers.
const (
	png  = "image/png"
	jpeg = "image/jpeg"
	gif  = "image/gif"
	webp = "image/webp"
	tiff = "image/tiff"
	avif = "image/avif"
)

// Sniff returns the content type that a file's first bytes prove: PNG, JPEG,
// GIF, WebP, TIFF or AVIF. Everything else (SVG, HTML, PDF, archives, …) is not
// ok, whatever its name or declared type says. It wants HeadLen bytes, or the
// whole file if that is shorter.
func Sniff(head []byte) (contentType string, ok bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return png, true
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return jpeg, true
	case bytes.HasPrefix(head, []byte("GIF87a")), bytes.HasPrefix(head, []byte("GIF89a")):
		return gif, true
	case len(head) >= 16 && string(head[:4]) == "RIFF" && string(head[8:15]) == "WEBPVP8":
		return webp, true
	case bytes.HasPrefix(head, []byte("II*\x00")), bytes.HasPrefix(head, []byte("MM\x00*")):
		return tiff, true
	case avifBrand(head):
		return avif, true
	default:
		return "", false
	}
}

// avifBrand reports whether head is an ISO media file type box that names AVIF
// among its brands. Its major brand may be the generic mif1.
func avifBrand(head []byte) bool {
	if len(head) < 16 || string(head[4:8]) != "ftyp" {
		return false
	}
	n := int(head[0])<<24 | int(head[1])<<16 | int(head[2])<<8 | int(head[3])
	if n < 16 || n > len(head) {
		return false
	}
	for at := 8; at+4 <= n; at += 4 {
		if at == 12 { // the minor version
			continue
		}
		if brand := string(head[at : at+4]); brand == "avif" || brand == "avis" {
			return true
		}
	}
	return false
}
