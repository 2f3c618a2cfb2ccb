package cluster

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strconv"
	"sync"

	"github.com/asynkron/protoactor-go/remote"
	"github.com/hashicorp/memberlist"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/wire"
)

// Admit reads m as one of a peer's stream after its greeting. It returns how many
// messages are handed on.
func Admit(m *remote.RemoteMessage) (handed int, err error) {
	n := Deaf(nil)
	n.hand = func(string, *arrival) bool { handed++; return true }
	in := &inbound{node: n, peer: "p", taken: make(chan struct{}, 1)}
	err = in.admit(m)
	return handed, err
}

// Reading returns how a peer's stream is read, of a node whose actors take nothing by
// themselves, and what makes them take all that has come.
func Reading(stream grpc.ServerStream) (read func(any) error, take func()) {
	n := Deaf(nil)
	var mu sync.Mutex // guards came
	var came []*arrival
	n.hand = func(_ string, a *arrival) bool {
		mu.Lock()
		defer mu.Unlock()
		came = append(came, a)
		return true
	}
	in := &inbound{ServerStream: stream, node: n, peer: "p", taken: make(chan struct{}, 1)}
	return in.RecvMsg, func() {
		mu.Lock()
		all := came
		came = nil
		mu.Unlock()
		for _, a := range all {
			a.done()
		}
	}
}

// Deaf returns a node that takes messages and reaches nobody. It knows the peer
// "p" at address "127.0.0.1:1", and waits for its answers 1 to 8.
func Deaf(local Local) *Node {
	n := &Node{
		config: Config{Name: "n"}, log: slog.New(slog.DiscardHandler), metrics: newMetrics(nil),
		origin: &wire.Origin{Node: "n", Incarnation: "i", Address: "127.0.0.1:2"},
	}
	n.own = &wire.Member{MinVersion: wire.MinVersion, MaxVersion: wire.Version}
	n.heard.streams = map[string]int{}
	n.bodies.init()
	n.sending.init()
	n.links = newLinks(n.metrics, func(string) {}, func(string) {})
	n.links.close()
	if local != nil {
		n.home.Store(&home{local: local, codec: local.Codec(), life: context.Background()})
	}
	p := n.meet(Member{Name: "p", Incarnation: "p", RPC: "127.0.0.1:1", lowest: wire.MinVersion, highest: wire.Version})
	for id := range uint64(8) {
		p.pending[id+1] = &pending{reply: func(_ actors.Message, _ error) {}}
	}
	n.table.Store(&table{ring: NewRing(nil), peers: map[string]*peer{"p": p}, runs: map[string]*peer{"p": p}})
	return n
}

// Act takes one message of another node, without the net that catches panics.
func Act(n *Node, m proto.Message) error { return n.act(m) }

// Reserved returns the bytes that bodies on their way here hold.
func Reserved(n *Node) int { return n.bodies.assembly.Reserved() }

// SetVersions makes n say that it understands other versions of the wire.
func SetVersions(n *Node, lowest, highest uint32) {
	n.own.MinVersion, n.own.MaxVersion = lowest, highest
}

// CutLinks ends all links from n to others, as a broken connection does.
func CutLinks(n *Node) {
	n.links.mu.Lock()
	var all []*link
	for _, k := range n.links.byAddress {
		all = append(all, k)
	}
	n.links.mu.Unlock()
	for _, k := range all {
		n.links.end(k)
	}
}

// Accuse has memberlist tell n that a member is dead, of which something has just
// come, or nothing for long.
func Accuse(n *Node, name string, heard bool) {
	for _, m := range n.Members() {
		if m.Name != name {
			continue
		}
		p := n.table.Load().runs[m.Incarnation]
		p.heard.Store(0)
		if heard {
			p.speaks()
		}
		host, port, _ := net.SplitHostPort(m.Gossip)
		at, _ := strconv.Atoi(port)
		n.gossip.Load().note(&memberlist.Node{
			Name: m.Name + "/" + m.Incarnation, Addr: net.ParseIP(host), Port: uint16(at), State: memberlist.StateDead,
		}, false)
	}
	Look(n)
}

// Look returns once n has looked at what gossip knows.
func Look(n *Node) {
	seen := make(chan struct{})
	n.view <- seen
	<-seen
}

// Bury has n take a member for dead whose process has not ended, and reports
// whether n sees it no more.
func Bury(n *Node, name string) (gone bool) {
	for _, m := range n.Members() {
		if m.Name == name {
			n.gossip.Load().bury(m.Name, m.Incarnation)
		}
	}
	Look(n)
	return n.table.Load().peers[name] == nil
}

// LinkTLS returns what both ends of a link between nodes with a key use.
func LinkTLS(key []byte) (*tls.Config, error) {
	s, err := newSecrets(key)
	if err != nil {
		return nil, err
	}
	return s.tls, nil
}
