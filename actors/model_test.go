package actors_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
)

const (
	books   = 10
	writers = 5
	writes  = 30 // of each writer
)

// TestModel drives many actors at once through faults of the journal, panics,
// releases and a crash, and compares what the world was told with what is there
// afterwards.
func TestModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		if err := model(t, seed, ""); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// TestModelNotices plants faults in the runtime, each of which the model must
// notice.
func TestModelNotices(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"answer early", "forget verdicts", "trust timers", "skip undo"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(10) {
				if err := model(t, seed+1, fault); err != nil {
					t.Logf("seed %d: %v", seed+1, err)
					return
				}
			}
			t.Fatal("the model noticed nothing")
		})
	}
}

// model runs one world, crashes it, and returns what is wrong in the next one.
func model(t *testing.T, seed uint64, fault string) error {
	t.Helper()
	home, w := t.TempDir(), newWitness()
	w.asleep = seed%2 == 1
	faults := &rough{}
	timers := []float64{0.2, 0.75}[seed%2]
	if fault == "trust timers" {
		timers = 0.9 // it shows only if all of an actor's entries were lost
	}
	faults.append = sometimes(seed, 0.03, timers)
	faults.claim = sometimes(seed+1, 0.03, 0.03)
	faults.restore = sometimes(seed+2, 0.03, 0.03)
	before := modelWorld(t, home, w, faults, fault, 0)
	var wg sync.WaitGroup
	over := make(chan struct{})
	for i := range writers {
		wg.Go(func() { before.write(t, rand.New(rand.NewPCG(seed, uint64(i))), fmt.Sprintf("s%dw%d", seed, i)) })
	}
	var sweeping sync.WaitGroup
	sweeping.Go(func() { before.sweep(over, rand.New(rand.NewPCG(seed, 99))) })
	wg.Wait()
	if err := before.node.Close(); err != nil { // the crash
		return err
	}
	close(over)
	sweeping.Wait()
	before.stop(t)

	after := modelWorld(t, home, w, &rough{}, "", 2*time.Hour)
	patience := 10 * time.Second
	if fault != "" {
		patience = 2 * time.Second // a fault that is taken for one by mistake is no harm
	}
	after.listen(patience)
	after.compare(t)
	after.stop(t)
	after.leftovers()
	_ = after.node.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wrong) > 0 {
		return errors.New(strings.Join(w.wrong[:min(len(w.wrong), 8)], "\n"))
	}
	if len(w.acked) < writers*writes/16 {
		return fmt.Errorf("only %d writes were acknowledged: the model tests nothing", len(w.acked))
	}
	return nil
}

// sometimes makes a function that fails at random: for timers with another
// probability than for the rest.
func sometimes(seed uint64, books, timers float64) func(journal.Name) error {
	rng := rand.New(rand.NewPCG(seed, 7)) // guarded by the rough journal's mutex
	var mu sync.Mutex
	return func(n journal.Name) error {
		mu.Lock()
		defer mu.Unlock()
		p := books
		if isTimer(n) {
			p = timers
		}
		if rng.Float64() >= p {
			return nil
		}
		return []error{journal.ErrUnavailable, journal.ErrFenced, lie{journal.ErrUnavailable}}[rng.IntN(3)]
	}
}

type modelled struct {
	*actors.System
	*witness
	node *journal.Node
	home *rough
	dir  string
}

func modelWorld(t *testing.T, home string, w *witness, r *rough, fault string, ahead time.Duration) *modelled {
	t.Helper()
	node, err := journal.OpenNode(journal.NodeOptions{Dir: home})
	if err != nil {
		t.Fatal(err)
	}
	schema, err := actors.NewSchema("book", []string{bookSQL})
	if err != nil {
		t.Fatal(err)
	}
	m := &modelled{witness: w, node: node, home: r, dir: filepath.Join(t.TempDir(), "copies")}
	config := actors.Config{
		Node: "n1", Dir: m.dir, Journal: node, Messages: []actors.Message{counted{}},
		Now: func() time.Time { return time.Now().Add(ahead) },
		Kinds: []*actors.Kind{{
			Name: "book", Schema: schema,
			New:          func(actors.Key) actors.Behavior { return &book{w: w} },
			NewCompanion: func(k actors.Key) actors.Companion { return reader{w, k.ID} },
			Births:       func(m actors.Message) bool { return m.MessageName() == "test.book_write" },
			Mailbox:      64,
			BornAsleep:   w.asleep,
		}},
	}
	withRough(r)(&config)
	if m.System, err = actors.New(config); err != nil {
		t.Fatal(err)
	}
	m.Plant(fault)
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

// write is one client: it repeats what was not answered, under the same id.
func (m *modelled) write(t *testing.T, rng *rand.Rand, name string) {
	kinds := []string{"", "", "", "refuse", "panic", "alarm", "alarm", "tell", "work"}
	for i := range writes {
		id := fmt.Sprint("b", rng.IntN(books))
		msg := write{
			Name: fmt.Sprint(name, "n", i), Then: kinds[rng.IntN(len(kinds))],
			In: time.Hour, To: fmt.Sprint("b", rng.IntN(books)),
		}
		if rng.IntN(4) == 0 {
			msg.In = time.Duration(rng.IntN(50)) * time.Millisecond
		}
		m.see(func() { m.where[msg.Name] = id })
		for range 1 + rng.IntN(4) {
			if m.attempt(t, id, msg) && rng.IntN(3) > 0 {
				break
			}
		}
		for n := range int64(3) {
			m.Tell(actors.Request{To: shelf(id), Message: tick{name, int64(i)*10 + n}})
		}
		m.glance(t, id, rng.IntN(2) == 0)
	}
}

// attempt sends a write and notes what came of it. It reports whether that is
// final.
func (m *modelled) attempt(t *testing.T, id string, msg write) bool {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	answer, err := m.Ask(ctx, actors.Request{To: shelf(id), Message: msg, Once: actors.Once{ID: msg.Name, Hash: "h"}})
	m.mu.Lock()
	defer m.mu.Unlock()
	switch code := easel.CodeOf(err); {
	case ctx.Err() != nil:
		m.blame("%s was never answered", msg.Name)
	case err == nil:
		n := answer.(counted).N
		if old, ok := m.acked[msg.Name]; ok && old != n {
			m.blame("%s: the repeat got %d instead of %d", msg.Name, n, old)
		}
		m.acked[msg.Name] = n
		m.alarms[msg.Name] = msg.Then == "alarm"
	case code == easel.CodeConflict, code == easel.CodeInternal && msg.Then == "panic":
		m.refused[msg.Name] = true
	case code == easel.CodeUnavailable, code == easel.CodeOverloaded:
		m.maybe[msg.Name] = true
		return false
	default:
		m.blame("%s: %v", msg.Name, err)
	}
	return true
}

// glance reads, and notes what was seen.
func (m *modelled) glance(t *testing.T, id string, hasty bool) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	answer, err := actors.Ask[counted](ctx, m, actors.Request{To: shelf(id), Message: count{hasty}})
	if ctx.Err() != nil {
		m.complain("a reader of %s was never answered", id)
	}
	if err == nil {
		m.see(func() { m.most[id] = max(m.most[id], answer.N) })
	}
}

