package imaging

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// source is the file being looked at. It remembers the first failure of the
// file itself, so that a broken disk is not reported as a broken image.
type source struct {
	r        io.ReadSeeker
	failed   error
	kind     string // content type
	animated bool   // a WebP animation
	steps    int    // reads that are still allowed; 0: as many as needed
}

// metadataSteps bounds the search for metadata in a file, which walks from part
// to part: a file of ten million bytes can have a million empty parts.
const metadataSteps = 20_000

var errTooManyParts = errors.New("too many parts before the metadata")

// open sniffs r from its start.
func open(r io.ReadSeeker) (*source, error) {
	s := &source{r: r}
	if err := s.rewind(); err != nil {
		return nil, err
	}
	head := make([]byte, HeadLen)
	n, err := io.ReadFull(s, head)
	if s.failed != nil {
		return nil, s.failed
	}
	if err != nil && n == 0 {
		return nil, fmt.Errorf("%w: empty file", ErrCorrupt)
	}
	kind, ok := Sniff(head[:n])
	if !ok {
		return nil, fmt.Errorf("%w: unknown magic bytes", ErrUnsupported)
	}
	s.kind = kind
	const webpFlags, animation = 20, 1 << 1
	s.animated = kind == webp && n > webpFlags && head[15] == 'X' && head[webpFlags]&animation != 0
	return s, s.rewind()
}

// Read reads on, and keeps the first failure that is not the end of the file.
func (s *source) Read(p []byte) (int, error) {
	if s.steps > 0 {
		if s.steps--; s.steps == 0 {
			s.steps = 1 // spent, and stays so
			return 0, errTooManyParts
		}
	}
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && s.failed == nil {
		s.failed = fmt.Errorf("read image: %w", err)
	}
	return n, err
}

// Seek moves within the file. A target that a lying file asks for may be
// refused; that is the image's fault and not remembered.
func (s *source) Seek(offset int64, whence int) (int64, error) { return s.r.Seek(offset, whence) }

// ReadAt lets the TIFF decoder jump about without buffering the whole file.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if _, err := s.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

func (s *source) rewind() error {
	if _, err := s.r.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind image: %w", err)
	}
	return nil
}

// stream returns the file from its start in the form that s.kind's decoder
// reads best.
func (s *source) stream() (io.Reader, error) {
	if err := s.rewind(); err != nil {
		return nil, err
	}
	if s.kind == tiff {
		return s, nil
	}
	return bufio.NewReaderSize(s, 16<<10), nil
}

// blame names the culprit of err: the file itself when reading it failed, else
// the image.
func (s *source) blame(err error) error {
	switch {
	case err == nil:
		return nil
	case s.failed != nil:
		return s.failed
	case errors.Is(err, ErrCorrupt), errors.Is(err, ErrTooLarge), errors.Is(err, ErrUnsupported):
		return err
	case unsupported(err):
		return fmt.Errorf("%w: %s: %w", ErrUnsupported, s.kind, err)
	default:
		return fmt.Errorf("%w: %s: %w", ErrCorrupt, s.kind, err)
	}
}

// guard turns a panic of a decoder into ErrCorrupt. Decoders of the standard
// library should not panic, and those of other formats did in the past.
func guard(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: decoder panicked: %v", ErrCorrupt, r)
	}
}

var _ io.ReaderAt = (*source)(nil)
