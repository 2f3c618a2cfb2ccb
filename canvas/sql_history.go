package canvas

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/sqlite"
)

// loadTail reads where the log begins: the version of its oldest row, 0 if it is
// empty, and the bytes of all batches before that.
func loadTail(tx *sqlite.Tx) (first, before int64, err error) {
	err = tx.Row(`SELECT ver, total - length(body) FROM log ORDER BY ver LIMIT 1`, nil, &first, &before)
	if err != nil && !errors.Is(err, sqlite.ErrNoRows) {
		return 0, 0, fmt.Errorf("load tail of log: %w", err)
	}
	return first, before, nil
}

// loadRecords returns batches from first to last until size bytes are reached,
// and at least one if there are any.
func loadRecords(tx *sqlite.Tx, first, last int64, size int) ([]record, error) {
	rows, err := tx.Query(`SELECT at, live, body FROM log WHERE ver >= ? AND ver <= ? ORDER BY ver`, first, last)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	var out []record
	for rows.Next() {
		var (
			r  record
			at int64
		)
		if err := rows.Scan(&at, &r.live, &r.body); err != nil {
			_ = rows.Close() // the scan's error says more
			return nil, fmt.Errorf("read log: %w", err)
		}
		if size -= len(r.body); size < 0 && len(out) > 0 {
			break
		}
		r.at = easel.Time(at)
		out = append(out, r)
	}
	if err := rows.Close(); err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	return out, nil
}

// logRow returns the time of a version in the log and how many annotations there
// were.
func logRow(tx *sqlite.Tx, ver int64) (at easel.Time, live int64, err error) {
	var ms int64
	if err := tx.Row(`SELECT at, live FROM log WHERE ver = ?`, []any{ver}, &ms, &live); err != nil {
		return 0, 0, fmt.Errorf("load batch %d: %w", ver, err)
	}
	return easel.Time(ms), live, nil
}

func insertChunk(tx *sqlite.Tx, c *Chunk) error {
	ops, err := nameHash(c.Ops)
	if err != nil {
		return err
	}
	keyframe, err := nameHash(c.Keyframe)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO chunk (first, last, began, ended, bytes, ops, keyframe) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		c.First, c.Last, int64(c.Began), int64(c.Ended), c.Bytes, ops, keyframe)
	if err == nil {
		_, err = tx.Exec(`DELETE FROM log WHERE ver <= ?`, c.Last)
	}
	if err != nil {
		return fmt.Errorf("insert chunk: %w", err)
	}
	return nil
}

// nameHash returns the hash at the end of an object's name; nil for no name.
func nameHash(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	hash, err := hex.DecodeString(name[strings.LastIndexByte(name, '-')+1:])
	if err != nil || len(hash) != hashLen {
		return nil, fmt.Errorf("canvas: %q names no object of history", name)
	}
	return hash, nil
}

const chunkColumns = `first, last, began, ended, bytes, ops, keyframe`

// eachChunk calls f with chunks until it returns false.
func eachChunk(rows *sqlite.Rows, f func(Chunk) bool) error {
	for rows.Next() {
		var (
			c             Chunk
			began, ended  int64
			ops, keyframe []byte
		)
		if err := rows.Scan(&c.First, &c.Last, &began, &ended, &c.Bytes, &ops, &keyframe); err != nil {
			_ = rows.Close() // the scan's error says more
			return fmt.Errorf("read chunk: %w", err)
		}
		c.Began, c.Ended = easel.Time(began), easel.Time(ended)
		c.Ops = objectName(kindOps, c.First, c.Last, ops)
		if keyframe != nil {
			c.Keyframe = objectName(kindKeyframe, c.First-1, c.First-1, keyframe)
		}
		if !f(c) {
			break
		}
	}
	if err := rows.Close(); err != nil {
		return fmt.Errorf("read chunks: %w", err)
	}
	return nil
}

// loadChunks returns what the state of a version that has left the log, or the one
// before the log, is made of: the newest chunk with a keyframe not after it, and
// the chunks from there up to the one that holds it. ok is false if that far back
// nothing is kept.
func loadChunks(tx *sqlite.Tx, ver int64) (chunks []Chunk, ok bool, err error) {
	if ver == 0 {
		return nil, true, nil
	}
	var from int64
	err = tx.Row(`
		SELECT ifnull(max(first), 0) FROM chunk
		WHERE first <= ? AND (keyframe IS NOT NULL OR first = 1) AND dropped = 0`, []any{ver}, &from)
	if err != nil {
		return nil, false, fmt.Errorf("find keyframe: %w", err)
	}
	if from == 0 {
		return nil, false, nil
	}
	rows, err := tx.Query(`SELECT `+chunkColumns+` FROM chunk WHERE first >= ? AND first <= ? ORDER BY first`, from, ver)
	if err != nil {
		return nil, false, fmt.Errorf("read chunks: %w", err)
	}
	err = eachChunk(rows, func(c Chunk) bool { chunks = append(chunks, c); return true })
	return chunks, len(chunks) > 0 && chunks[len(chunks)-1].Last >= ver, err
}

