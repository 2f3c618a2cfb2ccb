package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/wire"
)

// takeRequest begins with a request of another node.
func (n *Node) takeRequest(q *wire.Request) error {
	if err := q.Check(); err != nil {
		if errors.Is(err, wire.ErrVersion) && n.known(q.GetOrigin()) && q.GetId() != 0 && !q.GetTell() {
			n.answer(q, nil, &easel.Error{Code: easel.CodeUnavailable, Message: "the nodes speak different versions", Err: err})
		}
		return err
	}
	if !n.known(q.Origin) {
		return fmt.Errorf("request of %q, who may not ask", q.Origin.Address)
	}
	if late := n.late(q); late > 0 {
		// Its origin gave up long ago. What it asked for may have been done elsewhere
		// and forgotten since.
		n.log.Warn("a request came too late", "message", q.Payload.Name, "from", q.Origin.Node, "late", late)
		n.answer(q, nil, &easel.Error{Code: easel.CodeUnavailable, Message: "the request came too late; the outcome is unknown", RetryAfter: time.Second})
		return nil
	}
	if q.Payload.Size == uint64(len(q.Payload.Body)) {
		n.deliver(q, q.Payload.Body)
		return nil
	}
	have := uint64(len(q.Payload.Body))
	transfer := &wire.Transfer{Incarnation: q.Origin.Incarnation, Id: q.Payload.Transfer}
	err := n.bodies.beginRequest(q)
	n.credit(q.Origin.Address, &wire.Credit{Version: q.Version, Transfer: transfer, Received: have, Refused: err != nil})
	if errors.Is(err, wire.ErrFull) {
		return nil
	}
	return err
}

// known reports whether o may be answered: with a key everybody on the link may,
// without one only who listens on this machine.
func (n *Node) known(o *wire.Origin) bool {
	if n.secrets != nil || n.table.Load().runs[o.GetIncarnation()] != nil {
		return true
	}
	e, err := listenOn(o.GetAddress())
	return err == nil && loopback(e.host)
}

// deliver gives a request to its actor here.
func (n *Node) deliver(q *wire.Request, body []byte) {
	h := n.home.Load()
	if h == nil {
		n.answer(q, nil, actors.ErrMoved) // it was meant for an earlier run at this address
		return
	}
	m, err := h.codec.Decode(q.Payload.Name, body)
	if err != nil {
		n.log.Warn("request cannot be read", "message", q.Payload.Name, "from", q.Origin.Node, "err", err)
		n.answer(q, nil, &easel.Error{Code: easel.CodeUnavailable, Message: "a node of another version cannot read this", Err: err})
		return
	}
	r := actors.Request{
		To: actors.Key{Kind: q.To.Kind, ID: q.To.Id}, Node: q.To.Node, From: refOf(q.From), Message: m,
		Once: actors.Once{ID: q.OnceId, Hash: q.OnceHash},
	}
	ctx, cancel := withTrace(h.life, q), context.CancelFunc(func() {})
	if q.BudgetMs > 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(min(q.BudgetMs, uint64(time.Hour.Milliseconds())))*time.Millisecond)
	}
	h.local.Deliver(ctx, r, func(m actors.Message, err error) {
		cancel()
		n.metrics.served.WithLabelValues(outcome(err)).Inc()
		n.answer(q, m, err)
	})
}

// answer sends the outcome of q to who asked.
func (n *Node) answer(q *wire.Request, m actors.Message, err error) {
	if q.GetTell() {
		return
	}
	a := &wire.Answer{Version: min(q.GetVersion(), wire.Version), Id: q.GetId(), Origin: n.origin}
	if err == nil {
		err = n.encodeAnswer(a, m)
	}
	if err != nil {
		n.encodeError(a, err)
	}
	n.reply(q.Origin, a, 0)
}

const (
	resendAfter = 100 * time.Millisecond
	resendTimes = 30
	resendMost  = 1024 // answers that wait for their link
)

// reply sends a in one piece or in several. While the link is down it waits, since
// who asked would wait too; after a while it gives up. An answer that cannot be
// sent must never become one that says that nothing was done.
func (n *Node) reply(to *wire.Origin, a *wire.Answer, tries int) {
	way, p := answerWay(a.Id), n.table.Load().runs[to.Incarnation]
	var err error
	switch {
	case len(a.GetPayload().GetBody()) <= wire.WholeBytes:
		err = n.send(to.Address, way, a, 0)
	case p == nil:
		n.encodeError(a, unsendable(errors.New("the nodes do not know each other yet")))
		err = n.send(to.Address, way, a, 0)
	default:
		if err = p.sendLarge(way, a, a.Payload, 0, nil); err != nil && !errors.Is(err, actors.ErrMoved) {
			n.encodeError(a, unsendable(err))
			err = n.send(to.Address, way, a, 0)
		}
	}
	if err == nil {
		return
	}
	if p != nil && tries < resendTimes && n.resends.Load() < resendMost {
		n.resends.Add(1)
		time.AfterFunc(resendAfter, func() {
			n.resends.Add(-1)
			n.reply(to, a, tries+1)
		})
		return
	}
	n.log.Debug("answer not sent", "to", to.Node, "err", err)
}

