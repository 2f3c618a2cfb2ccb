package actors

import (
	"errors"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/sqlite"
)

// Timers are the 64 durable actors that wake the others. Each keeps (due, actor)
// for its share of them, so that a start opens 64 files and not a million.
const (
	timerKind  = "timer"
	timerCount = 64

	timerRetry   = 10 * time.Second // a wake-up without answer is repeated after this
	timerAsk     = 30 * time.Second // an answer that takes longer counts as none
	maxWakeBatch = 200
)

const timerSQL = `
CREATE TABLE timer_entry (
	kind TEXT    NOT NULL,
	id   TEXT    NOT NULL,
	due  INTEGER NOT NULL, -- milliseconds since 1970
	at   INTEGER NOT NULL, -- when to try next; due at first
	PRIMARY KEY (kind, id, due)
) STRICT, WITHOUT ROWID;
CREATE INDEX timer_entry_at ON timer_entry (at);
`

// timerSet asks the timer to wake Key at Due or later.
type timerSet struct {
	Key Key   `json:"key"`
	Due int64 `json:"due"`
}

// timerWoken tells the timer that Key has seen to all that was due at Due.
type timerWoken timerSet

// timerTick makes the timer look for what is due.
type timerTick struct{}

// timerNext tells the companion when to tick next; 0: not at all.
type timerNext struct{ At int64 }

// timerDue tells the companion whom to wake now.
type timerDue struct{ Entries []timerSet }

func (timerSet) MessageName() string   { return "actors.timer_set" }
func (timerWoken) MessageName() string { return "actors.timer_woken" }
func (timerTick) MessageName() string  { return "actors.timer_tick" }
func (timerNext) MessageName() string  { return "actors.timer_next" }
func (timerDue) MessageName() string   { return "actors.timer_due" }

func newTimerKind() (*Kind, error) {
	schema, err := NewSchema(timerKind, []string{timerSQL})
	if err != nil {
		return nil, err
	}
	return &Kind{
		Name:         timerKind,
		Schema:       schema,
		New:          func(Key) Behavior { return &timer{} },
		NewCompanion: func(Key) Companion { return &clock{} },
		Births:       func(m Message) bool { _, ok := m.(timerSet); return ok },
		Mailbox:      1 << 16, // every actor's gate may wait here at once
	}, nil
}

// timer is the behavior: the entries.
type timer struct {
	next int64 // as last published
}

func (b *timer) Start(t *Turn) error { return b.publish(t) }

func (b *timer) Alarm(*Turn, string) error { return nil } // timers set none

func (b *timer) Receive(t *Turn, m Message) (Message, error) {
	var err error
	switch m := m.(type) {
	case timerSet:
		_, err = t.Tx().Exec(`INSERT INTO timer_entry (kind, id, due, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			m.Key.Kind, m.Key.ID, m.Due, m.Due)
	case timerWoken:
		_, err = t.Tx().Exec(`DELETE FROM timer_entry WHERE kind = ? AND id = ? AND due <= ?`, m.Key.Kind, m.Key.ID, m.Due)
	case timerTick:
		err = b.collect(t)
	default:
		err = easel.Errorf(easel.CodeInvalid, "a timer takes no %s", m.MessageName())
	}
	if err != nil {
		return nil, err
	}
	return Empty{}, b.publish(t)
}

// collect publishes what is due, and makes it due again later in case no answer
// comes.
func (b *timer) collect(t *Turn) error {
	now := t.Now().UnixMilli()
	b.next = -1 // the clock has run down: tell it in any case
	rows, err := t.Tx().Query(`SELECT kind, id, due FROM timer_entry WHERE at <= ? ORDER BY at LIMIT ?`, now, maxWakeBatch)
	if err != nil {
		return err
	}
	var due []timerSet
	for rows.Next() {
		var e timerSet
		if err := rows.Scan(&e.Key.Kind, &e.Key.ID, &e.Due); err != nil {
			return errors.Join(err, rows.Close())
		}
		due = append(due, e)
	}
	if err := rows.Close(); err != nil || len(due) == 0 {
		return err
	}
	for _, e := range due {
		_, err := t.Tx().Exec(`UPDATE timer_entry SET at = ? WHERE kind = ? AND id = ? AND due = ?`,
			now+timerRetry.Milliseconds(), e.Key.Kind, e.Key.ID, e.Due)
		if err != nil {
			return err
		}
	}
	t.Publish(timerDue{Entries: due})
	return nil
}

// publish tells the companion when the next entry is due, if that has changed.
func (b *timer) publish(t *Turn) error {
	var at int64
	err := t.Tx().Row(`SELECT at FROM timer_entry ORDER BY at LIMIT 1`, nil, &at)
	if err != nil && !errors.Is(err, sqlite.ErrNoRows) {
		return err
	}
	if at != b.next {
		b.next = at
		t.Publish(timerNext{At: at})
	}
	return nil
}

// clock is the companion: it waits, and wakes.
type clock struct {
	next int64
	stop func()
}

func (k *clock) Attached() bool { return k.next != 0 }

func (k *clock) Receive(*Context, Message) (Message, bool, error) { return nil, false, nil }

func (k *clock) Published(c *Context, m Message) {
	switch m := m.(type) {
	case timerNext:
		k.next = m.At
		k.arm(c)
	case timerDue:
		for _, e := range m.Entries {
			self := c.Self()
			c.Ask(Request{To: e.Key, Message: wake{Due: e.Due}}, timerAsk, func(_ Message, err error) {
				if err == nil || easel.CodeOf(err) == easel.CodeNotFound {
					c.Tell(Request{To: self.Key, Message: timerWoken(e)})
				}
			})
		}
	}
}

func (k *clock) arm(c *Context) {
	if k.stop != nil {
		k.stop()
		k.stop = nil
	}
	if k.next == 0 {
		return
	}
	wait := time.UnixMilli(k.next).Sub(c.Now())
	// A tick that finds nothing due, because this clock runs ahead of the wall,
	// changes nothing and so would not be followed by another.
	wait = max(wait, 0) + time.Millisecond
	k.stop = c.After(wait, func() {
		k.stop = nil
		c.Tell(Request{To: c.Key(), Message: timerTick{}})
	})
}
