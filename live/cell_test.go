package live_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/live"
)

// cell is a cluster with one image, on one thread and in virtual time: nodes with
// their own view of who owns the image, a room on each, activations of the image
// that may be stale, and the home that fences them. Everything that happens is
// drawn from rng, so a seed is one history.
type cell struct {
	t      fataler
	rng    *rand.Rand
	bug    string
	now    time.Time
	hash   uint64 // of all that happened
	image  actors.Key
	home   home
	nodes  []*place
	net    []parcel
	timers []*worldTimer
	asks   int
	cut    map[[2]int]bool // links that carry nothing
	store  map[int]bool    // nodes that the home does not hear
	fenced *fenced         // the home is a bucket; nil: home is all there is
}

// home is the durable log of the image: what was written, in order, and by which
// term it may be continued.
type home struct {
	term   int
	log    []record
	state  *state
	stored []time.Time // when each version was
}

// store makes a write a part of the history.
func (h *home) store(r record, now time.Time) {
	h.log = append(h.log, r)
	h.state.handle(r)
	for h.state.ver > int64(len(h.stored)) {
		h.stored = append(h.stored, now)
	}
}

// at returns the version that was stored before a time.
func (h *home) at(t time.Time) int64 {
	n, _ := slices.BinarySearchFunc(h.stored, t, time.Time.Compare)
	return int64(n)
}

// record is one write. An ask that is repeated has the same id.
type record struct {
	ask     string
	message actors.Message
}

// state is the image after some records.
type state struct {
	*owner
	verdicts map[string]outcome // of asks that are not idempotent
}

type outcome struct {
	answer    actors.Message
	published []actors.Message
	err       error
}

func newState(log []record) *state {
	s := &state{newOwner(), map[string]outcome{}}
	for _, r := range log {
		s.handle(r)
	}
	return s
}

func (s *state) handle(r record) outcome {
	if o, ok := s.verdicts[r.ask]; ok {
		return outcome{answer: o.answer, err: o.err}
	}
	var o outcome
	o.answer, o.published, o.err = s.receive(r.message)
	if i, ok := r.message.(actors.Idempotent); !ok || !i.Idempotent() {
		s.verdicts[r.ask] = o
	}
	return o
}

// place is one node.
type place struct {
	i     int
	view  int // who owns the image, as this node has it
	life  int // counts up when the node crashes
	owner *activation
	room  *live.Room
	host  *placeHost
	fencedPlace
}

// activation is the image's actor on a node.
type activation struct {
	term  int
	state *state
	feed  *live.TestFeed
	gate  []*waiting
	fencedActivation
}

// waiting is a turn that the home has not confirmed.
type waiting struct {
	record record
	writes bool
	outcome
	reply func(actors.Message, error)
	ready bool // a bucket has confirmed it
}

// parcel is something on its way between two nodes.
type parcel struct {
	what     string
	from, to int
	life     int // of the receiver
	deliver  func()
}

func newCell(t fataler, seed uint64, bug string, nodes int, opts live.Options) *cell {
	c := &cell{
		t: t, rng: rand.New(rand.NewPCG(seed, 0)), bug: bug, now: time.Unix(1_000_000, 0), image: canvas.Key("t", "i"),
		home: home{state: newState(nil)}, cut: map[[2]int]bool{}, store: map[int]bool{},
	}
	for i := range nodes {
		p := &place{i: i}
		c.nodes = append(c.nodes, p)
		c.boot(p, opts)
	}
	return c
}

// boot gives a node a new room.
func (c *cell) boot(p *place, opts live.Options) {
	p.life++
	p.owner = nil
	if c.fenced != nil {
		c.fenced.boot(p)
	}
	p.host = &placeHost{cell: c, place: p, life: p.life}
	p.room = live.NewTestRoom(p.host, opts)
}

func (c *cell) note(format string, args ...any) {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%x %d ", c.hash, c.now.UnixNano())
	_, _ = fmt.Fprintf(h, format, args...)
	c.hash = h.Sum64()
}

func (c *cell) send(what string, from, to int, deliver func()) {
	c.net = append(c.net, parcel{what: what, from: from, to: to, life: c.nodes[to].life, deliver: deliver})
}

// arrive delivers a parcel, unless it is lost on its way.
func (c *cell) arrive(i int, lost bool) {
	p := c.net[i]
	c.net = slices.Delete(c.net, i, i+1)
	lost = lost || c.cut[[2]int{p.from, p.to}] || c.nodes[p.to].life != p.life
	c.note("%s %d to %d lost %t", p.what, p.from, p.to, lost)
	if !lost {
		p.deliver()
	}
}

