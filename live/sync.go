package live

import (
	"encoding/json"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// How a room keeps its copy of the image.
const (
	attachTimeout = 3 * time.Second
	pullTimeout   = 5 * time.Second
	pullRetry     = 250 * time.Millisecond
	// patience is how long a batch that must exist may be on its way before the
	// room asks for it.
	patience = 100 * time.Millisecond
	mostHeld = 4096 // batches that wait for one before them
)

// syncState is a room's copy of the image and how far it is.
//
// A copy starts with pages, each of which shows the image at its own, later
// version; it counts from the version of the first, and is whole once the
// batches up to the version of the last have been applied on top.
type syncState struct {
	epoch   string
	ver     int64
	whole   int64    // the copy is one version of the image from here on
	replica *replica // nil until the first page came
	held    map[int64]canvas.Accepted
	known   int64     // newest version heard of
	feed    int64     // the feed that was last heard of
	node    string    // where it is
	asked   time.Time // when the room attached last, with or without success
	beats   int       // attachments begun, so that only the newest goes on

	proof   proof
	current time.Time // when the copy was, at least, all that there was; zero: not known
	looking bool      // the image is asked how far it is
	looked  time.Time // when it was last

	beating bool // attached, or about to be
	paging  bool
	pulling bool
	again   bool // what is being pulled was asked for too early
	timing  bool // a timer of patience runs
}

func (s *syncState) live() bool { return s.replica != nil && !s.paging && s.ver >= s.whole }

// connect attaches to the feed and keeps attaching while the room lives.
func (r *roomCore) connect(now time.Time) {
	if r.sync.beating {
		return
	}
	r.sync.beating = true
	r.beat(now)
}

func (r *roomCore) beat(now time.Time) {
	if r.finished {
		return
	}
	r.sync.beats++
	r.sync.asked = now
	stamp := r.sync.beats
	m := Attach{Room: r.self, Life: r.life, Epoch: r.sync.epoch, Ver: -1}
	if r.sync.replica != nil {
		m.Ver = r.sync.ver
	}
	r.ask(m, attachTimeout, func(now time.Time, answer actors.Message, err error) []effect {
		reply, ok := answer.(Attached)
		switch {
		case err == nil && ok:
			r.attached(now, reply)
			r.beatAfter(beatEvery, stamp)
		case stamp != r.sync.beats:
		case easel.CodeOf(err).Temporary() || err == nil:
			r.beatAfter(pullRetry, stamp)
		default:
			r.fail(now, err)
		}
		return r.done()
	})
}

// beatAfter attaches again after d, unless the room does so before.
func (r *roomCore) beatAfter(d time.Duration, stamp int) {
	r.after(d, func(now time.Time) {
		if stamp == r.sync.beats {
			r.beat(now)
		}
	})
}

// moved attaches at once if the feed that the room is attached to has ended or is
// not where the image belongs.
func (r *roomCore) moved(now time.Time, m Moved) {
	switch {
	case !r.sync.beating, m.Feed != 0 && m.Feed != r.sync.feed, m.Owner != "" && m.Owner == r.sync.node:
		return
	}
	// Two nodes that both take themselves for the owner must not be made to take
	// the image from each other as fast as they can.
	if wait := pullRetry - now.Sub(r.sync.asked); wait > 0 {
		r.beatAfter(wait, r.sync.beats)
		return
	}
	r.beat(now)
}

func (r *roomCore) attached(now time.Time, m Attached) {
	r.census(Census{Others: m.Others})
	for _, b := range m.Batches {
		r.take(now, b, nil)
	}
	switch fresh := m.Feed != r.sync.feed; {
	case r.sync.replica == nil && !r.sync.paging:
		r.page(now, "")
	case fresh:
		r.pull()
	}
	r.sync.feed, r.sync.node = m.Feed, m.Node
	r.expect(now, m.Ver)
	r.sweep(now)
}

// sweep forgets the buckets of clients that have left: they are full again.
func (r *roomCore) sweep(now time.Time) {
	here := make(map[clientID]bool, len(r.members))
	for _, m := range r.members {
		here[clientID{m.who.User, m.client}] = true
	}
	for id, b := range r.buckets {
		if !here[id] && now.Sub(b.at) > beatEvery {
			delete(r.buckets, id)
		}
	}
}

// fail ends everyone who waits for an image that cannot be had.
func (r *roomCore) fail(now time.Time, err error) {
	r.sync.beating = false
	for len(r.members) > 0 {
		r.expel(now, r.members[0], closeFor(err))
	}
}

// page pulls the image, page by page.
func (r *roomCore) page(now time.Time, after easel.ID) {
	r.sync.paging = true
	r.ask(canvas.Page{After: after}, pullTimeout, func(now time.Time, answer actors.Message, err error) []effect {
		reply, ok := answer.(canvas.PageReply)
		switch {
		case err == nil && ok:
			r.paged(now, after, reply)
		case easel.CodeOf(err).Temporary() || err == nil:
			r.after(pullRetry, func(now time.Time) { r.page(now, after) })
		default:
			r.sync.paging = false
			r.fail(now, err)
		}
		return r.done()
	})
}

func (r *roomCore) paged(now time.Time, after easel.ID, m canvas.PageReply) {
	s := &r.sync
	if after == "" {
		s.replica, s.epoch, s.ver = newReplica(), m.Epoch, m.Ver
		r.stream = newStream(m.Ver, ring{r.opts.RingNodes, r.opts.RingBytes})
	}
	if m.Epoch != s.epoch {
		s.replica = nil
		r.page(now, "")
		return
	}
	s.replica.unordered = s.replica.unordered || len(m.Places) != len(m.Annotations)
	for i := range m.Annotations {
		var place [2]int64
		if i < len(m.Places) {
			place = m.Places[i]
		}
		s.replica.put(&m.Annotations[i], place)
	}
	s.whole = max(s.whole, m.Ver)
	if m.More && len(m.Annotations) > 0 {
		r.page(now, m.Annotations[len(m.Annotations)-1].ID)
		return
	}
	s.paging = false
	r.drain(now)
	if s.ver < s.whole || s.again {
		r.pull()
	}
	r.expect(now, s.known)
}

// learn compares with what an answer of the image says of it.
func (r *roomCore) learn(now time.Time, epoch string, ver int64) {
	if r.sync.live() && epoch != r.sync.epoch {
		r.reset(now)
		return
	}
	r.expect(now, ver)
}

// expect notes that the image has reached ver. If the batches do not come by
// themselves, the room asks for them.
func (r *roomCore) expect(_ time.Time, ver int64) {
	s := &r.sync
	s.known = max(s.known, ver)
	if s.replica == nil || s.paging || s.ver >= s.known || s.timing {
		return
	}
	s.timing = true
	r.after(patience, func(now time.Time) {
		s.timing = false
		if s.replica != nil && !s.paging && s.ver < s.known {
			r.pull()
		}
	})
}

// take handles one batch, whatever its order. Batches that the room has are
// dropped, those that come too early are held.
func (r *roomCore) take(now time.Time, b easel.Batch, encoded json.RawMessage) {
	s := &r.sync
	if s.replica != nil && b.Ver <= s.ver {
		return
	}
	s.known = max(s.known, b.Ver)
	if s.replica == nil || s.paging || b.Ver > s.ver+1 {
		if s.held == nil {
			s.held = map[int64]canvas.Accepted{}
		}
		if len(s.held) < mostHeld {
			s.held[b.Ver] = canvas.Accepted{Batch: b, Encoded: encoded}
		}
		if s.replica != nil && !s.paging {
			r.pull()
		}
		return
	}
	r.apply(b, encoded)
	r.drain(now)
}

func (r *roomCore) apply(b easel.Batch, encoded json.RawMessage) {
	r.sync.replica.apply(b)
	r.sync.ver = b.Ver
	r.broadcast(Item{Frame: opsFrame(b, encoded), Kind: KindOps, Ver: b.Ver})
}

// drain applies what was held for the batches before it.
func (r *roomCore) drain(now time.Time) {
	s := &r.sync
	for {
		a, ok := s.held[s.ver+1]
		if !ok {
			break
		}
		delete(s.held, s.ver+1)
		r.apply(a.Batch, a.Encoded)
	}
	s.prove()
	if len(s.held) > 0 {
		for ver := range s.held {
			if ver <= s.ver {
				delete(s.held, ver)
			}
		}
	}
	r.settle(now)
}

// pull asks the image for the batches that the room lacks.
func (r *roomCore) pull() {
	s := &r.sync
	if s.pulling || s.replica == nil {
		s.again = true
		return
	}
	s.pulling, s.again = true, false
	since := s.ver
	r.ask(canvas.Log{Since: since}, pullTimeout, func(now time.Time, answer actors.Message, err error) []effect {
		s.pulling = false
		reply, ok := answer.(canvas.LogReply)
		switch {
		case s.replica == nil || s.paging:
			s.again = true
		case err == nil && ok:
			r.pulled(now, since, reply)
		case easel.CodeOf(err).Temporary() || err == nil:
			s.pulling = true
			r.after(pullRetry, func(time.Time) {
				s.pulling = false
				r.pull()
			})
		default:
			r.fail(now, err)
		}
		return r.done()
	})
}

func (r *roomCore) pulled(now time.Time, since int64, m canvas.LogReply) {
	s := &r.sync
	switch {
	case m.Epoch != s.epoch:
		r.reset(now)
		return
	case m.Ver < since:
		r.do(alarmEffect{"room is ahead of its image"})
		r.reset(now)
		return
	case len(m.Batches) > 0 && m.Batches[0].Ver > s.ver+1:
		r.reset(now) // the log no longer reaches back to us
		return
	}
	for _, b := range m.Batches {
		if b.Ver == s.ver+1 {
			r.apply(b, nil)
		}
	}
	r.drain(now)
	switch {
	case s.again || s.ver < m.Ver && len(m.Batches) > 0:
		r.pull() // a reply holds only so much
	case s.ver < s.known:
		s.known = max(s.ver, m.Ver) // what was heard of does not exist, or not yet
		r.expect(now, m.Ver)
	}
}

// reset throws the copy away and starts over. Who had begun to read it comes
// back and gets a snapshot.
func (r *roomCore) reset(now time.Time) {
	r.sync.replica, r.sync.held, r.sync.whole, r.sync.known = nil, nil, 0, 0
	r.sync.doubt()
	for _, m := range append([]*member(nil), r.members...) {
		switch m.phase {
		case present:
			r.remove(now, m)
			r.do(closeEffect{conn: m.conn, close: CloseDraining, reason: "resync"})
		case fetching:
			m.phase = waiting
		}
	}
	r.stream = nil
	if !r.sync.paging {
		r.page(now, "")
	}
}
