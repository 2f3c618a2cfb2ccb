package live

import (
	"slices"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// How a member is brought up to date.
const (
	helloTimeout = 5 * time.Second
	helloRetry   = 250 * time.Millisecond
	helloFor     = 10 * time.Second // then the socket is closed, to come back
	mostMissed   = 4 << 20          // bytes of missed batches; beyond, a snapshot is cheaper
)

// hello asks the image who this client is. From the image's answer on, nothing
// of the client's earlier connections is applied.
func (r *roomCore) hello(now time.Time, m *member, f HelloFrame) {
	if m.phase != strange || m.listen {
		r.post(m, errorFrame(easel.Errorf(easel.CodeConflict, "hello was already said")))
		return
	}
	m.client, m.since, m.asked = f.Client, f.Since, now
	if f.Name != "" {
		m.name = f.Name
	}
	id := clientID{m.who.User, m.client}
	if r.buckets[id] == nil {
		b := newBucket(r.opts.Limits.ClientOps, r.opts.Limits.ClientBurst)
		r.buckets[id] = &b
	}
	m.ops = r.buckets[id]
	// An earlier hello of the client that still waits must not reach the image after
	// this one: it would end this connection.
	r.supersede(now, id, m.conn, func(p phase) bool { return p == greeting })
	r.introduce(m)
}

// introduce asks the image. The hello of a session that has left is withdrawn, for
// the same reason.
func (r *roomCore) introduce(m *member) {
	m.phase = greeting
	hello := canvas.Hello{By: m.author(), Client: m.client, Conn: m.conn}
	r.do(askEffect{
		to: r.image, message: hello, timeout: helloTimeout, conn: m.conn,
		then: func(now time.Time, answer actors.Message, err error) []effect {
			if r.byConn[m.conn] == m {
				r.introduced(now, m, answer, err)
			}
			return r.done()
		},
	})
}

func (r *roomCore) introduced(now time.Time, m *member, answer actors.Message, err error) {
	reply, ok := answer.(canvas.HelloReply)
	switch {
	case err == nil && ok:
	case easel.CodeOf(err).Temporary() && now.Sub(m.asked) < helloFor:
		r.after(helloRetry, func(time.Time) {
			if r.byConn[m.conn] == m {
				r.introduce(m)
			}
		})
		return
	default:
		r.expel(now, m, closeFor(err))
		return
	}
	// The feed tells of the client's earlier connection too, but perhaps later, and
	// not for viewers, of whom the image knows nothing.
	r.supersede(now, clientID{m.who.User, m.client}, m.conn, introducedBefore)
	if !m.who.Role.AtLeast(easel.Annotator) {
		r.tellOthers(Arrival{Room: r.self, User: m.who.User, Client: m.client, Conn: m.conn})
	}
	m.reply, m.phase = reply, waiting
	r.learn(now, reply.Epoch, reply.Ver)
	r.settle(now)
}

// introducedBefore holds for connections of a client that the image knew before
// another. One that is still greeting may have come after it.
func introducedBefore(p phase) bool { return p > greeting }

// supersede ends the connections of a client but conn, if they have come so far.
func (r *roomCore) supersede(now time.Time, id clientID, conn string, sofar func(phase) bool) {
	for _, o := range slices.Clone(r.members) {
		if o.conn != conn && !o.listen && sofar(o.phase) && id == (clientID{o.who.User, o.client}) {
			r.expel(now, o, CloseReplaced)
		}
	}
}

// closeFor returns how a socket ends whose image cannot be had.
func closeFor(err error) Close {
	switch easel.CodeOf(err) {
	case easel.CodeNotFound, easel.CodeGone:
		return CloseNoImage
	case easel.CodeForbidden:
		return CloseForbidden
	case easel.CodeUnauthorized:
		return CloseUnauthorized
	case easel.CodeRateLimited:
		return CloseQuota
	default:
		return CloseInternal
	}
}

// settle starts the stream of every member that waited for the room to be where
// the image was when it answered the hello.
func (r *roomCore) settle(now time.Time) {
	if !r.sync.live() {
		return
	}
	for _, m := range slices.Clone(r.members) {
		switch {
		case m.phase != waiting:
		case m.listen:
			r.start(now, m)
		case m.reply.Epoch != r.sync.epoch:
			r.introduce(m) // history was cut in between
		case m.reply.Ver <= r.sync.ver:
			r.start(now, m)
		}
	}
}

// start puts a member on the stream: behind what it has, if everything since can
// be had, else with a snapshot.
func (r *roomCore) start(now time.Time, m *member) {
	since := m.since
	if since == nil || since.Epoch != r.sync.epoch || since.Ver > r.sync.ver {
		r.snapshot(m)
		return
	}
	if from := r.stream.after(since.Ver); from != nil {
		r.begin(m, true, catchUp{}, from)
		return
	}
	m.phase = fetching
	r.fetch(m, now, since.Ver, []Item{}, 0)
}

func (r *roomCore) snapshot(m *member) {
	r.begin(m, false, catchUp{snap: r.sync.replica.snapshot(r.sync.ver)}, r.stream.tail)
}

// fetch pulls the batches that a member missed from the image, until the ring
// has the rest. An image that cannot be had, as while it moves, is asked again for
// helloFor after begun: a snapshot would throw away what the client has.
func (r *roomCore) fetch(m *member, begun time.Time, from int64, got []Item, size int64) {
	r.ask(canvas.Log{Since: from}, pullTimeout, func(now time.Time, answer actors.Message, err error) []effect {
		if r.byConn[m.conn] != m || m.phase != fetching {
			return r.done()
		}
		switch reply, ok := answer.(canvas.LogReply); {
		case !r.sync.live():
			m.phase = waiting
		case err == nil && ok:
			r.fetched(m, now, from, got, size, reply)
		case easel.CodeOf(err).Temporary() && now.Sub(begun) < helloFor:
			r.after(helloRetry, func(time.Time) {
				if r.byConn[m.conn] == m && m.phase == fetching {
					r.fetch(m, begun, from, got, size)
				}
			})
		default:
			r.snapshot(m)
		}
		return r.done()
	})
}

func (r *roomCore) fetched(m *member, now time.Time, from int64, got []Item, size int64, reply canvas.LogReply) {
	if reply.Epoch != r.sync.epoch || len(reply.Batches) == 0 {
		r.snapshot(m)
		return
	}
	for _, b := range reply.Batches {
		if b.Ver != from+1 {
			r.snapshot(m) // not all of them any more
			return
		}
		if b.Ver > r.sync.ver {
			break // the stream has it, or will
		}
		it := Item{Frame: opsFrame(b, nil), Kind: KindOps, Ver: b.Ver}
		got, size, from = append(got, it), size+int64(it.Frame.Len()), b.Ver
	}
	if next := r.stream.after(from); next != nil {
		r.begin(m, true, catchUp{backlog: got}, next)
		return
	}
	if size > mostMissed {
		r.snapshot(m)
		return
	}
	r.fetch(m, now, from, got, size)
}

func (r *roomCore) begin(m *member, recovered bool, catch catchUp, from *node) {
	m.phase = present
	e := beginEffect{conn: m.conn, epoch: r.sync.epoch, catch: catch, from: from, tail: r.stream.tail}
	if m.listen {
		r.do(e)
		return
	}
	w := welcomeFrame{
		T: "welcome", Conn: m.conn, Epoch: r.sync.epoch, Ver: r.sync.ver, Recovered: recovered,
		Known: m.reply.Known, Role: m.who.Role, LastSeq: m.reply.LastSeq, Image: m.reply.Image,
		Peers: r.peersBut(m), Limits: r.opts.Limits,
	}
	if m.reply.LastMessage != "" {
		w.LastMessage = &m.reply.LastMessage
	}
	e.first = Item{Frame: encode(w), Ver: r.sync.ver}
	r.do(e)
	r.show(m)
	for _, u := range m.queue { // what the client did not wait to say
		r.deliver(m, u)
	}
}
