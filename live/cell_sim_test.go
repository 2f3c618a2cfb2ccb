package live_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/live"
)

var cellSeeds = flag.Int("live.seeds", 1000, "histories of TestRoomsFollowTheirImage")

// TestRoomsFollowTheirImage lets clients, rooms and owners live through moves,
// crashes, two owners at once, partitions and losses, in any order. No client is
// ever shown what is not durable, nor a gap or a repeat; each op has one verdict;
// and as soon as nodes agree, everybody follows within a second, without having to
// wait until rooms attach again by themselves.
func TestRoomsFollowTheirImage(t *testing.T) {
	for seed := range uint64(*cellSeeds) {
		if _, err := history(seed, ""); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func TestHistoryIsItsSeed(t *testing.T) {
	for seed := range uint64(20) {
		a, _ := history(seed, "")
		b, _ := history(seed, "")
		if a != b || a == 0 {
			t.Fatalf("seed %d: %x and %x", seed, a, b)
		}
	}
}

// TestSimulationNotices plants faults in the cluster around the rooms.
func TestSimulationNotices(t *testing.T) {
	for _, bug := range []string{
		"early",    // an owner shows what the home has not confirmed
		"unfenced", // a stale owner may still write
		"forget",   // the feed does not tell other nodes of batches
		"silent",   // nobody tells rooms that their image has moved
		"zombie",   // a stale owner may still answer reads
	} {
		t.Run(bug, func(t *testing.T) {
			for seed := range uint64(300) {
				if _, err := history(seed, bug); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Fatal("the simulation noticed nothing")
		})
	}
}

// wrong ends a history.
type wrong struct{ message string }

func (w wrong) Error() string { return w.message }

type judge struct{}

func (judge) Helper()                           {}
func (judge) Fatalf(format string, args ...any) { panic(wrong{fmt.Sprintf(format, args...)}) }

// history runs one seed, and returns the hash of what happened.
func history(seed uint64, bug string) (hash uint64, err error) {
	c := newCell(judge{}, seed, bug, 3, live.Options{})
	opts := live.Options{RingNodes: 2 + c.rng.IntN(40)}
	for _, p := range c.nodes {
		c.boot(p, opts)
	}
	defer func() {
		hash = c.hash
		if w, ok := recover().(wrong); ok {
			err = w
		}
	}()
	c.play(opts, 50+c.rng.IntN(250))
	return c.hash, nil
}

// play is what happens in a cell: some steps of troubles, and peace.
func (c *cell) play(opts live.Options, steps int) {
	crowd := &crowd{cell: c, opts: opts, on: map[*simClient]*place{}}
	for i := range 4 {
		crowd.add(string(rune('w' + i)))
	}
	for range steps {
		crowd.step()
	}
	crowd.heal()
	crowd.compare()
	crowd.move()
	crowd.compare()
}

// crowd is the clients of a cell.
type crowd struct {
	*cell
	opts    live.Options
	clients []*simClient
	on      map[*simClient]*place
	ids     []string
}

func (w *crowd) add(name string) {
	s := &simClient{t: w.t, name: name, boxes: map[easel.ID]int64{}, acked: map[int64]bool{}}
	s.seen = func(ver int64, ops []easel.Effect) {
		b, _ := json.Marshal(ops)
		w.note("%s sees %d", name, ver)
		if want := w.home.batch(ver); string(b) != want {
			w.t.Fatalf("%s is shown version %d as %s, the home has %q", name, ver, b, want)
		}
	}
	w.clients = append(w.clients, s)
}

func (w *crowd) connect(s *simClient, p *place) {
	w.on[s] = p
	s.connect(p.room)
}

func (w *crowd) op(s *simClient) {
	if len(w.ids) == 0 || w.rng.IntN(3) == 0 {
		id := fmt.Sprintf("%032x", w.rng.Uint32())
		w.ids = append(w.ids, id)
		s.op(`{"k":"put","id":"` + id + `","annotation":{"label":"a","x":0,"y":0,"width":0.5,"height":0.5}}`)
		return
	}
	id := w.ids[w.rng.IntN(len(w.ids))]
	if w.rng.IntN(4) == 0 {
		s.op(`{"k":"del","id":"` + id + `"}`)
		return
	}
	s.op(`{"k":"patch","id":"` + id + `","set":{"label":"b"}}`)
}

// read looks at a node's copy: it shows all that was stored longer ago than its
// age, as the home has it.
func (w *crowd) read(p *place) {
	v := p.room.Glance(live.Position{}, "")
	w.note("read at %d: %d", p.i, v.Ver)
	if !v.Good() {
		return
	}
	if least := w.home.at(w.now.Add(-v.Age)); v.Ver < least || v.Age > live.MaxAge {
		w.t.Fatalf("node %d reads version %d, %s old: version %d was stored before that", p.i, v.Ver, v.Age, least)
	}
	then := newOwner()
	for _, b := range w.home.state.log[:v.Ver] {
		for i, e := range b.Ops {
			if e.Annotation == nil {
				delete(then.boxes, e.ID)
				continue
			}
			if _, ok := then.boxes[e.ID]; !ok {
				then.places[e.ID] = [2]int64{b.Ver, int64(i)}
			}
			then.boxes[e.ID] = *e.Annotation
		}
	}
	list, err := v.List(canvas.List{})
	if want := then.list(v.Ver); err != nil || string(list.Body) != want {
		w.t.Fatalf("node %d reads version %d as %s, the home has %s: %v", p.i, v.Ver, list.Body, want, err)
	}
}

// step is one thing that happens.
func (w *crowd) step() {
	s, p := w.clients[w.rng.IntN(len(w.clients))], w.nodes[w.rng.IntN(len(w.nodes))]
	switch n := w.rng.IntN(100); {
	case n < 8:
		if s.session == nil {
			w.connect(s, p)
		}
	case n < 26:
		w.op(s)
	case n < 27:
		s.disconnect()
	case n < 33:
		s.read(1 + w.rng.IntN(3000))
	case n < 43:
		w.tick()
	case n < 58:
		w.confirm(p)
	case n < 61: // a view of its own: two owners at once, or none
		w.see(p, w.elect(-1))
	case n < 63: // all agree
		owner := w.elect(-1)
		for _, p := range w.nodes {
			w.see(p, owner)
		}
	case n < 64: // crash
		w.note("crash of %d", p.i)
		for _, s := range w.clients {
			if w.on[s] == p && s.session != nil {
				s.lost()
			}
		}
		w.boot(p, w.opts)
	case n < 65: // partition, in one direction or both
		o := w.rng.IntN(len(w.nodes))
		w.cut[[2]int{p.i, o}] = o != p.i
		w.cut[[2]int{o, p.i}] = o != p.i && w.rng.IntN(2) == 0
	case n < 66:
		clear(w.cut)
		clear(w.store)
	case n < 67: // away from the home
		w.store[p.i] = true
	case n < 72:
		w.read(p)
	case len(w.net) > 0:
		i := 0
		if w.rng.IntN(4) == 0 {
			i = w.rng.IntN(len(w.net))
		}
		w.arrive(i, w.rng.IntN(15) == 0)
	}
}

// heal ends all faults and waits until nobody waits for anything.
func (w *crowd) heal() {
	w.note("heal")
	clear(w.cut)
	clear(w.store)
	if w.fenced != nil {
		w.fenced.calm = true
		w.fenced.sync()
	}
	owner := w.elect(-1)
	for _, p := range w.nodes {
		w.see(p, owner)
	}
	wrote := map[*simClient]int{} // by which connection
	for range 60 {
		for i, s := range w.clients {
			if s.session == nil {
				w.connect(s, w.nodes[i%len(w.nodes)])
			}
			w.run(time.Second)
			s.read(1 << 20)
		}
		if !w.settled() {
			continue
		}
		// A hello of an earlier connection may have come last: then the newest is
		// told when it writes, and the client comes back.
		done := true
		for _, s := range w.clients {
			if wrote[s] != s.conns {
				wrote[s], done = s.conns, false
				w.op(s)
			}
		}
		if done {
			return
		}
	}
	for _, s := range w.clients {
		w.t.Fatalf("%s did not settle: session %t started %t version %d of %d, %d unanswered; %s", s.name, s.session != nil,
			s.started, s.ver, w.home.state.ver, len(s.unacked), w.on[s].room.State())
	}
}

func (w *crowd) settled() bool {
	for _, s := range w.clients {
		if s.session == nil || !s.started || s.partial || len(s.unacked) > 0 || s.ver != w.home.state.ver {
			return false
		}
	}
	return true
}

// move gives the image another owner, in peace or by a crash, and expects that
// everyone sees what one of them does then, soon.
func (w *crowd) move() {
	w.run(10 * time.Second)
	from := w.nodes[w.nodes[0].view]
	to := w.nodes[w.elect(from.i)]
	if w.rng.IntN(2) == 0 {
		from.owner = nil // dropped without a word, as by a crash of the process
	}
	for _, p := range w.nodes {
		w.see(p, to.i)
	}
	w.run(500 * time.Millisecond)
	for range 3 {
		s := w.clients[w.rng.IntN(len(w.clients))]
		w.op(s)
		w.run(300 * time.Millisecond)
	}
	w.run(time.Second)
	for _, s := range w.clients {
		s.read(1 << 20)
	}
	if !w.settled() {
		for _, s := range w.clients {
			if s.ver != w.home.state.ver || len(s.unacked) > 0 {
				w.t.Fatalf("%s is at version %d of %d with %d unanswered a second after a move", s.name, s.ver, w.home.state.ver, len(s.unacked))
			}
		}
		w.t.Fatalf("not settled a second after a move")
	}
}

// compare looks at what everybody has.
func (w *crowd) compare() {
	want := map[easel.ID]int64{}
	for id, a := range w.home.state.boxes {
		want[id] = a.Rev
	}
	for _, s := range w.clients {
		if diff := cmp.Diff(want, s.boxes); diff != "" {
			w.t.Fatalf("%s at %d of %d (-home +client):\n%s", s.name, s.ver, w.home.state.ver, diff)
		}
		last := w.home.state.clients[[2]string{"u", s.name}].last
		if last != s.seq || int64(len(s.acked)) != s.seq {
			w.t.Fatalf("%s: sent %d, consumed %d, verdicts %d", s.name, s.seq, last, len(s.acked))
		}
	}
}
