package live

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// roomCore is the state of a Room: who is there, a copy of the image at a known
// version, and the stream that everyone reads. See effect for how it works.
type roomCore struct {
	opts  Options
	self  actors.Ref
	image actors.Key

	members []*member // in order of arrival
	byConn  map[string]*member
	buckets map[clientID]*bucket // ops of clients, also of those just gone
	ops     bucket               // of the image
	remote  []remoteRoom
	others  int // other rooms of the image

	sync     syncState
	stream   *stream
	life     int64 // names the room among those at the same place, one after the other
	flushing bool  // a timer for presence runs
	emptied  int   // how often the room became empty, to know stale timers
	finished bool  // nobody is there, and the feed knows; so it begins
	out      []effect
}

type clientID struct{ user, client string }

// phase is how far a member has come.
type phase uint8

const (
	strange  phase = iota // has not said hello
	greeting              // the image is asked
	waiting               // for the room to reach the version that the image told
	fetching              // the batches it missed
	present
)

// member is one session in the room.
type member struct {
	conn   string
	who    easel.Principal
	name   string
	client string
	listen bool // SSE
	phase  phase
	since  *Position
	reply  canvas.HelloReply
	asked  time.Time // when it said hello

	state  json.RawMessage // presence
	shown  time.Time
	due    bool // state is newer than what was shown
	frames bucket
	ops    *bucket

	queue   []*unanswered // op frames, in order
	stalled bool          // the queue waits to be sent again
	patient bool          // because the image could not be reached, so after a pause
	done    int64         // newest seq that the image has consumed, as far as it said
	retries int
}

type remoteRoom struct {
	ref   actors.Ref
	peers []Peer
}

func newRoomCore(self actors.Ref, opts Options) *roomCore {
	opts = opts.withDefaults()
	return &roomCore{
		opts: opts, self: self, image: imageKey(self.Key),
		byConn: map[string]*member{}, buckets: map[clientID]*bucket{},
		ops: newBucket(opts.Limits.ImageOps, opts.Limits.ImageOps), finished: true,
	}
}

func (r *roomCore) do(e effect) { r.out = append(r.out, e) }

func (r *roomCore) done() []effect {
	out := r.out
	r.out = nil
	return out
}

func (r *roomCore) ask(m actors.Message, timeout time.Duration, f then) {
	r.do(askEffect{to: r.image, message: m, timeout: timeout, then: f})
}

func (r *roomCore) after(d time.Duration, f func(now time.Time)) {
	r.do(timerEffect{after: d, then: func(now time.Time, _ actors.Message, _ error) []effect {
		f(now)
		return r.done()
	}})
}

func (r *roomCore) post(m *member, f Frame) {
	r.do(postEffect{conn: m.conn, item: Item{Frame: f, Ver: r.sync.ver}})
}

// broadcast appends an item to everyone's stream.
func (r *roomCore) broadcast(it Item) {
	if r.stream == nil {
		return
	}
	r.stream.append(it)
	if n := len(r.out); n > 0 {
		if _, ok := r.out[n-1].(advanceEffect); ok {
			r.out = r.out[:n-1]
		}
	}
	r.do(advanceEffect{r.stream.tail})
}

// enter brings a session in. It then has to say hello, or listens at once.
func (r *roomCore) enter(now time.Time, m enter) ([]effect, error) {
	if len(r.members) >= r.opts.Limits.Sockets {
		return nil, slow("the image has too many connections", time.Second)
	}
	mb := &member{
		conn: m.session.conn, who: m.who, name: m.who.Name, listen: m.listen, since: m.since,
		frames: newBucket(r.opts.Limits.Presence, r.opts.Limits.Presence),
	}
	if mb.name == "" {
		mb.name = mb.who.User
	}
	r.members = append(r.members, mb)
	r.byConn[mb.conn] = mb
	if r.finished {
		r.finished = false
		r.sync.beating = false
		r.life = max(r.life+1, now.UnixNano())
	}
	r.connect(now)
	if m.listen {
		mb.phase = waiting
		r.settle(now)
	}
	return r.done(), nil
}

// leave takes a session out, if it is still there.
func (r *roomCore) leave(now time.Time, conn string) []effect {
	if m := r.byConn[conn]; m != nil {
		r.remove(now, m)
	}
	return r.done()
}

