package cluster

import (
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	pcluster "github.com/asynkron/protoactor-go/cluster"

	"github.com/easelhq/easel/actors"
)

// lookup finds the process that takes messages for an identity: the way in of its
// owner. It asks nobody and takes no lock, so a node that has crashed cannot hold
// up what others own.
type lookup struct{ node *Node }

// Get implements protoactor's IdentityLookup. The identity is an actor's key,
// "kind/id"; nil if nobody owns it.
func (l *lookup) Get(ci *pcluster.ClusterIdentity) *actor.PID {
	k, id, ok := strings.Cut(ci.GetIdentity(), "/")
	if !ok {
		return nil
	}
	key := actors.Key{Kind: k, ID: id}
	t := l.node.table.Load()
	owner := t.owner(key, l.node.config.RegionOf(key, t.members))
	if owner == l.node.config.Name {
		return actor.NewPID(l.node.proto.Address(), requestWay(key))
	}
	if p := t.peers[owner]; p != nil {
		return actor.NewPID(p.address, requestWay(key))
	}
	return nil
}

// RemovePid implements protoactor's IdentityLookup: nothing is stored.
func (l *lookup) RemovePid(*pcluster.ClusterIdentity, *actor.PID) {}

// Setup implements protoactor's IdentityLookup.
func (l *lookup) Setup(*pcluster.Cluster, []string, bool) {}

// Shutdown implements protoactor's IdentityLookup.
func (l *lookup) Shutdown() {}
