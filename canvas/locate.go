package canvas

import (
	"errors"
	"fmt"
	"sort"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/sqlite"
)

var (
	errPast     = &easel.Error{Code: easel.CodeGone, Message: "that is longer ago than history is kept"}
	errFuture   = easel.Invalid("at", "must not be in the future")
	errNotYet   = &easel.Error{Code: easel.CodeNotFound, Message: "the image was not there yet"}
	errNoRecord = &easel.Error{Code: easel.CodeGone, Message: "what the image's own row was then is no longer known"}
)

// locate finds a moment. What the log holds it decides itself; where a chunk has to
// be read, it leaves the rest to the asker.
func (s *State) locate(t Turn, m Locate) (Located, error) {
	out := Located{Epoch: s.image.epoch, Ver: s.head.ver, Cutoff: s.cutoff(t), Image: s.image.Image}
	if m.Since && m.At != 0 && m.At < s.image.CreatedAt {
		m.Moment = Moment{}
	}
	var err error
	if m.At != 0 {
		err = s.locateTime(t, m.At, &out)
	} else {
		err = s.locateVersion(t, m.Ver, &out)
	}
	if err != nil {
		return Located{}, err
	}
	if m.Row {
		switch err := rowAt(t.Tx(), m.Moment, &out.Image); {
		case errors.Is(err, sqlite.ErrNoRows):
			return Located{}, errNoRecord
		case err != nil:
			return Located{}, err
		}
	}
	return out, s.complete(t, &out)
}

// locateTime finds the newest version that is not younger than at.
func (s *State) locateTime(t Turn, at easel.Time, out *Located) error {
	switch {
	case at > s.now(t):
		return errFuture
	case at <= out.Cutoff:
		return errPast
	case at < s.image.CreatedAt:
		return errNotYet
	}
	first := s.tail.first
	var failed error
	// Times never go back, so the first row that is younger can be searched for.
	n := sort.Search(int(s.rows()), func(i int) bool {
		younger, _, err := logRow(t.Tx(), first+int64(i))
		failed = errors.Join(failed, err)
		return younger > at
	})
	if failed != nil {
		return failed
	}
	if n > 0 {
		out.Found = first + int64(n) - 1
		return nil
	}
	c, err := chunkAt(t.Tx(), at)
	switch {
	case err != nil:
		return err
	case c == nil && first > 1:
		// Either it was before all batches, or what shows it is forgotten.
		return s.locateVersion(t, 0, out)
	case c == nil:
		out.Found = 0
		return nil
	case at >= c.Ended:
		out.Found = c.Last
		return nil
	}
	out.Found = -1
	return s.chunks(t, c.First, out)
}

// locateVersion finds a version, unless it was over too long ago.
func (s *State) locateVersion(t Turn, ver int64, out *Located) error {
	switch {
	case ver > s.head.ver:
		return errFuture
	case ver < 0:
		return easel.Invalid("at", "must not be negative")
	}
	out.Found = ver
	if ver == s.head.ver {
		return nil
	}
	next := ver + 1
	if next >= s.tail.first {
		over, _, err := logRow(t.Tx(), next)
		if err == nil && over <= out.Cutoff {
			err = errPast
		}
		return err
	}
	c, err := chunkOf(t.Tx(), next)
	switch {
	case err != nil:
		return err
	case c == nil || c.Ended <= out.Cutoff || c.First == next && c.Began <= out.Cutoff:
		return errPast
	default:
		return nil // at a time that only the chunk knows
	}
}

// rows returns the number of rows of the log.
func (s *State) rows() int64 {
	if s.tail.first == 0 {
		return 0
	}
	return s.head.ver - s.tail.first + 1
}

// complete says what the state is made of, and counts what the log can count.
func (s *State) complete(t Turn, out *Located) error {
	if out.Found < 0 {
		return nil
	}
	out.Image.Version = out.Found
	switch {
	case out.Found == 0:
		out.Counted = true
		return nil
	case s.tail.first != 0 && out.Found >= s.tail.first:
		_, live, err := logRow(t.Tx(), out.Found)
		if err != nil {
			return err
		}
		out.Image.AnnotationCount, out.Counted = live, true
		return s.chunks(t, s.tail.first-1, out)
	default:
		return s.chunks(t, out.Found, out)
	}
}

// chunks adds what the state of an archived version is made of.
func (s *State) chunks(t Turn, ver int64, out *Located) error {
	chunks, ok, err := loadChunks(t.Tx(), ver)
	if err == nil && !ok {
		err = errPast
	}
	out.Chunks = chunks
	return err
}

// older returns the chunk with the batch after since, if that has left the log;
// nil if the log has it.
func (s *State) older(t Turn, since int64) (*Chunk, error) {
	if s.tail.first == 0 || since+1 >= s.tail.first {
		return nil, nil
	}
	c, err := chunkOf(t.Tx(), since+1)
	if err == nil && c == nil {
		err = errPast
	}
	return c, err
}

// beginRevert says where a revert starts.
func (s *State) beginRevert(t Turn, m BeginRevert) (RevertBegun, error) {
	if err := may(m.By, easel.Reviewer, "revert"); err != nil {
		return RevertBegun{}, err
	}
	out := RevertBegun{Epoch: s.image.epoch, Ver: s.head.ver}
	if m.Annotation == "" {
		return out, nil
	}
	if !m.Annotation.Valid() {
		return RevertBegun{}, errNoAnnotation
	}
	b, err := loadBox(t.Tx(), s.image.ID, m.Annotation)
	switch {
	case err != nil:
		return RevertBegun{}, fmt.Errorf("begin revert: %w", err)
	case b == nil:
		return RevertBegun{}, errNoAnnotation
	case b.dead:
		out.Deleted = b.buried
	default:
		out.UpdatedAt = b.UpdatedAt
	}
	return out, nil
}
