package actors

import (
	"errors"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/sqlite"
)

// onceRetention is how long a verdict is kept for repeats.
const onceRetention = 24 * time.Hour

// recall returns the stored verdict of o, if there is one.
func (a *durable) recall(tx *sqlite.Tx, o Once, now time.Time) (m Message, known bool, err error) {
	var (
		hash string
		at   int64
		body []byte
	)
	err = tx.Row(`SELECT hash, at, verdict FROM actor_once WHERE id = ?`, []any{o.ID}, &hash, &at, &body)
	switch {
	case errors.Is(err, sqlite.ErrNoRows):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case now.Sub(time.UnixMilli(at)) > onceRetention:
		return nil, false, nil
	case hash != o.Hash:
		return nil, true, easel.Errorf(easel.CodeInvalid, "this idempotency key was used for another request")
	}
	m, err = a.sys.codec.decode(body)
	return m, true, err
}

// remember stores the verdict of o; errors that are temporary are none.
func (a *durable) remember(tx *sqlite.Tx, o Once, now time.Time, m Message, failure *easel.Error) error {
	body, err := a.sys.codec.encode(m, failure)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO actor_once (id, hash, at, verdict) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, at = excluded.at, verdict = excluded.verdict`,
		o.ID, o.Hash, now.UnixMilli(), body)
	return err
}

// forgetOnce drops verdicts that are too old to be asked for.
func forgetOnce(tx *sqlite.Tx, now time.Time) error {
	_, err := tx.Exec(`DELETE FROM actor_once WHERE at < ?`, now.Add(-onceRetention).UnixMilli())
	return err
}
