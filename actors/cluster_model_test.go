package actors_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
)

const (
	ledgers      = 6
	clerks       = 8  // who write, spread over the nodes
	marksOfClerk = 25 // of each
)

// TestClusterModel drives several nodes over one home through views that differ,
// moves, crashes, drains, partitions and a network that loses, doubles and delays,
// and compares what askers were told with what is there.
func TestClusterModel(t *testing.T) {
	for seed := range uint64(*clusterSeeds) {
		if err := clusterModel(t, seed, ""); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

var clusterSeeds = flag.Int("cluster.seeds", 12, "worlds of TestClusterModel")

// TestClusterModelNotices plants faults, each of which the model must notice.
func TestClusterModelNotices(t *testing.T) {
	for _, fault := range []string{"no once", "no owner check", "let fenced out", "forget verdicts"} {
		t.Run(fault, func(t *testing.T) {
			for seed := range uint64(20) {
				if err := clusterModel(t, seed+100, fault); err != nil {
					t.Logf("seed %d: %v", seed+100, err)
					return
				}
			}
			t.Fatal("the model noticed nothing")
		})
	}
}

// mark puts a name into a ledger; entries asks for all of them.
type (
	mark    struct{ Name string }
	entries struct{}
	marked  struct{ N int64 } // how many there are, this one included
	list    struct{ Names []string }
)

func (mark) MessageName() string     { return "test.mark" }
func (entries) MessageName() string  { return "test.entries" }
func (marked) MessageName() string   { return "test.marked" }
func (list) MessageName() string     { return "test.list" }
func (entries) Idempotent() bool     { return true }
func ledgerKey(i int) actors.Key     { return actors.Key{Kind: "ledger", ID: fmt.Sprint("l", i)} }
func isLedger(m actors.Message) bool { _, ok := m.(mark); return ok }

type ledger struct{}

func (ledger) Start(*actors.Turn) error         { return nil }
func (ledger) Alarm(*actors.Turn, string) error { return nil }

func (ledger) Receive(t *actors.Turn, m actors.Message) (actors.Message, error) {
	switch m := m.(type) {
	case mark:
		if strings.HasSuffix(m.Name, "7") {
			return nil, easel.Errorf(easel.CodeConflict, "refused")
		}
		if _, err := t.Tx().Exec(`INSERT INTO mark (name) VALUES (?)`, m.Name); err != nil {
			return nil, err
		}
		var n int64
		err := t.Tx().Row(`SELECT count(*) FROM mark`, nil, &n)
		return marked{n}, err
	case entries:
		rows, err := t.Tx().Query(`SELECT name FROM mark ORDER BY rowid`)
		if err != nil {
			return nil, err
		}
		var l list
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return nil, errors.Join(err, rows.Close())
			}
			l.Names = append(l.Names, name)
		}
		return l, rows.Close()
	default:
		return nil, easel.Errorf(easel.CodeInvalid, "no %s", m.MessageName())
	}
}

// books is what askers were told.
type clerkBook struct {
	mu      sync.Mutex
	acked   map[string]int64 // name to its place
	refused map[string]bool
	where   map[string]int
	shown   [ledgers]int64 // the most marks that anybody was told of
	wrong   []string
}

func (b *clerkBook) complain(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.blame(format, args...)
}

func (b *clerkBook) blame(format string, args ...any) {
	b.wrong = append(b.wrong, fmt.Sprintf(format, args...))
}

func (b *clerkBook) most(l int) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shown[l]
}

