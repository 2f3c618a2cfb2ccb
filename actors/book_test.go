package actors_test

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// The model test's kind: a book in which each message leaves its name.
type (
	write struct { // writes Name; the answer is how many names are there then
		Name string
		Then string // "", "refuse", "panic", "alarm", "tell", "work"
		In   time.Duration
		To   string
	}
	tick struct { // the Nth message of one sender
		Sender string
		N      int64
	}
	count struct{ Hasty bool }
	read  struct{}

	counted  struct{ N int64 }
	contents struct{ Names, Rang []string }
)

func (write) MessageName() string    { return "test.book_write" }
func (tick) MessageName() string     { return "test.book_tick" }
func (count) MessageName() string    { return "test.book_count" }
func (read) MessageName() string     { return "test.book_read" }
func (counted) MessageName() string  { return "test.book_counted" }
func (contents) MessageName() string { return "test.book_pages" }

const bookSQL = `
CREATE TABLE name (name TEXT NOT NULL) STRICT;
CREATE TABLE rang (name TEXT NOT NULL) STRICT;
CREATE TABLE sender (sender TEXT NOT NULL PRIMARY KEY, n INTEGER NOT NULL) STRICT;`

type book struct {
	w      *witness
	n      int64
	commit int64
}

func (b *book) Start(t *actors.Turn) error {
	b.commit = t.Commit()
	return t.Tx().Row(`SELECT count(*) FROM name`, nil, &b.n)
}

func (b *book) Receive(t *actors.Turn, m actors.Message) (actors.Message, error) {
	switch m := m.(type) {
	case write:
		return b.write(t, m)
	case tick:
		var last int64
		_ = t.Tx().Row(`SELECT n FROM sender WHERE sender = ?`, []any{m.Sender}, &last)
		if last > m.N {
			b.w.complain("%s: message %d of %s came after %d", t.Key(), m.N, m.Sender, last)
		}
		_, err := t.Tx().Exec(`INSERT INTO sender VALUES (?, ?) ON CONFLICT DO UPDATE SET n = excluded.n`, m.Sender, m.N)
		return nil, err
	case count:
		if m.Hasty {
			if b.commit <= t.Durable() {
				t.Ungated()
			}
			return counted{b.n}, nil
		}
		var n int64
		err := t.Tx().Row(`SELECT count(*) FROM name`, nil, &n)
		return counted{n}, err
	case read:
		p := contents{}
		var names, rang string
		if err := t.Tx().Row(`SELECT coalesce(group_concat(name, ' '), '') FROM name`, nil, &names); err != nil {
			return nil, err
		}
		err := t.Tx().Row(`SELECT coalesce(group_concat(name, ' '), '') FROM rang`, nil, &rang)
		p.Names, p.Rang = strings.Fields(names), strings.Fields(rang)
		return p, err
	default:
		return nil, easel.Errorf(easel.CodeInvalid, "no %s", m.MessageName())
	}
}

func (b *book) write(t *actors.Turn, m write) (actors.Message, error) {
	if _, err := t.Tx().Exec(`INSERT INTO name VALUES (?)`, m.Name); err != nil {
		return nil, err
	}
	t.Publish(m)
	switch m.Then {
	case "refuse":
		return nil, easel.Errorf(easel.CodeConflict, "as asked")
	case "panic":
		b.n += 1000
		panic("as asked")
	case "alarm":
		t.SetAlarm(m.Name, t.Now().Add(m.In))
	case "tell":
		t.Tell(actors.Request{To: shelf(m.To), Message: write{Name: m.Name + "-told"}})
	case "work":
		t.Go(func(context.Context) actors.Message { return write{Name: m.Name + "-work"} })
	}
	b.n, b.commit = b.n+1, t.Commit()
	return counted{b.n}, nil
}

func (b *book) Alarm(t *actors.Turn, name string) error {
	if _, err := t.Tx().Exec(`INSERT INTO rang VALUES (?)`, name); err != nil {
		return err
	}
	t.Publish(rang{name})
	if strings.HasSuffix(name, "7") && b.w.first(name) {
		panic("as asked")
	}
	return nil
}

func shelf(id string) actors.Key { return actors.Key{Kind: "book", ID: id} }

// witness is what the world outside was told.
type witness struct {
	mu       sync.Mutex // guards all
	acked    map[string]int64
	where    map[string]string // name: book
	maybe    map[string]bool   // unknown outcome
	refused  map[string]bool
	alarms   map[string]bool // acknowledged
	shown    map[string]bool // published
	rang     map[string]bool // published
	most     map[string]int64
	panicked map[string]bool
	wrong    []string

	asleep bool // books are born without a file; never changes
}

func newWitness() *witness {
	return &witness{
		acked: map[string]int64{}, where: map[string]string{}, maybe: map[string]bool{}, refused: map[string]bool{},
		alarms: map[string]bool{}, shown: map[string]bool{}, rang: map[string]bool{}, most: map[string]int64{},
		panicked: map[string]bool{},
	}
}

func (w *witness) see(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *witness) first(name string) (first bool) {
	w.see(func() { first = !w.panicked[name]; w.panicked[name] = true })
	return first
}

// reader is the companion: what it is given has been shown to the world.
type reader struct {
	w  *witness
	id string
}

func (r reader) Attached() bool { return false }

func (r reader) Receive(*actors.Context, actors.Message) (actors.Message, bool, error) {
	return nil, false, nil
}

func (r reader) Published(_ *actors.Context, m actors.Message) {
	r.w.see(func() {
		switch m := m.(type) {
		case write:
			r.w.shown[m.Name] = true
			r.w.where[m.Name] = r.id
		case rang:
			r.w.rang[m.Names] = true
		}
	})
}
