package pages

import (
	"fmt"
	"slices"
)

// Merge returns what all of sets, the oldest first, changed together: of each
// page the newest content, and no page past the final size. It shares the
// sets' page data and returns ErrMalformed if their page sizes differ.
func Merge(sets ...Set) (Set, error) {
	var out Set
	total := 0
	for _, s := range sets {
		if s.Empty() {
			continue
		}
		if out.PageSize != 0 && out.PageSize != s.PageSize {
			return Set{}, malformed("page size %d after %d", s.PageSize, out.PageSize)
		}
		out.PageSize, out.Size = s.PageSize, s.Size
		total += len(s.Pages)
	}
	if out.PageSize == 0 {
		return Set{}, nil
	}
	// A page that was cut off and came back without being written would be
	// zeros; SQLite always writes the pages it grows by, so newest wins is
	// right, as long as what an older set wrote past a later, smaller size is
	// forgotten.
	low := out.Size
	newest := make(map[uint32]struct{}, total)
	all := make([]Page, 0, total)
	for i := len(sets) - 1; i >= 0; i-- {
		if sets[i].Empty() {
			continue
		}
		low = min(low, sets[i].Size)
		for _, p := range sets[i].Pages {
			if p.No > low {
				continue
			}
			if _, ok := newest[p.No]; ok {
				continue
			}
			newest[p.No] = struct{}{}
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Page) int {
		if a.No < b.No {
			return -1
		}
		return 1
	})
	out.Pages = all
	return out, nil
}

// File is what a set is applied to; *os.File is one.
type File interface {
	WriteAt(b []byte, off int64) (int, error)
	Truncate(size int64) error
}

// ApplyTo makes f, the database before the set's commits, the database after
// them. It syncs nothing. An empty set changes nothing.
func (s Set) ApplyTo(f File) error {
	if s.Empty() {
		return nil
	}
	if err := s.Check(); err != nil {
		return err
	}
	for _, p := range s.Pages {
		if _, err := f.WriteAt(p.Data, int64(p.No-1)*int64(s.PageSize)); err != nil {
			return fmt.Errorf("write page %d: %w", p.No, err)
		}
	}
	if err := f.Truncate(int64(s.Size) * int64(s.PageSize)); err != nil {
		return fmt.Errorf("truncate to %d pages: %w", s.Size, err)
	}
	return nil
}

// FromDatabase returns all pages of a whole SQLite file as a set that shares its
// memory. A file whose header or length is none of a database gives
// ErrMalformed.
func FromDatabase(b []byte) (Set, error) {
	if len(b) < 100 {
		return Set{}, malformed("database of %d bytes", len(b))
	}
	size := uint32(b[16])<<8 | uint32(b[17])
	if size == 1 {
		size = MaxPageSize
	}
	if !validPageSize(size) || len(b)%int(size) != 0 {
		return Set{}, malformed("database of %d bytes with pages of %d", len(b), size)
	}
	s := Set{PageSize: size, Size: uint32(len(b) / int(size))}
	s.Pages = make([]Page, s.Size)
	for i := range s.Pages {
		at := i * int(size)
		s.Pages[i] = Page{No: uint32(i + 1), Data: b[at : at+int(size) : at+int(size)]}
	}
	return s, nil
}
