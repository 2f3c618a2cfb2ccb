package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/wire"
)

// Carry implements actors.Network. Requests of one goroutine for one actor arrive
// in their order. ErrMoved also stands for a node that is no member, cannot be
// reached at the moment or speaks another version: nothing was done.
func (n *Node) Carry(ctx context.Context, node string, r actors.Request, reply func(actors.Message, error)) {
	h := n.home.Load()
	if node == n.config.Name && h != nil {
		if reply == nil {
			reply = func(actors.Message, error) {}
		}
		h.local.Deliver(ctx, r, reply)
		return
	}
	err := n.carry(ctx, n.table.Load().peers[node], r, reply)
	if err == nil {
		return
	}
	n.metrics.carried.WithLabelValues(outcome(err)).Inc()
	if reply != nil {
		reply(nil, err)
	} else {
		n.metrics.dropped.Inc()
	}
}

// carry sends r to p. If it returns an error, reply is not called.
func (n *Node) carry(ctx context.Context, p *peer, r actors.Request, reply func(actors.Message, error)) error {
	if p == nil || p.version == 0 || n.links.to(p.address) == nil {
		return actors.ErrMoved
	}
	if ctx.Err() != nil {
		return actors.ErrLost
	}
	name, body, err := n.home.Load().codec.Encode(r.Message)
	if err != nil {
		return fmt.Errorf("encode for %s: %w", r.To, err)
	}
	if len(body) > wire.BodyBytes {
		return &easel.Error{Code: easel.CodeTooLarge, Message: fmt.Sprintf("a message of %d bytes is larger than any node takes", len(body))}
	}
	id := n.ids.Add(1)
	q := &wire.Request{
		Version: p.version, Id: id, Tell: reply == nil, Origin: n.origin,
		To:   &wire.Actor{Kind: r.To.Kind, Id: r.To.ID, Node: r.Node},
		From: actorOf(r.From), OnceId: r.Once.ID, OnceHash: r.Once.Hash, BudgetMs: budget(ctx),
		SentMs:  uint64(n.uptime().Milliseconds()) + 1,
		Payload: &wire.Payload{Name: name, Body: body, Size: uint64(len(body))},
	}
	q.Traceparent, q.Tracestate = traceOf(ctx)
	if reply == nil {
		return p.submit(r.To, q)
	}
	if err := p.expect(id, len(body), reply); err != nil {
		return err
	}
	if ctx.Done() != nil {
		p.watch(id, context.AfterFunc(ctx, func() { p.finish(id, nil, actors.ErrLost) }))
	}
	if err := p.submit(r.To, q); err != nil {
		p.finish(id, nil, err) // unless its context has ended meanwhile
	}
	return nil
}

// send hands m to protoactor. limit bounds what waits to be written; 0 does not.
func (n *Node) send(address, to string, m proto.Message, limit int64) error {
	k := n.links.to(address)
	if k == nil {
		return actors.ErrMoved
	}
	size := int64(proto.Size(m))
	if limit > 0 && k.queued.Load()+size > limit {
		return overloaded()
	}
	k.queued.Add(size)
	n.proto.Root.Send(actor.NewPID(address, to), m)
	return nil
}

func actorOf(r actors.Ref) *wire.Actor {
	if r == (actors.Ref{}) {
		return nil
	}
	return &wire.Actor{Kind: r.Key.Kind, Id: r.Key.ID, Node: r.Node}
}

func refOf(a *wire.Actor) actors.Ref {
	return actors.Ref{Node: a.GetNode(), Key: actors.Key{Kind: a.GetKind(), ID: a.GetId()}}
}

// budget returns what is left of ctx in milliseconds, at least 1; 0 if it has no
// end.
func budget(ctx context.Context) uint64 {
	d, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return uint64(max(time.Until(d).Milliseconds(), 1))
}

func traceOf(ctx context.Context) (parent, state string) {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return "", ""
	}
	c := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, c)
	return c["traceparent"], c["tracestate"]
}

func withTrace(ctx context.Context, q *wire.Request) context.Context {
	if q.GetTraceparent() == "" {
		return ctx
	}
	c := propagation.MapCarrier{"traceparent": q.GetTraceparent(), "tracestate": q.GetTracestate()}
	return propagation.TraceContext{}.Extract(ctx, c)
}

// outcome names err in metrics.
func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, actors.ErrMoved):
		return "moved"
	case errors.Is(err, actors.ErrLost):
		return "lost"
	default:
		return string(easel.CodeOf(err))
	}
}