func unsendable(err error) error {
	return &easel.Error{Code: easel.CodeUnavailable, Message: "the answer could not be sent; the outcome is unknown", Err: err}
}

func (n *Node) encodeAnswer(a *wire.Answer, m actors.Message) error {
	if m == nil {
		m = actors.Empty{}
	}
	name, body, err := n.home.Load().codec.Encode(m)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	if len(body) > wire.BodyBytes {
		return &easel.Error{
			Code: easel.CodeTooLarge, Message: "the answer is larger than what nodes send each other",
			Err: fmt.Errorf("answer %s of %d bytes", name, len(body)),
		}
	}
	a.Outcome = wire.Outcome_OUTCOME_MESSAGE
	a.Payload = &wire.Payload{Name: name, Body: body, Size: uint64(len(body))}
	return nil
}

// encodeError puts err into a: what a client may see of it, and, apart from that,
// its cause for the log of the node that asked.
func (n *Node) encodeError(a *wire.Answer, err error) {
	if errors.Is(err, actors.ErrMoved) {
		a.Outcome, a.Payload = wire.Outcome_OUTCOME_MOVED, nil
		return
	}
	told, ok := errors.AsType[*easel.Error](err)
	if !ok {
		told = &easel.Error{Code: easel.CodeInternal, Message: "internal error", Err: err}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // Current keeps its bytes
	failed := e.Encode(told)
	body := b.Bytes()
	if failed != nil || len(body) > wire.BodyBytes {
		n.log.Error("error cannot be encoded", "err", err, "why", failed)
		body = []byte(`{"code":"internal","message":"internal error"}`)
	}
	if told.Err != nil {
		// What is no UTF-8, perhaps only because it was cut, could not be sent at all.
		cause := told.Err.Error()
		a.Cause = strings.ToValidUTF8(cause[:min(len(cause), wire.FieldBytes)], "")
	}
	a.Outcome, a.Payload = wire.Outcome_OUTCOME_ERROR, &wire.Payload{Body: body, Size: uint64(len(body))}
}

// takeAnswer ends a request of this node.
func (n *Node) takeAnswer(a *wire.Answer) error {
	if err := a.Check(); err != nil {
		return err
	}
	p := n.table.Load().runs[a.Origin.Incarnation]
	if p == nil || !p.waits(a.Id) {
		return nil // it came too late
	}
	if a.Payload == nil || a.Payload.Size == uint64(len(a.Payload.Body)) {
		n.finish(p, a, a.GetPayload().GetBody())
		return nil
	}
	have := uint64(len(a.Payload.Body))
	transfer := &wire.Transfer{Incarnation: a.Origin.Incarnation, Id: a.Payload.Transfer}
	err := n.bodies.beginAnswer(a)
	n.credit(p.address, &wire.Credit{Version: a.Version, Transfer: transfer, Received: have, Refused: err != nil})
	if err != nil {
		p.finish(a.Id, nil, actors.ErrLost) // it has taken effect, perhaps
	}
	if errors.Is(err, wire.ErrFull) {
		return nil
	}
	return err
}

// finish gives a request of this node the answer a, whose body is complete.
func (n *Node) finish(p *peer, a *wire.Answer, body []byte) {
	switch a.Outcome {
	case wire.Outcome_OUTCOME_MOVED:
		p.finish(a.Id, nil, actors.ErrMoved)
	case wire.Outcome_OUTCOME_ERROR:
		e := &easel.Error{}
		if err := json.Unmarshal(body, e); err != nil || e.Code == "" {
			p.finish(a.Id, nil, fmt.Errorf("node %s sent an error that cannot be read", a.Origin.Node))
			return
		}
		if a.Cause != "" {
			e.Err = errors.New(a.Cause)
		}
		p.finish(a.Id, nil, e)
	default:
		m, err := n.home.Load().codec.Decode(a.Payload.Name, body)
		if err != nil {
			err = &easel.Error{Code: easel.CodeUnavailable, Message: "a node of another version answered what this one cannot read", Err: err}
		}
		p.finish(a.Id, m, err)
	}
}

func (n *Node) credit(address string, c *wire.Credit) {
	var m proto.Message = c
	if err := n.send(address, creditActor, m, 0); err != nil {
		n.log.Debug("credit not sent", "to", address, "err", err)
	}
}
