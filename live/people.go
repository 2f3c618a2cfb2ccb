package live

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/easelhq/easel/actors"
)

// presenceEvery is the least time between two states of one peer.
const presenceEvery = time.Second/20 + time.Millisecond

// presenceUnit is how many bytes of state one frame of the presence rate pays
// for. A state goes to everyone on the image twenty times a second: without a
// price one watcher with a large state could fill everyone's link.
const presenceUnit = 2 << 10

// nothing is the state of a peer that has not told one.
var nothing = json.RawMessage(`{}`)

func (m *member) peer() Peer {
	state := m.state
	if state == nil {
		state = nothing
	}
	return Peer{Conn: m.conn, User: m.who.User, Name: m.name, State: state}
}

// peersBut returns everyone who is present, on all nodes, but m.
func (r *roomCore) peersBut(m *member) []Peer {
	peers := []Peer{}
	for _, o := range r.members {
		if o != m && o.phase == present && !o.listen {
			peers = append(peers, o.peer())
		}
	}
	for _, o := range r.remote {
		peers = append(peers, o.peers...)
	}
	return peers
}

// presence takes a member's new state. Only the newest is ever shown.
func (r *roomCore) presence(now time.Time, m *member, state json.RawMessage) {
	if wait := m.frames.take(now, 1+len(state)/presenceUnit); wait > 0 {
		r.post(m, errorFrame(slow("too many presence frames", wait)))
		return
	}
	m.state = state
	if m.phase != present {
		return // it is shown with the welcome
	}
	m.due = true
	if wait := presenceEvery - now.Sub(m.shown); wait > 0 {
		r.flushAfter(wait)
		return
	}
	m.shown = now
	r.show(m)
}

func (r *roomCore) flushAfter(wait time.Duration) {
	if r.flushing {
		return
	}
	r.flushing = true
	r.after(wait, func(now time.Time) {
		r.flushing = false
		r.flush(now)
	})
}

// flush shows every state that is due and sets a timer for the rest.
func (r *roomCore) flush(now time.Time) {
	var next time.Duration
	for _, m := range r.members {
		if !m.due {
			continue
		}
		if wait := presenceEvery - now.Sub(m.shown); wait > 0 {
			if next == 0 || wait < next {
				next = wait
			}
			continue
		}
		m.shown = now
		r.show(m)
	}
	if next > 0 {
		r.flushAfter(next)
	}
}

// show shows a member's presence to everyone else.
func (r *roomCore) show(m *member) {
	m.due = false
	p := m.peer()
	r.do(showEffect{conn: m.conn, frame: presence(p)})
	r.tellOthers(People{Room: r.self, Peers: []Peer{p}})
}

func (r *roomCore) farewell(conn string) {
	r.do(forgetEffect{conn})
	r.broadcast(Item{Frame: left(conn), Kind: KindNotice, Ver: r.sync.ver})
}

// tellOthers tells the rooms on other nodes, if there are any.
func (r *roomCore) tellOthers(m actors.Message) {
	if r.others > 0 {
		r.do(tellEffect{to: r.image, message: m})
	}
}

// census learns of other rooms. A room that came does not know our people.
func (r *roomCore) census(m Census) {
	grown := m.Others > r.others
	r.others = m.Others
	for _, ref := range m.Gone {
		r.dropRemote(ref)
	}
	if m.Others == 0 {
		for len(r.remote) > 0 {
			r.dropRemote(r.remote[0].ref)
		}
	}
	if !grown {
		return
	}
	all := People{Room: r.self, Full: true}
	for _, o := range r.members {
		if o.phase == present && !o.listen {
			all.Peers = append(all.Peers, o.peer())
		}
	}
	r.tellOthers(all)
}

func (r *roomCore) dropRemote(ref actors.Ref) {
	i := slices.IndexFunc(r.remote, func(o remoteRoom) bool { return o.ref == ref })
	if i < 0 {
		return
	}
	peers := r.remote[i].peers
	r.remote = slices.Delete(r.remote, i, i+1)
	for _, p := range peers {
		r.farewell(p.Conn)
	}
}

// people learns who came, moved and left in another room.
func (r *roomCore) people(m People) {
	if m.Room == r.self {
		return
	}
	i := slices.IndexFunc(r.remote, func(o remoteRoom) bool { return o.ref == m.Room })
	if i < 0 {
		r.remote = append(r.remote, remoteRoom{ref: m.Room})
		i = len(r.remote) - 1
	}
	room := &r.remote[i]
	byConn := func(conn string) func(Peer) bool { return func(p Peer) bool { return p.Conn == conn } }
	if m.Full {
		for _, p := range room.peers {
			if !slices.ContainsFunc(m.Peers, byConn(p.Conn)) {
				m.Left = append(slices.Clone(m.Left), p.Conn)
			}
		}
	}
	for _, p := range m.Peers {
		if j := slices.IndexFunc(room.peers, byConn(p.Conn)); j >= 0 {
			room.peers[j] = p
		} else {
			room.peers = append(room.peers, p)
		}
		r.do(showEffect{conn: p.Conn, frame: presence(p)})
	}
	for _, conn := range m.Left {
		if j := slices.IndexFunc(room.peers, byConn(conn)); j >= 0 {
			room.peers = slices.Delete(room.peers, j, j+1)
			r.farewell(conn)
		}
	}
}
