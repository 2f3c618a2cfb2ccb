package actors

import (
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/sqlite"
)

const (
	// onceRetention is how long a verdict is kept for repeats.
	onceRetention = 24 * time.Hour
	// ownRetention is the same for ids that the runtime itself has made: longer than
	// ownLate and the longest ask together.
	ownRetention = 15 * time.Minute
	// clockSkew is how far the clocks of two nodes may be apart without a verdict
	// being forgotten too early: who takes an actor over cannot tell how old the
	// verdicts are that it finds.
	clockSkew = time.Hour
	// ownOnce begins the ids that the runtime has made. No header can hold it, so
	// no asker's id does.
	ownOnce = "\x7f"
)

// newRun names this process among all that ever ask.
func newRun() string { return rand.Text() }

// newOwnID makes an id for a message that is asked now.
func (s *System) newOwnID() string { return ownOnce + rand.Text() + s.late.stamp() }

// forgetEvery is after how many new verdicts up to twice as many old ones are
// dropped.
const forgetEvery = 128

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
	case now.Sub(time.UnixMilli(at)) > onceRetention && !strings.HasPrefix(o.ID, ownOnce):
		return nil, false, nil
	case hash != o.Hash:
		return nil, true, easel.Errorf(easel.CodeInvalid, "this idempotency key was used for another request")
	}
	m, err = a.sys.codec.decodeVerdict(body)
	return m, true, err
}

// remember stores the verdict of o; errors that are temporary are none.
func (a *durable) remember(tx *sqlite.Tx, o Once, now time.Time, m Message, failure *easel.Error) error {
	body, err := a.sys.codec.encodeVerdict(m, failure)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO actor_once (id, hash, at, verdict) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, at = excluded.at, verdict = excluded.verdict`,
		o.ID, o.Hash, now.UnixMilli(), body)
	return err
}

// forgetOnce drops verdicts that are too old to be asked for. It looks at a few
// rows, each time at the next ones, so that the time it takes does not grow with
// what has to stay.
func (a *durable) forgetOnce(tx *sqlite.Tx, now time.Time) error {
	if a.onceSeen == "" {
		a.onceSeen = string(rune('!' + mathrand.IntN('~'-'!'))) // activations may be short: begin anywhere
		if mathrand.IntN(2) == 0 {
			a.onceSeen = ownOnce + a.onceSeen
		}
	}
	var (
		n    int
		last string
	)
	err := tx.Row(`SELECT count(*), coalesce(max(id), '') FROM (SELECT id FROM actor_once WHERE id > ? ORDER BY id LIMIT ?)`,
		[]any{a.onceSeen, 2 * forgetEvery}, &n, &last)
	if err != nil {
		return err
	}
	// What this activation finds may have been stored a moment ago by a node whose
	// clock is behind.
	own := ownRetention
	if a.sys.pulse.now()-a.claimed < ownRetention {
		own += clockSkew
	}
	_, err = tx.Exec(`DELETE FROM actor_once WHERE id > ? AND id <= ? AND at < iif(substr(id, 1, 1) = ?, ?, ?)`,
		a.onceSeen, last, ownOnce, now.Add(-own).UnixMilli(), now.Add(-onceRetention).UnixMilli())
	if a.onceSeen = last; n < 2*forgetEvery {
		a.onceSeen = " " // before all that is printable: from the start
	}
	return err
}
