package actors

import (
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/sqlite"
)

const (
	// onceRetention is how long a verdict is kept for repeats.
	onceRetention = 24 * time.Hour
	// ownRetention is the same for ids that the runtime itself has made.
	ownRetention = 15 * time.Minute
	// ownLate is how old such an id may be when its message is handled. No repeat is
	// sent later than an ask lasts, but a node that was paused finds what was sent to
	// it before, and the verdict may be forgotten by then. Clocks of nodes may differ
	// by what is between this, the retention and the longest ask.
	ownLate = 10 * time.Minute
	// ownOnce begins the ids that the runtime has made. No header can hold it, so
	// no asker's id does.
	ownOnce = "\x7f"
)

// newOwnID makes an id for a message that is asked now. It ends with the time, so
// that ids of one time lie anywhere among the others, see forgetOnce.
func newOwnID(now time.Time) string {
	return ownOnce + rand.Text() + "." + strconv.FormatInt(now.Unix(), 36)
}

// tooLate reports whether a verdict of this id might have been forgotten by now.
func tooLate(id string, now time.Time) bool {
	if !strings.HasPrefix(id, ownOnce) {
		return false
	}
	_, made, ok := strings.Cut(id, ".")
	at, err := strconv.ParseInt(made, 36, 64)
	return ok && err == nil && now.Sub(time.Unix(at, 0)) > ownLate
}

// errLate refuses what is handled so late that nobody knows whether it was before.
var errLate = &easel.Error{
	Code: easel.CodeUnavailable, Message: "the request came too late; the outcome is unknown", RetryAfter: time.Second,
}

// retention is how long the verdict of an id is kept.
func retention(id string) time.Duration {
	if strings.HasPrefix(id, ownOnce) {
		return ownRetention
	}
	return onceRetention
}

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
	case now.Sub(time.UnixMilli(at)) > retention(o.ID):
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
	_, err = tx.Exec(`DELETE FROM actor_once WHERE id > ? AND id <= ? AND at < iif(substr(id, 1, 1) = ?, ?, ?)`,
		a.onceSeen, last, ownOnce, now.Add(-ownRetention).UnixMilli(), now.Add(-onceRetention).UnixMilli())
	if a.onceSeen = last; n < 2*forgetEvery {
		a.onceSeen = " " // before all that is printable: from the start
	}
	return err
}
