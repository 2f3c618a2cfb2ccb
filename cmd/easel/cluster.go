package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/cluster"
	"github.com/easelhq/easel/transport"
)

// newMember makes this node's place in the cluster; nil if it is alone. What goes
// wrong comes from the configuration, and the error names the key.
func (p *Program) newMember(h *house, r prometheus.Registerer) (*cluster.Node, error) {
	c := p.config.Cluster
	if c.Bind == "" {
		return nil, nil
	}
	n, err := cluster.New(cluster.Config{
		RegionOf: homeRegion,
		Name:     h.node, Region: p.config.Store.Region, Zone: c.Zone, Weight: c.Weight,
		Bind: c.Bind, RPCBind: c.RPC, Advertise: c.Advertise, Join: c.Join, Key: c.Key,
		HTTP: p.addr.String(), Version: buildVersion(),
		Log: p.log, Registerer: r,
	})
	if err != nil {
		return nil, badMember(err)
	}
	return n, nil
}

// badMember blames the key for what keeps this node out of a cluster.
func badMember(err error) *usageError {
	if bad, ok := errors.AsType[*cluster.KeyError](err); ok {
		return badKey(bad.Key, "%v", bad.Err)
	}
	if errors.Is(err, cluster.ErrNameTaken) {
		return badKey("node", "%v", err)
	}
	return &usageError{message: err.Error()}
}

// join makes the node a member of its cluster, if it has one, and returns what it
// tells of it. Requests of other nodes are served from then on.
func (p *Program) join(ctx context.Context, h *house, e *edge) (transport.Cluster, error) {
	if e.member == nil {
		self := transport.Member{
			Name: h.node, Region: p.config.Store.Region, State: "ready", Version: buildVersion(), Since: easel.At(time.Now()),
		}
		return &loner{self, e}, nil
	}
	if err := e.member.Start(ctx, e.actors); err != nil {
		return nil, badMember(err)
	}
	return &neighbourhood{e.member, e}, nil
}

// failed has an error once the node must stop; never, if it is alone.
func (e *edge) failed() <-chan error {
	if e.member == nil {
		return nil
	}
	return e.member.Failed()
}

// homeRegion returns the region that an image was made in, if there are nodes in it;
// "" for what is at home nowhere in particular.
func homeRegion(k actors.Key, members []cluster.Member) string {
	if k.Kind != canvas.KindName {
		return ""
	}
	_, image, _ := strings.Cut(k.ID, "/")
	for _, m := range members {
		if easel.ID(image).AtHome(easel.RegionTag(m.Region)) {
			return m.Region
		}
	}
	return ""
}

// leave tells the other nodes that this one goes.
func (p *Program) leave(n *cluster.Node) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := n.Leave(ctx); err != nil {
		p.log.Warn("the cluster was not told in time that this node leaves", "err", err)
	}
	return nil
}

// loner is the cluster of a node that has no others.
type loner struct {
	self transport.Member
	edge *edge
}

// Members implements transport.Cluster.
func (l *loner) Members(context.Context) []transport.Member {
	m := l.self
	m.Load = l.edge.load()
	return []transport.Member{m}
}

// Owner implements transport.Cluster.
func (l *loner) Owner(actors.Key) string { return l.self.Name }

// load is what the node does at the moment.
func (e *edge) load() *transport.Load {
	owned, open := e.actors.Counts()
	return &transport.Load{Owned: owned, Open: open, Sockets: e.rooms.Sockets()}
}

// neighbourhood is what a node tells of the cluster.
type neighbourhood struct {
	node *cluster.Node
	edge *edge
}

// askLoad is how long other nodes are waited for.
const askLoad = time.Second

// Members implements transport.Cluster.
func (n *neighbourhood) Members(ctx context.Context) []transport.Member {
	ctx, cancel := context.WithTimeout(ctx, askLoad)
	defer cancel()
	all := n.node.Members()
	out := make([]transport.Member, len(all))
	var asked sync.WaitGroup
	for i, m := range all {
		out[i] = transport.Member{
			Name: m.Name, Region: m.Region, Zone: m.Zone, State: "ready", Version: m.Build, Since: easel.At(m.Since),
		}
		switch {
		case m.Draining:
			out[i].State = "draining"
		case m.Joining:
			out[i].State = "joining"
		}
		asked.Go(func() {
			answer, err := actors.Ask[loadReply](ctx, n.edge.actors, actors.Request{To: deskKey(), Node: m.Name, Message: loadQuery{}})
			if err == nil {
				out[i].Load = &answer.Load
			}
		})
	}
	asked.Wait()
	return out
}

// Owner implements transport.Cluster.
func (n *neighbourhood) Owner(key actors.Key) string { return n.node.Owner(key) }

// desk is an ephemeral actor of each node that other nodes ask about it, and tell of
// tenants that were erased.
type desk struct{ edge *edge }

type (
	loadQuery struct{}
	loadReply struct {
		Load transport.Load `json:"load"`
	}
	barTenant struct {
		Tenant easel.TenantID `json:"tenant"`
	}
	barReply struct{}
)

func (loadQuery) MessageName() string { return "easel.load_query" }
func (loadReply) MessageName() string { return "easel.load_reply" }
func (barTenant) MessageName() string { return "easel.bar_tenant" }
func (barReply) MessageName() string  { return "easel.bar_reply" }
func (loadQuery) Idempotent() bool    { return true }
func (barTenant) Idempotent() bool    { return true }

func deskKey() actors.Key { return actors.Key{Kind: "desk", ID: "node"} }

func deskMessages() []actors.Message {
	return []actors.Message{loadQuery{}, loadReply{}, barTenant{}, barReply{}}
}

// deskKind returns the kind of desks, which are asked once the node is a member.
func deskKind(e *edge) *actors.EphemeralKind {
	return &actors.EphemeralKind{Name: deskKey().Kind, New: func(*actors.Context, actors.Key) actors.Ephemeral {
		return &desk{e}
	}}
}

// Receive implements actors.Ephemeral.
func (d *desk) Receive(_ *actors.Context, m actors.Message) (actors.Message, error) {
	switch m := m.(type) {
	case loadQuery:
		return loadReply{*d.edge.load()}, nil
	case barTenant:
		// Before there is a bar nobody is served, and all erasures are loaded first.
		if bar := d.edge.bar.Load(); bar != nil {
			(*bar)(m.Tenant)
		}
		return barReply{}, nil
	default:
		return nil, easel.Errorf(easel.CodeInvalid, "a desk does not understand %s", m.MessageName())
	}
}

// barElsewhere tells the other nodes that a tenant was erased, and waits for those
// that answer soon. One that misses it finds out by itself, see eraseEvery.
func (e *edge) barElsewhere(ctx context.Context, id easel.TenantID) {
	if e.member == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askLoad)
	defer cancel()
	var told sync.WaitGroup
	for _, m := range e.member.Members() {
		if m.Name == e.member.Name() {
			continue
		}
		told.Go(func() {
			_, _ = actors.Ask[barReply](ctx, e.actors, actors.Request{To: deskKey(), Node: m.Name, Message: barTenant{id}}) // see above
		})
	}
	told.Wait()
}

// Done implements actors.Ephemeral: it remembers nothing.
func (*desk) Done() bool { return true }
