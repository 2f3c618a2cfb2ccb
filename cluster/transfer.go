package cluster

import (
	"errors"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/wire"
)

// abandonAfter is how long a body may make no progress before both ends forget it.
const abandonAfter = 10 * time.Second

// bodies are the bodies on their way here.
type bodies struct {
	mu       sync.Mutex // guards assembly
	assembly *wire.Assembly
}

func (b *bodies) init() { b.assembly = wire.NewAssembly(linkBytes, 4*linkBytes) }

func (b *bodies) beginRequest(q *wire.Request) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.assembly.BeginRequest(q, time.Now())
}

func (b *bodies) beginAnswer(a *wire.Answer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.assembly.BeginAnswer(a, time.Now())
}

func (b *bodies) add(p *wire.Part) (*wire.Whole, uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.assembly.Add(p, time.Now())
}

func (b *bodies) forget(incarnation string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.assembly.Forget(incarnation)
}

func (b *bodies) expire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.assembly.Expire(time.Now().Add(-abandonAfter))
}

// takePart goes on with a body on its way here.
func (n *Node) takePart(part *wire.Part) error {
	if err := part.Check(); err != nil {
		return err
	}
	n.metrics.parts.WithLabelValues("received").Inc()
	p := n.table.Load().runs[part.Transfer.Incarnation]
	if p == nil {
		return nil // it has gone
	}
	whole, have, err := n.bodies.add(part)
	n.credit(p.address, &wire.Credit{Version: part.Version, Transfer: part.Transfer, Received: have, Refused: err != nil})
	switch {
	case errors.Is(err, wire.ErrUnknown):
		return nil // it was refused or has expired
	case err != nil:
		return err
	case whole == nil:
		return nil
	case whole.Request != nil:
		n.deliver(whole.Request, whole.Body)
	default:
		n.finish(p, whole.Answer, whole.Body)
	}
	return nil
}

// sendings are the bodies on their way to others, by their names.
type sendings struct {
	mu  sync.Mutex // guards all, and what is marked so in sending
	all map[uint64]*sending
}

func (s *sendings) init() { s.all = map[uint64]*sending{} }

// sending is a body that is sent in parts.
type sending struct {
	peer    *peer
	way     string // the actor that takes it
	id      uint64
	request uint64 // the request that it belongs to; 0 if nobody waits here
	body    []byte
	version uint32
	after   func() // called once all is sent, or nothing more will be

	sent    int       // guarded by sendings.mu
	acked   int       // likewise
	over    bool      // likewise
	pumping bool      // likewise
	last    time.Time // of progress; likewise
}

// sendLarge sends m, whose payload is too large for one message, to way. If it
// returns an error, after is not called.
func (p *peer) sendLarge(way string, m proto.Message, payload *wire.Payload, request uint64, after func()) error {
	n := p.node
	s := &sending{
		peer: p, way: way, id: n.ids.Add(1), request: request, body: payload.Body, version: p.version, after: after,
		sent: wire.PartBytes, last: time.Now(),
	}
	p.mu.Lock()
	full := p.held+len(s.body) > linkBytes && p.held > 0
	if !full {
		p.held += len(s.body)
	}
	p.mu.Unlock()
	if full {
		return overloaded()
	}
	payload.Transfer, payload.Body = s.id, s.body[:wire.PartBytes]
	n.sending.mu.Lock()
	n.sending.all[s.id] = s
	n.sending.mu.Unlock()
	if err := p.send(way, m); err != nil {
		s.after = nil
		n.stopSending(s)
		payload.Transfer, payload.Body = 0, s.body
		return err
	}
	n.metrics.parts.WithLabelValues("sent").Inc()
	n.pump(s)
	return nil
}

// pump sends what the window allows. Only one goroutine at a time does it.
func (n *Node) pump(s *sending) {
	n.sending.mu.Lock()
	if s.pumping {
		n.sending.mu.Unlock()
		return
	}
	s.pumping = true
	for !s.over && s.sent < len(s.body) && s.sent-s.acked < wire.WindowBytes {
		from := s.sent
		s.sent = min(from+wire.PartBytes, len(s.body))
		part := &wire.Part{
			Version: s.version, Transfer: &wire.Transfer{Incarnation: n.origin.Incarnation, Id: s.id},
			Offset: uint64(from), Body: s.body[from:s.sent],
		}
		n.sending.mu.Unlock()
		err := n.send(s.peer.address, s.way, part, 0)
		n.metrics.parts.WithLabelValues("sent").Inc()
		n.sending.mu.Lock()
		if err != nil {
			break // the link has ended, which ends this too
		}
	}
	s.pumping = false
	done := s.sent == len(s.body)
	n.sending.mu.Unlock()
	if done {
		n.stopSending(s)
	}
}

