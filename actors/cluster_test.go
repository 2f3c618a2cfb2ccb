package actors_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// bubble runs a test on nodes in a bubble of its own time.
func bubble(t *testing.T, run func(t *testing.T, f *fabric)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t, 1)
		defer f.stopAll()
		run(t, f)
	})
}

func TestAnyNodeTakesAnyRequest(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2", "n3")
		for i, id := range []string{"a", "b", "c", "d", "e", "f"} {
			for j, n := range nodes {
				n.want(t, key(id), add{1}, int64(j+1))
			}
			nodes[i%3].want(t, key(id), value{}, 3)
		}
		for _, n := range nodes {
			if n.Running() == 0 || n.Running() == 6 {
				t.Errorf("%s runs %d of 6 actors", n.name, n.Running())
			}
		}
		if _, err := nodes[0].ask(t, key("never"), value{}); easel.CodeOf(err) != easel.CodeNotFound {
			t.Errorf("an actor that was never born: %v", err)
		}
		if _, err := nodes[1].ask(t, key("a"), fail{easel.CodeConflict}); easel.CodeOf(err) != easel.CodeConflict {
			t.Errorf("a refusal: %v", err)
		}
	})
}

func TestEphemeralActorsAreWhereTheAskerSays(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2")
		to := actors.Key{Kind: "listener", ID: "l"}
		for _, at := range []string{"", "n1", "n2"} {
			want := at
			if at == "" {
				want = "n1"
			}
			got, err := nodes[0].Ask(t.Context(), actors.Request{To: to, Node: at, Message: who{}})
			if err != nil || got.(nodeName).Name != want {
				t.Errorf("at %q: %v, %v", at, got, err)
			}
		}
		nodes[0].Tell(actors.Request{To: to, Node: "n2", Message: whisper{5}})
		synctest.Wait()
		time.Sleep(time.Second)
		got, err := nodes[1].ask(t, to, who{})
		if err != nil || got != (nodeName{"n2", 5}) {
			t.Errorf("told: %v, %v", got, err)
		}
	})
}

func TestRequestsFollowTheActor(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2", "n3")
		from := nodes[0]
		k := key(f.ownedBy("n3"))
		from.want(t, k, add{1}, 1)
		// n3 knows first that it no longer owns anything, and works until it is asked to
		// let go; n1 asks the next owner as soon as its own view says so.
		f.see([]string{"n1", "n2"}, "n3")
		go func() {
			time.Sleep(100 * time.Millisecond)
			f.see([]string{"n1", "n2"}, "n1", "n2")
		}()
		for n := int64(2); nodes[2].Running() > 0; n++ {
			began := time.Now()
			from.want(t, k, add{1}, n)
			if took := time.Since(began); took > 10*time.Millisecond {
				t.Errorf("add %d took %v", n, took)
			}
			time.Sleep(10 * time.Millisecond)
		}
		until(t, "n3 has nothing left", func() bool { return nodes[2].Running() == 0 })
	})
}

func TestTwoViewsAtOnceNeverRunAnActorThatTheyDoNotOwn(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2")
		k := key(f.ownedBy("n2"))
		f.see([]string{"n1"}, "n2") // n2 thinks n1 has all, n1 thinks n2 has its share
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err := nodes[0].Ask(ctx, actors.Request{To: k, Message: add{1}})
		if easel.CodeOf(err) != easel.CodeUnavailable {
			t.Fatalf("nobody takes it: %v", err)
		}
		if n := nodes[1].Running() + nodes[0].Running(); n != 0 {
			t.Fatalf("%d actors run", n)
		}
		f.see([]string{"n1"}, "n1")
		nodes[0].want(t, k, add{1}, 1)
	})
}