func clusterModel(t *testing.T, seed uint64, fault string) error {
	t.Helper()
	b := &clerkBook{acked: map[string]int64{}, refused: map[string]bool{}, where: map[string]int{}}
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t, seed)
		defer f.stopAll()
		f.distance = 15 * time.Millisecond
		f.fault, f.complain = fault, b.complain
		f.start(ledgerNodes(t), "n1", "n2", "n3")
		f.mu.Lock()
		f.lose, f.twice, f.slow = 0.02, 0.05, 20*time.Millisecond
		f.mu.Unlock()
		rng := rand.New(rand.NewPCG(seed, 2))
		var wg sync.WaitGroup
		over := make(chan struct{})
		for i := range clerks {
			wg.Go(func() { f.clerk(t, b, rand.New(rand.NewPCG(seed, uint64(10+i))), fmt.Sprintf("c%d", i)) })
		}
		var faults sync.WaitGroup
		faults.Go(func() { f.upheaval(t, rng, over) })
		wg.Wait()
		close(over)
		faults.Wait()
		f.calm()
		f.heal()
		time.Sleep(30 * time.Second) // what is late arrives
		b.compare(t, f)
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wrong) > 0 {
		return errors.New(strings.Join(b.wrong[:min(len(b.wrong), 6)], "\n"))
	}
	if len(b.acked) < clerks*marksOfClerk/8 {
		return fmt.Errorf("only %d marks were acknowledged: the model tests nothing", len(b.acked))
	}
	return nil
}

func ledgerNodes(t *testing.T) func(string) actors.Config {
	t.Helper()
	schema, err := actors.NewSchema("ledger", []string{`CREATE TABLE mark (name TEXT NOT NULL) STRICT;`})
	if err != nil {
		t.Fatal(err)
	}
	return func(string) actors.Config {
		return actors.Config{
			Messages: []actors.Message{mark{}, entries{}, marked{}, list{}},
			Kinds: []*actors.Kind{{
				Name: "ledger", Schema: schema,
				New: func(actors.Key) actors.Behavior { return ledger{} }, Births: isLedger, BornAsleep: true,
			}},
		}
	}
}

// clerk writes and reads, at whatever node lives, one request after the other.
func (f *fabric) clerk(t *testing.T, b *clerkBook, rng *rand.Rand, name string) {
	for i := range marksOfClerk {
		time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
		l, id := rng.IntN(ledgers), fmt.Sprintf("%s-%d", name, i)
		m := f.living(rng)
		before := b.most(l)
		b.mu.Lock()
		b.where[id] = l
		b.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+rng.IntN(8))*time.Second)
		if rng.IntN(3) == 0 {
			got, err := actors.Ask[list](ctx, m, actors.Request{To: ledgerKey(l), Message: entries{}})
			switch {
			case err == nil && int64(len(got.Names)) < before:
				b.complain("%s read %d marks of ledger %d after %d were shown", m.name, len(got.Names), l, before)
			case err == nil:
				b.show(l, int64(len(got.Names)))
			case easel.CodeOf(err) != easel.CodeUnavailable && easel.CodeOf(err) != easel.CodeNotFound:
				b.complain("read of ledger %d: %v", l, err)
			}
		} else {
			got, err := actors.Ask[marked](ctx, m, actors.Request{To: ledgerKey(l), Message: mark{id}})
			b.note(l, id, before, got.N, err)
		}
		cancel()
	}
}

func (b *clerkBook) show(l int, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shown[l] = max(b.shown[l], n)
}

// note takes down what came of a mark.
func (b *clerkBook) note(l int, id string, before, n int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch easel.CodeOf(err) {
	case "":
		if n <= before {
			b.blame("%s got place %d after %d were shown", id, n, before)
		}
		b.acked[id] = n
		b.shown[l] = max(b.shown[l], n)
	case easel.CodeConflict:
		b.refused[id] = true
	case easel.CodeUnavailable: // perhaps
	default:
		b.blame("%s: %v", id, err)
	}
}