// ask takes a request to the owner, as a node's System does: again after a pause
// when it went to the wrong one, and again when nothing comes back.
func (c *cell) ask(from *place, r record, done func() bool, reply func(actors.Message, error)) {
	if done() || from.life != from.host.life {
		return
	}
	to := c.nodes[from.view]
	c.send("ask "+r.message.MessageName(), from.i, to.i, func() {
		c.deliver(to, r, func(m actors.Message, err error) {
			c.send("answer "+r.message.MessageName(), to.i, from.i, func() { reply(m, err) })
		}, func() {
			c.send("moved "+r.message.MessageName(), to.i, from.i, func() {
				c.after(50*time.Millisecond, func() { c.ask(from, r, done, reply) })
			})
		})
	})
	c.after(2*time.Second, func() { c.ask(from, r, done, reply) })
}

// deliver handles a request at a node that may own the image.
func (c *cell) deliver(p *place, r record, reply func(actors.Message, error), moved func()) {
	if p.view != p.i {
		moved()
		return
	}
	if p.owner == nil && c.fenced != nil {
		c.fenced.claim(p, func(err error) {
			if err != nil {
				reply(nil, errNoHome)
				return
			}
			c.deliver(p, r, reply, moved)
		})
		return
	}
	if p.owner == nil {
		if c.store[p.i] {
			reply(nil, errNoHome)
			return
		}
		c.home.term++
		c.note("claim %d by %d", c.home.term, p.i)
		p.owner = &activation{term: c.home.term, state: newState(c.home.log), feed: live.NewTestFeed(string(rune('a' + p.i)))}
	}
	a := p.owner
	if answer, tells, ok := a.feed.Receive(c.now, r.message); ok {
		c.tells(p, tells)
		reply(answer, nil)
		return
	}
	w := &waiting{record: r, writes: writes(r.message), outcome: a.state.handle(r), reply: reply}
	if c.bug == "early" {
		c.say(p, a, *w)
		w.reply, w.published = func(actors.Message, error) {}, nil
	}
	a.gate = append(a.gate, w)
	if c.fenced != nil {
		c.fenced.confirm(p, a, w)
	}
}

func writes(m actors.Message) bool {
	switch m := m.(type) {
	case canvas.Apply, canvas.Say:
		return true
	case canvas.Hello:
		return m.By.Role.AtLeast(easel.Annotator)
	default:
		return false
	}
}

// confirm lets the home look at the first turn of a node's activation that waits.
func (c *cell) confirm(p *place) {
	if c.fenced != nil {
		c.fenced.work()
		return
	}
	a := p.owner
	if a == nil || len(a.gate) == 0 || c.store[p.i] {
		return
	}
	w := a.gate[0]
	fenced := a.term != c.home.term && c.bug != "unfenced" && (w.writes || c.bug != "zombie")
	c.note("confirm %s of %d fenced %t", w.record.message.MessageName(), a.term, fenced)
	if fenced {
		c.drop(p)
		return
	}
	a.gate = a.gate[1:]
	if w.writes {
		c.home.store(w.record, c.now)
	}
	c.say(p, a, *w)
}

func (c *cell) say(p *place, a *activation, w waiting) {
	for _, m := range w.published {
		c.tells(p, a.feed.Published(c.now, m))
	}
	w.reply(w.answer, w.err)
}

// drop ends an activation that lost its ownership, or gave it up.
func (c *cell) drop(p *place) {
	a := p.owner
	p.owner = nil
	for _, w := range a.gate {
		w.reply(nil, easel.Errorf(easel.CodeUnavailable, "the outcome is unknown"))
	}
	if c.bug != "silent" {
		c.tells(p, a.feed.Leave())
	}
}

// tells puts what a feed sends on its way.
func (c *cell) tells(p *place, requests []actors.Request) {
	for _, r := range requests {
		to := c.nodes[int(r.Node[0]-'a')]
		if _, ok := r.Message.(canvas.Accepted); ok && c.bug == "forget" && to != p {
			continue
		}
		c.send("tell "+r.Message.MessageName(), p.i, to.i, func() { _, _ = to.room.Handle(r.Message) })
	}
}

// elect draws who owns the image in the eyes of a node, which is never one (-1:
// any).
func (c *cell) elect(never int) int {
	switch {
	case c.fenced != nil:
		return c.fenced.elect(never)
	case never < 0:
		return c.rng.IntN(len(c.nodes))
	default:
		return (never + 1) % len(c.nodes)
	}
}

