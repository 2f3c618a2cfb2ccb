package imaging

import (
	"fmt"
	"io"
)

// A progressive JPEG may name every one of its pixels again in each of any
// number of scans of a few bytes: a small file that decodes for minutes. Real
// ones have about ten scans.
const (
	mostScans      = 500
	mostScanPixels = 4_000_000_000
)

// maxScans returns how many scans are decoded of an image of that size: at
// least 40, which is what MaxPixels leaves.
func maxScans(width, height int) int {
	return min(mostScans, mostScanPixels/(width*height))
}

// scanCounter passes a JPEG through and fails once it starts more scans than
// are left. In compressed data 0xff is always followed by 0, so that the
// marker is met nowhere else, but for chance hits in metadata.
type scanCounter struct {
	r    io.Reader
	left int
	last byte
}

func (c *scanCounter) Read(p []byte) (int, error) {
	const startOfScan = 0xda
	n, err := c.r.Read(p)
	for _, b := range p[:n] {
		if c.last == 0xff && b == startOfScan {
			c.left--
		}
		c.last = b
	}
	if c.left < 0 {
		return 0, fmt.Errorf("%w: too many scans", ErrTooLarge)
	}
	return n, err
}
