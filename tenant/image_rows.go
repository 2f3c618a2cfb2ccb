package tenant

import (
	"encoding/json"
	"errors"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/sqlite"
)

// fold takes case out of s, so that folded texts can be compared byte by byte.
// File names come composed or decomposed, depending on where they were made.
func fold(s string) string { return norm.NFC.String(cases.Fold().String(norm.NFC.String(s))) }

// imageRow is what rules need to know of an image's row.
type imageRow struct {
	id        easel.ID
	state     int
	held      int64
	syncSeq   int64
	deletedAt easel.Time
}

func findRow(tx *sqlite.Tx, id easel.ID) (imageRow, error) {
	r := imageRow{id: id}
	err := tx.Row(`SELECT state, held, sync_seq, deleted_at FROM image WHERE id = ?`, []any{id},
		&r.state, &r.held, &r.syncSeq, &r.deletedAt)
	return r, err
}

func insertRow(tx *sqlite.Tx, m easel.Image, until easel.Time) error {
	_, err := tx.Exec(`INSERT INTO image (id, state, until, held, sync_seq, filename, folded, content_type, size, sha256,
		width, height, uploaded_by, created_at, deleted_at, annotation_count, version, metadata)
		VALUES (?, 0, ?, 0, 0, ?, ?, '', 0, '', 0, 0, ?, ?, 0, 0, 0, '{}')`,
		m.ID, until, m.Filename, fold(m.Filename), m.UploadedBy, m.CreatedAt)
	return err
}

// updateImage writes what an image shows of itself; the row exists.
func updateImage(tx *sqlite.Tx, m easel.Image) error {
	metadata := string(m.Metadata)
	if metadata == "" {
		metadata = "{}"
	}
	_, err := tx.Exec(`UPDATE image SET filename = ?, folded = ?, content_type = ?, size = ?, sha256 = ?, width = ?, height = ?,
		uploaded_by = ?, created_at = ?, deleted_at = ?, annotation_count = ?, version = ?, metadata = ? WHERE id = ?`,
		m.Filename, fold(m.Filename), m.ContentType, m.Size, m.SHA256, m.Width, m.Height,
		m.UploadedBy, m.CreatedAt, m.DeletedAt, m.AnnotationCount, m.Version, metadata, m.ID)
	return err
}

func setState(tx *sqlite.Tx, id easel.ID, state int) error {
	_, err := tx.Exec(`UPDATE image SET state = ? WHERE id = ?`, state, id)
	return err
}

func setHeld(tx *sqlite.Tx, id easel.ID, bytes int64) error {
	_, err := tx.Exec(`UPDATE image SET held = ? WHERE id = ?`, bytes, id)
	return err
}

func setSynced(tx *sqlite.Tx, id easel.ID, seq int64) error {
	_, err := tx.Exec(`UPDATE image SET sync_seq = ? WHERE id = ?`, seq, id)
	return err
}

// forgetImage removes all rows of an image, also those by which a bulk waits for
// its confirmation: there is nobody left to send one.
func forgetImage(tx *sqlite.Tx, id easel.ID) error {
	for _, query := range []string{
		`DELETE FROM image_label WHERE image_id = ?`,
		`DELETE FROM bulk_image WHERE image_id = ?`,
		`DELETE FROM image WHERE id = ?`,
	} {
		if _, err := tx.Exec(query, id); err != nil {
			return err
		}
	}
	return nil
}

// nextReservation returns when the oldest reservation ends; 0 if there is none.
func nextReservation(tx *sqlite.Tx) (easel.Time, error) {
	var until *easel.Time
	err := tx.Row(`SELECT MIN(until) FROM image WHERE state = 0`, nil, &until)
	if err != nil || until == nil {
		return 0, err
	}
	return *until, nil
}

func dueReservations(tx *sqlite.Tx, now easel.Time) ([]imageRow, error) {
	rows, err := tx.Query(`SELECT id, held FROM image WHERE state = 0 AND until <= ? ORDER BY until LIMIT ?`, now, clearAtOnce)
	if err != nil {
		return nil, err
	}
	var due []imageRow
	for rows.Next() {
		var r imageRow
		if err := rows.Scan(&r.id, &r.held); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		due = append(due, r)
	}
	return due, rows.Close()
}

func goneRows(tx *sqlite.Tx, before easel.Time, after easel.ID, limit int) ([]Gone, error) {
	// The first condition is that of the index image_gone.
	rows, err := tx.Query(`SELECT id, state = 2 FROM image WHERE (state = 2 OR deleted_at > 0) AND id > ?
		AND (state = 2 OR state = 1 AND deleted_at < ?) ORDER BY id LIMIT ?`, after, before, limit)
	if err != nil {
		return nil, err
	}
	gone := []Gone{}
	for rows.Next() {
		var g Gone
		if err := rows.Scan(&g.ID, &g.Doomed); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		gone = append(gone, g)
	}
	return gone, rows.Close()
}

// scanIDs reads and closes rows of one id each. It takes what Query returns.
func scanIDs(rows *sqlite.Rows, err error) ([]easel.ID, error) {
	if err != nil {
		return nil, err
	}
	ids := []easel.ID{}
	for rows.Next() {
		var id easel.ID
		if err := rows.Scan(&id); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		ids = append(ids, id)
	}
	return ids, rows.Close()
}

// scanImage reads a row of loadImage.
func scanImage(rows *sqlite.Rows) (easel.Image, error) {
	var (
		m        easel.Image
		metadata string
	)
	err := rows.Scan(&m.ID, &m.Filename, &m.ContentType, &m.Size, &m.SHA256, &m.Width, &m.Height, &m.UploadedBy,
		&m.CreatedAt, &m.DeletedAt, &m.AnnotationCount, &m.Version, &metadata)
	m.Metadata = json.RawMessage(metadata)
	return m, err
}
