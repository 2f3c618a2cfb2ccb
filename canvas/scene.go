package canvas

import (
	"fmt"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// Scene is the annotations of an image at one version, made from history outside
// of turns. The zero Scene with an image is the image at its birth.
type Scene struct {
	Image easel.ID
	Ver   int64
	boxes map[easel.ID]*box
}

// One returns an annotation; nil if it is not there.
func (s *Scene) One(id easel.ID) *easel.Annotation {
	if b := s.boxes[id]; b != nil {
		return &b.Annotation
	}
	return nil
}

// Len returns the number of annotations.
func (s *Scene) Len() int { return len(s.boxes) }

// Keyframe replaces the scene by the one that c's keyframe object holds. Errors
// as ErrDamaged.
func (s *Scene) Keyframe(c Chunk, object []byte) error {
	raw, err := open(kindKeyframe, s.Image, c.First-1, c.First-1, c.Keyframe, object)
	if err != nil {
		return err
	}
	s.Ver, s.boxes = c.First-1, make(map[easel.ID]*box, len(raw)/350)
	for r := (reader{rest: raw}); len(r.rest) > 0; {
		ver, pos, text := int64(r.uvarint()), int64(r.uvarint()), r.piece()
		if r.bad {
			return fmt.Errorf("%w: %s ends early", ErrDamaged, c.Keyframe)
		}
		a, err := opcodec.Annotation(text)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDamaged, c.Keyframe, err)
		}
		s.boxes[a.ID] = &box{Annotation: a, ver: ver, pos: pos}
	}
	return nil
}

// Apply brings the scene one batch further: it must be the next one.
func (s *Scene) Apply(m *easel.Batch) error {
	if m.Ver != s.Ver+1 {
		return fmt.Errorf("canvas: batch %d on a scene of version %d", m.Ver, s.Ver)
	}
	s.Ver = m.Ver
	if s.boxes == nil {
		s.boxes = make(map[easel.ID]*box)
	}
	for i := range m.Ops {
		e := &m.Ops[i]
		b := s.boxes[e.ID]
		switch {
		case e.Annotation == nil:
			delete(s.boxes, e.ID)
		case b != nil:
			b.Annotation = *e.Annotation
		default:
			s.boxes[e.ID] = &box{Annotation: *e.Annotation, ver: m.Ver, pos: int64(i)}
		}
	}
	return nil
}

// Listing returns the annotations that match m as a List answers them.
func (s *Scene) Listing(m List) ([]byte, error) {
	l := listing{ver: s.Ver}
	err := l.encode(len(s.boxes), func(f func(*box)) error {
		for _, b := range s.boxes {
			f(b)
		}
		return nil
	})
	if err != nil || m.Label == nil && m.MinConfidence == nil {
		return l.body, err
	}
	return l.filter(&m), nil
}

// Batches calls f with the batches of c after a version, oldest first, with the
// number of annotations after each, until f returns false. Errors as ErrDamaged.
func (c Chunk) Batches(image easel.ID, after int64, object []byte, f func(m *easel.Batch, live int64) bool) error {
	return c.records(image, object, func(ver int64, r record) (bool, error) {
		if ver <= after {
			return true, nil
		}
		m, err := opcodec.Batch(r.body)
		switch {
		case err != nil:
			return false, fmt.Errorf("%w: %s: batch %d: %w", ErrDamaged, c.Ops, ver, err)
		case m.Ver != ver:
			return false, fmt.Errorf("%w: %s has batch %d for %d", ErrDamaged, c.Ops, m.Ver, ver)
		}
		return f(&m, r.live), nil
	})
}

// Find returns the newest version of c whose batch is not younger than at, and
// how many annotations there were; first-1 and 0 if all are younger. Errors as
// ErrDamaged.
func (c Chunk) Find(image easel.ID, at easel.Time, object []byte) (ver, live int64, err error) {
	ver = c.First - 1
	err = c.records(image, object, func(v int64, r record) (bool, error) {
		if r.at > at {
			return false, nil
		}
		ver, live = v, r.live
		return true, nil
	})
	return ver, live, err
}

// At returns the time of a version of c, and how many annotations there were.
// Errors as ErrDamaged.
func (c Chunk) At(image easel.ID, ver int64, object []byte) (at easel.Time, live int64, err error) {
	err = c.records(image, object, func(v int64, r record) (bool, error) {
		at, live = r.at, r.live
		return v < ver, nil
	})
	return at, live, err
}

// records calls f with the records of the chunk until it returns false.
func (c Chunk) records(image easel.ID, object []byte, f func(ver int64, r record) (bool, error)) error {
	raw, err := open(kindOps, image, c.First, c.Last, c.Ops, object)
	if err != nil {
		return err
	}
	r := reader{rest: raw}
	for ver := c.First; ver <= c.Last; ver++ {
		rec := record{at: easel.Time(r.uvarint()), live: int64(r.uvarint()), body: r.piece()}
		if r.bad {
			return fmt.Errorf("%w: %s ends early", ErrDamaged, c.Ops)
		}
		more, err := f(ver, rec)
		if err != nil || !more {
			return err
		}
	}
	if len(r.rest) > 0 {
		return fmt.Errorf("%w: %s has more than its batches", ErrDamaged, c.Ops)
	}
	return nil
}
