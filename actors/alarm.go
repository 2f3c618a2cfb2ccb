package actors

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/sqlite"
)

// alarmChange is one SetAlarm, or with due 0 one ClearAlarm, of a turn.
type alarmChange struct {
	name string
	due  int64 // milliseconds since 1970
}

// wake is a timer's word that an alarm may be due.
type wake struct {
	Tag int64 `json:"tag"` // of the timer's entry; 0: nobody's
}

// MessageName implements Message.
func (wake) MessageName() string { return "actors.wake" }

// maxAlarmsPerWake bounds one turn; the rest follows in the next.
const maxAlarmsPerWake = 16

// applyAlarms writes what the turn set and cleared, and makes h wait for the
// timer if the actor must be woken earlier than was agreed.
func (a *durable) applyAlarms(t *Turn, h *held) error {
	earliest := int64(0)
	for _, c := range t.alarms {
		if err := c.write(t.Tx()); err != nil {
			return err
		}
		if c.due != 0 && (earliest == 0 || c.due < earliest) {
			earliest = c.due
		}
	}
	if earliest != 0 {
		a.register(earliest, h)
	}
	return nil
}

func (c alarmChange) write(tx *sqlite.Tx) error {
	if c.due == 0 {
		_, err := tx.Exec(`DELETE FROM actor_alarm WHERE name = ?`, c.name)
		return err
	}
	_, err := tx.Exec(`INSERT INTO actor_alarm (name, due, attempts) VALUES (?, ?, 0)
		ON CONFLICT (name) DO UPDATE SET due = excluded.due, attempts = 0`, c.name, c.due)
	return err
}

// rearm agrees on the earliest alarm of the file with the timer.
func (a *durable) rearm(t *Turn, h *held) error {
	due, err := nextAlarm(t.Tx())
	if err == nil && due != 0 {
		a.register(due, h)
	}
	return err
}

// nextAlarm returns when the earliest alarm is due; 0: there is none.
func nextAlarm(tx *sqlite.Tx) (int64, error) {
	var due int64
	err := tx.Row(`SELECT due FROM actor_alarm ORDER BY due LIMIT 1`, nil, &due)
	if errors.Is(err, sqlite.ErrNoRows) {
		return 0, nil
	}
	return due, err
}

// register asks a timer to wake the actor at due, and holds h until the timer
// has made that durable. A wake-up too many is harmless, so the request leaves
// before the turn itself is durable.
func (a *durable) register(due int64, h *held) {
	h.alarms = true
	if a.registered.Due != 0 && a.registered.Due <= due {
		return
	}
	// The receipt of an earlier wake-up names another tag, so it cannot end this
	// entry, whatever the clock says.
	a.registered = timerSet{Key: a.key, Due: due, Tag: 1 + rand.Int64N(math.MaxInt64)}
	if !a.sys.hooks.trustTimer {
		h.timers++
	}
	a.enter(a.registered, h, 0)
}

// enter gives an entry to one of the actor's timers: the first that is sound.
func (a *durable) enter(entry timerSet, h *held, attempt int) {
	life := a.life
	r := Request{To: timerKey(a.key, attempt), Message: entry, From: Ref{Node: a.sys.node, Key: a.key}}
	ctx, done := a.sys.ctx, func() {}
	if a.sys.config.Network != nil {
		ctx, done = context.WithTimeout(ctx, timerAsk) // more than an ask without an end gets
	}
	a.sys.send(ctx, r, func(_ Message, err error) {
		done()
		a.mail.post(func() {
			switch {
			case a.life != life || a.sys.hooks.trustTimer:
			case err == nil:
				h.timers--
				a.deliver()
			case easel.CodeOf(err) == easel.CodeInternal && attempt+1 < timerChoices:
				a.enter(entry, h, attempt+1) // a timer whose history is corrupt stops no one else
			default:
				a.log.Warn("alarm was not entered; the actor is dropped", "err", err)
				a.deactivate(err)
			}
		})
	})
}

