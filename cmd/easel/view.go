package main

import (
	"context"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/transport"
)

// loner is the cluster of a node that has no others.
type loner struct {
	node  transport.Member
	edge  *edge
	owner string
}

// Members implements transport.Cluster.
func (l *loner) Members(context.Context) []transport.Member {
	m := l.node
	m.Load = l.edge.load()
	return []transport.Member{m}
}

// Owner implements transport.Cluster.
func (l *loner) Owner(actors.Key) string { return l.owner }

// load is what the node does at the moment.
func (e *edge) load() *transport.Load {
	owned, open := e.actors.Counts()
	return &transport.Load{Owned: owned, Open: open, Sockets: e.rooms.Sockets()}
}

// self describes this node.
func (p *Program) self(name string, since easel.Time) transport.Member {
	return transport.Member{Name: name, Region: p.config.Store.Region, State: "ready", Version: buildVersion(), Since: since}
}
