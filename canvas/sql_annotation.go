package canvas

import (
	"errors"
	"fmt"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/sqlite"
)

// columns are those of an annotation, as scan reads them. A confidence is never
// negative, so -1 stands for none and spares a nullable.
const columns = `id, ver, pos, rev, label, x, y, width, height, ifnull(confidence, -1.0), created_by, created_at, updated_by, updated_at, shape, attributes, source, model`

// scanner reads rows of columns into one box, which it reuses.
type scanner struct {
	box
	id               []byte
	confidence       float64
	created, updated int64
	dest             []any // pointers into this value
}

func newScanner(image easel.ID) *scanner {
	s := &scanner{}
	s.ImageID = image
	s.dest = []any{
		&s.id, &s.ver, &s.pos, &s.Rev, &s.Label, &s.X, &s.Y, &s.Width, &s.Height, &s.confidence,
		&s.CreatedBy, &s.created, &s.UpdatedBy, &s.updated, (*string)(&s.Shape), (*string)(&s.Attributes), &s.Source, &s.Model,
	}
	return s
}

// finish completes the annotation from what was scanned.
func (s *scanner) finish() {
	s.ID, s.CreatedAt, s.UpdatedAt = idOf(s.id), easel.Time(s.created), easel.Time(s.updated)
	s.Confidence = nil
	if s.confidence >= 0 {
		v := s.confidence
		s.Confidence = &v
	}
}

// loadBox returns one annotation, dead if it is deleted; nil if it never was.
func loadBox(tx *sqlite.Tx, image, id easel.ID) (*box, error) {
	key := idBytes(id)
	s := newScanner(image)
	err := tx.Row(`SELECT `+columns+` FROM annotation WHERE id = ?`, []any{key}, s.dest...)
	if err == nil {
		s.finish()
		stored := s.Annotation
		return &box{Annotation: s.Annotation, ver: s.ver, pos: s.pos, before: &stored}, nil
	}
	if !errors.Is(err, sqlite.ErrNoRows) {
		return nil, fmt.Errorf("load annotation: %w", err)
	}
	dead := box{Annotation: easel.Annotation{ID: id, ImageID: image}, dead: true}
	err = tx.Row(`SELECT ver, rev FROM tombstone WHERE id = ?`, []any{key}, &dead.buried, &dead.Rev)
	switch {
	case err == nil:
		return &dead, nil
	case errors.Is(err, sqlite.ErrNoRows):
		return nil, nil
	default:
		return nil, fmt.Errorf("load tombstone: %w", err)
	}
}

// countText returns how many bytes of text there are.
func countText(tx *sqlite.Tx) (n int64, err error) {
	// A blob's length is counted in bytes.
	err = tx.Row(`SELECT coalesce(sum(length(CAST(shape AS BLOB)) + length(CAST(attributes AS BLOB))), 0) FROM annotation`, nil, &n)
	if err != nil {
		return 0, fmt.Errorf("count text: %w", err)
	}
	return n, nil
}

// store writes what a batch made of b.
func (b *box) store(tx *sqlite.Tx) error {
	var err error
	switch {
	case b.dead:
		if b.before != nil {
			_, err = tx.Exec(`DELETE FROM annotation WHERE id = ?`, idBytes(b.ID))
		}
		if err == nil {
			_, err = tx.Exec(`INSERT INTO tombstone (id, ver, rev) VALUES (?, ?, ?)`, idBytes(b.ID), b.buried, b.Rev)
		}
	case b.before != nil:
		_, err = tx.Exec(`
			UPDATE annotation SET rev = ?, label = ?, x = ?, y = ?, width = ?, height = ?, confidence = ?, updated_by = ?,
				updated_at = ?, shape = ?, attributes = ?, source = ?, model = ?
			WHERE id = ?`,
			b.Rev, b.Label, b.X, b.Y, b.Width, b.Height, b.nullableConfidence(), b.UpdatedBy, int64(b.UpdatedAt),
			string(b.Shape), string(b.Attributes), b.Source, b.Model, idBytes(b.ID))
	default:
		_, err = tx.Exec(`
			INSERT INTO annotation (id, ver, pos, rev, label, x, y, width, height, confidence, created_by, created_at,
				updated_by, updated_at, shape, attributes, source, model)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			idBytes(b.ID), b.ver, b.pos, b.Rev, b.Label, b.X, b.Y, b.Width, b.Height, b.nullableConfidence(),
			b.CreatedBy, int64(b.CreatedAt), b.UpdatedBy, int64(b.UpdatedAt),
			string(b.Shape), string(b.Attributes), b.Source, b.Model)
	}
	if err == nil && !b.dead && b.buried != 0 {
		_, err = tx.Exec(`DELETE FROM tombstone WHERE id = ?`, idBytes(b.ID))
	}
	if err != nil {
		return fmt.Errorf("store annotation: %w", err)
	}
	return nil
}

func (b *box) nullableConfidence() any {
	if b.Confidence == nil {
		return nil
	}
	return *b.Confidence
}

// eachBox calls f with every annotation, in no particular order. The pointer is
// good only during the call.
func eachBox(tx *sqlite.Tx, image easel.ID, f func(*box)) error {
	rows, err := tx.Query(`SELECT ` + columns + ` FROM annotation`)
	if err != nil {
		return fmt.Errorf("list annotations: %w", err)
	}
	_, err = each(rows, image, func(b *box) bool { f(b); return true })
	return err
}

// eachByID calls f with annotations after an id ("": from the first), by
// ascending id, until f returns false; more tells whether it did.
func eachByID(tx *sqlite.Tx, image, after easel.ID, f func(*box) bool) (more bool, err error) {
	var rows *sqlite.Rows
	if after.Valid() {
		rows, err = tx.Query(`SELECT `+columns+` FROM annotation WHERE id > ? ORDER BY id`, idBytes(after))
	} else {
		rows, err = tx.Query(`SELECT ` + columns + ` FROM annotation ORDER BY id`)
	}
	if err != nil {
		return false, fmt.Errorf("page annotations: %w", err)
	}
	return each(rows, image, f)
}

func each(rows *sqlite.Rows, image easel.ID, f func(*box) bool) (stopped bool, err error) {
	s := newScanner(image)
	for !stopped && rows.Next() {
		if err := rows.Scan(s.dest...); err != nil {
			_ = rows.Close() // the scan's error says more
			return false, fmt.Errorf("read annotation: %w", err)
		}
		s.finish()
		stopped = !f(&s.box)
	}
	if err := rows.Close(); err != nil {
		return false, fmt.Errorf("read annotations: %w", err)
	}
	return stopped, nil
}

func countLabels(tx *sqlite.Tx) (map[string]int64, error) {
	rows, err := tx.Query(`SELECT label, count(*) FROM annotation GROUP BY label`)
	if err != nil {
		return nil, fmt.Errorf("count labels: %w", err)
	}
	counts := make(map[string]int64)
	for rows.Next() {
		var (
			label string
			n     int64
		)
		if err := rows.Scan(&label, &n); err != nil {
			_ = rows.Close() // the scan's error says more
			return nil, fmt.Errorf("count labels: %w", err)
		}
		counts[label] = n
	}
	if err := rows.Close(); err != nil {
		return nil, fmt.Errorf("count labels: %w", err)
	}
	return counts, nil
}
