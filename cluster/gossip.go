package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
	"google.golang.org/protobuf/proto"

	"github.com/easelhq/easel/wire"
)

// gossip is memberlist and what it told: who is alive, and what they say of
// themselves. Each run of a node has a name of its own there, NAME/INCARNATION, so
// that a restarted process is never taken for its corpse.
type gossip struct {
	list    *memberlist.Memberlist
	address string               // under which others reach this node
	changed chan struct{}        // has a token when seen has changed
	reached map[string]time.Time // addresses that answered, and when; for reach only

	mu   sync.Mutex // guards what follows
	seen map[string]Sighting
	dead map[string]Sighting  // taken out of seen by bury: memberlist does not know yet
	gone map[string]Sighting  // taken out of seen because memberlist holds them for dead; until doubted asks
	own  []byte               // what this node says of itself
	lost map[string]time.Time // where nodes were that did not leave of their own will, and when
}

// startGossip listens; nobody is known until join is called.
func startGossip(name string, at endpoint, advertise string, own *wire.Member, key []byte, log *slog.Logger) (*gossip, error) {
	g := &gossip{
		changed: make(chan struct{}, 1), reached: map[string]time.Time{},
		seen: map[string]Sighting{}, dead: map[string]Sighting{}, gone: map[string]Sighting{}, lost: map[string]time.Time{},
	}
	if err := g.say(own); err != nil {
		return nil, err
	}
	c := memberlist.DefaultLANConfig()
	c.Name = name
	c.BindAddr, c.BindPort = at.host, at.port
	c.AdvertiseAddr, c.AdvertisePort = advertise, at.port
	// A crash is known after about 1.3 s. With these no node was ever evicted
	// falsely, with the processors oversubscribed fourfold.
	c.ProbeInterval, c.ProbeTimeout = 300*time.Millisecond, 150*time.Millisecond
	c.SuspicionMult = 3
	c.GossipInterval = 100 * time.Millisecond
	// News is sent to so many at a time, so many times in all, and the dead of the
	// last 30 s take part in both. With memberlist's 3 and 4 a node that crashed a few
	// times in a row spoke mostly to its own corpses: that it served again was known
	// to some only when they next compared everything, up to 10 s later.
	c.GossipNodes, c.RetransmitMult = 6, 16
	c.TCPTimeout = 2 * time.Second
	c.PushPullInterval = 10 * time.Second
	c.SecretKey = key
	c.Delegate, c.Events = delegate{g}, events{g}
	c.Logger = slog.NewLogLogger(gossipLog{log.Handler()}, slog.LevelInfo)
	list, err := memberlist.Create(c)
	if err != nil {
		return nil, &KeyError{"cluster-bind", fmt.Errorf("start gossip on %s: %w", at, err)}
	}
	g.list = list
	local := list.LocalNode()
	g.address = net.JoinHostPort(local.Addr.String(), strconv.Itoa(int(local.Port)))
	return g, nil
}

// say sets what this node says of itself; tell sends it.
func (g *gossip) say(own *wire.Member) error {
	b, err := encodeMember(own)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.own = b
	return nil
}

func encodeMember(m *wire.Member) ([]byte, error) {
	b, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode member: %w", err)
	}
	if len(b) > wire.MemberBytes {
		return nil, fmt.Errorf("cluster: what this node says of itself has %d bytes, and there is room for %d: shorten its names",
			len(b), wire.MemberBytes)
	}
	return b, nil
}

// tell spreads what say has set, and waits until it is on its way to the others.
func (g *gossip) tell(ctx context.Context) error {
	wait := 2 * time.Second
	if d, ok := ctx.Deadline(); ok {
		wait = min(wait, max(time.Until(d), time.Millisecond))
	}
	if err := g.list.UpdateNode(wait); err != nil {
		return fmt.Errorf("tell the members: %w", err)
	}
	return nil
}

// sightings returns a copy of all that are alive.
func (g *gossip) sightings() []Sighting {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Sighting, 0, len(g.seen))
	for _, s := range g.seen {
		all = append(all, s)
	}
	return all
}

// missing returns where nodes were that are lost, and forgets those lost before.
func (g *gossip) missing(before time.Time) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []string
	for address, since := range g.lost {
		if since.Before(before) {
			delete(g.lost, address)
			continue
		}
		all = append(all, address)
	}
	return all
}

