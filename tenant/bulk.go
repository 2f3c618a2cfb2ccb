package tenant

import (
	"errors"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// Times between tellings of a verdict to images that have not confirmed it. The
// caller of a bulk tells them first.
const (
	tellFirst = time.Second
	tellMost  = 5 * time.Minute
)

// bulkRow is a row of the table bulk.
type bulkRow struct {
	id     easel.ID
	commit bool
	tries  int
	tellAt easel.Time
}

func (s *State) decide(t Turn, m Decide) (actors.Message, error) {
	if !m.Bulk.Valid() || len(m.Images) > easel.MaxOps {
		return nil, easel.Invalid("bulk", "is not one")
	}
	known, err := findBulk(t.Tx(), m.Bulk)
	if err == nil {
		return Decision{Commit: known.commit}, nil
	}
	if !errors.Is(err, sqlite.ErrNoRows) {
		return nil, err
	}
	row := bulkRow{id: m.Bulk, commit: m.Commit}
	if m.Commit {
		if err := s.settleIf(t, m.Settle); err != nil {
			return nil, err
		}
		row.tellAt = later(t, tellFirst)
		if err := tellBy(t, row.tellAt); err != nil {
			return nil, err
		}
	}
	if err := storeBulk(t, row); err != nil {
		return nil, err
	}
	if m.Commit {
		for _, image := range m.Images {
			if _, err := t.Tx().Exec(`INSERT INTO bulk_image (bulk_id, image_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, m.Bulk, image); err != nil {
				return nil, err
			}
		}
	}
	return Decision{Commit: m.Commit}, nil
}

func (s *State) outcome(t Turn, m Outcome) (actors.Message, error) {
	if !m.Bulk.Valid() {
		return nil, easel.Invalid("bulk", "is not an id")
	}
	row, err := findBulk(t.Tx(), m.Bulk)
	if errors.Is(err, sqlite.ErrNoRows) {
		// Presumed abort: stored, so that a Decide on its way cannot commit.
		row = bulkRow{id: m.Bulk}
		err = storeBulk(t, row)
	}
	if err != nil {
		return nil, err
	}
	if from := t.From(); from.Key.Kind == ImageKind {
		t.Tell(actors.Request{To: from.Key, Node: from.Node, Message: Verdict{Bulk: m.Bulk, Commit: row.commit}})
	}
	return Decision{Commit: row.commit}, nil
}

func (s *State) confirm(t Turn, m Confirm) (actors.Message, error) {
	n, err := t.Tx().Exec(`DELETE FROM bulk_image WHERE bulk_id = ? AND image_id = ?`, m.Bulk, m.Image)
	if err != nil || n == 0 {
		return Empty{}, err
	}
	return Empty{}, closeIfConfirmed(t.Tx(), m.Bulk)
}

// tellVerdicts tells images that have not confirmed a commit of it, again.
func (s *State) tellVerdicts(t Turn) error {
	due, err := dueBulks(t.Tx(), easel.At(t.Now()))
	if err != nil {
		return err
	}
	for _, row := range due {
		images, err := unconfirmed(t.Tx(), row.id)
		if err != nil {
			return err
		}
		if len(images) == 0 {
			if err := closeIfConfirmed(t.Tx(), row.id); err != nil {
				return err
			}
			continue
		}
		for _, image := range images {
			t.Tell(actors.Request{To: imageKey(t, image), Message: Verdict{Bulk: row.id, Commit: row.commit}})
		}
		wait := min(tellFirst<<min(row.tries+1, 10), tellMost)
		if _, err := t.Tx().Exec(`UPDATE bulk SET tries = tries + 1, tell_at = ? WHERE id = ?`, later(t, wait), row.id); err != nil {
			return err
		}
	}
	next, err := nextTelling(t.Tx())
	if err == nil && next > 0 {
		t.SetAlarm(alarmBulks, next.Std())
	}
	return err
}

func imageKey(t Turn, image easel.ID) actors.Key {
	return actors.Key{Kind: ImageKind, ID: t.Key().ID + "/" + string(image)}
}

// tellBy sets the alarm that tells, unless it rings early enough.
func tellBy(t Turn, at easel.Time) error {
	next, err := nextTelling(t.Tx())
	if err == nil && (next == 0 || at < next) {
		t.SetAlarm(alarmBulks, at.Std())
	}
	return err
}

func storeBulk(t Turn, row bulkRow) error {
	if err := tidyLater(t); err != nil {
		return err
	}
	_, err := t.Tx().Exec(`INSERT INTO bulk (id, outcome, tries, tell_at, until) VALUES (?, ?, 0, ?, ?)`,
		row.id, row.commit, row.tellAt, later(t, keepBulks))
	return err
}

func findBulk(tx *sqlite.Tx, id easel.ID) (bulkRow, error) {
	row := bulkRow{id: id}
	err := tx.Row(`SELECT outcome, tries, tell_at FROM bulk WHERE id = ?`, []any{id}, &row.commit, &row.tries, &row.tellAt)
	return row, err
}

// closeIfConfirmed ends the telling once nobody is left to tell.
func closeIfConfirmed(tx *sqlite.Tx, id easel.ID) error {
	_, err := tx.Exec(`UPDATE bulk SET tell_at = 0 WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM bulk_image WHERE bulk_id = ?1)`, id)
	return err
}

func unconfirmed(tx *sqlite.Tx, id easel.ID) ([]easel.ID, error) {
	return scanIDs(tx.Query(`SELECT image_id FROM bulk_image WHERE bulk_id = ?`, id))
}

// nextTelling returns when images are told next; 0 if none are to be.
func nextTelling(tx *sqlite.Tx) (easel.Time, error) {
	var at *easel.Time
	err := tx.Row(`SELECT MIN(tell_at) FROM bulk WHERE tell_at > 0`, nil, &at)
	if err != nil || at == nil {
		return 0, err
	}
	return *at, nil
}

func dueBulks(tx *sqlite.Tx, now easel.Time) ([]bulkRow, error) {
	rows, err := tx.Query(`SELECT id, outcome, tries FROM bulk WHERE tell_at > 0 AND tell_at <= ? ORDER BY tell_at LIMIT ?`, now, clearAtOnce)
	if err != nil {
		return nil, err
	}
	var due []bulkRow
	for rows.Next() {
		var row bulkRow
		if err := rows.Scan(&row.id, &row.commit, &row.tries); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		due = append(due, row)
	}
	return due, rows.Close()
}
