package fencing_test

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/tally"
	"github.com/easelhq/easel/journal/fencing"
	"github.com/easelhq/easel/journal/fencing/fencingtest"
)

var (
	simSeeds  = flag.Int("sim.seeds", 300, "histories of TestOwnersShareALog")
	simFirst  = flag.Uint64("sim.first", 0, "seed of the first of them")
	simWithin = flag.Duration("sim.within", 0, "stop after so long; 0: only when all are done")
	simTrace  = flag.Bool("sim.trace", false, "show what happens")
)

// TestOwnersShareALog lets processes claim one actor, append, read, release, pause
// and die over links that lose, delay, repeat and cut off what they send. Nothing
// that was acknowledged is lost, doubled or out of order, one term at most
// acknowledges an entry for a place in the history, and nobody reads what is stale.
func TestOwnersShareALog(t *testing.T) {
	var trace func(string)
	if *simTrace {
		trace = func(note string) { t.Log(note) }
	}
	reads := 0
	report := tally.Report{Suite: "owners on one thread", Rounds: *simSeeds}
	for began := time.Now(); report.Round < *simSeeds && (*simWithin == 0 || time.Since(began) < *simWithin); {
		seed := *simFirst + uint64(report.Round)
		f := fightOf(seed, fencing.Bugs{}, trace)
		if f.err != nil {
			t.Fatalf("seed %d: %v", seed, f.err)
		}
		report.Round++
		report.Acked += len(f.acked)
		reads += f.reads
		if report.Round%100 == 0 || report.Round == *simSeeds {
			if err := report.Write(); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d histories, %d appends acknowledged, %d reads answered", report.Round, report.Acked, reads)
	if report.Acked < report.Round || report.Round > 10 && reads < report.Round {
		t.Error("hardly anything happened: this test saw nothing")
	}
}

func TestSameSeedIsTheSameHistory(t *testing.T) {
	hashes := map[uint64]uint64{}
	for seed := range uint64(20) {
		a, b := fightOf(seed, fencing.Bugs{}, nil), fightOf(seed, fencing.Bugs{}, nil)
		if a.sim.Hash() != b.sim.Hash() {
			t.Errorf("seed %d: %x and %x", seed, a.sim.Hash(), b.sim.Hash())
		}
		if other, twice := hashes[a.sim.Hash()]; twice {
			t.Errorf("seeds %d and %d are the same history", seed, other)
		}
		hashes[a.sim.Hash()] = seed
	}
}

func TestSimulationNoticesPlantedBugs(t *testing.T) {
	const most = 1000
	tests := []struct {
		name string
		bugs fencing.Bugs
	}{
		{"older terms are not sealed", fencing.Bugs{NoSeal: true}},
		{"the head is not looked at again", fencing.Bugs{NoRecheck: true}},
		{"a refused repetition is taken for durable", fencing.Bugs{TrustConflict: true}},
		{"a torn slot is taken for whole by its writer", fencing.Bugs{TrustTorn: true}},
		{"a torn slot is no end", fencing.Bugs{PassTorn: true}},
		{"answers do not wait for earlier ones", fencing.Bugs{AckOutOfOrder: true}},
		{"appends go on while the head is closed", fencing.Bugs{AppendAfterClose: true}},
		{"seals are deleted", fencing.Bugs{DeleteSeals: true}},
		{"torn slots are deleted", fencing.Bugs{DeleteTorn: true}},
		{"what a listing shows is deleted without a look at the head", fencing.Bugs{TidyBlind: true}},
		{"reads are answered by a look that began before them", fencing.Bugs{JoinLook: true}},
		{"reads are answered without a look", fencing.Bugs{NoLook: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(most) {
				if f := fightOf(seed, tt.bugs, nil); f.err != nil {
					t.Logf("noticed with seed %d: %v", seed, f.err)
					return
				}
			}
			t.Errorf("not noticed with %d seeds", most)
		})
	}
}

const fought = "image/t/fought-over"

// fight is one history.
type fight struct {
	sim   *fencingtest.Sim
	store *fencingtest.Store
	bugs  fencing.Bugs
	names int

	nextID  int
	acked   map[string]int // text to its place
	places  []string       // what was acknowledged, by place; "": nothing
	claims  [][]string     // what each claim found
	beliefs []*belief      // all there ever were
	reads   int
	err     error
}

// belief is an owner's view of its term.
type belief struct {
	*fencingtest.Owner
	p    *fencingtest.Process
	list []string
	from int // entries that were found
}

func (f *fight) failf(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
		f.sim.Note("WRONG: %v", f.err)
	}
}

// tolerate accepts what owners in a fight must expect.
func (f *fight) tolerate(what string, err error) {
	if err != nil && !errors.Is(err, fencing.ErrUnavailable) && !errors.Is(err, fencing.ErrFenced) && !errors.Is(err, fencing.ErrClosed) &&
		!errors.Is(err, fencing.ErrAdopted) {
		f.failf("%s: %w", what, err)
	}
}

func fightOf(seed uint64, bugs fencing.Bugs, trace func(string)) *fight {
	f := &fight{sim: fencingtest.New(seed), store: fencingtest.NewStore(), bugs: bugs, acked: map[string]int{}}
	f.sim.Trace(trace)
	for i := range 3 + f.sim.Rand.IntN(3) {
		f.live(i, f.process(), 6)
	}
	f.haunt(14)
	for f.err == nil && f.sim.Step() {
	}
	if f.err == nil {
		f.settle()
	}
	return f
}

func (f *fight) process() *fencingtest.Process {
	f.names++
	p := fencingtest.NewProcess(f.sim, f.store, fmt.Sprint("p", f.names), f.bugs)
	if f.sim.Rand.IntN(5) == 0 {
		p.KillAfter(1 + f.sim.Rand.IntN(150))
	}
	return p
}

func (f *fight) millis(n int) time.Duration {
	return time.Duration(f.sim.Rand.IntN(n)) * time.Millisecond
}

// live is what one owner after the other does at a place.
func (f *fight) live(place int, p *fencingtest.Process, reigns int) {
	if reigns == 0 {
		return
	}
	f.sim.After(f.millis(500), func() {
		over := false
		next := func() {
			if over {
				return
			}
			over = true
			if p.Dead() || f.sim.Rand.IntN(2) == 0 { // another process
				f.live(place, f.process(), reigns-1)
				return
			}
			f.live(place, p, reigns-1)
		}
		f.reign(p, next)
		f.sim.After(40*time.Second, next) // it died, or hangs
	})
}

// reign is one term.
func (f *fight) reign(p *fencingtest.Process, over func()) {
	before := slices.Clone(f.places)
	birth := f.sim.Rand.IntN(3) == 0
	p.Claim(fought, birth, func(o *fencingtest.Owner, err error) {
		if !birth && len(before) == 0 && errors.Is(err, fencing.ErrNotFound) {
			over()
			return
		}
		if err != nil {
			f.tolerate("claim", err)
			over()
			return
		}
		me := &belief{Owner: o, p: p, list: slices.Clone(o.History), from: len(o.History)}
		f.beliefs = append(f.beliefs, me)
		f.found(before, o.History)
		f.act(me, 2+f.sim.Rand.IntN(8), over)
	})
}

// found compares what a claim found with what was acknowledged before it began.
func (f *fight) found(before, history []string) {
	for place, text := range before {
		if text != "" && (place >= len(history) || history[place] != text) {
			f.failf("a claim found %d entries without %s of place %d", len(history), text, place)
		}
	}
	f.claims = append(f.claims, history)
}

// act does one thing after the other with a term.
func (f *fight) act(me *belief, things int, over func()) {
	if things == 0 {
		if f.sim.Rand.IntN(3) == 0 {
			f.release(me, over)
			return
		}
		over() // it believes on
		return
	}
	next := f.millis(100)
	switch f.sim.Rand.IntN(32) {
	case 0:
		d := f.millis(20_000)
		if f.cut(me.p, d); f.sim.Rand.IntN(2) == 0 {
			next += d // nothing was to be done meanwhile
		}
	case 1, 2, 3, 4:
		me.p.Pause(f.millis(3000))
	case 5, 6, 7, 8, 9, 10, 11:
		f.read(me)
	default:
		f.burst(me)
	}
	me.p.Do(next, func() { f.act(me, things-1, over) })
}

// cut takes a process off the store for a while, which may be longer than it asks.
func (f *fight) cut(p *fencingtest.Process, d time.Duration) {
	f.sim.Note("%s is cut off for %s", p.Name, d)
	p.Cut = true
	f.sim.After(d, func() { p.Cut = false })
}

func (f *fight) release(me *belief, over func()) {
	me.Release(func(err error) {
		f.tolerate("release", err)
		over()
	})
	if f.sim.Rand.IntN(2) == 0 { // someone did not hear of it
		me.p.Do(f.millis(60), func() { f.burst(me) })
	}
}

// burst appends a few entries.
func (f *fight) burst(me *belief) {
	for range 1 + f.sim.Rand.IntN(5) {
		if me.Err() != nil {
			return
		}
		f.nextID++
		text, place := fmt.Sprint("e", f.nextID, "@", len(me.list)), len(me.list)
		me.list = append(me.list, text)
		me.Append(text, func(err error) {
			if err != nil {
				f.tolerate("append", err)
				return
			}
			f.ack(me, text, place)
		})
	}
}

func (f *fight) ack(me *belief, text string, place int) {
	f.sim.Note("%s acked in term %d", text, me.Term)
	if _, twice := f.acked[text]; twice {
		f.failf("%s is acknowledged twice", text)
	}
	for len(f.places) <= place {
		f.places = append(f.places, "")
	}
	if there := f.places[place]; there != "" {
		f.failf("%s and %s are both acknowledged for place %d", there, text, place)
	}
	f.acked[text], f.places[place] = place, text
}

// read answers a strong read of what the owner knows.
func (f *fight) read(me *belief) {
	before := slices.Clone(f.places)
	then := func(err error) {
		if err != nil {
			f.tolerate("validate", err)
			return
		}
		f.reads++
		for place, text := range before {
			if text != "" && (place >= len(me.list) || me.list[place] != text) {
				f.failf("term %d answers a read with %d entries without %s, which was acknowledged before", me.Term, len(me.list), text)
			}
		}
	}
	if f.bugs.NoLook {
		if me.Err() == nil {
			then(nil)
		}
		return
	}
	me.Validate(then)
}

// haunt lets owners that never learned of their end append and read on.
func (f *fight) haunt(times int) {
	if times == 0 {
		return
	}
	f.sim.After(f.millis(1500), func() {
		if len(f.beliefs) > 0 {
			me := f.beliefs[f.sim.Rand.IntN(len(f.beliefs))]
			me.p.Do(0, func() {
				f.burst(me)
				for range f.sim.Rand.IntN(5) {
					f.readOften(me, f.millis(3000))
				}
			})
		}
		f.haunt(times - 1)
	})
}

// readOften reads a few times in a row, so that one read begins while another is
// on its way.
func (f *fight) readOften(me *belief, at time.Duration) {
	for range 1 + f.sim.Rand.IntN(6) {
		me.p.Do(at, func() { f.read(me) })
		at += f.millis(800)
	}
}

// settle compares what a last claim finds with what was acknowledged, and expects
// that nobody else acknowledges anything any more.
func (f *fight) settle() {
	calm := fencingtest.NewProcess(f.sim, f.store, "last", f.bugs)
	calm.Calm = true
	over := false
	before := slices.Clone(f.places)
	calm.Claim(fought, true, func(o *fencingtest.Owner, err error) {
		over = true
		if err != nil {
			f.failf("last claim: %w", err)
			return
		}
		f.found(before, o.History)
		f.compare(o.History)
	})
	f.sim.Run(time.Minute)
	if !over {
		f.failf("the last claim does not end")
	}
	count := len(f.acked)
	for _, me := range f.beliefs {
		me.p.Do(0, func() { f.burst(me) })
	}
	f.sim.Run(time.Minute)
	if len(f.acked) != count {
		f.failf("%d appends were acknowledged to owners that are none", len(f.acked)-count)
	}
}

func (f *fight) compare(final []string) {
	place := map[string]int{}
	for i, text := range final {
		if at, twice := place[text]; twice {
			f.failf("%s is there twice, at %d and %d", text, at, i)
		}
		var id, at int
		if _, err := fmt.Sscanf(text, "e%d@%d", &id, &at); err != nil || at != i {
			f.failf("%s is at place %d", text, i)
		}
		place[text] = i
	}
	for _, c := range f.claims {
		if len(c) > len(final) || !slices.Equal(c, final[:len(c)]) {
			f.failf("a claim found what is no beginning of the history")
		}
	}
	for _, b := range f.beliefs {
		at := -1
		for _, text := range b.list[b.from:] {
			i, ok := place[text]
			if ok && i < at {
				f.failf("%s is not in the order in which it was written", text)
			}
			at = max(at, i)
		}
	}
}
