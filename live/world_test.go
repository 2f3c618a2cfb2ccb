package live_test

import (
	"slices"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/live"
)

// world runs rooms, a feed and an owner on one thread and in virtual time. What
// travels between them is a list, from which a test picks what arrives next.
type world struct {
	now    time.Time
	image  actors.Key
	owner  *owner
	feed   *live.TestFeed
	rooms  []*live.Room
	hosts  []*worldHost
	net    []travelling
	timers []*worldTimer
}

// travelling is something on its way; deliver makes it arrive. What is asked may fail
// instead: the image cannot be reached.
type travelling struct {
	what    string
	deliver func()
	fail    func()
}

type worldTimer struct {
	due     time.Time
	f       func()
	stopped bool
}

func newWorld(rooms int, opts live.Options) *world {
	w := &world{
		now: time.Unix(1_000_000, 0), image: canvas.Key("t", "i"), owner: newOwner(), feed: &live.TestFeed{},
	}
	for i := range rooms {
		h := &worldHost{world: w, ref: actors.Ref{Node: string(rune('a' + i)), Key: live.Key(w.image)}}
		w.hosts = append(w.hosts, h)
		w.rooms = append(w.rooms, live.NewTestRoom(h, opts))
	}
	return w
}

// restart is the owner moving: its feed is new and knows no room.
func (w *world) restart() {
	w.now = w.now.Add(time.Nanosecond)
	w.feed = &live.TestFeed{}
}

func (w *world) send(what string, deliver func()) {
	w.net = append(w.net, travelling{what: what, deliver: deliver})
}

// arrive delivers, or loses, what travels at place i.
func (w *world) arrive(i int, lost bool) {
	t := w.net[i]
	w.net = slices.Delete(w.net, i, i+1)
	if !lost {
		t.deliver()
	}
}

// tells puts what a feed sends on its way.
func (w *world) tells(requests []actors.Request) {
	for _, r := range requests {
		for i, h := range w.hosts {
			if h.ref.Node == r.Node {
				w.send("tell "+r.Message.MessageName(), func() { _, _ = w.rooms[i].Handle(r.Message) })
			}
		}
	}
}

// image handles a message at the owner.
func (w *world) atOwner(m actors.Message) (actors.Message, error) {
	if answer, tells, ok := w.feed.Receive(w.now, m); ok {
		w.tells(tells)
		return answer, nil
	}
	answer, published, err := w.owner.receive(m)
	for _, p := range published {
		w.tells(w.feed.Published(w.now, p))
	}
	return answer, err
}

// tick moves the clock to the next timer and lets it ring; false: none.
func (w *world) tick() bool {
	w.timers = slices.DeleteFunc(w.timers, func(t *worldTimer) bool { return t.stopped })
	if len(w.timers) == 0 {
		return false
	}
	next := slices.MinFunc(w.timers, func(a, b *worldTimer) int { return a.due.Compare(b.due) })
	if next.due.After(w.now) {
		w.now = next.due
	}
	next.stopped = true
	next.f()
	return true
}

// run lets everything arrive and time pass for d.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for {
		if len(w.net) > 0 {
			w.arrive(0, false)
			continue
		}
		due := func(t *worldTimer) bool { return !t.stopped && !t.due.After(end) }
		if !slices.ContainsFunc(w.timers, due) {
			w.now = end
			return
		}
		w.tick()
	}
}

// flow lets everything arrive that travels, without time passing.
func (w *world) flow() { w.run(0) }

type worldHost struct {
	world *world
	ref   actors.Ref
}

func (h *worldHost) Self() actors.Ref { return h.ref }
func (h *worldHost) Now() time.Time   { return h.world.now }

func (h *worldHost) Tell(r actors.Request) {
	h.world.send("tell "+r.Message.MessageName(), func() { _, _ = h.world.atOwner(r.Message) })
}

func (h *worldHost) Ask(r actors.Request, timeout time.Duration, then func(actors.Message, error)) (withdraw func()) {
	w := h.world
	answered, withdrawn := false, false
	finish := func(m actors.Message, err error) {
		if !answered {
			answered = true
			then(m, err)
		}
	}
	stop := h.After(timeout, func() { finish(nil, easel.Errorf(easel.CodeUnavailable, "no answer in time")) })
	w.send("ask "+r.Message.MessageName(), func() {
		if withdrawn {
			return
		}
		m, err := w.atOwner(r.Message)
		w.send("answer "+r.Message.MessageName(), func() {
			stop()
			finish(m, err)
		})
	})
	w.net[len(w.net)-1].fail = func() {
		stop()
		finish(nil, easel.Errorf(easel.CodeUnavailable, "it moves"))
	}
	return func() {
		stop()
		answered, withdrawn = true, true
	}
}

func (h *worldHost) After(d time.Duration, f func()) (stop func()) {
	t := &worldTimer{due: h.world.now.Add(d), f: f}
	h.world.timers = append(h.world.timers, t)
	return func() { t.stopped = true }
}
