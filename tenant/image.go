package tenant

import (
	"errors"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// States of an image's row. A reserved one becomes listed or doomed; a listed one
// stays until it is purged; a doomed one is a reservation that came to nothing.
const (
	reserved = 0
	listed   = 1
	doomed   = 2
)

// clearAtOnce bounds how many rows one alarm works on, to keep turns short.
const clearAtOnce = 500

func (s *State) reserve(t Turn, m Reserve) (actors.Message, error) {
	switch {
	case !m.By.Role.AtLeast(easel.Annotator):
		return nil, easel.Errorf(easel.CodeForbidden, "role %s may not upload", m.By.Role)
	case !m.ID.Valid():
		return nil, easel.Invalid("id", "is not an id")
	case m.Size < 0:
		return nil, easel.Invalid("size", "is negative")
	}
	row, err := findRow(t.Tx(), m.ID)
	switch {
	case err == nil && row.state == reserved:
		return Empty{}, nil
	case err == nil:
		return nil, easel.Errorf(easel.CodeConflict, "the image's id is taken")
	case !errors.Is(err, sqlite.ErrNoRows):
		return nil, err
	}
	if err := s.charge(t, Amounts{Images: 1, Bytes: m.Size}); err != nil {
		return nil, err
	}
	// The alarm is set for the oldest reservation; all are held equally long.
	pending, err := nextReservation(t.Tx())
	if err != nil {
		return nil, err
	}
	until := later(t, s.o.ReserveFor)
	if pending == 0 {
		t.SetAlarm(alarmReservations, until.Std())
	}
	image := easel.Image{ID: m.ID, Filename: m.Filename, UploadedBy: m.By.User, CreatedAt: easel.At(t.Now())}
	if err := insertRow(t.Tx(), image, until); err != nil {
		return nil, err
	}
	return Empty{}, setHeld(t.Tx(), m.ID, m.Size)
}

func (s *State) ready(t Turn, m Ready) (actors.Message, error) {
	row, err := findRow(t.Tx(), m.Image.ID)
	switch {
	case errors.Is(err, sqlite.ErrNoRows), err == nil && row.state == doomed:
		return nil, easel.Errorf(easel.CodeGone, "the upload took too long: its reservation was given up")
	case err != nil:
		return nil, err
	case row.state == listed:
		return Empty{}, s.settleIf(t, m.Settle)
	}
	if err := s.charge(t, Amounts{Bytes: m.Image.Size - row.held}); err != nil {
		return nil, err
	}
	if err := setHeld(t.Tx(), m.Image.ID, m.Image.Size); err != nil {
		return nil, err
	}
	// What the image itself has told meanwhile is newer than this message.
	if row.syncSeq == 0 {
		if err := updateImage(t.Tx(), m.Image); err != nil {
			return nil, err
		}
	}
	if err := setState(t.Tx(), m.Image.ID, listed); err != nil {
		return nil, err
	}
	return Empty{}, s.settleIf(t, m.Settle)
}

func (s *State) abandon(t Turn, m Abandon) (actors.Message, error) {
	row, err := findRow(t.Tx(), m.ID)
	switch {
	case errors.Is(err, sqlite.ErrNoRows):
		return Abandoned{}, nil
	case err != nil:
		return nil, err
	case row.state != reserved:
		return Abandoned{Doomed: row.state == doomed}, nil
	}
	return Abandoned{Doomed: true}, doom(t.Tx(), m.ID, row.held)
}

// clearReservations dooms reservations that nothing came of.
func (s *State) clearReservations(t Turn) error {
	due, err := dueReservations(t.Tx(), easel.At(t.Now()))
	if err != nil {
		return err
	}
	for _, r := range due {
		if err := doom(t.Tx(), r.id, r.held); err != nil {
			return err
		}
	}
	next, err := nextReservation(t.Tx())
	if err == nil && next > 0 {
		t.SetAlarm(alarmReservations, next.Std())
	}
	return err
}

// doom gives a reservation up: its quota is free, and Expired tells of it until
// it is purged.
func doom(tx *sqlite.Tx, id easel.ID, held int64) error {
	if err := setState(tx, id, doomed); err != nil {
		return err
	}
	if err := setHeld(tx, id, 0); err != nil {
		return err
	}
	return addUsage(tx, Amounts{Images: -1, Bytes: -held})
}

func (s *State) expired(t Turn, m Expired) (actors.Message, error) {
	gone, err := goneRows(t.Tx(), m.Before, m.After, min(max(m.Limit, 1), maxLimit))
	if err != nil {
		return nil, err
	}
	return ExpiredReply{Images: gone}, nil
}

func (s *State) purged(t Turn, m Purged) (actors.Message, error) {
	row, err := findRow(t.Tx(), m.ID)
	if errors.Is(err, sqlite.ErrNoRows) {
		return Empty{}, nil
	}
	if err != nil {
		return nil, err
	}
	if row.state == reserved || row.state == listed && row.deletedAt == 0 {
		return nil, easel.Errorf(easel.CodeConflict, "the image is live")
	}
	if row.state == listed {
		if err := addUsage(t.Tx(), Amounts{Images: -1, Bytes: -row.held}); err != nil {
			return nil, err
		}
	}
	if err := forgetImage(t.Tx(), m.ID); err != nil {
		return nil, err
	}
	return Empty{}, nil
}