func (r *roomCore) remove(now time.Time, m *member) {
	delete(r.byConn, m.conn)
	r.members = slices.DeleteFunc(r.members, func(o *member) bool { return o == m })
	m.queue = nil
	if m.phase == present && !m.listen {
		r.farewell(m.conn)
		r.tellOthers(People{Room: r.self, Left: []string{m.conn}})
	}
	if len(r.members) > 0 {
		return
	}
	r.emptied++
	stamp := r.emptied
	r.after(r.opts.Linger, func(time.Time) {
		if len(r.members) == 0 && r.emptied == stamp {
			r.finished = true
			r.do(tellEffect{to: r.image, message: Detach{Room: r.self, Life: r.life}})
		}
	})
}

// expel ends a session from the room's side.
func (r *roomCore) expel(now time.Time, m *member, c Close) {
	r.remove(now, m)
	r.do(closeEffect{conn: m.conn, close: c})
}

// renew changes who a session speaks for: another role, another expiry.
func (r *roomCore) renew(_ time.Time, m renewed) []effect {
	if mb := r.byConn[m.conn]; mb != nil {
		mb.who = m.who
	}
	return r.done()
}

// said handles one frame of a client. An error means that the session is not of
// this room, which may have been restarted.
func (r *roomCore) said(now time.Time, s said) ([]effect, error) {
	m := r.byConn[s.conn]
	if m == nil {
		return nil, easel.Errorf(easel.CodeNotFound, "no such session")
	}
	switch f := s.frame; {
	case f.Bad != nil:
		r.post(m, errorFrame(f.Bad))
	case f.Hello != nil:
		r.hello(now, m, *f.Hello)
	case m.phase == strange && f.Op != nil:
		// Without a client there is nobody whose seq could be consumed.
		r.post(m, rej(f.Op.Seq, easel.Errorf(easel.CodeOverloaded, "say hello first")))
	case m.phase == strange:
		r.post(m, errorFrame(easel.Errorf(easel.CodeBadRequest, "say hello first")))
	case f.Op != nil:
		r.op(now, m, *f.Op)
	case f.Type == TypePresence:
		r.presence(now, m, f.Presence)
	case f.Type == TypeChat:
		r.chat(now, m, f.Text)
	}
	return r.done(), nil
}

// chat stores a message; it comes back to everyone through the feed.
func (r *roomCore) chat(now time.Time, m *member, text string) {
	if !m.who.Role.AtLeast(easel.Annotator) {
		r.post(m, errorFrame(easel.Errorf(easel.CodeForbidden, "a viewer may not chat")))
		return
	}
	if wait := m.ops.take(now, 1); wait > 0 {
		r.post(m, errorFrame(slow("too many messages", wait)))
		return
	}
	conn := m.conn
	r.ask(canvas.Say{By: m.author(), Text: text}, opTimeout, func(_ time.Time, _ actors.Message, err error) []effect {
		if m := r.byConn[conn]; m != nil && err != nil {
			r.post(m, errorFrame(asError(err)))
		}
		return r.done()
	})
}

// receive handles what the feed sends.
func (r *roomCore) receive(now time.Time, m actors.Message) []effect {
	if r.finished {
		// It was meant for an earlier room here, of which the feed still knows.
		r.do(tellEffect{to: r.image, message: Detach{Room: r.self, Life: now.UnixNano()}})
		return r.done()
	}
	switch m := m.(type) {
	case canvas.Accepted:
		r.take(now, m.Batch, m.Encoded)
	case canvas.ImageChanged:
		if m.Image.DeletedAt != 0 {
			r.sync.doubt()
		}
		r.broadcast(Item{Frame: imageFrame(m.Image), Kind: KindNotice, Ver: r.sync.ver})
	case canvas.Chatted:
		r.broadcast(Item{Frame: chat(m.Message), Kind: KindNotice, Ver: r.sync.ver})
	case canvas.Replaced:
		if mb := r.byConn[m.Conn]; mb != nil {
			r.expel(now, mb, CloseReplaced)
		}
	case Moved:
		r.moved(now, m)
	case Arrival:
		r.supersede(now, clientID{m.User, m.Client}, m.Conn, introducedBefore)
	case Census:
		r.census(m)
	case People:
		r.people(m)
	}
	return r.done()
}

func (m *member) author() canvas.Author {
	return canvas.Author{User: m.who.User, Name: m.name, Role: m.who.Role}
}