// chunkOf returns the chunk that holds a version; nil if none does.
func chunkOf(tx *sqlite.Tx, ver int64) (out *Chunk, err error) {
	rows, err := tx.Query(`SELECT `+chunkColumns+` FROM chunk WHERE first <= ? AND dropped = 0 ORDER BY first DESC LIMIT 1`, ver)
	if err != nil {
		return nil, fmt.Errorf("find chunk: %w", err)
	}
	err = eachChunk(rows, func(c Chunk) bool {
		if c.Last >= ver {
			out = &c
		}
		return false
	})
	return out, err
}

// chunkAt returns the newest chunk that began no later than a time; nil if none
// did.
func chunkAt(tx *sqlite.Tx, at easel.Time) (out *Chunk, err error) {
	rows, err := tx.Query(`SELECT `+chunkColumns+` FROM chunk WHERE began <= ? AND dropped = 0 ORDER BY first DESC LIMIT 1`, int64(at))
	if err != nil {
		return nil, fmt.Errorf("find chunk: %w", err)
	}
	err = eachChunk(rows, func(c Chunk) bool { out = &c; return false })
	return out, err
}

// liveChunks calls f with the chunks that are not dropped, oldest first.
func liveChunks(tx *sqlite.Tx, f func(Chunk)) error {
	rows, err := tx.Query(`SELECT ` + chunkColumns + ` FROM chunk WHERE dropped = 0 ORDER BY first`)
	if err != nil {
		return fmt.Errorf("read chunks: %w", err)
	}
	return eachChunk(rows, func(c Chunk) bool { f(c); return true })
}

// dropChunks marks at most limit of the oldest chunks before a version as dropped,
// and returns all that are marked.
func dropChunks(tx *sqlite.Tx, before int64, limit int) (out []Chunk, err error) {
	_, err = tx.Exec(`
		UPDATE chunk SET dropped = 1
		WHERE first IN (SELECT first FROM chunk WHERE first < ? ORDER BY first LIMIT ?)`, before, limit)
	if err != nil {
		return nil, fmt.Errorf("drop chunks: %w", err)
	}
	rows, err := tx.Query(`SELECT ` + chunkColumns + ` FROM chunk WHERE dropped = 1 ORDER BY first`)
	if err != nil {
		return nil, fmt.Errorf("read dropped chunks: %w", err)
	}
	err = eachChunk(rows, func(c Chunk) bool { out = append(out, c); return true })
	return out, err
}

func forgetChunks(tx *sqlite.Tx, before int64) error {
	if _, err := tx.Exec(`DELETE FROM chunk WHERE dropped = 1 AND first < ?`, before); err != nil {
		return fmt.Errorf("forget chunks: %w", err)
	}
	return nil
}

// mostChanges bounds how many earlier rows of the image are remembered.
const mostChanges = 500

// insertChange remembers the image's own row from now on, and forgets rows that
// nobody can ask for any more.
func insertChange(tx *sqlite.Tx, r *row, ver int64, at, cutoff easel.Time) error {
	_, err := tx.Exec(`
		INSERT INTO change (ver, at, filename, width, height, deleted_at, metadata) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		ver, int64(at), r.Filename, r.Width, r.Height, int64(r.DeletedAt), string(r.Metadata))
	if err == nil {
		_, err = tx.Exec(`DELETE FROM change WHERE n < (SELECT max(n) FROM change WHERE at <= ?)`, int64(cutoff))
	}
	if err == nil {
		_, err = tx.Exec(`DELETE FROM change WHERE n <= (SELECT max(n) FROM change) - ?`, mostChanges)
	}
	if err != nil {
		return fmt.Errorf("insert change: %w", err)
	}
	return nil
}

// lastChange returns when the image's row last changed; 0 if that is not known.
func lastChange(tx *sqlite.Tx) (easel.Time, error) {
	var at int64
	err := tx.Row(`SELECT at FROM change ORDER BY n DESC LIMIT 1`, nil, &at)
	if err != nil && !errors.Is(err, sqlite.ErrNoRows) {
		return 0, fmt.Errorf("load last change: %w", err)
	}
	return easel.Time(at), nil
}

// rowAt gives the image the fields that it had at a moment. sqlite.ErrNoRows if
// that is not remembered.
func rowAt(tx *sqlite.Tx, m Moment, image *easel.Image) error {
	var (
		deletedAt int64
		metadata  string
	)
	dest := []any{&image.Filename, &image.Width, &image.Height, &deletedAt, &metadata}
	var err error
	if m.At != 0 {
		err = tx.Row(`
			SELECT filename, width, height, deleted_at, metadata FROM change WHERE at <= ? ORDER BY n DESC LIMIT 1`,
			[]any{int64(m.At)}, dest...)
	} else {
		err = tx.Row(`
			SELECT filename, width, height, deleted_at, metadata FROM change WHERE ver <= ? ORDER BY n DESC LIMIT 1`,
			[]any{m.Ver}, dest...)
	}
	if err != nil {
		return fmt.Errorf("load row of the past: %w", err)
	}
	image.DeletedAt, image.Metadata = easel.Time(deletedAt), json.RawMessage(metadata)
	return nil
}

// wipeHistory removes what wipe does not know of.
func wipeHistory(tx *sqlite.Tx) error {
	for _, query := range []string{`DELETE FROM chunk`, `DELETE FROM change`} {
		if _, err := tx.Exec(query); err != nil {
			return fmt.Errorf("purge history: %w", err)
		}
	}
	return nil
}
