package canvas

import (
	"encoding/json"
	"fmt"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/sqlite"
)

// loadClient returns sqlite.ErrNoRows for a client that is not known.
func loadClient(tx *sqlite.Tx, id clientID) (client, error) {
	var (
		c                  client
		seen, last, latest int64
	)
	err := tx.Row(`SELECT n, conn, seen FROM client WHERE user = ? AND client = ?`, []any{id.user, id.client}, &c.n, &c.conn, &seen)
	if err != nil {
		return client{}, fmt.Errorf("load client: %w", err)
	}
	err = tx.Row(`SELECT ifnull(max(seq), 0), ifnull(max(at), 0) FROM verdict WHERE client = ?`, []any{c.n}, &last, &latest)
	if err != nil {
		return client{}, fmt.Errorf("load last verdict: %w", err)
	}
	c.last, c.seen = last, easel.Time(max(seen, latest))
	return c, nil
}

// storeClient writes a client's row and gives it its number.
func storeClient(tx *sqlite.Tx, id clientID, c *client) error {
	err := tx.Row(`
		INSERT INTO client (user, client, conn, seen) VALUES (?, ?, ?, ?)
		ON CONFLICT (user, client) DO UPDATE SET conn = excluded.conn, seen = excluded.seen
		RETURNING n`,
		[]any{id.user, id.client, c.conn, int64(c.seen)}, &c.n)
	if err != nil {
		return fmt.Errorf("store client: %w", err)
	}
	return nil
}

func deleteVerdicts(tx *sqlite.Tx, client int64) error {
	if _, err := tx.Exec(`DELETE FROM verdict WHERE client = ?`, client); err != nil {
		return fmt.Errorf("forget client: %w", err)
	}
	return nil
}

// pruneClients drops what was last heard of before a time.
func pruneClients(tx *sqlite.Tx, before easel.Time) error {
	_, err := tx.Exec(`
		DELETE FROM client
		WHERE seen < ?1 AND NOT EXISTS (SELECT 1 FROM verdict WHERE verdict.client = client.n AND verdict.at >= ?1)`,
		int64(before))
	if err == nil {
		_, err = tx.Exec(`DELETE FROM verdict WHERE client NOT IN (SELECT n FROM client)`)
	}
	if err != nil {
		return fmt.Errorf("prune clients: %w", err)
	}
	return nil
}

// storeVerdict puts a verdict into its client's ring.
func storeVerdict(tx *sqlite.Tx, client int64, at easel.Time, hash string, a *Applied) error {
	body, err := encodeVerdict(a)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`
		INSERT OR REPLACE INTO verdict (client, slot, seq, at, hash, ver, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		client, a.Seq%keptVerdicts, a.Seq, int64(at), hash, a.Ver, body)
	if err != nil {
		return fmt.Errorf("store verdict: %w", err)
	}
	return nil
}

// loadVerdict returns sqlite.ErrNoRows for a seq that has left the ring.
func loadVerdict(tx *sqlite.Tx, client, seq int64) (verdict, error) {
	var v verdict
	err := tx.Row(`SELECT ver, hash, body FROM verdict WHERE client = ? AND slot = ? AND seq = ?`,
		[]any{client, seq % keptVerdicts, seq}, &v.ver, &v.hash, &v.body)
	if err != nil {
		return verdict{}, fmt.Errorf("load verdict: %w", err)
	}
	return v, nil
}

func insertIntent(tx *sqlite.Tx, bulk easel.ID, size int, body []byte) error {
	if _, err := tx.Exec(`INSERT INTO intent (bulk, size, body) VALUES (?, ?, ?)`, idBytes(bulk), size, body); err != nil {
		return fmt.Errorf("insert intent: %w", err)
	}
	return nil
}

func loadIntent(tx *sqlite.Tx, bulk easel.ID) (Prepare, error) {
	var (
		body []byte
		m    Prepare
	)
	if err := tx.Row(`SELECT body FROM intent WHERE bulk = ?`, []any{idBytes(bulk)}, &body); err != nil {
		return Prepare{}, fmt.Errorf("load intent: %w", err)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return Prepare{}, fmt.Errorf("decode intent: %w", err)
	}
	return m, nil
}

func loadIntents(tx *sqlite.Tx) (intents, error) {
	rows, err := tx.Query(`SELECT body FROM intent`)
	if err != nil {
		return intents{}, fmt.Errorf("load intents: %w", err)
	}
	var out intents
	for rows.Next() {
		var (
			body []byte
			m    Prepare
		)
		err := rows.Scan(&body)
		if err == nil {
			err = json.Unmarshal(body, &m)
		}
		if err != nil {
			_ = rows.Close() // the first error says more
			return intents{}, fmt.Errorf("load intents: %w", err)
		}
		out.add(m.Bulk, intent{ids: m.IDs, coordinator: m.Coordinator})
	}
	if err := rows.Close(); err != nil {
		return intents{}, fmt.Errorf("load intents: %w", err)
	}
	return out, nil
}

func deleteIntent(tx *sqlite.Tx, bulk easel.ID) error {
	if _, err := tx.Exec(`DELETE FROM intent WHERE bulk = ?`, idBytes(bulk)); err != nil {
		return fmt.Errorf("delete intent: %w", err)
	}
	return nil
}

// loadDecision returns sqlite.ErrNoRows for a bulk that was not decided, or too
// long ago.
func loadDecision(tx *sqlite.Tx, bulk easel.ID) (accepted bool, err error) {
	if !bulk.Valid() {
		return false, sqlite.ErrNoRows
	}
	if err := tx.Row(`SELECT accepted FROM decision WHERE bulk = ?`, []any{idBytes(bulk)}, &accepted); err != nil {
		return false, fmt.Errorf("load decision: %w", err)
	}
	return accepted, nil
}

// insertDecision keeps a decision and drops those made before a time.
func insertDecision(tx *sqlite.Tx, bulk easel.ID, accepted bool, at, before easel.Time) error {
	if !bulk.Valid() {
		return easel.Invalid("bulk", "must be an id")
	}
	_, err := tx.Exec(`INSERT INTO decision (bulk, accepted, at) VALUES (?, ?, ?)`, idBytes(bulk), accepted, int64(at))
	if err == nil {
		_, err = tx.Exec(`DELETE FROM decision WHERE at < ?`, int64(before))
	}
	if err != nil {
		return fmt.Errorf("store decision: %w", err)
	}
	return nil
}
