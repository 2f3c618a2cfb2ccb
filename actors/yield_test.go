package actors_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/easelhq/easel/actors"
)

// far is how long a request to the home takes at most in these tests, there and back.
const far = 20 * time.Millisecond

// TestPlannedMoveIsAShortPause lets a node leave and come back under load, with views
// that learn of it one after the other: whoever writes waits for a hand-over, and
// neither for the last to learn of it nor for a repeat.
func TestPlannedMoveIsAShortPause(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		f.distance = far / 2
		f.slow = time.Millisecond
		registry := prometheus.NewRegistry()
		config := tally(t)
		nodes := f.start(func(name string) actors.Config {
			c := config(name)
			c.Registerer = prometheus.WrapRegistererWith(prometheus.Labels{"node": name}, registry)
			return c
		}, "n1", "n2", "n3")
		k := key(f.ownedBy("n3"))
		nodes[0].want(t, k, add{1}, 1)
		var worst time.Duration
		var sum int64 = 1
		run := func(d time.Duration) {
			t.Helper()
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Millisecond) {
				for _, n := range nodes {
					began := time.Now()
					sum++
					n.want(t, k, add{1}, sum)
					worst = max(worst, time.Since(began))
				}
			}
		}
		for _, names := range [][]string{{"n1", "n2"}, {"n1", "n2", "n3"}} {
			run(2 * time.Second)
			var wg sync.WaitGroup
			wg.Go(func() {
				for _, learns := range []string{"n3", "n1", "n2"} {
					f.see(names, learns)
					time.Sleep(60 * time.Millisecond)
				}
			})
			run(2 * time.Second)
			wg.Wait()
		}
		t.Logf("the longest that anybody waited: %v", worst)
		// A hand-over is at most: what was on its way, the closing of the head, a look
		// at it, the claim, two reads of the history, and the write itself. The node that
		// learns first that it is the owner waits for the others.
		if most := 120*time.Millisecond + 8*far; worst > most {
			t.Errorf("somebody waited %v, more than %v", worst, most)
		}
		if n := summed(t, registry, "easel_actors_fenced_total"); n > 0 {
			t.Errorf("%v owners were fenced in planned moves", n)
		}
		if n := summed(t, registry, "easel_actors_moved_total"); n < 2 {
			t.Errorf("%v moves were counted", n)
		}
	})
}

// summed adds up a counter over all its labels.
func summed(t *testing.T, g prometheus.Gatherer, name string) (sum float64) {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			for _, m := range family.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// TestOwnerThatDoesNotAnswerIsFenced cuts the owner off in a way that nobody has
// noticed: the next one waits for its answer, but not for long.
func TestOwnerThatDoesNotAnswerIsFenced(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2")
		k := key(f.ownedBy("n2"))
		nodes[0].want(t, k, add{1}, 1)
		f.mu.Lock()
		f.cut[[2]string{"n1", "n2"}], f.cut[[2]string{"n2", "n1"}] = true, true
		nodes[0].belongs = "n1" // the owner is another, but n2 is there in the eyes of n1
		f.mu.Unlock()
		nodes[0].OwnersChanged()
		began := time.Now()
		nodes[0].want(t, k, add{1}, 2)
		if took := time.Since(began); took > 1500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

// TestNodesThatBothOwnAnActorTakeTurns has two nodes that each hold themselves for
// the owner, for ever, and askers at both: they do not take the actor from each other
// as fast as they can, and nothing is lost.
func TestNodesThatBothOwnAnActorTakeTurns(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2")
		k := key("a")
		f.mu.Lock()
		nodes[0].belongs, nodes[1].belongs = "n1", "n2"
		f.mu.Unlock()
		var wg sync.WaitGroup
		sums := make([]int64, 2)
		for i, n := range nodes {
			wg.Go(func() {
				for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
					ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
					_, err := n.Ask(ctx, actors.Request{To: k, Message: add{1}})
					cancel()
					if err != nil {
						t.Errorf("%s: %v", n.name, err)
						return
					}
					sums[i]++
				}
			})
		}
		wg.Wait()
		if claims := nodes[0].gate.claims.Load() + nodes[1].gate.claims.Load(); claims > 25 {
			t.Errorf("%d claims in 10 s", claims)
		}
		if sums[0] < 100 || sums[1] < 100 {
			t.Errorf("one of them was not let in: %v", sums)
		}
		f.mu.Lock()
		nodes[0].belongs, nodes[1].belongs = "n1", "n1"
		f.mu.Unlock()
		nodes[0].OwnersChanged()
		nodes[1].OwnersChanged()
		nodes[1].want(t, k, value{}, sums[0]+sums[1])
	})
}

// TestRestingActorsLeaveBeforeThoseInUse: what nobody asks for goes by itself, what is
// in use only after its next owner had time to ask for it.
func TestRestingActorsLeaveBeforeThoseInUse(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2")
		resting, used := "", ""
		for i := range 1000 {
			id := string(rune('a'+i%26)) + string(rune('a'+i/26))
			switch {
			case nodes[0].Owner(key(id)) != "n2":
			case resting == "":
				resting = id
			case used == "":
				used = id
			}
		}
		nodes[0].want(t, key(resting), add{1}, 1)
		time.Sleep(30 * time.Second)
		nodes[0].want(t, key(used), add{1}, 1)
		f.see([]string{"n1"}, "n2") // n1 does not know, so it asks for nothing
		for _, want := range []struct {
			after time.Duration
			left  int
		}{{100 * time.Millisecond, 1}, {4700 * time.Millisecond, 1}, {500 * time.Millisecond, 0}} {
			time.Sleep(want.after)
			if n := nodes[1].Running(); n != want.left {
				t.Fatalf("%d actors are left, want %d", n, want.left)
			}
		}
	})
}
