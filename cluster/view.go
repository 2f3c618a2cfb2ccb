package cluster

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/easelhq/easel/wire"
)

// Member is a node of the cluster.
type Member struct {
	Name        string // stable
	Incarnation string // of this run of its process
	Region      string
	Zone        string
	HTTP        string // HOST:PORT of its HTTP
	RPC         string // HOST:PORT of its gRPC
	Gossip      string // HOST:PORT of its gossip
	Build       string // version of its build
	Weight      float64
	Joining     bool // it owns nothing yet
	Draining    bool // it owns nothing any more
	Self        bool
	Since       time.Time // when it started, by its own clock

	lowest, highest uint32 // versions of the wire it understands
}

// Sighting is what gossip says of one run of a node that it holds to be alive.
type Sighting struct {
	Name        string // the node's
	Incarnation string
	Gossip      string // HOST:PORT
	Member      *wire.Member
}

// View says who the members are, given all that gossip holds to be alive: one for
// each name, sorted by name. Of two runs of one node, which is what is seen for a
// moment after a crash and a quick restart, the one that serves counts, and of two
// that do the younger: a node serves only once it knows that no older run answers.
func View(seen []Sighting, self string) []Member {
	runs := slices.Clone(seen)
	slices.SortFunc(runs, func(a, b Sighting) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), later(a, b))
	})
	runs = slices.CompactFunc(runs, func(a, b Sighting) bool { return a.Name == b.Name })
	members := make([]Member, 0, len(runs))
	for _, s := range runs {
		m := s.Member
		members = append(members, Member{
			Name: s.Name, Incarnation: s.Incarnation, Region: m.GetRegion(), Zone: m.GetZone(), HTTP: m.GetHttp(),
			RPC: m.GetAddress(), Gossip: s.Gossip, Build: m.GetBuild(), Weight: float64(m.GetWeight()) / 1000,
			Joining:  m.GetState() == wire.State_STATE_JOINING || m.GetState() == wire.State_STATE_UNSPECIFIED,
			Draining: m.GetState() == wire.State_STATE_DRAINING, Self: s.Incarnation == self,
			Since: time.UnixMilli(m.GetBornMs()), lowest: m.GetMinVersion(), highest: m.GetMaxVersion(),
		})
	}
	return members
}

// Rivals returns the runs of name that are older than the run self and have not
// its gossip address: if one of them is really alive, two nodes have one name and
// self has to leave. (One with self's own address must be dead.)
func Rivals(seen []Sighting, self string) []Sighting {
	i := slices.IndexFunc(seen, func(s Sighting) bool { return s.Incarnation == self })
	if i < 0 {
		return nil
	}
	me := seen[i]
	var rivals []Sighting
	for _, s := range seen {
		if s.Name == me.Name && s.Incarnation != self && s.Gossip != me.Gossip && younger(me, s) < 0 {
			rivals = append(rivals, s)
		}
	}
	return rivals
}

// later sorts the run that counts first.
func later(a, b Sighting) int {
	return cmp.Or(cmp.Compare(stage(b), stage(a)), younger(a, b))
}

// stage is 0 for a run that does not count as long as there is another.
func stage(s Sighting) int {
	switch s.Member.GetState() {
	case wire.State_STATE_SERVING, wire.State_STATE_DRAINING:
		return 1
	default:
		return 0
	}
}

// younger sorts the younger run first.
func younger(a, b Sighting) int {
	return cmp.Or(cmp.Compare(b.Member.GetBornMs(), a.Member.GetBornMs()), strings.Compare(b.Incarnation, a.Incarnation))
}

// seats returns what placement needs of members.
func seats(members []Member) []Seat {
	all := make([]Seat, 0, len(members))
	for _, m := range members {
		all = append(all, Seat{Name: m.Name, Region: m.Region, Weight: m.Weight, Draining: m.Draining || m.Joining})
	}
	return all
}
