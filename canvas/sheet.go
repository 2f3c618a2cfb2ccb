package canvas

import "github.com/easelhq/easel"

// Placed is an annotation with its place in lists: the version that created it and
// its position in that batch.
type Placed struct {
	*easel.Annotation
	Ver, Pos int64
}

// Sheet is the encoded list of all annotations at one version, made outside of the
// image's turns from a copy of it. It is immutable.
type Sheet struct{ listing listing }

// NewSheet encodes all annotations of an image at version ver, given in any order.
func NewSheet(ver int64, all []Placed) (*Sheet, error) {
	s := &Sheet{listing{ver: ver}}
	err := s.listing.encode(len(all), func(f func(*box)) error {
		for _, p := range all {
			f(&box{Annotation: *p.Annotation, ver: p.Ver, pos: p.Pos})
		}
		return nil
	})
	return s, err
}

// Kept reports whether the sheet is small enough to be kept for later readers.
func (s *Sheet) Kept() bool { return len(s.listing.body) <= mostListing }

// List returns what matches m, byte for byte as the image's actor answers a List at
// this version. The result is shared: it must not be written to.
func (s *Sheet) List(m List) []byte {
	if m.Label == nil && m.MinConfidence == nil {
		return s.listing.body
	}
	return s.listing.filter(&m)
}