// stopSending forgets s.
func (n *Node) stopSending(s *sending) {
	n.sending.mu.Lock()
	first := !s.over
	s.over = true
	delete(n.sending.all, s.id)
	n.sending.mu.Unlock()
	if !first {
		return
	}
	s.peer.mu.Lock()
	s.peer.held -= len(s.body)
	s.peer.mu.Unlock()
	if s.after != nil {
		s.after()
	}
}

// takeCredit goes on with a body on its way to another node.
func (n *Node) takeCredit(c *wire.Credit) error {
	if err := c.Check(); err != nil {
		return err
	}
	n.sending.mu.Lock()
	s := n.sending.all[c.Transfer.Id]
	if s == nil || c.Transfer.Incarnation != n.origin.Incarnation {
		n.sending.mu.Unlock()
		return nil // all is sent, or given up
	}
	if got := int(min(c.Received, uint64(s.sent))); got > s.acked {
		s.acked, s.last = got, time.Now()
	}
	n.sending.mu.Unlock()
	if !c.Refused {
		n.pump(s)
		return nil
	}
	n.stopSending(s)
	if s.request != 0 {
		s.peer.finish(s.request, nil, overloaded())
	}
	return nil
}

// drop forgets what is on its way to p.
func (s *sendings) drop(p *peer) {
	for _, one := range s.which(func(one *sending) bool { return one.peer == p }) {
		p.node.stopSending(one)
	}
}

func (s *sendings) which(wanted func(*sending) bool) []*sending {
	s.mu.Lock()
	defer s.mu.Unlock()
	var some []*sending
	for _, one := range s.all {
		if wanted(one) {
			some = append(some, one)
		}
	}
	return some
}

// sweep forgets bodies that make no progress.
func (n *Node) sweep() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-n.done:
			return
		case <-tick.C:
		}
		n.bodies.expire()
		before := time.Now().Add(-abandonAfter)
		for _, s := range n.sending.which(func(s *sending) bool { return s.last.Before(before) }) {
			n.stopSending(s)
			if s.request != 0 {
				s.peer.finish(s.request, nil, actors.ErrLost)
			}
		}
	}
}

// line holds the requests for one actor that come after one with a large body:
// they must not overtake it.
type line struct{ waiting []*wire.Request }

// submit sends q to the peer, in its turn.
func (p *peer) submit(key actors.Key, q *wire.Request) error {
	size := len(q.Payload.Body)
	large := size > wire.WholeBytes
	p.mu.Lock()
	l := p.lines[key]
	switch {
	case p.gone:
		p.mu.Unlock()
		return actors.ErrMoved
	case l != nil:
		if p.held+size > linkBytes {
			p.mu.Unlock()
			return overloaded()
		}
		p.held += size
		l.waiting = append(l.waiting, q)
		p.mu.Unlock()
		return nil
	case large:
		p.lines[key] = &line{}
	}
	p.mu.Unlock()
	if !large {
		return p.send(requestWay(key), q)
	}
	err := p.sendLarge(requestWay(key), q, q.Payload, q.Id, func() { p.advance(key) })
	if err != nil {
		p.advance(key)
	}
	return err
}

// advance sends what has waited behind a large body of key's, up to the next one.
func (p *peer) advance(key actors.Key) {
	for {
		p.mu.Lock()
		l := p.lines[key]
		if l == nil || len(l.waiting) == 0 {
			delete(p.lines, key)
			p.mu.Unlock()
			return
		}
		q := l.waiting[0]
		l.waiting = l.waiting[1:]
		p.held -= len(q.Payload.Body)
		p.mu.Unlock()
		var err error
		if len(q.Payload.Body) > wire.WholeBytes {
			err = p.sendLarge(requestWay(key), q, q.Payload, q.Id, func() { p.advance(key) })
			if err == nil {
				return
			}
		} else {
			err = p.send(requestWay(key), q)
		}
		if err != nil {
			p.finish(q.Id, nil, err)
		}
	}
}