// answers reports whether a run of a node answers a ping.
func (g *gossip) answers(s Sighting) bool {
	to, err := net.ResolveUDPAddr("udp", s.Gossip)
	if err != nil {
		return false
	}
	for range 3 { // each waits for the probe's time-out
		if _, err := g.list.Ping(s.Name+"/"+s.Incarnation, to); err == nil {
			return true
		}
	}
	return false
}

// leave tells the others that this node goes, and stops.
func (g *gossip) leave(wait time.Duration) error {
	left := g.list.Leave(wait)
	if err := g.list.Shutdown(); err != nil {
		return fmt.Errorf("stop gossip: %w", err)
	}
	if left != nil {
		return fmt.Errorf("leave: %w", left)
	}
	return nil
}

// note keeps what memberlist tells. It is called with memberlist's locks held: it
// only copies and signals.
func (g *gossip) note(n *memberlist.Node, alive bool) {
	name, incarnation, ok := strings.Cut(n.Name, "/")
	if !ok || !nameShape.MatchString(name) || incarnation == "" {
		return
	}
	m := &wire.Member{}
	if alive && proto.Unmarshal(n.Meta, m) != nil {
		alive = false // of no node that this one understands
	}
	address := net.JoinHostPort(n.Addr.String(), strconv.Itoa(int(n.Port)))
	g.mu.Lock()
	delete(g.dead, n.Name)
	delete(g.gone, n.Name)
	if alive {
		g.seen[n.Name] = Sighting{Name: name, Incarnation: incarnation, Member: m, Gossip: address}
		delete(g.lost, address)
	} else {
		s, ok := g.seen[n.Name]
		delete(g.seen, n.Name)
		if n.State == memberlist.StateDead {
			if ok {
				g.gone[n.Name] = s
			}
			g.lost[address] = time.Now()
		}
	}
	g.mu.Unlock()
	g.signal()
}

// doubted returns those of the dead that keep wants to go on with, and forgets the
// others. memberlist tells at once if one of them turns out to be alive.
func (g *gossip) doubted(keep func(Sighting) bool) []Sighting {
	g.mu.Lock()
	defer g.mu.Unlock()
	var kept []Sighting
	for full, s := range g.gone {
		if keep(s) {
			kept = append(kept, s)
		} else {
			delete(g.gone, full)
		}
	}
	return kept
}

// doubts reports whether doubted would ask about anybody.
func (g *gossip) doubts() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.gone) > 0
}

func (g *gossip) signal() {
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

// bury takes a run of a node for dead before memberlist does.
func (g *gossip) bury(name, incarnation string) {
	g.mu.Lock()
	full := name + "/" + incarnation
	s, ok := g.seen[full]
	delete(g.gone, full)
	if ok {
		delete(g.seen, full)
		g.dead[full] = s
	}
	g.mu.Unlock()
	if ok {
		g.signal()
	}
}

// buried returns those that memberlist still holds to be alive.
func (g *gossip) buried() []Sighting {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Sighting, 0, len(g.dead))
	for _, s := range g.dead {
		all = append(all, s)
	}
	return all
}

// exhume takes back bury, unless memberlist has learnt more meanwhile.
func (g *gossip) exhume(s Sighting) {
	g.mu.Lock()
	full := s.Name + "/" + s.Incarnation
	_, ok := g.dead[full]
	if ok {
		delete(g.dead, full)
		g.seen[full] = s
	}
	g.mu.Unlock()
	if ok {
		g.signal()
	}
}

// events are memberlist's calls about others.
type events struct{ g *gossip }

func (e events) NotifyJoin(n *memberlist.Node)   { e.g.note(n, true) }
func (e events) NotifyUpdate(n *memberlist.Node) { e.g.note(n, true) }
func (e events) NotifyLeave(n *memberlist.Node)  { e.g.note(n, false) }

// delegate is what memberlist asks of this node.
type delegate struct{ g *gossip }

func (d delegate) NodeMeta(int) []byte {
	d.g.mu.Lock()
	defer d.g.mu.Unlock()
	return d.g.own
}
func (delegate) NotifyMsg([]byte)                {}
func (delegate) GetBroadcasts(int, int) [][]byte { return nil }
func (delegate) LocalState(bool) []byte          { return nil }
func (delegate) MergeRemoteState([]byte, bool)   {}