// upheaval changes who is there and who sees whom.
func (f *fabric) upheaval(t *testing.T, rng *rand.Rand, over <-chan struct{}) {
	born := 3
	for {
		select {
		case <-over:
			return
		case <-time.After(time.Duration(100+rng.IntN(900)) * time.Millisecond):
		}
		all := f.alive()
		one := all[rng.IntN(len(all))]
		switch rng.IntN(7) {
		case 0, 1: // one has another view than the rest
			view := slices.DeleteFunc(slices.Clone(all), func(n string) bool { return rng.IntN(2) == 0 })
			f.see(view, one)
		case 2: // all agree
			f.heal()
		case 3: // cut off from its peers, or half of it
			f.mu.Lock()
			for _, o := range all {
				f.cut[[2]string{one, o}] = true
				if rng.IntN(2) == 0 {
					f.cut[[2]string{o, one}] = true
				}
			}
			f.mu.Unlock()
			f.see([]string{one}, one)
			f.see(slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == one }), without(all, one)...)
		case 4: // cut off from the home for a while
			g := f.member(one).gate
			g.set(true)
			time.AfterFunc(time.Duration(rng.IntN(4000))*time.Millisecond, func() { g.set(false) })
		case 5: // a new one, and a crash if there are enough
			born++
			name := fmt.Sprint("n", born)
			m := f.add(name, ledgerNodes(t)(name))
			if err := m.Start(t.Context()); err != nil {
				t.Error(err)
			}
			if len(all) >= 3 {
				f.crash(one)
				time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
			}
			f.heal()
		case 6: // one drains and comes back
			f.see(without(all, one), all...)
			time.Sleep(time.Duration(rng.IntN(500)) * time.Millisecond)
		}
	}
}

func without(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
}

// calm lets everything arrive from now on.
func (f *fabric) calm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lose, f.twice = 0, 0
}

// heal makes all that live see all that live.
func (f *fabric) heal() {
	f.mu.Lock()
	clear(f.cut)
	for _, m := range f.nodes {
		m.gate.set(m.dead)
	}
	f.mu.Unlock()
	all := f.alive()
	f.see(all, all...)
}

// compare looks at what is there.
func (b *clerkBook) compare(t *testing.T, f *fabric) {
	there := map[string]int{}
	for l := range ledgers {
		m := f.member(f.alive()[0])
		got, err := actors.Ask[list](t.Context(), m, actors.Request{To: ledgerKey(l), Message: entries{}})
		if err != nil && easel.CodeOf(err) != easel.CodeNotFound {
			b.complain("read of ledger %d at the end: %v", l, err)
			continue
		}
		for i, name := range got.Names {
			there[name]++
			if place, ok := b.acked[name]; ok && place != int64(i+1) {
				b.complain("%s is at place %d of ledger %d, but was told %d", name, i+1, l, place)
			}
			if b.where[name] != l {
				b.complain("%s is in the wrong ledger", name)
			}
		}
		if int64(len(got.Names)) < b.shown[l] {
			b.complain("ledger %d has %d marks, %d were shown", l, len(got.Names), b.shown[l])
		}
	}
	for name, n := range there {
		if n > 1 {
			b.complain("%s is there %d times", name, n)
		}
	}
	for name := range b.acked {
		if there[name] == 0 {
			b.complain("%s was acknowledged and is lost", name)
		}
	}
	for name := range b.refused {
		if there[name] > 0 {
			b.complain("%s was refused and is there", name)
		}
	}
}

// distant is a store that takes its time, before and after it has done something.
type distant struct {
	blob.Store
	f *fabric
}

func (d distant) rest() {
	d.f.mu.Lock()
	wait := time.Duration(0)
	if d.f.distance > 0 {
		wait = time.Duration(d.f.rng.Int64N(int64(d.f.distance)))
	}
	d.f.mu.Unlock()
	if wait > 0 {
		time.Sleep(wait)
	}
}

func (d distant) PutIfAbsent(ctx context.Context, key string, b []byte) (blob.Version, error) {
	d.rest()
	defer d.rest()
	return d.Store.PutIfAbsent(ctx, key, b)
}

func (d distant) PutIfMatch(ctx context.Context, key string, b []byte, v blob.Version) (blob.Version, error) {
	d.rest()
	defer d.rest()
	return d.Store.PutIfMatch(ctx, key, b, v)
}

func (d distant) Get(ctx context.Context, key string, r blob.Range) (io.ReadCloser, blob.Info, error) {
	d.rest()
	defer d.rest()
	return d.Store.Get(ctx, key, r)
}