// TestEffectsAreOnceOverLosses repeats requests over a network that loses, delays
// and doubles what it carries.
func TestEffectsAreOnceOverLosses(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2", "n3")
		f.lose, f.twice, f.slow = 0.1, 0.2, 3*time.Second
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				_, err := nodes[i%3].Ask(ctx, actors.Request{To: key(fmt.Sprint("c", i%5)), Message: add{1}})
				if err != nil {
					t.Errorf("ask %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		f.lose, f.twice, f.slow = 0, 0, 0
		time.Sleep(time.Minute) // what is late arrives
		for i := range 5 {
			nodes[0].want(t, key(fmt.Sprint("c", i)), value{}, 6)
		}
	})
}

func TestCrashOfANodeIsAPauseOnly(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2", "n3")
		k := key(f.ownedBy("n3"))
		nodes[0].want(t, k, add{1}, 1)
		f.crash("n3")
		go func() {
			time.Sleep(1300 * time.Millisecond)
			f.see([]string{"n1", "n2"}, "n1", "n2")
		}()
		began := time.Now()
		nodes[0].want(t, k, add{1}, 2)
		if took := time.Since(began); took > 1500*time.Millisecond {
			t.Errorf("it took %v after a view that came after 1.3 s", took)
		}
	})
}

// TestDrainingNodeFailsNothing stops a node under load: local and remote askers
// notice nothing.
func TestDrainingNodeFailsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2", "n3")
		over := make(chan struct{})
		var wg sync.WaitGroup
		sums := make([]int64, 12)
		for i := range sums {
			wg.Go(func() {
				for {
					select {
					case <-over:
						return
					default:
					}
					_, err := nodes[i%3].Ask(t.Context(), actors.Request{To: key(fmt.Sprint("c", i)), Message: add{1}})
					if err != nil {
						t.Errorf("asker %d on %s: %v", i, nodes[i%3].name, err)
						return
					}
					sums[i]++
					time.Sleep(5 * time.Millisecond)
				}
			})
		}
		time.Sleep(200 * time.Millisecond)
		f.see([]string{"n1", "n2"}, "n1", "n2", "n3")
		time.Sleep(50 * time.Millisecond)
		release := make(chan error, 1)
		go func() {
			// Its own askers go on until its edge is closed, which comes before the end
			// of Stop in a program; here they are carried.
			release <- nodes[2].Retire(t.Context())
		}()
		if err := <-release; err != nil {
			t.Fatal(err)
		}
		if n := nodes[2].Running(); n != 0 {
			t.Errorf("%d actors are left on the node that drains", n)
		}
		time.Sleep(200 * time.Millisecond)
		close(over)
		wg.Wait()
		for i, sum := range sums {
			nodes[0].want(t, key(fmt.Sprint("c", i)), value{}, sum)
		}
	})
}

func TestTimersMoveWithTheirOwners(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2", "n3")
		for i := range 20 {
			if _, err := nodes[0].ask(t, key(fmt.Sprint("c", i)), remind{"wake", 30 * time.Second}); err != nil {
				t.Fatal(err)
			}
		}
		f.crash("n3")
		f.crash("n2")
		f.see([]string{"n1"}, "n1")
		time.Sleep(60 * time.Second)
		for i := range 20 {
			got, err := nodes[0].ask(t, key(fmt.Sprint("c", i)), rang{})
			if err != nil || got != (rang{"wake"}) {
				t.Errorf("actor %d: %v, %v", i, got, err)
			}
		}
	})
}

// TestTimersComeOneByOne: the timers of a node that is gone do not all wake at once
// beside the actors that somebody waits for; one that is needed is awake at once.
func TestTimersComeOneByOne(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2")
		const all = 200 // alarms, in nearly all of the 64 timers
		for i := range all {
			if _, err := nodes[0].ask(t, key(fmt.Sprint("c", i)), remind{"wake", time.Hour}); err != nil {
				t.Fatal(err)
			}
		}
		timers := func() int { return nodes[0].RunningOf("timer") }
		before := timers()
		f.crash("n2")
		f.see([]string{"n1"}, "n1")
		time.Sleep(210 * time.Millisecond)
		if n := timers() - before; n == 0 || n > 5 {
			t.Errorf("%d timers were woken within 0.2 s", n)
		}
		if _, err := nodes[0].ask(t, key("new"), remind{"wake", 30 * time.Minute}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if n := timers(); n < 60 {
			t.Errorf("%d timers are awake in the end, %d were before", n, before)
		}
	})
}

