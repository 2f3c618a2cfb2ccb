package cluster

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// serveStream guards protoactor's reader of one peer's stream: it lets nothing
// through but messages of package wire for this package's actors, and what makes
// the reader panic ends the stream, not the process.
func (n *Node) serveStream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	in := &inbound{ServerStream: ss, node: n}
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

// inbound is the stream of one peer.
type inbound struct {
	grpc.ServerStream
	node *Node
	peer string // its incarnation, once it has said so
}

func (in *inbound) RecvMsg(m any) error {
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

// admit checks what protoactor's reader takes for granted.
func (in *inbound) admit(m *remote.RemoteMessage) error {
	switch t := m.GetMessageType().(type) {
	case *remote.RemoteMessage_ConnectRequest:
		c := t.ConnectRequest.GetServerConnection()
		if c == nil || c.GetMemberId() == "" || len(c.GetMemberId()) > 64 || in.peer != "" {
			return fmt.Errorf("connect request is none")
		}
		in.peer = c.MemberId
		if in.node.heard.begin(in.peer) {
			in.node.silent(in.peer)
		}
		return nil
	case *remote.RemoteMessage_MessageBatch:
		if in.peer == "" {
			return fmt.Errorf("message before the connect request")
		}
		n := 0
		for _, e := range t.MessageBatch.GetEnvelopes() {
			if err := admitEnvelope(t.MessageBatch, e); err != nil {
				return err
			}
			n += len(e.GetMessageData())
		}
		in.node.metrics.received.Add(float64(n))
		return nil
	default:
		return fmt.Errorf("message of type %T", t)
	}
}

func admitEnvelope(b *remote.MessageBatch, e *remote.MessageEnvelope) error {
	if e.GetTypeId() < 0 || int(e.GetTypeId()) >= len(b.GetTypeNames()) ||
		e.GetTarget() < 0 || int(e.GetTarget()) >= len(b.GetTargets()) {
		return fmt.Errorf("envelope points nowhere")
	}
	if e.GetSender() != 0 || e.GetSerializerId() != 0 || e.GetMessageHeader() != nil || e.GetTargetRequestId() != 0 {
		return fmt.Errorf("envelope with a sender, a header or another encoding")
	}
	if name := b.TypeNames[e.TypeId]; !strings.HasPrefix(name, "easel.wire.") {
		return fmt.Errorf("message of type %q", name)
	}
	if to := b.Targets[e.Target]; !strings.HasPrefix(to, actorPrefix) {
		return fmt.Errorf("message for %q", to)
	}
	return nil
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
