package cluster

import (
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/wire"
)

// Bounds of what this node holds for one other, beyond which requests are refused
// by name (overloaded).
const (
	linkBytes    = 64 << 20 // bodies that wait for an answer, or to be written
	linkRequests = 64 << 10 // requests that wait for an answer
)

// peer is one run of another node: what is asked of it and has no answer yet, and
// what waits its turn behind a large body.
type peer struct {
	node    *Node
	member  Member
	address string // of its gRPC
	version uint32 // of the wire that both speak; 0: none

	heard atomic.Int64 // when something last came from it, in Unix nanoseconds

	mu      sync.Mutex // guards what follows
	lag     actors.Lag
	gone    bool
	held    int // bytes of bodies that wait
	pending map[uint64]*pending
	lines   map[actors.Key]*line
}

// pending is a request that has no answer yet.
type pending struct {
	reply func(actors.Message, error)
	stop  func() bool // of the watch on its context; may be nil
	size  int
	at    time.Time
}

func (n *Node) meet(m Member) *peer {
	n.log.Info("member is met", "node", m.Name, "rpc", m.RPC)
	return &peer{
		node: n, member: m, address: m.RPC, version: n.speak(m.lowest, m.highest),
		pending: map[uint64]*pending{}, lines: map[actors.Key]*line{},
	}
}

// speak returns the version to use with a node that understands lowest to highest;
// 0 if there is none.
func (n *Node) speak(lowest, highest uint32) uint32 {
	return wire.Speak(n.own.MinVersion, n.own.MaxVersion, lowest, highest)
}

// expect notes that reply waits for the answer to id.
func (p *peer) expect(id uint64, size int, reply func(actors.Message, error)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return actors.ErrMoved
	}
	if p.held+size > linkBytes || len(p.pending) >= linkRequests {
		return overloaded()
	}
	p.held += size
	p.pending[id] = &pending{reply: reply, size: size, at: time.Now()}
	p.node.metrics.pending.Inc()
	return nil
}

// watch has stop called when id has its answer.
func (p *peer) watch(id uint64, stop func() bool) {
	p.mu.Lock()
	q := p.pending[id]
	if q != nil {
		q.stop = stop
	}
	p.mu.Unlock()
	if q == nil {
		stop()
	}
}

// waits reports whether somebody waits for the answer to id.
func (p *peer) waits(id uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending[id] != nil
}

// finish gives id its answer, if it has none yet.
func (p *peer) finish(id uint64, m actors.Message, err error) {
	p.mu.Lock()
	q := p.pending[id]
	if q != nil {
		delete(p.pending, id)
		p.held -= q.size
	}
	p.mu.Unlock()
	if q != nil {
		p.settle(q, m, err)
	}
}

// lose ends all that waits: what was sent to the peer, or came from it, may not
// have arrived.
func (p *peer) lose() {
	p.mu.Lock()
	lost := p.pending
	p.pending = map[uint64]*pending{}
	for _, q := range lost {
		p.held -= q.size
	}
	for _, l := range p.lines {
		for _, q := range l.waiting {
			p.held -= len(q.Payload.Body)
		}
		l.waiting = nil
	}
	p.mu.Unlock()
	for _, q := range lost {
		p.settle(q, nil, actors.ErrLost)
	}
	p.node.sending.drop(p)
}

// part is lose for good.
func (p *peer) part() {
	p.mu.Lock()
	p.gone = true
	p.mu.Unlock()
	p.lose()
}

// speaks notes that something has come from the peer.
func (p *peer) speaks() { p.heard.Store(time.Now().UnixNano()) }

// spoke reports whether something came from the peer within d.
func (p *peer) spoke(d time.Duration) bool {
	since := time.Since(time.Unix(0, p.heard.Load()))
	return since >= 0 && since < d // a clock that was set back proves nothing
}

func (p *peer) settle(q *pending, m actors.Message, err error) {
	if q.stop != nil {
		q.stop()
	}
	metrics := p.node.metrics
	metrics.pending.Dec()
	metrics.seconds.Observe(time.Since(q.at).Seconds())
	metrics.carried.WithLabelValues(outcome(err)).Inc()
	q.reply(m, err)
}

// send hands m to protoactor for an actor of the peer's. It refuses what exceeds
// the bound of the link, and what cannot be sent at all, with actors.ErrMoved.
func (p *peer) send(to string, m proto.Message) error {
	return p.node.send(p.address, to, m, linkBytes)
}

// broken ends what waits for the nodes at address: the link to them has ended.
func (n *Node) broken(address string) {
	for _, p := range n.table.Load().runs {
		if p.address == address {
			p.lose()
			n.suspect(p)
		}
	}
}

// silent ends what waits for a run of a node: a stream that carried its answers
// has ended.
func (n *Node) silent(incarnation string) {
	if p := n.table.Load().runs[incarnation]; p != nil {
		p.lose()
		n.suspect(p)
	}
}

func overloaded() error {
	return &easel.Error{Code: easel.CodeOverloaded, Message: "too much is on its way to the node that has this", RetryAfter: time.Second}
}