// TestNodesMayDisagreeAboutTheTime has nodes whose clocks are minutes apart ask each
// other for writes, and one take over from another in the middle of one.
func TestNodesMayDisagreeAboutTheTime(t *testing.T) {
	for _, apart := range []time.Duration{10 * time.Minute, -10 * time.Minute, 50 * time.Minute, -50 * time.Minute} {
		t.Run(apart.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fabric) {
				clocks := map[string]time.Duration{"n1": 0, "n2": apart, "n3": 2 * apart}
				config := func(name string) actors.Config {
					c := tally(t)(name)
					c.Now = func() time.Time { return time.Now().Add(clocks[name] / 2) }
					return c
				}
				nodes := f.start(config, "n1", "n2", "n3")
				for _, owner := range nodes {
					id := f.ownedBy(owner.name)
					for i, n := range nodes {
						n.want(t, key(id), add{1}, int64(i+1))
					}
				}
				for _, lost := range []string{"n3", "n2"} { // both are taken over by somebody whose clock is another
					id := f.ownedBy(lost)
					nodes[0].want(t, key(id), add{1}, 4)
					f.mu.Lock()
					f.cut[[2]string{lost, "n1"}] = true // answers get lost
					f.mu.Unlock()
					answer := make(chan int64, 1)
					go func() {
						got, err := nodes[0].Ask(t.Context(), actors.Request{To: key(id), Message: add{1}})
						if err != nil {
							t.Errorf("the write over %s: %v", lost, err)
						}
						n, _ := got.(total)
						answer <- n.N
					}()
					time.Sleep(time.Second)
					left := slices.DeleteFunc(f.alive(), func(name string) bool { return name == lost })
					f.crash(lost)
					f.see(left, left...)
					if got := <-answer; got != 5 {
						t.Errorf("the write that %s answered and nobody heard made %d, want 5", lost, got)
					}
					nodes[0].want(t, key(id), value{}, 5)
				}
			})
		})
	}
}

func TestToldMessagesReachTheOwner(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2", "n3")
		for i := range 10 {
			nodes[i%3].Tell(actors.Request{To: key(fmt.Sprint("c", i)), Message: add{1}})
			if _, err := nodes[i%3].ask(t, key("teller"), pass{fmt.Sprint("c", i), 1}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		for i := range 10 {
			nodes[0].want(t, key(fmt.Sprint("c", i)), value{}, 2)
		}
	})
}

func TestHomeThatIsAwayIsSaidAndNotRepeated(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1", "n2")
		k := key(f.ownedBy("n2"))
		nodes[1].gate.set(true)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err := nodes[0].Ask(ctx, actors.Request{To: k, Message: add{1}})
		e, ok := errors.AsType[*easel.Error](err)
		if !ok || e.Code != easel.CodeUnavailable || e.RetryAfter == 0 || time.Since(began) > time.Second {
			t.Fatalf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestRequestForAnUnknownMessageOrKindIsAnError(t *testing.T) {
	bubble(t, func(t *testing.T, f *fabric) {
		nodes := f.start(tally(t), "n1")
		for _, r := range []actors.Request{
			{To: actors.Key{Kind: "nothing", ID: "x"}, Message: add{1}},
			{To: actors.Key{Kind: "timer", ID: "00"}, Message: add{1}},
		} {
			answered := make(chan error, 1)
			nodes[0].Deliver(t.Context(), r, func(_ actors.Message, err error) { answered <- err })
			if _, ok := errors.AsType[*easel.Error](<-answered); !ok {
				t.Errorf("%v: not an *easel.Error", r.To)
			}
		}
	})
}
