package live_test

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/cluster"
	"github.com/easelhq/easel/e2e/tally"
	"github.com/easelhq/easel/journal/fencing"
	"github.com/easelhq/easel/journal/fencing/fencingtest"
	"github.com/easelhq/easel/live"
)

var (
	simSeeds  = flag.Int("sim.seeds", 100, "histories of TestNodesShareAnImage")
	simFirst  = flag.Uint64("sim.first", 0, "seed of the first of them")
	simWithin = flag.Duration("sim.within", 0, "stop after so long; 0: only when all are done")
)

// TestNodesShareAnImage is TestRoomsFollowTheirImage with everything under the
// rooms made of what a cluster is made of: the ring over what each node knows of
// its members says who owns the image, owners claim it with seals and replay, and
// its batches are slots in a bucket, over links that lose, delay and cut off
// requests. Ring, claim, journal, feed and rooms share one thread, one clock and
// one source of draws.
func TestNodesShareAnImage(t *testing.T) {
	terms := 0
	report := tally.Report{Suite: "nodes on one thread", Rounds: *simSeeds}
	for began := time.Now(); report.Round < *simSeeds && (*simWithin == 0 || time.Since(began) < *simWithin); {
		seed := *simFirst + uint64(report.Round)
		c, err := fencedHistory(seed, "", fencing.Bugs{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		report.Round++
		report.Acked += len(c.fenced.texts)
		terms += c.home.term
		if report.Round%100 == 0 || report.Round == *simSeeds {
			if err := report.Write(); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d histories, %d turns stored in %d terms", report.Round, report.Acked, terms)
	if report.Round > 10 && (report.Acked < 10*report.Round || terms < 2*report.Round) {
		t.Error("hardly anything happened: this test saw nothing")
	}
}

func TestSameSeedIsTheSameCluster(t *testing.T) {
	hashes := map[uint64]bool{}
	for seed := range uint64(10) {
		a, _ := fencedHistory(seed, "", fencing.Bugs{})
		b, _ := fencedHistory(seed, "", fencing.Bugs{})
		if a.hash != b.hash || hashes[a.hash] {
			t.Errorf("seed %d: %x and %x", seed, a.hash, b.hash)
		}
		hashes[a.hash] = true
	}
}

// TestClusterSimulationNotices plants faults in each of the parts. Those that need
// owners who go on after they have let go are for the simulation of the journal
// alone, which has such owners.
func TestClusterSimulationNotices(t *testing.T) {
	const most = 1000
	tests := []struct {
		name string
		bug  string
		bugs fencing.Bugs
	}{
		{"an owner shows what is not stored", "early", fencing.Bugs{}},
		{"the feed does not tell other nodes", "forget", fencing.Bugs{}},
		{"rooms are not told that their image has moved", "silent", fencing.Bugs{}},
		{"older terms are not sealed", "", fencing.Bugs{NoSeal: true}},
		{"a refused repetition is taken for durable", "", fencing.Bugs{TrustConflict: true}},
		{"a torn slot is taken for whole by its writer", "", fencing.Bugs{TrustTorn: true}},
		{"a torn slot is no end", "", fencing.Bugs{PassTorn: true}},
		{"answers do not wait for earlier ones", "", fencing.Bugs{AckOutOfOrder: true}},
		{"the head is not looked at again", "", fencing.Bugs{NoRecheck: true}},
		{"seals are deleted", "", fencing.Bugs{DeleteSeals: true}},
		{"reads are answered without a look", "", fencing.Bugs{NoLook: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(most) {
				if _, err := fencedHistory(seed, tt.bug, tt.bugs); err != nil {
					t.Logf("noticed with seed %d: %v", seed, err)
					return
				}
			}
			t.Errorf("not noticed with %d seeds", most)
		})
	}
}

func fencedHistory(seed uint64, bug string, bugs fencing.Bugs) (c *cell, err error) {
	c = newCell(judge{}, seed, bug, 0, live.Options{})
	c.fenced = newFenced(c, seed, bugs)
	opts := live.Options{RingNodes: 2 + c.rng.IntN(40)}
	for i := range 3 {
		c.nodes = append(c.nodes, &place{i: i})
		c.boot(c.nodes[i], opts)
	}
	defer func() {
		if w, ok := recover().(wrong); ok {
			err = w
		}
	}()
	c.play(opts, 100+c.rng.IntN(600))
	return c, nil
}

// fenced is a home of a cell that is a bucket.
type fenced struct {
	*cell
	sim     *fencingtest.Sim
	bucket  *fencingtest.Store
	bugs    fencing.Bugs
	key     actors.Key // that the ring places
	calm    bool
	began   int               // processes
	records map[string]record // what entries stand for
	texts   []string          // the history, as far as anybody was told of it
}

// fencedPlace is a process and what waits for its claim.
type fencedPlace struct {
	process  *fencingtest.Process
	claiming bool
	queue    []func(err error)
}

// fencedActivation is a term, and the history as its owner has it.
type fencedActivation struct {
	term *fencingtest.Owner
	list []string
}

func newFenced(c *cell, seed uint64, bugs fencing.Bugs) *fenced {
	f := &fenced{
		cell: c, sim: fencingtest.New(seed), bucket: fencingtest.NewStore(), bugs: bugs,
		key: actors.Key{Kind: c.image.Kind, ID: fmt.Sprint(c.image.ID, seed)}, records: map[string]record{},
	}
	f.sim.Rand = c.rng
	return f
}

// sync brings the bucket to the time and the troubles of the cell.
func (f *fenced) sync() {
	f.sim.Now = f.now
	for _, p := range f.nodes {
		if p.process != nil {
			p.process.Cut, p.process.Calm = f.cell.store[p.i], f.calm
		}
	}
}

// boot replaces a node's process, which is lost with all that waited in it.
func (f *fenced) boot(p *place) {
	if p.process != nil {
		p.process.Kill()
	}
	f.began++
	p.fencedPlace = fencedPlace{process: fencingtest.NewProcess(f.sim, f.bucket, fmt.Sprint("p", f.began), f.bugs)}
	f.sync()
}

// elect returns who owns the image in the eyes of a node that knows some of the
// members, of which some are leaving, and never one (-1: any).
func (f *fenced) elect(never int) int {
	for {
		var seats []cluster.Seat
		for i := range f.nodes {
			if i != never && f.rng.IntN(4) > 0 {
				seats = append(seats, cluster.Seat{Name: string(rune('a' + i)), Draining: f.rng.IntN(4) == 0})
			}
		}
		if owner := cluster.OwnerAmong(seats, "", f.key); owner != "" {
			return int(owner[0] - 'a')
		}
	}
}

// claim makes a node the owner. What it was asked meanwhile is then handled.
func (f *fenced) claim(p *place, then func(err error)) {
	p.queue = append(p.queue, then)
	if p.claiming {
		return
	}
	p.claiming = true
	f.sync()
	known := len(f.texts)
	p.process.Claim("image/t/i", true, func(o *fencingtest.Owner, err error) {
		queue := p.queue
		p.claiming, p.queue = false, nil
		f.note("claim by %d: %v", p.i, err)
		if errors.Is(err, fencing.ErrCorrupt) {
			f.t.Fatalf("claim by %d: %v", p.i, err)
		}
		if err == nil {
			f.home.term = max(f.home.term, int(o.Term))
			if len(o.History) < known {
				f.t.Fatalf("a claim found %d turns of %d", len(o.History), known)
			}
			f.own(p, o)
		}
		for _, then := range queue {
			then(err)
		}
	})
}

func (f *fenced) own(p *place, o *fencingtest.Owner) {
	var log []record
	for i, text := range o.History {
		f.learn(i, text)
		log = append(log, f.records[text])
	}
	if p.view != p.i {
		o.Release(func(error) {}) // the image has moved on meanwhile
		return
	}
	p.owner = &activation{
		term: int(o.Term), state: newState(log), feed: live.NewTestFeed(string(rune('a' + p.i))),
		fencedActivation: fencedActivation{o, slices.Clone(o.History)},
	}
}

// learn notes that a turn has its place in the history for ever.
func (f *fenced) learn(place int, text string) {
	switch {
	case place > len(f.texts):
		f.t.Fatalf("%s is told to be at %d, after %d turns", text, place, len(f.texts))
	case place < len(f.texts):
		if f.texts[place] != text {
			f.t.Fatalf("%s and %s are both told to be at %d", f.texts[place], text, place)
		}
	default:
		r, ok := f.records[text]
		if !ok {
			f.t.Fatalf("%s at %d was never written", text, place)
		}
		f.texts = append(f.texts, text)
		f.home.store(r, f.now)
	}
}

// confirm has the bucket confirm a turn: it stores a write, and looks who owns the
// image for a read.
func (f *fenced) confirm(p *place, a *activation, w *waiting) {
	f.sync()
	told := func(err error) {
		if p.owner != a {
			return
		}
		if err != nil {
			f.note("term %d of %d: %v", a.fencedActivation.term.Term, p.i, err)
			f.drop(p)
			return
		}
		w.ready = true
		for len(a.gate) > 0 && a.gate[0].ready {
			first := a.gate[0]
			a.gate = a.gate[1:]
			f.say(p, a, *first)
		}
	}
	if w.writes {
		text, place := fmt.Sprint("t", len(f.records)), len(a.list)
		f.records[text], a.list = w.record, append(a.list, text)
		a.fencedActivation.term.Append(text, func(err error) {
			if err == nil {
				f.learn(place, text)
			}
			told(err)
		})
		return
	}
	known := slices.Clone(f.texts)
	look := func(err error) {
		if err == nil && (len(a.list) < len(known) || !slices.Equal(a.list[:len(known)], known)) {
			f.t.Fatalf("term %d answers a read with %d turns of %d", a.fencedActivation.term.Term, len(a.list), len(known))
		}
		told(err)
	}
	if f.bugs.NoLook {
		look(nil)
		return
	}
	a.fencedActivation.term.Validate(look)
}

// tick lets the next thing happen at the bucket or on the way to it, if it is due
// before the cell's next timer.
func (f *fenced) tick(timer *worldTimer) bool {
	at, ok := f.sim.Next()
	if !ok || timer != nil && timer.due.Before(at) {
		return false
	}
	if at.After(f.now) {
		f.now = at
	}
	f.sync()
	f.sim.Step()
	f.note("bucket %x", f.sim.Hash())
	return true
}

// work lets a few things happen at the bucket or on the way to it.
func (f *fenced) work() {
	for range 1 + f.rng.IntN(8) {
		f.tick(nil)
	}
}

// due reports whether something happens until end.
func (f *fenced) due(end time.Time) bool {
	at, ok := f.sim.Next()
	return ok && !at.After(end)
}

var errNoHome = easel.Errorf(easel.CodeUnavailable, "no home")
