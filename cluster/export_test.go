package cluster

import (
	"context"
	"log/slog"

	"github.com/asynkron/protoactor-go/remote"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/wire"
)

// Admit checks a message as the reader of a peer's stream does, after the
// connect request.
func Admit(m *remote.RemoteMessage) error {
	in := &inbound{node: Deaf(nil), peer: "p"}
	return in.admit(m)
}

// Deaf returns a node that takes messages and reaches nobody. It knows the peer
// "p" at address "127.0.0.1:1", and waits for its answers 1 to 8.
func Deaf(local Local) *Node {
	n := &Node{
		config: Config{Name: "n"}, log: slog.New(slog.DiscardHandler), metrics: newMetrics(nil), local: local,
		origin: &wire.Origin{Node: "n", Incarnation: "i", Address: "127.0.0.1:2"}, life: context.Background(),
	}
	n.heard.streams = map[string]int{}
	n.bodies.init()
	n.sending.init()
	n.links = newLinks(n.metrics, func(string) {}, func(string) {})
	n.links.close()
	if local != nil {
		n.codec = local.Codec()
	}
	p := n.meet(Member{Name: "p", Incarnation: "p", RPC: "127.0.0.1:1", lowest: wire.MinVersion, highest: wire.Version})
	for id := range uint64(8) {
		p.pending[id+1] = &pending{reply: func(_ actors.Message, _ error) {}}
	}
	n.table.Store(&table{ring: NewRing(nil), peers: map[string]*peer{"p": p}, runs: map[string]*peer{"p": p}})
	return n
}

// Act takes one message of another node, without the net that catches panics.
func Act(n *Node, m any) error { return n.act(m) }

// Reserved returns the bytes that bodies on their way here hold.
func Reserved(n *Node) int { return n.bodies.assembly.Reserved() }
