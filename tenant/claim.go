package tenant

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// How long verdicts and outcomes are kept, and how often old ones are removed.
const (
	keepClaims = 24 * time.Hour
	keepBulks  = 7 * 24 * time.Hour
	tidyEvery  = time.Hour
)

// claimRow is a row of the table claim.
type claimRow struct {
	key    string
	holder easel.ID
	until  easel.Time
	done   bool
	hash   string
	answer json.RawMessage
	failed *easel.Error
	node   string // of the holder
	life   easel.ID
}

// orphaned reports whether whoever held the claim is gone, as m's node lives again.
// The ids of its lives grow with its clock; if that was set back the lease decides.
func (r claimRow) orphaned(m Claim) bool {
	return m.Node != "" && r.node == m.Node && r.life < m.Life
}

func (s *State) claim(t Turn, m Claim) (actors.Message, error) {
	if m.Key == "" || m.Holder == "" {
		return nil, easel.Invalid("key", "or holder is missing")
	}
	now := easel.At(t.Now())
	row, err := findClaim(t.Tx(), m.Key)
	fresh := errors.Is(err, sqlite.ErrNoRows)
	switch {
	case err != nil && !fresh:
		return nil, err
	case !fresh && row.done && row.until > now:
		return Claimed{Done: true, Hash: row.hash, Answer: row.answer, Error: row.failed}, nil
	case !fresh && !row.done && row.holder != m.Holder && row.until > now && !row.orphaned(m):
		e := easel.Errorf(easel.CodeConflict, "the first request with this idempotency key is still running")
		e.RetryAfter = row.until.Std().Sub(now.Std())
		return nil, e
	}
	if err := tidyLater(t); err != nil {
		return nil, err
	}
	return Claimed{}, saveClaim(t.Tx(), claimRow{
		key: m.Key, holder: m.Holder, until: later(t, s.o.ClaimFor), node: m.Node, life: m.Life,
	})
}

func (s *State) settleIf(t Turn, m *Settle) error {
	if m == nil {
		return nil
	}
	return s.settle(t, *m)
}

func (s *State) settle(t Turn, m Settle) error {
	row, err := findClaim(t.Tx(), m.Key)
	if err != nil && !errors.Is(err, sqlite.ErrNoRows) {
		return err
	}
	verdict := len(m.Answer) > 0 || m.Error != nil
	switch {
	case err != nil && !verdict:
		return nil // given up before
	case err != nil, row.holder != m.Holder:
		return easel.Errorf(easel.CodeConflict, "another request with this idempotency key has taken over")
	case row.done && row.hash == m.Hash && bytes.Equal(row.answer, m.Answer):
		return nil // a repeat
	case row.done:
		return easel.Errorf(easel.CodeConflict, "the request has its verdict")
	case !verdict:
		_, err := t.Tx().Exec(`DELETE FROM claim WHERE key = ?`, m.Key)
		return err
	}
	return saveClaim(t.Tx(), claimRow{
		key: m.Key, holder: m.Holder, until: later(t, keepClaims), done: true,
		hash: m.Hash, answer: m.Answer, failed: m.Error,
	})
}

// tidyLater sets the alarm that forgets, if nothing was there to forget.
func tidyLater(t Turn) error {
	pending, err := exists(t.Tx(), `SELECT EXISTS (SELECT 1 FROM claim) OR EXISTS (SELECT 1 FROM bulk)`)
	if err == nil && !pending {
		t.SetAlarm(alarmTidy, t.Now().Add(tidyEvery))
	}
	return err
}

// tidy forgets claims and bulks whose time is over.
func (s *State) tidy(t Turn) error {
	now := easel.At(t.Now())
	for _, query := range []string{
		`DELETE FROM claim WHERE until <= ?`,
		`DELETE FROM bulk WHERE until <= ? AND tell_at = 0`,
	} {
		if _, err := t.Tx().Exec(query, now); err != nil {
			return err
		}
	}
	left, err := exists(t.Tx(), `SELECT EXISTS (SELECT 1 FROM claim) OR EXISTS (SELECT 1 FROM bulk)`)
	if err == nil && left {
		t.SetAlarm(alarmTidy, t.Now().Add(tidyEvery))
	}
	return err
}

func findClaim(tx *sqlite.Tx, key string) (claimRow, error) {
	row := claimRow{key: key}
	var answer, failed []byte
	err := tx.Row(`SELECT holder, until, done, hash, answer, error, node, life FROM claim WHERE key = ?`, []any{key},
		&row.holder, &row.until, &row.done, &row.hash, &answer, &failed, &row.node, &row.life)
	if err != nil {
		return claimRow{}, err
	}
	if len(answer) > 0 {
		row.answer = answer
	}
	if len(failed) > 0 {
		row.failed = new(easel.Error)
		return row, json.Unmarshal(failed, row.failed)
	}
	return row, nil
}

func saveClaim(tx *sqlite.Tx, row claimRow) error {
	failed := ""
	if row.failed != nil {
		b, err := json.Marshal(row.failed)
		if err != nil {
			return err
		}
		failed = string(b)
	}
	_, err := tx.Exec(`INSERT INTO claim (key, holder, until, done, hash, answer, error, node, life) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, until = excluded.until, done = excluded.done,
		hash = excluded.hash, answer = excluded.answer, error = excluded.error, node = excluded.node, life = excluded.life`,
		row.key, row.holder, row.until, row.done, row.hash, string(row.answer), failed, row.node, row.life)
	return err
}
