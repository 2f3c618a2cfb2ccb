package actors_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
	"github.com/easelhq/easel/pages"
)

// fabric is a network of nodes in one process, with faults.
type fabric struct {
	t     testing.TB
	store *journaltest.Store // the home that all share

	mu    sync.Mutex // guards what follows
	rng   *rand.Rand
	nodes map[string]*member
	cut   map[[2]string]bool // links that carry nothing, from and to
	lose  float64            // of the frames
	twice float64            // of the requests
	slow  time.Duration      // at most, of a frame

	distance time.Duration        // of the home, at most
	fault    string               // planted in every node
	complain func(string, ...any) // of what no test may see; nil: the test fails
}

// member is one node of it.
type member struct {
	*actors.System
	f    *fabric
	name string
	home *journal.Bucket
	gate *cuttable

	// guarded by f.mu
	view    []string  // live nodes, as this node has it
	belongs string    // where everything belongs in its eyes; "": by rendezvous
	seen    time.Time // when it got it
	dead    bool
	open    map[*flight]bool // requests that wait for an answer
}

// flight is a request on its way.
type flight struct {
	to    string
	reply func(actors.Message, error) // nil: answered
}

func newFabric(t testing.TB, seed uint64) *fabric {
	return &fabric{
		t: t, store: journaltest.NewStore(), rng: rand.New(rand.NewPCG(seed, 1)),
		nodes: map[string]*member{}, cut: map[[2]string]bool{},
	}
}

// add makes a node whose view is itself alone; it takes part when see names it.
func (f *fabric) add(name string, config actors.Config) *member {
	f.t.Helper()
	home, err := journal.OpenBucket(journal.BucketOptions{Store: distant{f.store, f}, Owner: name, Deadline: 3 * time.Second})
	if err != nil {
		f.t.Fatal(err)
	}
	m := &member{f: f, name: name, home: home, open: map[*flight]bool{}}
	m.gate = &cuttable{Journal: home, m: m}
	config.Node, config.Journal, config.Network = name, m.gate, m
	config.Dir = filepath.Join(f.t.TempDir(), name)
	if m.System, err = actors.New(config); err != nil {
		f.t.Fatal(err)
	}
	m.Plant(f.fault)
	f.mu.Lock()
	f.nodes[name] = m
	f.mu.Unlock()
	return m
}

// start makes nodes that see each other.
func (f *fabric) start(config func(name string) actors.Config, names ...string) []*member {
	f.t.Helper()
	var all []*member
	for _, name := range names {
		all = append(all, f.add(name, config(name)))
	}
	f.see(names, names...)
	for _, m := range all {
		if err := m.Start(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
	}
	return all
}

// see gives nodes a view. What was asked of a node that is no longer in it is lost.
func (f *fabric) see(view []string, nodes ...string) {
	var lost []*flight
	var changed []*member
	f.mu.Lock()
	for _, name := range nodes {
		m := f.nodes[name]
		m.view, m.seen = slices.Clone(view), time.Now()
		changed = append(changed, m)
		for fl := range m.open {
			if !slices.Contains(view, fl.to) {
				lost = append(lost, fl)
			}
		}
	}
	f.mu.Unlock()
	for _, fl := range lost {
		f.nodes[nodes[0]].finish(fl, nil, actors.ErrLost)
	}
	for _, m := range changed {
		m.OwnersChanged()
	}
}

// crash ends a node as a power cut would: nothing of it is heard any more.
func (f *fabric) crash(name string) {
	f.mu.Lock()
	m := f.nodes[name]
	m.dead = true
	f.mu.Unlock()
	m.gate.set(true)
	m.stop()
}

// stop ends the node's goroutines at once, like a crash.
func (m *member) stop() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = m.Stop(ctx)
	_ = m.home.Close()
}

// Owner implements actors.Network by rendezvous.
func (m *member) Owner(key actors.Key) string {
	m.f.mu.Lock()
	defer m.f.mu.Unlock()
	if m.belongs != "" {
		return m.belongs
	}
	best, most := "", uint64(0)
	for _, name := range m.view {
		h := fnv.New64a()
		_, _ = h.Write([]byte(key.String() + "@" + name))
		if sum := h.Sum64() * 0x9e3779b97f4a7c15; best == "" || sum > most {
			best, most = name, sum
		}
	}
	return best
}