// see gives a node another view.
func (c *cell) see(p *place, owner int) {
	c.note("%d sees %d", p.i, owner)
	p.view = owner
	if p.owner != nil && owner != p.i && len(p.owner.gate) == 0 {
		if c.fenced != nil {
			c.fenced.sync()
			p.owner.fencedActivation.term.Release(func(error) {})
		}
		c.drop(p) // released in peace
	}
	if c.bug != "silent" {
		_, _ = p.room.Handle(live.Moved{Owner: string(rune('a' + owner))})
	}
}

func (c *cell) after(d time.Duration, f func()) *worldTimer {
	t := &worldTimer{due: c.now.Add(d), f: f}
	c.timers = append(c.timers, t)
	return t
}

// tick moves the clock to the next timer and lets it ring; false: none.
func (c *cell) tick() bool {
	c.timers = slices.DeleteFunc(c.timers, func(t *worldTimer) bool { return t.stopped })
	var next *worldTimer
	if len(c.timers) > 0 {
		next = slices.MinFunc(c.timers, func(a, b *worldTimer) int { return a.due.Compare(b.due) })
	}
	if c.fenced != nil && c.fenced.tick(next) {
		return true
	}
	if next == nil {
		return false
	}
	if next.due.After(c.now) {
		c.now = next.due
	}
	c.note("tick")
	next.stopped = true
	next.f()
	return true
}

// run lets everything happen in its order, for d.
func (c *cell) run(d time.Duration) {
	end := c.now.Add(d)
	for {
		if len(c.net) > 0 {
			c.arrive(0, false)
			continue
		}
		worked := false
		for _, p := range c.nodes {
			for p.owner != nil && len(p.owner.gate) > 0 && !c.store[p.i] && c.fenced == nil {
				c.confirm(p)
				worked = true
			}
		}
		if worked {
			continue
		}
		due := func(t *worldTimer) bool { return !t.stopped && !t.due.After(end) }
		if !slices.ContainsFunc(c.timers, due) && (c.fenced == nil || !c.fenced.due(end)) {
			c.now = end
			return
		}
		c.tick()
	}
}

// batch returns the ops of a version as the home has them; "": it has none.
func (h *home) batch(ver int64) string {
	if ver < 1 || ver > int64(len(h.state.log)) {
		return ""
	}
	b, _ := json.Marshal(h.state.log[ver-1].Ops)
	return string(b)
}

// placeHost is what a room of a cell lives in.
type placeHost struct {
	cell  *cell
	place *place
	life  int
}

func (h *placeHost) Self() actors.Ref {
	return actors.Ref{Node: string(rune('a' + h.place.i)), Key: live.Key(h.cell.image)}
}

func (h *placeHost) Now() time.Time { return h.cell.now }

// Tell implements live.Host: once more if it went to the wrong node.
func (h *placeHost) Tell(r actors.Request) {
	c := h.cell
	again := func() {
		to := c.nodes[h.place.view]
		c.send("tell again "+r.Message.MessageName(), h.place.i, to.i, func() {
			c.deliver(to, record{message: r.Message}, func(actors.Message, error) {}, func() {})
		})
	}
	to := c.nodes[h.place.view]
	c.send("tell "+r.Message.MessageName(), h.place.i, to.i, func() {
		c.deliver(to, record{message: r.Message}, func(actors.Message, error) {}, func() { c.after(10*time.Millisecond, again) })
	})
}

// Ask implements live.Host. What was withdrawn is not repeated, but what is on its
// way arrives.
func (h *placeHost) Ask(r actors.Request, timeout time.Duration, then func(actors.Message, error)) (withdraw func()) {
	c := h.cell
	c.asks++
	answered := false
	finish := func(m actors.Message, err error) {
		if !answered && h.place.life == h.life {
			answered = true
			then(m, err)
		}
	}
	stop := h.After(timeout, func() { finish(nil, easel.Errorf(easel.CodeUnavailable, "no answer in time")) })
	c.ask(h.place, record{fmt.Sprint("ask", c.asks), r.Message}, func() bool { return answered || h.place.life != h.life }, finish)
	return func() {
		stop()
		answered = true
	}
}

// After implements live.Host.
func (h *placeHost) After(d time.Duration, f func()) (stop func()) {
	t := h.cell.after(d, func() {
		if h.place.life == h.life {
			f()
		}
	})
	return func() { t.stopped = true }
}