// sweep closes and releases actors at random.
func (m *modelled) sweep(over <-chan struct{}, rng *rand.Rand) {
	for {
		select {
		case <-over:
			return
		case <-time.After(time.Duration(rng.IntN(8)) * time.Millisecond):
			m.Sweep(time.Now().Add(time.Duration(rng.IntN(1200)) * time.Second))
		}
	}
}

func (m *modelled) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
	defer cancel()
	if err := m.Stop(ctx); err != nil {
		t.Errorf("Stop: %v", err)
	}
}

// listen waits, without touching any actor, until all acknowledged alarms have
// been heard, or nothing more is heard: some rang just before the crash, unheard.
func (m *modelled) listen(patience time.Duration) {
	last, quiet := -1, time.Now()
	for time.Since(quiet) < patience {
		missing := 0
		m.see(func() {
			for name, set := range m.alarms {
				if set && !m.rang[name] {
					missing++
				}
			}
		})
		if missing == 0 {
			return
		}
		if missing != last {
			last, quiet = missing, time.Now()
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// compare looks at what is there. Alarms of turns that nobody was answered may ring
// even while it looks, so it takes what was shown by then for what must be there.
func (m *modelled) compare(t *testing.T) {
	t.Helper()
	have, rangs := map[string]int{}, map[string]bool{}
	var shown, rang map[string]bool
	m.see(func() { shown, rang = maps.Clone(m.shown), maps.Clone(m.rang) })
	for b := range books {
		id := fmt.Sprint("b", b)
		p, err := actors.Ask[contents](t.Context(), m, actors.Request{To: shelf(id), Message: read{}})
		if err != nil && easel.CodeOf(err) != easel.CodeNotFound {
			m.complain("read %s: %v", id, err)
		}
		if int64(len(p.Names)) < m.most[id] {
			m.complain("%s has %d names, but %d were shown", id, len(p.Names), m.most[id])
		}
		for _, name := range p.Names {
			have[name]++
			if m.where[name] != "" && m.where[name] != id {
				m.complain("%s is in %s instead of %s", name, id, m.where[name])
			}
		}
		for _, name := range p.Rang {
			rangs[name] = true
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.acked {
		if have[name] != 1 {
			m.blame("%s was acknowledged and is there %d times", name, have[name])
		}
	}
	for name, set := range m.alarms {
		if set && !rangs[name] {
			m.blame("the alarm %s has not rung", name)
		}
	}
	for name := range m.refused {
		if have[name] != 0 {
			m.blame("%s was refused and is there", name)
		}
	}
	for name, n := range have {
		cause, _, told := strings.Cut(name, "-")
		if n > 1 {
			m.blame("%s is there %d times", name, n)
		}
		if told && have[cause] == 0 {
			m.blame("%s is there without its cause", name)
		}
	}
	for name := range shown {
		if have[name] == 0 {
			m.blame("%s was published and is not there", name)
		}
	}
	for name := range rang {
		if !rangs[name] {
			m.blame("%s was heard to ring and has not", name)
		}
	}
}

// leftovers looks at what a stopped system has left behind.
func (m *modelled) leftovers() {
	if n := m.Everything(); n > 0 {
		m.complain("%d actors are left in the registry", n)
	}
	_ = filepath.WalkDir(m.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			m.complain("working copy left: %s", path)
		}
		return nil
	})
	m.home.mu.Lock()
	defer m.home.mu.Unlock()
	if m.home.held != 0 {
		m.complain("%d terms were not released", m.home.held)
	}
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, m.dir) {
			m.complain("open: %s", to)
		}
	}
}

func (w *witness) complain(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blame(format, args...)
}

// blame is complain with the mutex held.
func (w *witness) blame(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !slices.Contains(w.wrong, s) {
		w.wrong = append(w.wrong, s)
	}
}