// Carry implements actors.Network.
func (m *member) Carry(ctx context.Context, node string, r actors.Request, reply func(actors.Message, error)) {
	name, body, err := m.Codec().Encode(r.Message)
	if err != nil {
		m.f.t.Errorf("carry: %v", err)
		return
	}
	fl := &flight{to: node, reply: reply}
	m.f.mu.Lock()
	to := m.f.nodes[node]
	known := slices.Contains(m.view, node) || to != nil && !to.dead // one that lives and is not in view drains
	m.open[fl] = known
	m.f.mu.Unlock()
	if !known {
		m.finish(fl, nil, actors.ErrMoved)
		return
	}
	context.AfterFunc(ctx, func() { m.finish(fl, nil, actors.ErrLost) })
	for range 1 + m.f.draw(m.f.twice) {
		m.f.send(m.name, node, func(to *member) {
			decoded, err := to.Codec().Decode(name, body)
			if err != nil {
				m.f.t.Errorf("deliver: %v", err)
				return
			}
			there := r
			there.Message = decoded
			end := context.CancelFunc(func() {})
			life := context.WithoutCancel(ctx)
			if until, ok := ctx.Deadline(); ok {
				life, end = context.WithDeadline(life, until)
			}
			to.Deliver(life, there, func(answer actors.Message, err error) {
				end()
				to.respond(m.name, fl, answer, err)
			})
		})
	}
}

// respond sends an answer back.
func (m *member) respond(to string, fl *flight, answer actors.Message, err error) {
	var name string
	var body []byte
	if err == nil {
		var failed error
		if name, body, failed = m.Codec().Encode(answer); failed != nil {
			m.f.t.Errorf("answer: %v", failed)
			return
		}
	}
	m.f.send(m.name, to, func(back *member) {
		if err != nil {
			back.finish(fl, nil, err)
			return
		}
		decoded, failed := back.Codec().Decode(name, body)
		if failed != nil {
			m.f.t.Errorf("answered: %v", failed)
		}
		back.finish(fl, decoded, nil)
	})
}

func (m *member) finish(fl *flight, answer actors.Message, err error) {
	m.f.mu.Lock()
	reply := fl.reply
	fl.reply = nil
	delete(m.open, fl)
	m.f.mu.Unlock()
	if reply != nil {
		reply(answer, err)
	}
}

func (f *fabric) draw(p float64) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rng.Float64() < p {
		return 1
	}
	return 0
}

// send takes a frame from one node to another, later, or loses it.
func (f *fabric) send(from, to string, arrive func(*member)) {
	f.mu.Lock()
	wait := 50 * time.Microsecond
	if f.slow > 0 {
		wait += rand.N(f.slow)
	}
	lost := f.rng.Float64() < f.lose
	f.mu.Unlock()
	if lost {
		return
	}
	time.AfterFunc(wait, func() {
		f.mu.Lock()
		m := f.nodes[to]
		gone := f.cut[[2]string{from, to}] || m == nil || m.dead || f.nodes[from].dead
		f.mu.Unlock()
		if !gone {
			arrive(m)
		}
	})
}

// cuttable is a home that a node can be cut from.
type cuttable struct {
	journal.Journal
	m      *member
	claims atomic.Int64 // of counters
	mu     sync.Mutex   // guards closed
	closed bool
}

func (g *cuttable) set(closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = closed
}

// mine complains of a claim by a node that has known for a while that the actor
// is not its own.
func (g *cuttable) mine(n journal.Name) {
	kind, id, _ := strings.Cut(string(n), "/")
	owner := g.m.Owner(actors.Key{Kind: kind, ID: id})
	f := g.m.f
	f.mu.Lock()
	known := time.Since(g.m.seen)
	complain := f.complain
	f.mu.Unlock()
	if owner == g.m.name || known == 0 {
		return
	}
	if complain == nil {
		complain = f.t.Errorf
	}
	complain("%s claims %s, which it knows to be of %q for %v", g.m.name, n, owner, known)
}

