package cluster

import (
	"github.com/easelhq/easel/actors"
)

// table is what the node knows of the cluster at one moment. It is immutable.
type table struct {
	members []Member
	ring    *Ring
	peers   map[string]*peer // the others, by name
	runs    map[string]*peer // the same, by incarnation
}

// owner returns the name of key's owner.
func (t *table) owner(key actors.Key, region string) string { return t.ring.Owner(key, region) }

// next makes the table of members: a peer of the same incarnation at the same
// address stays what it is, and those that do not are returned as gone.
func (t *table) next(members []Member, meet func(Member) *peer) (after *table, gone, met []*peer) {
	after = &table{members: members, ring: NewRing(seats(members)), peers: map[string]*peer{}, runs: map[string]*peer{}}
	for _, m := range members {
		if m.Self {
			continue
		}
		p := t.runs[m.Incarnation]
		if p == nil || p.address != m.RPC {
			p = meet(m)
			met = append(met, p)
		}
		after.peers[m.Name], after.runs[m.Incarnation] = p, p
	}
	for incarnation, p := range t.runs {
		if after.runs[incarnation] != p {
			gone = append(gone, p)
		}
	}
	return after, gone, met
}
