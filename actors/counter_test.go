package actors_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/pages"
)

// The tests' own kind: a counter that lives in its file.
type (
	add     struct{ N int64 }
	value   struct{}
	peek    struct{} // like value, but answered from memory, ungated
	fail    struct{ Code easel.Code }
	explode struct{}
	remind  struct {
		Name string
		In   time.Duration
	}
	workFor struct{ N int64 }
	pass    struct { // tells another counter to add N
		To string
		N  int64
	}
	total struct{ N int64 }
	rang  struct{ Names string }
	added struct{ N int64 }
	heard struct{}

	cram     struct{} // finds the disk full
	hasty    struct{} // answers ungated, and publishes
	trip     struct{} // to the companion: it panics in a timer
	attempts struct{ Name string }
	stall    struct{ Until chan struct{} } // to the companion: it blocks the actor
	errand   struct{ Do func() }           // a job
)

func (add) MessageName() string     { return "test.add" }
func (value) MessageName() string   { return "test.value" }
func (peek) MessageName() string    { return "test.peek" }
func (fail) MessageName() string    { return "test.fail" }
func (explode) MessageName() string { return "test.explode" }
func (remind) MessageName() string  { return "test.remind" }
func (workFor) MessageName() string { return "test.work" }
func (pass) MessageName() string    { return "test.pass" }
func (total) MessageName() string   { return "test.total" }
func (rang) MessageName() string    { return "test.rang" }
func (added) MessageName() string   { return "test.added" }
func (heard) MessageName() string   { return "test.heard" }

func (cram) MessageName() string     { return "test.cram" }
func (hasty) MessageName() string    { return "test.hasty" }
func (trip) MessageName() string     { return "test.trip" }
func (attempts) MessageName() string { return "test.attempts" }
func (stall) MessageName() string    { return "test.stall" }
func (errand) MessageName() string   { return "test.errand" }

type counter struct {
	n      int64 // as in the file
	commit int64 // the commit that made it so
}

func (c *counter) Start(t *actors.Turn) error {
	err := t.Tx().Row(`SELECT coalesce(sum(n), 0) FROM entry`, nil, &c.n)
	c.commit = t.Durable()
	return err
}

func (c *counter) Receive(t *actors.Turn, m actors.Message) (actors.Message, error) {
	switch m := m.(type) {
	case add:
		if _, err := t.Tx().Exec(`INSERT INTO entry (n) VALUES (?)`, m.N); err != nil {
			return nil, err
		}
		c.n, c.commit = c.n+m.N, t.Commit()
		t.Publish(added(m))
		return total{c.n}, nil
	case value:
		var n int64
		err := t.Tx().Row(`SELECT coalesce(sum(n), 0) FROM entry`, nil, &n)
		return total{n}, err
	case peek:
		if c.commit <= t.Durable() {
			t.Ungated()
		}
		return total{c.n}, nil
	case fail:
		if _, err := t.Tx().Exec(`INSERT INTO entry (n) VALUES (1000000)`); err != nil {
			return nil, err
		}
		t.Publish(added{1000000})
		t.SetAlarm("never", t.Now())
		return nil, easel.Errorf(m.Code, "as asked")
	case explode:
		if _, err := t.Tx().Exec(`INSERT INTO entry (n) VALUES (1000000)`); err != nil {
			return nil, err
		}
		panic("as asked")
	case remind:
		t.SetAlarm(m.Name, t.Now().Add(m.In))
		return nil, nil
	case workFor:
		t.Go(func(context.Context) actors.Message { return add(m) })
		return nil, nil
	case errand:
		m.run(t)
		return nil, nil
	case pass:
		t.Tell(actors.Request{To: key(m.To), Message: add{m.N}})
		return nil, nil
	case cram:
		return nil, c.cram(t)
	case hasty:
		t.Publish(added{5})
		t.Ungated()
		return nil, nil
	case attempts:
		var n int64
		err := t.Tx().Row(`SELECT attempts FROM actor_alarm WHERE name = ?`, []any{m.Name}, &n)
		return total{n}, err
	case rang:
		var names string
		err := t.Tx().Row(`SELECT coalesce(group_concat(name, ' '), '') FROM (SELECT name FROM rang ORDER BY rowid)`, nil, &names)
		return rang{names}, err
	default:
		return nil, easel.Errorf(easel.CodeInvalid, "no %s", m.MessageName())
	}
}

// run is apart from Receive, whose frame decides when stacks have to grow, which
// the benchmarks would measure.
//
//go:noinline
func (e errand) run(t *actors.Turn) {
	t.Go(func(context.Context) actors.Message { e.Do(); return nil })
}

// cram fills the file up to its limit, which takes the whole transaction along
// as a full disk does.
func (c *counter) cram(t *actors.Turn) error {
	if _, err := t.Tx().Exec(`PRAGMA max_page_count = 20`); err != nil {
		return err
	}
	c.n += 1000 // memory that nobody must see
	for {
		if _, err := t.Tx().Exec(`INSERT INTO rang (name) VALUES (hex(randomblob(3000)))`); err != nil {
			_, _ = t.Tx().Exec(`PRAGMA max_page_count = 1000000`)
			return err
		}
	}
}

