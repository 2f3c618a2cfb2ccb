package cluster_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/cluster"
)

const ringKeys = 10_000

// imageKeys are keys as images have them: hashes that differ everywhere, or
// numbers that differ in the last character.
func imageKeys(t *testing.T) func(*rapid.T) []actors.Key {
	t.Helper()
	shapes := []string{"%032x/%032x", "t/%d%d", "%d/img-%06d"}
	keys := make([][]actors.Key, len(shapes))
	for s, shape := range shapes {
		for i := range ringKeys {
			keys[s] = append(keys[s], actors.Key{Kind: "image", ID: fmt.Sprintf(shape, i/100, i)})
		}
	}
	return func(t *rapid.T) []actors.Key { return keys[rapid.IntRange(0, len(keys)-1).Draw(t, "keys")] }
}

// seatsOf draws the names of n seats, among them such that differ in their last
// character only.
func seatsOf(t *rapid.T, n int) []cluster.Seat {
	prefix := rapid.SampledFrom([]string{"node-", "easel-", "n", "127.0.0.1:900", "10.0.0.1", ""}).Draw(t, "prefix")
	from := rapid.IntRange(0, 1000).Draw(t, "from")
	seats := make([]cluster.Seat, n)
	for i := range seats {
		seats[i].Name = fmt.Sprint(prefix, from+i)
	}
	return seats
}

func owners(seats []cluster.Seat, keys []actors.Key) []string {
	ring := cluster.NewRing(seats)
	all := make([]string, len(keys))
	for i, k := range keys {
		all[i] = ring.Owner(k, "")
	}
	return all
}

func count(names []string) map[string]int {
	all := map[string]int{}
	for _, n := range names {
		all[n]++
	}
	return all
}

func TestRingSharesEvenly(t *testing.T) {
	keysOf := imageKeys(t)
	rapid.Check(t, func(t *rapid.T) {
		seats := seatsOf(t, rapid.IntRange(3, 9).Draw(t, "seats"))
		even := float64(ringKeys) / float64(len(seats))
		shares := count(owners(seats, keysOf(t)))
		for _, s := range seats {
			if off := math.Abs(float64(shares[s.Name])-even) / even; off > 0.2 {
				t.Fatalf("%s has %d of %d, even is %.0f: %v", s.Name, shares[s.Name], ringKeys, even, shares)
			}
		}
	})
}

func TestRingMovesOnlyWhatComesOrGoesWithASeat(t *testing.T) {
	keysOf := imageKeys(t)
	rapid.Check(t, func(t *rapid.T) {
		seats := seatsOf(t, rapid.IntRange(2, 9).Draw(t, "seats"))
		keys := keysOf(t)
		more := owners(seats, keys)
		i := rapid.IntRange(0, len(seats)-1).Draw(t, "gone")
		gone := seats[i].Name
		fewer := owners(append(append([]cluster.Seat{}, seats[:i]...), seats[i+1:]...), keys)
		for k := range keys {
			if more[k] != gone && more[k] != fewer[k] {
				t.Fatalf("%v moves from %s to %s when %s goes", keys[k], more[k], fewer[k], gone)
			}
		}
	})
}

func TestRingDoesNotDependOnTheOrderOfSeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seats := seatsOf(t, 5)
		key := actors.Key{Kind: "image", ID: rapid.String().Draw(t, "id")}
		if a, b := cluster.OwnerAmong(seats, "", key), cluster.OwnerAmong(rapid.Permutation(seats).Draw(t, "order"), "", key); a != b {
			t.Fatalf("%s or %s", a, b)
		}
	})
}

func TestRingPrefersTheRegion(t *testing.T) {
	seats := []cluster.Seat{{Name: "a", Region: "eu"}, {Name: "b", Region: "eu"}, {Name: "c", Region: "us"}}
	among := map[string]map[string]int{"eu": {}, "us": {}, "ap": {}, "": {}}
	for region := range among {
		for i := range 1000 {
			among[region][cluster.OwnerAmong(seats, region, actors.Key{Kind: "image", ID: fmt.Sprint(i)})]++
		}
	}
	if n := among["eu"]["c"]; n > 0 {
		t.Errorf("%d actors of eu are outside", n)
	}
	if n := among["us"]["c"]; n != 1000 {
		t.Errorf("%d actors of us are in us", n)
	}
	for _, nowhere := range []string{"ap", ""} {
		for _, name := range []string{"a", "b", "c"} {
			if n := among[nowhere][name]; n < 250 {
				t.Errorf("%s has %d of 1000 actors of region %q", name, n, nowhere)
			}
		}
	}
	seats[2].Draining = true
	if o := cluster.OwnerAmong(seats, "us", actors.Key{Kind: "image", ID: "1"}); o == "c" || o == "" {
		t.Errorf("%q owns an actor of a region that drains", o)
	}
}

func TestRingFollowsWeights(t *testing.T) {
	keysOf := imageKeys(t)
	rapid.Check(t, func(t *rapid.T) {
		seats := seatsOf(t, 4)
		weights := []float64{1, 1, 2, 4}
		for i := range seats {
			seats[i].Weight = weights[i]
		}
		shares := count(owners(seats, keysOf(t)))
		for i, s := range seats {
			want := ringKeys * weights[i] / 8
			if off := math.Abs(float64(shares[s.Name])-want) / want; off > 0.2 {
				t.Fatalf("%s of weight %v has %d, its share is %.0f", s.Name, s.Weight, shares[s.Name], want)
			}
		}
	})
}

func TestRingGivesNothingToWhoDrains(t *testing.T) {
	seats := []cluster.Seat{{Name: "a"}, {Name: "b", Draining: true}, {Name: "c"}}
	without := []cluster.Seat{{Name: "a"}, {Name: "c"}}
	for i := range 1000 {
		key := actors.Key{Kind: "image", ID: fmt.Sprint(i)}
		if got, want := cluster.OwnerAmong(seats, "", key), cluster.OwnerAmong(without, "", key); got != want {
			t.Fatalf("%v: %q, and %q without it", key, got, want)
		}
	}
	if o := cluster.OwnerAmong(seats[1:2], "", actors.Key{Kind: "image", ID: "x"}); o != "" {
		t.Errorf("%q owns what nobody may", o)
	}
}

// TestRingStaysWhatItIs pins placements: two builds that differ here would fight
// over every actor during an upgrade.
func TestRingStaysWhatItIs(t *testing.T) {
	seats := []cluster.Seat{{Name: "n1"}, {Name: "n2"}, {Name: "n3", Weight: 2}}
	got := ""
	for i := range 24 {
		got += cluster.OwnerAmong(seats, "", actors.Key{Kind: "image", ID: fmt.Sprintf("tenant/%d", i)})[1:]
	}
	if want := "311321113113321133313321"; got != want {
		t.Errorf("owners are %s, were %s", got, want)
	}
}

func BenchmarkRingOwner(b *testing.B) {
	seats := make([]cluster.Seat, 9)
	for i := range seats {
		seats[i].Name = fmt.Sprint("node-", i)
	}
	ring, key := cluster.NewRing(seats), actors.Key{Kind: "image", ID: "0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef"}
	for b.Loop() {
		ring.Owner(key, "")
	}
}
