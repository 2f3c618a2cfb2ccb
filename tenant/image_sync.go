package tenant

import (
	"errors"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

func (s *State) sync(t Turn, m Sync) (actors.Message, error) {
	if err := applySync(t.Tx(), m); err != nil {
		return nil, err
	}
	to := actors.Request{To: m.ReplyTo, Message: Synced{Seq: m.Seq}}
	if m.ReplyTo == (actors.Key{}) {
		to.To, to.Node = t.From().Key, t.From().Node
	}
	if to.To != (actors.Key{}) {
		t.Tell(to)
	}
	return Empty{}, nil
}

// applySync takes over what an image tells of itself. A reserved image may
// already do so; one that is unknown or doomed is let talk.
func applySync(tx *sqlite.Tx, m Sync) error {
	row, err := findRow(tx, m.Image.ID)
	// One of the same Seq may add the labels to what a Row told.
	if errors.Is(err, sqlite.ErrNoRows) || err == nil && (row.state == doomed || m.Seq < row.syncSeq) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := saveRow(tx, Row{m.Image, m.Seq}); err != nil {
		return err
	}
	return updateLabels(tx, m.Image, m.Labels)
}

// row takes over what one request changed. An image that is not listed yet tells
// of itself when it is.
func (s *State) row(t Turn, m Row) error {
	row, err := findRow(t.Tx(), m.Image.ID)
	if errors.Is(err, sqlite.ErrNoRows) || err == nil && (row.state != listed || m.Seq <= row.syncSeq) {
		return nil
	}
	if err != nil {
		return err
	}
	return saveRow(t.Tx(), m)
}

func saveRow(tx *sqlite.Tx, m Row) error {
	if err := updateImage(tx, m.Image); err != nil {
		return err
	}
	return setSynced(tx, m.Image.ID, m.Seq)
}

// updateLabels writes only what differs: images have many labels, and a sync
// changes few.
func updateLabels(tx *sqlite.Tx, image easel.Image, want map[string]int64) error {
	have, err := findLabels(tx, image.ID)
	if err != nil {
		return err
	}
	for label, old := range have {
		if n := want[label]; n > 0 && old.at == image.CreatedAt {
			continue
		}
		if err := deleteLabel(tx, image.ID, label, old.at); err != nil {
			return err
		}
	}
	for label, n := range want {
		if old, ok := have[label]; n <= 0 || ok && old.at == image.CreatedAt && old.count == n {
			continue
		}
		if err := saveLabel(tx, image, label, n); err != nil {
			return err
		}
	}
	return nil
}

type labelRow struct {
	at    easel.Time
	count int64
}

func findLabels(tx *sqlite.Tx, id easel.ID) (map[string]labelRow, error) {
	rows, err := tx.Query(`SELECT label, created_at, count FROM image_label WHERE image_id = ?`, id)
	if err != nil {
		return nil, err
	}
	found := map[string]labelRow{}
	for rows.Next() {
		var (
			label string
			r     labelRow
		)
		if err := rows.Scan(&label, &r.at, &r.count); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		found[label] = r
	}
	return found, rows.Close()
}

func saveLabel(tx *sqlite.Tx, image easel.Image, label string, n int64) error {
	_, err := tx.Exec(`INSERT INTO image_label (label, created_at, image_id, count) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET count = excluded.count`, label, image.CreatedAt, image.ID, n)
	return err
}

func deleteLabel(tx *sqlite.Tx, id easel.ID, label string, at easel.Time) error {
	_, err := tx.Exec(`DELETE FROM image_label WHERE label = ? AND created_at = ? AND image_id = ?`, label, at, id)
	return err
}
