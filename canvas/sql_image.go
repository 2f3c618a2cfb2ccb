package canvas

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
	"github.com/easelhq/easel/sqlite"
)

// idBytes returns the 16 bytes that a valid id stands for, as ids are stored.
func idBytes(id easel.ID) []byte {
	b := make([]byte, 16)
	if _, err := hex.Decode(b, []byte(id)); err != nil {
		panic(fmt.Sprintf("canvas: id %q was not validated", id))
	}
	return b
}

func idOf(b []byte) easel.ID { return easel.ID(hex.EncodeToString(b)) }

func insertImage(tx *sqlite.Tx, r *row, sums []byte) error {
	if sums == nil {
		sums = []byte{} // nil would be NULL
	}
	_, err := tx.Exec(`
		INSERT INTO image (one, id, epoch, filename, content_type, size, sha256, width, height, uploaded_by, created_at,
			metadata, changes, sums)
		VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		idBytes(r.ID), r.epoch, r.Filename, r.ContentType, r.Size, r.SHA256, r.Width, r.Height, r.UploadedBy, int64(r.CreatedAt),
		string(r.Metadata), r.changes, sums)
	if err != nil {
		return fmt.Errorf("insert image: %w", err)
	}
	return nil
}

func updateImage(tx *sqlite.Tx, r *row) error {
	_, err := tx.Exec(`
		UPDATE image SET filename = ?, width = ?, height = ?, deleted_at = ?, metadata = ?, changes = ?, unreadable = ?`,
		r.Filename, r.Width, r.Height, int64(r.DeletedAt), string(r.Metadata), r.changes, r.unreadable)
	if err != nil {
		return fmt.Errorf("update image: %w", err)
	}
	return nil
}

// loadImage returns sqlite.ErrNoRows for an image that is not born yet.
func loadImage(tx *sqlite.Tx) (row, error) {
	var (
		r                  row
		id                 []byte
		created, deletedAt int64
		metadata           string
	)
	err := tx.Row(`
		SELECT id, epoch, filename, content_type, size, sha256, width, height, uploaded_by, created_at, deleted_at,
			metadata, changes, unreadable, purged
		FROM image`, nil,
		&id, &r.epoch, &r.Filename, &r.ContentType, &r.Size, &r.SHA256, &r.Width, &r.Height, &r.UploadedBy, &created,
		&deletedAt, &metadata, &r.changes, &r.unreadable, &r.purged)
	if err != nil {
		return row{}, fmt.Errorf("load image: %w", err)
	}
	r.ID, r.CreatedAt, r.DeletedAt, r.Metadata = idOf(id), easel.Time(created), easel.Time(deletedAt), json.RawMessage(metadata)
	r.born = true
	return r, nil
}

// loadSums returns the checksums of the file's blocks; empty: there are none.
func loadSums(tx *sqlite.Tx) (sums []byte, err error) {
	if err := tx.Row(`SELECT nullif(sums, x'') FROM image`, nil, &sums); err != nil {
		return nil, fmt.Errorf("load sums: %w", err)
	}
	return sums, nil
}

// loadHead reads where the log and the chat stand.
func loadHead(tx *sqlite.Tx) (head, error) {
	var (
		h        head
		at, said int64
		line     []byte
	)
	err := tx.Row(`SELECT ver, at, live, total FROM log ORDER BY ver DESC LIMIT 1`, nil, &h.ver, &at, &h.live, &h.total)
	if err != nil && !errors.Is(err, sqlite.ErrNoRows) {
		return head{}, fmt.Errorf("load head of log: %w", err)
	}
	err = tx.Row(`SELECT id, at FROM chat ORDER BY n DESC LIMIT 1`, nil, &line, &said)
	if err != nil && !errors.Is(err, sqlite.ErrNoRows) {
		return head{}, fmt.Errorf("load last message: %w", err)
	}
	if err == nil {
		h.message = idOf(line)
	}
	h.at = easel.Time(max(at, said))
	return h, nil
}

// wipe removes everything but the fact that the image was purged.
func wipe(tx *sqlite.Tx) error {
	for _, query := range []string{
		`DELETE FROM annotation`, `DELETE FROM tombstone`, `DELETE FROM log`, `DELETE FROM client`, `DELETE FROM verdict`,
		`DELETE FROM chat`, `DELETE FROM intent`, `DELETE FROM decision`,
		`UPDATE image SET purged = 1, epoch = '', filename = '', content_type = '', size = 0, sha256 = '', width = 0,
			height = 0, uploaded_by = '', created_at = 0, deleted_at = 0, metadata = '{}', unreadable = '', sums = x''`,
	} {
		if _, err := tx.Exec(query); err != nil {
			return fmt.Errorf("purge image: %w", err)
		}
	}
	return wipeHistory(tx)
}

func insertLog(tx *sqlite.Tx, h head, body []byte) error {
	_, err := tx.Exec(`INSERT INTO log (ver, at, live, total, body) VALUES (?, ?, ?, ?, ?)`, h.ver, int64(h.at), h.live, h.total, body)
	if err != nil {
		return fmt.Errorf("insert into log: %w", err)
	}
	return nil
}

// loadLog returns batches after since until limit (0: none) or size bytes are
// reached, and at least one if there are any.
func loadLog(tx *sqlite.Tx, since int64, limit, size int) (_ []easel.Batch, err error) {
	rows, err := tx.Query(`SELECT body FROM log WHERE ver > ? ORDER BY ver`, since)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	defer func() {
		if failed := rows.Close(); failed != nil && err == nil {
			err = fmt.Errorf("read log: %w", failed)
		}
	}()
	var out []easel.Batch
	var body []byte
	for read := 0; (limit <= 0 || len(out) < limit) && rows.Next(); {
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		if read += len(body); read > size && len(out) > 0 {
			break
		}
		b, err := opcodec.Batch(body)
		if err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		out = append(out, b)
	}
	return out, nil
}

// insertChat keeps a message, and of all the newest.
func insertChat(tx *sqlite.Tx, m *easel.Message, keep int) error {
	_, err := tx.Exec(`INSERT INTO chat (id, user, at, text) VALUES (?, ?, ?, ?)`, idBytes(m.ID), m.By, int64(m.At), m.Text)
	if err == nil {
		_, err = tx.Exec(`DELETE FROM chat WHERE n <= (SELECT max(n) FROM chat) - ?`, keep)
	}
	if err != nil {
		return fmt.Errorf("insert message: %w", err)
	}
	return nil
}

// loadChat returns the last messages, newest first; never nil.
func loadChat(tx *sqlite.Tx, limit int) ([]easel.Message, error) {
	rows, err := tx.Query(`SELECT id, user, at, text FROM chat ORDER BY n DESC LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("read chat: %w", err)
	}
	out := []easel.Message{}
	for rows.Next() {
		var (
			m  easel.Message
			id []byte
			at int64
		)
		if err := rows.Scan(&id, &m.By, &at, &m.Text); err != nil {
			_ = rows.Close() // the scan's error says more
			return nil, fmt.Errorf("read chat: %w", err)
		}
		m.ID, m.At = idOf(id), easel.Time(at)
		out = append(out, m)
	}
	if err := rows.Close(); err != nil {
		return nil, fmt.Errorf("read chat: %w", err)
	}
	return out, nil
}