// tally describes nodes with counters.
func tally(t testing.TB) func(string) actors.Config {
	t.Helper()
	schema, err := actors.NewSchema("counter", []string{
		`CREATE TABLE entry (n INTEGER NOT NULL) STRICT; CREATE TABLE rang (name TEXT NOT NULL) STRICT;`,
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(string) actors.Config {
		return actors.Config{
			Messages: []actors.Message{
				total{}, add{}, value{}, peek{}, fail{}, remind{}, rang{}, pass{}, whisper{}, who{}, nodeName{},
			},
			Kinds: []*actors.Kind{{
				Name: "counter", Schema: schema,
				New:    func(actors.Key) actors.Behavior { return &counter{} },
				Births: func(m actors.Message) bool { return m.MessageName() != "test.value" },
			}},
			Ephemerals: []*actors.EphemeralKind{{
				Name: "listener",
				New:  func(c *actors.Context, _ actors.Key) actors.Ephemeral { return &listener{node: c.Self().Node} },
			}},
		}
	}
}

// whisper is told to a listener; who asks it for its node and what it heard.
type (
	whisper  struct{ N int64 }
	who      struct{}
	nodeName struct {
		Name string
		Sum  int64
	}
)

func (whisper) MessageName() string  { return "test.whisper" }
func (who) MessageName() string      { return "test.who" }
func (nodeName) MessageName() string { return "test.node_name" }

// Idempotent implements actors.Idempotent.
func (value) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent.
func (peek) Idempotent() bool { return true }

type listener struct {
	node string
	sum  int64
}

func (l *listener) Receive(_ *actors.Context, m actors.Message) (actors.Message, error) {
	if m, ok := m.(whisper); ok {
		l.sum += m.N
	}
	return nodeName{l.node, l.sum}, nil
}

func (l *listener) Done() bool { return false }

func (m *member) ask(t *testing.T, k actors.Key, msg actors.Message) (actors.Message, error) {
	t.Helper()
	return m.Ask(t.Context(), actors.Request{To: k, Message: msg})
}

func (m *member) want(t *testing.T, k actors.Key, msg actors.Message, want int64) {
	t.Helper()
	got, err := m.ask(t, k, msg)
	if err != nil {
		t.Fatalf("%s of %s by %s: %v", msg.MessageName(), k, m.name, err)
	}
	if got != (total{want}) {
		t.Fatalf("%s of %s by %s = %v, want %d", msg.MessageName(), k, m.name, got, want)
	}
}

// stopAll stops every node that lives, one after the other, without draining.
func (f *fabric) stopAll() {
	for _, m := range f.nodes {
		if !m.dead {
			m.stop()
		}
	}
}

// ownedBy returns the id of a counter that the node owns by its own view.
func (f *fabric) ownedBy(name string) string {
	for i := range 1000 {
		if id := fmt.Sprint("k", i); f.nodes[name].Owner(key(id)) == name {
			return id
		}
	}
	f.t.Fatalf("nothing belongs on %s", name)
	return ""
}

// Claim and the rest implement journal.Journal for a node that may be cut off.
func (g *cuttable) Claim(ctx context.Context, n journal.Name) (journal.Term, error) {
	if g.away() {
		return nil, journal.ErrUnavailable
	}
	g.mine(n)
	if strings.HasPrefix(string(n), "counter/") {
		g.claims.Add(1)
	}
	t, err := g.Journal.Claim(ctx, n)
	return g.wrap(t, err)
}

func (g *cuttable) Birth(ctx context.Context, n journal.Name, tpl journal.Template) (journal.Term, error) {
	if g.away() {
		return nil, journal.ErrUnavailable
	}
	g.mine(n)
	t, err := g.Journal.Birth(ctx, n, tpl)
	return g.wrap(t, err)
}

func (g *cuttable) wrap(t journal.Term, err error) (journal.Term, error) {
	if err != nil {
		return nil, err
	}
	return cuttableTerm{t, g}, nil
}

func (g *cuttable) away() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

type cuttableTerm struct {
	journal.Term
	g *cuttable
}

func (t cuttableTerm) Append(s pages.Set, done func(error)) {
	if t.g.away() {
		go done(journal.ErrUnavailable)
		return
	}
	t.Term.Append(s, done)
}

func (t cuttableTerm) Validate(ctx context.Context) error {
	if t.g.away() {
		return journal.ErrUnavailable
	}
	return t.Term.Validate(ctx)
}

func (t cuttableTerm) Release(ctx context.Context) error {
	if t.g.away() {
		return journal.ErrUnavailable
	}
	return t.Term.Release(ctx)
}

func (t cuttableTerm) HandOver(ctx context.Context) error {
	if t.g.away() {
		return journal.ErrUnavailable
	}
	return t.Term.HandOver(ctx)
}

func (f *fabric) member(name string) *member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.nodes[name]
}

// alive returns the names of all that live, in order.
func (f *fabric) alive() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for name, m := range f.nodes {
		if !m.dead {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// living returns one of them.
func (f *fabric) living(rng *rand.Rand) *member {
	names := f.alive()
	return f.member(names[rng.IntN(len(names))])
}
