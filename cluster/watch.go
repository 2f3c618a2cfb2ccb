package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/easelhq/easel/wire"
)

// watch turns what gossip tells into tables, one after the other.
func (n *Node) watch(g *gossip) {
	for {
		var again <-chan time.Time
		if g.doubts() {
			again = time.After(doubtEvery)
		}
		select {
		case <-n.done:
			return
		case <-g.changed:
			n.look(g)
		case <-again:
			n.look(g)
		case seen := <-n.view:
			n.look(g)
			close(seen)
		}
	}
}

const (
	// heardFor is how long a member that memberlist holds for dead stays one after
	// something has come from it over its link. memberlist's probes are small and
	// impatient: on a machine with no time to spare they are late before anything
	// else is. A machine that is lost says nothing from then on, and by the time that
	// memberlist is sure of that, this is over.
	heardFor = time.Second
	// doubtEvery is how often such a member is looked at again.
	doubtEvery = 100 * time.Millisecond
)

// hears reports whether a run of a node is a member of which something came so
// lately that it is taken for alive, whatever memberlist says.
func (n *Node) hears(s Sighting) bool {
	p := n.table.Load().runs[s.Incarnation]
	return p != nil && p.spoke(heardFor)
}

// look makes the table of what gossip knows now, if it is another one.
func (n *Node) look(g *gossip) {
	sightings := append(g.sightings(), g.doubted(n.hears)...)
	n.mu.Lock()
	// What this node says of itself counts here before the others know it.
	state := n.own.State
	for i, s := range sightings {
		if s.Incarnation == n.proto.ID {
			sightings[i].Member = &wire.Member{
				MinVersion: n.own.MinVersion, MaxVersion: n.own.MaxVersion, State: state, Address: n.own.Address, Http: n.own.Http,
				Region: n.own.Region, Zone: n.own.Zone, Build: n.own.Build, Weight: n.own.Weight, BornMs: n.own.BornMs,
			}
		}
	}
	n.mu.Unlock()
	before := n.table.Load()
	members := View(sightings, n.proto.ID)
	if slices.Equal(before.members, members) {
		return
	}
	after, gone, _ := before.next(members, n.meet)
	n.table.Store(after)
	n.metrics.members.Set(float64(len(members)))
	n.metrics.changes.Inc()
	n.forgetGone(gone, after)
	n.publish(before, after)
	select {
	case n.moved <- struct{}{}:
	default:
	}
}

// forgetGone ends what waits for runs of nodes that are members no more.
func (n *Node) forgetGone(gone []*peer, after *table) {
	for _, p := range gone {
		n.log.Info("member is gone", "node", p.member.Name, "rpc", p.address)
		p.part()
		n.bodies.forget(p.member.Incarnation)
		if !slices.ContainsFunc(after.members, func(m Member) bool { return m.RPC == p.address && m.Incarnation == p.member.Incarnation }) {
			n.links.drop(p.address)
		}
	}
}

// announce tells the local actors, one change after the other; changes that come
// meanwhile are one.
func (n *Node) announce(local Local) {
	for {
		select {
		case <-n.done:
			return
		case <-n.moved:
			local.OwnersChanged()
		}
	}
}

const (
	rejoinEvery = time.Second
	rejoinFor   = time.Hour // a lost node that is no seed
	// reachedFor is how long an address is left alone that answered: the member
	// there may tell of itself under another one.
	reachedFor = 5 * time.Second
)

// joinFirst finds the cluster, and makes sure that this node's name is its own.
func (n *Node) joinFirst(ctx context.Context, g *gossip) error {
	until := time.Now().Add(n.config.JoinWait)
	for len(n.config.Join) > 0 && n.reach(ctx, g, n.config.Join) && len(g.sightings()) < 2 && time.Now().Before(until) {
		pause := time.NewTimer(100 * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-n.done:
			pause.Stop()
			return errors.New("cluster: the node is closed")
		}
	}
	if len(n.config.Join) > 0 && len(g.sightings()) < 2 {
		n.log.Warn("no member answers; this node serves alone and goes on asking", "join", n.config.Join)
	}
	for _, s := range g.sightings() {
		if stage(s) > 0 && n.speak(s.Member.GetMinVersion(), s.Member.GetMaxVersion()) == 0 {
			return fmt.Errorf("%w: %s speaks %d to %d, this build %d to %d", ErrVersion, s.Name,
				s.Member.GetMinVersion(), s.Member.GetMaxVersion(), n.own.MinVersion, n.own.MaxVersion)
		}
	}
	return n.rival(g)
}

// rejoin looks for members that should be there and are not: memberlist gives up
// on the dead, and two halves of a cluster that was cut do not look for each other.
func (n *Node) rejoin(ctx context.Context, g *gossip) {
	tick := time.NewTicker(rejoinEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-n.done:
			return
		case <-tick.C:
		}
		if err := n.rival(g); err != nil {
			select {
			case n.failed <- err:
			default:
			}
			return
		}
		n.reach(ctx, g, n.config.Join)
		if i%5 == 0 { // memberlist itself speaks to the dead for their first 30 s
			n.reach(ctx, g, g.missing(time.Now().Add(-rejoinFor)))
		}
	}
}

// reach joins every address at which no member is alive, and reports whether one
// of them is not this node's own. One that does not answer is found in the log.
func (n *Node) reach(ctx context.Context, g *gossip, addresses []string) (others bool) {
	live := map[string]bool{}
	for _, s := range g.sightings() {
		live[s.Gossip] = true
	}
	for _, a := range addresses {
		found := resolve(ctx, a)
		others = others || len(found) == 0 // its name may be known later
		for _, one := range found {
			if one == g.address {
				continue
			}
			others = true
			if live[one] || time.Since(g.reached[one]) < reachedFor {
				continue
			}
			if _, err := g.list.Join([]string{one}); err != nil {
				n.log.Debug("member not reached", "address", one, "err", err)
				continue
			}
			g.reached[one] = time.Now()
		}
	}
	return others
}

// resolve returns the IP:PORT addresses that a HOST:PORT stands for.
func resolve(ctx context.Context, address string) []string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return []string{net.JoinHostPort(ip.String(), port)}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	all := make([]string, 0, len(ips))
	for _, ip := range ips {
		all = append(all, net.JoinHostPort(ip.Unmap().String(), port))
	}
	return all
}

// rival reports an older run of this node's name that is alive.
func (n *Node) rival(g *gossip) error {
	for _, s := range Rivals(g.sightings(), n.proto.ID) {
		if g.answers(s) {
			return fmt.Errorf("%w: %q at %s", ErrNameTaken, s.Name, s.Gossip)
		}
	}
	return nil
}
