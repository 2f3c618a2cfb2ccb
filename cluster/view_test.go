package cluster_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/easelhq/easel/cluster"
	"github.com/easelhq/easel/wire"
)

func seen(name, incarnation, gossip string, state wire.State, born int64) cluster.Sighting {
	return cluster.Sighting{
		Name: name, Incarnation: incarnation, Gossip: gossip,
		Member: &wire.Member{State: state, BornMs: born, Address: gossip, Weight: 1000},
	}
}

const (
	joining  = wire.State_STATE_JOINING
	serving  = wire.State_STATE_SERVING
	draining = wire.State_STATE_DRAINING
)

func TestViewHasOneMemberForEachName(t *testing.T) {
	for _, c := range []struct {
		name string
		seen []cluster.Sighting
		want []string // name/incarnation, with what it may not
	}{
		{"nobody", nil, nil},
		{"sorted", []cluster.Sighting{seen("b", "2", "x:2", serving, 2), seen("a", "1", "x:1", serving, 1)}, []string{"a/1", "b/2"}},
		{
			"a crash and a quick restart: the corpse counts until the new one serves",
			[]cluster.Sighting{seen("a", "old", "x:1", serving, 1), seen("a", "new", "x:1", joining, 2)},
			[]string{"a/old"},
		},
		{
			"a crash and a quick restart: then the new one does",
			[]cluster.Sighting{seen("a", "new", "x:1", serving, 2), seen("a", "old", "x:1", serving, 1)},
			[]string{"a/new"},
		},
		{
			"one that drains and its successor",
			[]cluster.Sighting{seen("a", "old", "x:1", draining, 1), seen("a", "new", "x:2", serving, 2)},
			[]string{"a/new"},
		},
		{"only joining", []cluster.Sighting{seen("a", "1", "x:1", joining, 1)}, []string{"a/1 joining"}},
		{"draining", []cluster.Sighting{seen("a", "1", "x:1", draining, 1)}, []string{"a/1 draining"}},
		{
			"a node that says nothing of its state owns nothing",
			[]cluster.Sighting{{Name: "a", Incarnation: "1", Member: &wire.Member{}}},
			[]string{"a/1 joining"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, m := range cluster.View(c.seen, "self") {
				s := m.Name + "/" + m.Incarnation
				if m.Joining {
					s += " joining"
				}
				if m.Draining {
					s += " draining"
				}
				got = append(got, s)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestViewDoesNotDependOnWhatWasSeenFirst: gossip tells every node in another
// order.
func TestViewDoesNotDependOnWhatWasSeenFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []cluster.Sighting
		for range rapid.IntRange(0, 8).Draw(t, "runs") {
			incarnation := rapid.StringMatching("[a-z]{6}").Draw(t, "incarnation")
			all = append(all, seen(
				rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"), incarnation, "x:"+incarnation,
				rapid.SampledFrom([]wire.State{joining, serving, draining}).Draw(t, "state"), rapid.Int64Range(1, 3).Draw(t, "born"),
			))
		}
		one := cluster.View(all, "")
		other := cluster.View(rapid.Permutation(all).Draw(t, "order"), "")
		if d := cmp.Diff(one, other, cmp.AllowUnexported(cluster.Member{})); d != "" {
			t.Fatal(d)
		}
	})
}

func TestRivalsAreOlderRunsElsewhere(t *testing.T) {
	me := seen("a", "me", "x:1", joining, 5)
	for _, c := range []struct {
		name  string
		other cluster.Sighting
		rival bool
	}{
		{"older elsewhere", seen("a", "o", "x:2", serving, 4), true},
		{"as old, by incarnation", seen("a", "a", "x:2", serving, 5), true},
		{"as old, the other way round", seen("a", "z", "x:2", serving, 5), false},
		{"younger: it will go", seen("a", "y", "x:2", serving, 6), false},
		{"older at this address: it must be dead", seen("a", "o", "x:1", serving, 4), false},
		{"another name", seen("b", "o", "x:2", serving, 4), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := len(cluster.Rivals([]cluster.Sighting{me, c.other}, "me")) == 1; got != c.rival {
				t.Errorf("rival %v", got)
			}
		})
	}
	if got := cluster.Rivals(nil, "me"); got != nil {
		t.Errorf("rivals of a node that does not see itself: %v", got)
	}
}
