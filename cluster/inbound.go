package cluster

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/easelhq/easel/wire"
)

// serveStream guards protoactor's reader of one peer's stream: it lets nothing
// through but messages of package wire for this package's actors, and what would
// panic ends the stream, not the process.
func (n *Node) serveStream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	in := &inbound{ServerStream: ss, node: n, taken: make(chan struct{}, 1)}
	defer func() {
		if p := recover(); p != nil {
			n.metrics.malformed.Inc()
			n.log.Error("reader of a peer's stream panicked", "panic", p, "stack", string(debug.Stack()))
			err = status.Error(codes.Internal, "malformed")
		}
		if in.peer != "" {
			n.heard.end(in.peer)
			n.silent(in.peer)
		}
	}()
	return handler(srv, in)
}

// serveCall refuses what protoactor's service offers besides the stream.
func (n *Node) serveCall(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, status.Error(codes.Unimplemented, "not here")
}

// inboundBytes is how much of one stream may wait for the actors that take it;
// beyond that nothing more is read.
const inboundBytes = 8 << 20

// inbound is the stream of one peer. It hands on what the peer sends itself, and
// shows protoactor's reader empty batches: that reader takes indices for granted,
// decodes whatever type it is told, and reads on while nobody keeps up.
type inbound struct {
	grpc.ServerStream
	node    *Node
	peer    string        // its incarnation, once it has said so
	waiting atomic.Int64  // bytes handed on that have not been taken
	taken   chan struct{} // has a token when some have
}

// RecvMsg reads for protoactor.
func (in *inbound) RecvMsg(m any) error {
	for in.waiting.Load() > inboundBytes {
		select {
		case <-in.taken:
		case <-in.Context().Done():
			return in.Context().Err()
		}
	}
	if err := in.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	message, ok := m.(*remote.RemoteMessage)
	if !ok {
		return status.Error(codes.InvalidArgument, "not a message")
	}
	if err := in.admit(message); err != nil {
		in.node.metrics.malformed.Inc()
		in.node.log.Warn("a peer's stream is ended", "peer", in.peer, "err", err)
		return status.Error(codes.InvalidArgument, "malformed")
	}
	return nil
}

// admit hands on what m carries, and leaves a greeting or nothing.
func (in *inbound) admit(m *remote.RemoteMessage) error {
	switch t := m.GetMessageType().(type) {
	case *remote.RemoteMessage_ConnectRequest:
		c := t.ConnectRequest.GetServerConnection()
		if c == nil || c.GetMemberId() == "" || len(c.GetMemberId()) > 64 || in.peer != "" {
			return errors.New("connect request is none")
		}
		in.peer = c.MemberId
		if in.node.heard.begin(in.peer) {
			in.node.silent(in.peer)
		}
		return nil
	case *remote.RemoteMessage_MessageBatch:
		if in.peer == "" {
			return errors.New("message before the connect request")
		}
		if p := in.node.table.Load().runs[in.peer]; p != nil {
			p.speaks()
		}
		for _, e := range t.MessageBatch.GetEnvelopes() {
			if err := in.open(t.MessageBatch, e); err != nil {
				return err
			}
		}
		t.MessageBatch = &remote.MessageBatch{}
		return nil
	default:
		return fmt.Errorf("message of type %T", t)
	}
}

// open hands on the message in one envelope.
func (in *inbound) open(b *remote.MessageBatch, e *remote.MessageEnvelope) error {
	if e.GetTypeId() < 0 || int(e.GetTypeId()) >= len(b.GetTypeNames()) ||
		e.GetTarget() < 0 || int(e.GetTarget()) >= len(b.GetTargets()) {
		return errors.New("envelope points nowhere")
	}
	to, m := b.Targets[e.Target], blank(b.TypeNames[e.TypeId])
	if m == nil {
		return fmt.Errorf("message of type %q", b.TypeNames[e.TypeId])
	}
	if err := proto.Unmarshal(e.GetMessageData(), m); err != nil {
		return fmt.Errorf("message %s: %w", b.TypeNames[e.TypeId], err)
	}
	size := len(e.GetMessageData())
	if !in.node.hand(to, &arrival{message: m, size: size, from: in}) {
		return fmt.Errorf("message for %q", to)
	}
	in.waiting.Add(int64(size))
	in.node.metrics.received.Add(float64(size))
	return nil
}

// blank returns an empty message of those that nodes send; nil if name is none.
func blank(name string) proto.Message {
	switch name {
	case "easel.wire.v1.Request":
		return &wire.Request{}
	case "easel.wire.v1.Answer":
		return &wire.Answer{}
	case "easel.wire.v1.Part":
		return &wire.Part{}
	case "easel.wire.v1.Credit":
		return &wire.Credit{}
	default:
		return nil
	}
}

// arrival is one message on its way from a stream to the actor that takes it.
type arrival struct {
	message proto.Message
	size    int
	from    *inbound
}

// done tells the stream that there is room.
func (a *arrival) done() {
	a.from.waiting.Add(-int64(a.size))
	select {
	case a.from.taken <- struct{}{}:
	default:
	}
}

// heard counts the streams of each peer that are open.
type heard struct {
	mu      sync.Mutex // guards streams
	streams map[string]int
}

// begin notes a stream, and reports whether there is an earlier one that has not
// been seen to end: what it carried is lost.
func (h *heard) begin(peer string) (again bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams[peer]++
	return h.streams[peer] > 1
}

func (h *heard) end(peer string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams[peer]--; h.streams[peer] == 0 {
		delete(h.streams, peer)
	}
}
