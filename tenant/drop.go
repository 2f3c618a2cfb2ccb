package tenant

import (
	"errors"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

func (s *State) drops(t Turn, m Drops) (actors.Message, error) {
	rows, err := t.Tx().Query(`SELECT seq, blob FROM dropped WHERE seq > ? AND due <= ? ORDER BY seq LIMIT ?`,
		m.After, easel.At(t.Now()), min(max(m.Limit, 1), maxLimit))
	if err != nil {
		return nil, err
	}
	reply := DropsReply{Drops: []Drop{}}
	for rows.Next() {
		var d Drop
		if err := rows.Scan(&d.Seq, &d.Blob); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		reply.Drops = append(reply.Drops, d)
	}
	return reply, rows.Close()
}

func (s *State) dropped(t Turn, m Dropped) (actors.Message, error) {
	for _, seq := range m.Seqs {
		if _, err := t.Tx().Exec(`DELETE FROM dropped WHERE seq = ?`, seq); err != nil {
			return nil, err
		}
	}
	return Empty{}, nil
}

func (s *State) sweep(t Turn, m Sweep) (actors.Message, error) {
	if len(m.Blobs) > maxLimit {
		return nil, easel.Invalid("blobs", "are more than 1000")
	}
	queued := 0
	for _, blob := range m.Blobs {
		known, err := isKnown(t, blob)
		if err != nil {
			return nil, err
		}
		if known {
			continue
		}
		if err := drop(t.Tx(), blob, easel.At(t.Now())); err != nil {
			return nil, err
		}
		queued++
	}
	return SweepReply{Queued: queued}, nil
}

// isKnown reports whether a row names the blob, it is queued already, or it is
// none of this tenant's.
func isKnown(t Turn, blob string) (bool, error) {
	rest, ours := strings.CutPrefix(blob, "t/"+t.Key().ID+"/")
	if !ours {
		return true, nil
	}
	if id, image := strings.CutPrefix(rest, "i/"); image {
		id, _, _ = strings.Cut(id, "/")
		// Whatever a row of an image is doing, its blobs go with the row.
		return exists(t.Tx(), `SELECT EXISTS (SELECT 1 FROM image WHERE id = ?) OR EXISTS (SELECT 1 FROM dropped WHERE blob = ?)`, id, blob)
	}
	return exists(t.Tx(), `SELECT EXISTS (SELECT 1 FROM file WHERE blob = ?) OR EXISTS (SELECT 1 FROM dropped WHERE blob = ?)`, blob, blob)
}

func isDropped(tx *sqlite.Tx, blob string) (bool, error) {
	return exists(tx, `SELECT EXISTS (SELECT 1 FROM dropped WHERE blob = ?)`, blob)
}

func exists(tx *sqlite.Tx, query string, args ...any) (found bool, err error) {
	err = tx.Row(query, args, &found)
	return found, err
}

// drop queues a blob for deletion from due on.
func drop(tx *sqlite.Tx, blob string, due easel.Time) error {
	_, err := tx.Exec(`INSERT INTO dropped (blob, due) VALUES (?, ?) ON CONFLICT (blob) DO NOTHING`, blob, due)
	return err
}