func (c *counter) Alarm(t *actors.Turn, name string) error {
	if _, err := t.Tx().Exec(`INSERT INTO rang (name) VALUES (?)`, name); err != nil {
		return err
	}
	var calls int
	if err := t.Tx().Row(`SELECT count(*) FROM rang WHERE name = ?`, []any{name}, &calls); err != nil {
		return err
	}
	switch {
	case name == "again" && calls < 3:
		t.SetAlarm("again", t.Now())
	case name == "panics":
		panic("as asked")
	}
	return nil
}

// ear is the companion: it keeps what was published.
type ear struct {
	mu  *sync.Mutex
	sum *int64
}

func (e ear) Attached() bool { return false }
func (e ear) Receive(c *actors.Context, m actors.Message) (actors.Message, bool, error) {
	if m, ok := m.(stall); ok {
		<-m.Until
		return nil, true, nil
	}
	if _, ok := m.(trip); ok {
		c.After(time.Millisecond, func() { panic("as asked") })
		return nil, true, nil
	}
	if _, ok := m.(heard); !ok {
		return nil, false, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return total{*e.sum}, true, nil
}

func (e ear) Published(_ *actors.Context, m actors.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	*e.sum += m.(added).N
}

// slow is a journal whose appends can be held up and made to fail.
type slow struct {
	journal.Journal
	mu     sync.Mutex
	closed bool // appends of counters wait
	broken error
	queue  []func()
}

func (s *slow) Claim(ctx context.Context, n journal.Name) (journal.Term, error) {
	t, err := s.Journal.Claim(ctx, n)
	return s.wrap(n, t, err)
}

func (s *slow) Birth(ctx context.Context, n journal.Name, tpl journal.Template) (journal.Term, error) {
	t, err := s.Journal.Birth(ctx, n, tpl)
	return s.wrap(n, t, err)
}

func (s *slow) wrap(n journal.Name, t journal.Term, err error) (journal.Term, error) {
	if err != nil || !strings.HasPrefix(string(n), "counter/") {
		return t, err
	}
	return slowTerm{t, s}, nil
}

// hold makes appends wait until open is called.
func (s *slow) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// held counts the appends that wait.
func (s *slow) held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

func (s *slow) open() {
	s.mu.Lock()
	defer s.mu.Unlock() // a term is appended to by one goroutine at a time
	for _, f := range s.queue {
		f()
	}
	s.queue, s.closed = nil, false
}

func (s *slow) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

type slowTerm struct {
	journal.Term
	s *slow
}

func (t slowTerm) Append(set pages.Set, done func(error)) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	broken := t.s.broken
	switch {
	case broken != nil:
		go done(broken)
	case t.s.closed:
		t.s.queue = append(t.s.queue, func() { t.Term.Append(set, done) })
	default:
		t.Term.Append(set, done)
	}
}

// world is one node with counters.
type world struct {
	*actors.System
	journal *slow
	clock   *clock
	heard   *int64
}

type clock struct {
	mu     sync.Mutex
	offset time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

type option func(*actors.Config)

func start(t *testing.T, home string, options ...option) *world {
	t.Helper()
	node, err := journal.OpenNode(journal.NodeOptions{Dir: home})
	if err != nil {
		t.Fatal(err)
	}
	schema, err := actors.NewSchema("counter", []string{
		`CREATE TABLE entry (n INTEGER NOT NULL) STRICT; CREATE TABLE rang (name TEXT NOT NULL) STRICT;`,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{journal: &slow{Journal: node}, clock: &clock{}, heard: new(int64)}
	mu := new(sync.Mutex)
	config := actors.Config{
		Node: "n1", Dir: t.TempDir(), Journal: w.journal, Now: w.clock.now,
		Messages: []actors.Message{total{}},
		Kinds: []*actors.Kind{{
			Name: "counter", Schema: schema,
			New:          func(actors.Key) actors.Behavior { return &counter{} },
			NewCompanion: func(actors.Key) actors.Companion { return ear{mu, w.heard} },
			Births:       func(m actors.Message) bool { return m.MessageName() != "test.value" },
			Mailbox:      64,
		}},
	}
	for _, o := range options {
		o(&config)
	}
	if w.System, err = actors.New(config); err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
		_ = node.Close() // a test may have closed it to crash
	})
	return w
}

func key(id string) actors.Key { return actors.Key{Kind: "counter", ID: id} }

func (w *world) do(t *testing.T, id string, m actors.Message) (actors.Message, error) {
	t.Helper()
	return w.once(t, id, m, actors.Once{})
}

func (w *world) once(t *testing.T, id string, m actors.Message, o actors.Once) (actors.Message, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return w.Ask(ctx, actors.Request{To: key(id), Message: m, Once: o})
}

func (w *world) want(t *testing.T, id string, m actors.Message, want int64) {
	t.Helper()
	got, err := w.do(t, id, m)
	if err != nil {
		t.Fatalf("%s: %v", m.MessageName(), err)
	}
	if got != (total{want}) {
		t.Fatalf("%s = %v, want %d", m.MessageName(), got, want)
	}
}

// until waits for a fact.
func until(t *testing.T, what string, fact func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !fact() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
