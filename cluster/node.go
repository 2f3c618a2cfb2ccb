package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	pcluster "github.com/asynkron/protoactor-go/cluster"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/wire"
)

// ErrNameTaken is what a node fails with if another one that is alive has its name,
// and is older.
var ErrNameTaken = errors.New("cluster: another node has this name; every node needs a --node of its own")

// ErrVersion is what a node fails with if a member speaks no version of the
// protocol between nodes that this build does.
var ErrVersion = errors.New("cluster: a member is too old or too new; upgrade in smaller steps")

// Node is this process's place in the cluster. It implements actors.Network.
type Node struct {
	config  Config
	log     *slog.Logger
	metrics *metrics
	secrets *secrets // nil without a key
	proto   *actor.ActorSystem
	engine  *pcluster.Cluster
	links   *links
	origin  *wire.Origin // of what this node sends
	listen  endpoint     // of gossip
	host    string       // under which others reach this node
	began   time.Time

	hand   func(to string, a *arrival) bool // gives what others send to an actor here
	ways   atomic.Pointer[map[string]*actor.PID]
	home   atomic.Pointer[home]   // nil before Start
	gossip atomic.Pointer[gossip] // nil before Start

	table   atomic.Pointer[table]
	ids     atomic.Uint64 // of requests and transfers
	heard   heard         // streams of others
	bodies  bodies        // on their way here
	sending sendings      // on their way to others
	resends atomic.Int64  // answers that wait for their link

	done     chan struct{} // closed by Close
	wg       sync.WaitGroup
	suspects chan *peer    // whose processes may have ended
	moved    chan struct{} // has a token when the owners may have changed
	view     chan chan<- struct{}
	failed   chan error
	closing  sync.Once
	leaving  sync.Once

	mu  sync.Mutex // guards what follows
	own *wire.Member
}

// home is this process as others' requests find it.
type home struct {
	local Local
	codec *actors.Codec
	life  context.Context //nolint:containedctx // the node's, which requests of others are part of
	end   context.CancelFunc
}

// New makes a Node and listens for gRPC; nothing is known of it to others before
// Start, and Owner answers "". Close it in any case.
func New(c Config) (*Node, error) {
	listen, rpc, err := c.check()
	if err != nil {
		return nil, err
	}
	n := &Node{
		config: c, log: c.Log, began: time.Now(), listen: listen, moved: make(chan struct{}, 1), view: make(chan chan<- struct{}),
		failed: make(chan error, 1), done: make(chan struct{}), suspects: make(chan *peer, 64),
	}
	if len(c.Key) > 0 {
		if n.secrets, err = newSecrets(c.Key); err != nil {
			return nil, err
		}
	}
	n.metrics = newMetrics(c.Registerer)
	n.hand = n.pass
	n.heard.streams = map[string]int{}
	n.bodies.init()
	n.sending.init()
	n.table.Store(&table{ring: NewRing(nil)})
	if err := n.startEngine(rpc); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(n.proto.Address())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("address of gRPC: %w", err), n.Close())
	}
	n.host = c.Advertise
	if n.host == "" {
		n.host = reachable(rpc.host)
	}
	address := net.JoinHostPort(n.host, port)
	n.origin = &wire.Origin{Node: c.Name, Incarnation: n.proto.ID, Address: address}
	n.own = &wire.Member{
		MinVersion: wire.MinVersion, MaxVersion: wire.Version, State: wire.State_STATE_JOINING, Address: address,
		Http: c.HTTP, Region: c.Region, Zone: c.Zone, Build: c.Version, Weight: max(uint32(c.Weight*1000), 1),
		BornMs: time.Now().UnixMilli(),
	}
	if _, err := encodeMember(n.own); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// ActorSystem returns the one protoactor system of the process, for actors.Config.
func (n *Node) ActorSystem() *actor.ActorSystem { return n.proto }

// Name returns the node's stable name.
func (n *Node) Name() string { return n.config.Name }

// RPC returns the HOST:PORT under which others reach this node's gRPC.
func (n *Node) RPC() string { return n.origin.Address }

// Gossip returns the HOST:PORT under which others reach this node's gossip; ""
// before Start.
func (n *Node) Gossip() string {
	g := n.gossip.Load()
	if g == nil {
		return ""
	}
	return g.address
}