// wake calls the behavior for each alarm that is due.
func (a *durable) wake(t *Turn, w wake, h *held) (Message, error) {
	if w.Tag == a.registered.Tag || a.registered.Due <= t.now.UnixMilli() {
		a.registered = timerSet{}
	}
	now := t.now.UnixMilli()
	names, err := dueAlarms(t.Tx(), now)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := a.ring(t, name); err != nil {
			return nil, err
		}
	}
	return Empty{}, a.rearm(t, h)
}

func dueAlarms(tx *sqlite.Tx, now int64) ([]string, error) {
	rows, err := tx.Query(`SELECT name FROM actor_alarm WHERE due <= ? ORDER BY due LIMIT ?`, now, maxAlarmsPerWake)
	if err != nil {
		return nil, err
	}
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		names = append(names, name)
	}
	return names, rows.Close()
}

// ring calls one alarm; if it fails, it is repeated with backoff.
func (a *durable) ring(t *Turn, name string) error {
	tx := t.Tx()
	var attempts int
	if err := tx.Row(`SELECT attempts FROM actor_alarm WHERE name = ?`, []any{name}, &attempts); err != nil {
		return err
	}
	if err := tx.Savepoint(); err != nil {
		return err
	}
	outputs, alarms := len(t.outputs), len(t.alarms)
	_, err := tx.Exec(`DELETE FROM actor_alarm WHERE name = ?`, name)
	if err == nil {
		err = a.guard(func() error { return a.behavior.Alarm(t, name) })
	}
	if err == nil {
		a.sys.metrics.alarms.WithLabelValues(a.kind.Name, "ok").Inc()
		for _, c := range t.alarms[alarms:] {
			if err := c.write(tx); err != nil {
				return err
			}
		}
		t.alarms = t.alarms[:alarms] // agreed on with the timer by rearm, after all have rung
		return tx.Release()
	}
	a.sys.metrics.alarms.WithLabelValues(a.kind.Name, "failed").Inc()
	a.log.Warn("alarm failed and is repeated", "alarm", name, "attempts", attempts+1, "err", err)
	t.outputs, t.alarms = t.outputs[:outputs], t.alarms[:alarms]
	if undone := tx.RollbackTo(); undone != nil {
		return undone
	}
	due := t.now.Add(alarmBackoff(attempts)).UnixMilli()
	if _, later := tx.Exec(`UPDATE actor_alarm SET due = ?, attempts = attempts + 1 WHERE name = ?`, due, name); later != nil {
		return later
	}
	if easel.CodeOf(err) == easel.CodeInternal {
		return a.revive(t) // its memory is not to be trusted by the alarms after it
	}
	return nil
}

// revive starts a new behavior in the middle of a turn.
func (a *durable) revive(t *Turn) error {
	a.behavior = nil
	b := a.kind.New(a.key)
	if err := a.guard(func() error { return b.Start(t) }); err != nil {
		return fmt.Errorf("start %s again: %w", a.key, err)
	}
	a.behavior = b
	return nil
}

// alarmBackoff is how long an alarm that has failed so many times waits.
func alarmBackoff(attempts int) time.Duration {
	d := alarmBackoffMin << min(attempts, 20)
	return min(d, alarmBackoffMax)
}

// timerChoices is how many timers may keep the wake-ups of one actor.
const timerChoices = 3

// timerKey is the timer that keeps the wake-ups of key. A later attempt is for
// when the timers of those before it are corrupt.
func timerKey(key Key, attempt int) Key {
	h := uint32(2166136261) // FNV-1a: the same on every node, for ever
	for _, c := range []byte(key.String()) {
		h = (h ^ uint32(c)) * 16777619
	}
	return Key{Kind: timerKind, ID: fmt.Sprintf("%02d", (h+uint32(attempt))%timerCount)}
}
