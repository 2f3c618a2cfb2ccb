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

	timerRetry   = 10 * time.Second // a wake-up without answer is repeated after this, then doubled
	timerSlow    = 10 * time.Minute // but not more
	timerAsk     = 30 * time.Second // an answer that takes longer counts as none
	timerTrouble = time.Second      // until a tick that failed is tried again
	timerLook    = 30 * time.Second // between looks at the clock, in case it is set

	// maxWakes is how many actors one timer wakes at once, so that a start after
	// a long rest does not open a million.
	maxWakes = 32
)

const timerSQL = `
CREATE TABLE timer_entry (
	kind  TEXT    NOT NULL,
	id    TEXT    NOT NULL,
	due   INTEGER NOT NULL, -- milliseconds since 1970
	tag   INTEGER NOT NULL, -- of the request that made it
	tries INTEGER NOT NULL, -- wake-ups without answer
	at    INTEGER NOT NULL, -- when to try next; due at first
	PRIMARY KEY (kind, id, due)
) STRICT, WITHOUT ROWID;
CREATE INDEX timer_entry_at ON timer_entry (at);
`

// timerSet asks the timer to wake Key at Due or later.
type timerSet struct {
	Key Key   `json:"key"`
	Due int64 `json:"due"`
	Tag int64 `json:"tag"` // not 0; names this request
}

// timerWoken tells the timer that Key has seen to all that was due at Due.
type timerWoken timerSet

// timerTick makes the timer look for what is due.
type timerTick struct {
	Room int `json:"room,omitempty"` // how many it may wake; 0: maxWakes
}

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
		_, err = t.Tx().Exec(`INSERT INTO timer_entry (kind, id, due, tag, tries, at) VALUES (?1, ?2, ?3, ?4, 0, ?3)
			ON CONFLICT DO UPDATE SET tag = excluded.tag, tries = 0, at = excluded.at`, m.Key.Kind, m.Key.ID, m.Due, m.Tag)
	case timerWoken:
		_, err = t.Tx().Exec(`DELETE FROM timer_entry WHERE kind = ? AND id = ? AND due = ? AND tag = ?`, m.Key.Kind, m.Key.ID, m.Due, m.Tag)
	case timerForget:
		_, err = t.Tx().Exec(`DELETE FROM timer_entry WHERE kind = ? AND id = ?`, m.Key.Kind, m.Key.ID)
	case timerTick:
		err = b.collect(t, m)
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
func (b *timer) collect(t *Turn, m timerTick) error {
	now := t.Now().UnixMilli()
	b.next = -1 // the clock has run down: tell it in any case
	room := m.Room
	if room <= 0 {
		room = maxWakes
	}
	rows, err := t.Tx().Query(`SELECT kind, id, due, tag, tries FROM timer_entry WHERE at <= ? ORDER BY at LIMIT ?`, now, room)
	if err != nil {
		return err
	}
	var (
		due   []timerSet
		tries []int
	)
	for rows.Next() {
		var (
			e timerSet
			n int
		)
		if err := rows.Scan(&e.Key.Kind, &e.Key.ID, &e.Due, &e.Tag, &n); err != nil {
			return errors.Join(err, rows.Close())
		}
		due, tries = append(due, e), append(tries, n)
	}
	if err := rows.Close(); err != nil || len(due) == 0 {
		return err
	}
	for i, e := range due {
		wait := min(timerRetry<<min(tries[i], 16), timerSlow)
		_, err := t.Tx().Exec(`UPDATE timer_entry SET at = ?, tries = tries + 1 WHERE kind = ? AND id = ? AND due = ?`,
			now+wait.Milliseconds(), e.Key.Kind, e.Key.ID, e.Due)
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
	next    int64  // when to tick; 0: never
	stop    func() // ends the wait for it
	ticking bool   // a tick is on its way
	waking  int    // actors that were woken and have not answered
}

func (k *clock) Attached() bool { return k.next != 0 || k.ticking || k.waking > 0 }

func (k *clock) Receive(*Context, Message) (Message, bool, error) { return nil, false, nil }

func (k *clock) Published(c *Context, m Message) {
	switch m := m.(type) {
	case timerNext:
		k.next = m.At
		k.arm(c)
	case timerDue:
		for _, e := range m.Entries {
			k.wake(c, e)
		}
	}
}

func (k *clock) wake(c *Context, e timerSet) {
	k.waking++
	c.Ask(Request{To: e.Key, Message: wake{Tag: e.Tag}}, timerAsk, func(_ Message, err error) {
		k.waking--
		if err == nil || easel.CodeOf(err) == easel.CodeNotFound {
			c.Tell(Request{To: c.Key(), Message: timerWoken(e)})
		}
		if k.stop == nil {
			k.arm(c)
		}
	})
}

// arm waits for next, unless there is something else to wait for first.
func (k *clock) arm(c *Context) {
	if k.stop != nil {
		k.stop()
		k.stop = nil
	}
	if k.next == 0 || k.ticking || k.waking >= maxWakes {
		return
	}
	wait := time.UnixMilli(k.next).Sub(c.Now())
	k.stop = c.After(min(max(wait, 0)+time.Millisecond, timerLook), func() {
		k.stop = nil
		if c.Now().UnixMilli() < k.next {
			k.arm(c)
			return
		}
		k.tick(c)
	})
}

// tick makes the timer look, and goes on until it has: even if the activation of
// which this is the clock has ended. The timer says when to tick next.
func (k *clock) tick(c *Context) {
	k.next, k.ticking = 0, true
	c.Ask(Request{To: c.Key(), Message: timerTick{Room: maxWakes - k.waking}}, timerAsk, func(_ Message, err error) {
		if err != nil {
			c.After(timerTrouble, func() { k.tick(c) })
			return
		}
		k.ticking = false
		k.arm(c)
	})
}