// Start joins the cluster; local takes what others send from then on. It returns
// once this node serves: as a member of the cluster, or, if no member of Join
// answers for Config.JoinWait, alone, and then it keeps trying. ctx bounds nothing
// but Start. Drain and Leave are called after Start has returned. Errors:
// ErrNameTaken; ErrVersion; the port of gossip is in use; ctx has ended.
func (n *Node) Start(ctx context.Context, local Local) error {
	h := &home{local: local, codec: local.Codec()}
	h.life, h.end = context.WithCancel(context.WithoutCancel(ctx))
	n.home.Store(h)
	if err := n.receive(); err != nil {
		return err
	}
	var key []byte
	if n.secrets != nil {
		key = n.secrets.gossip
	}
	advertise, err := n.advertised(ctx)
	if err != nil {
		return err
	}
	g, err := startGossip(n.config.Name+"/"+n.proto.ID, n.listen, advertise, n.own, key, n.log)
	if err != nil {
		return err
	}
	n.gossip.Store(g)
	n.wg.Go(func() { n.watch(g) })
	n.wg.Go(func() { n.announce(local) })
	if err := n.joinFirst(ctx, g); err != nil {
		n.leaving.Do(func() { err = errors.Join(err, g.leave(500*time.Millisecond)) })
		return err
	}
	n.wg.Go(func() { n.rejoin(h.life, g) })
	n.wg.Go(func() { n.inquire(h.life, g) })
	n.wg.Go(n.sweep)
	if err := n.become(ctx, wire.State_STATE_SERVING); err != nil {
		if ctx.Err() != nil {
			return err
		}
		n.log.Warn("the members may learn late that this node serves", "err", err)
	}
	n.log.Info("cluster joined", "gossip", g.address, "rpc", n.origin.Address, "members", len(n.Members()))
	return nil
}

// Failed has an error once this node must stop: ErrNameTaken, when a partition
// heals and an older node turns out to have the same name.
func (n *Node) Failed() <-chan error { return n.failed }

// Members returns all members that this node sees alive, itself included, sorted
// by name.
func (n *Node) Members() []Member { return slices.Clone(n.table.Load().members) }

// Owner implements actors.Network.
func (n *Node) Owner(key actors.Key) string {
	t := n.table.Load()
	return t.owner(key, n.config.RegionOf(key, t.members))
}

// Drain makes this node own nothing, and returns when the other members have been
// told; requests in both directions are still carried. Errors: ctx ended before
// that; the node drains all the same.
func (n *Node) Drain(ctx context.Context) error {
	if n.gossip.Load() == nil {
		return nil
	}
	return n.become(ctx, wire.State_STATE_DRAINING)
}

// Leave tells the others that this node goes, and ends all links; requests that
// wait for an answer of another node end with actors.ErrLost. Call Drain before,
// and release what runs here. ctx bounds the telling.
func (n *Node) Leave(ctx context.Context) error {
	var err error
	n.leaving.Do(func() {
		g := n.gossip.Load()
		if g == nil {
			return
		}
		wait := 2 * time.Second
		if d, ok := ctx.Deadline(); ok {
			wait = min(wait, max(time.Until(d), time.Millisecond))
		}
		err = g.leave(wait)
	})
	return errors.Join(err, n.Close())
}

// Close ends everything at once: to the others this looks like a crash unless
// Leave was called.
func (n *Node) Close() error {
	var err error
	n.leaving.Do(func() {
		if g := n.gossip.Load(); g != nil {
			err = g.list.Shutdown()
		}
	})
	n.closing.Do(func() {
		close(n.done)
		if h := n.home.Load(); h != nil {
			h.end()
		}
		n.stopEngine()
		for _, p := range n.table.Load().runs {
			p.part()
		}
		n.wg.Wait()
	})
	return err
}

// become changes the state that this node tells of itself, here at once and then
// to the others.
func (n *Node) become(ctx context.Context, s wire.State) error {
	g := n.gossip.Load()
	n.mu.Lock()
	n.own.State = s
	err := g.say(n.own)
	n.mu.Unlock()
	if err != nil {
		return err
	}
	seen := make(chan struct{})
	select {
	case n.view <- seen:
		<-seen
	case <-n.done:
		return errors.New("cluster: the node is closed")
	case <-ctx.Done():
		return ctx.Err()
	}
	return g.tell(ctx)
}

// advertised returns the IP address under which others reach gossip; "" if it is
// the one that is bound.
func (n *Node) advertised(ctx context.Context) (string, error) {
	if n.config.Advertise == "" {
		if a := reachable(n.listen.host); a != n.listen.host {
			return a, nil
		}
		return "", nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", n.config.Advertise)
	if err != nil {
		return "", &KeyError{"advertise", err}
	}
	return ips[0].Unmap().String(), nil // an error otherwise
}

// reachable returns an address that others may use for what listens on host: of a
// machine with several, the first private one.
func reachable(host string) string {
	ip := net.ParseIP(host)
	if ip == nil || !ip.IsUnspecified() {
		return host
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return host
	}
	best := host
	for _, a := range addresses {
		n, ok := a.(*net.IPNet)
		switch {
		case !ok || n.IP.To4() == nil || !n.IP.IsGlobalUnicast():
		case n.IP.IsPrivate():
			return n.IP.String()
		case best == host:
			best = n.IP.String()
		}
	}
	return best
}

func portOf(address string) int {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	p, _ := strconv.Atoi(port)
	return p
}
