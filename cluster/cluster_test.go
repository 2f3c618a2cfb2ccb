package cluster_test

import (
	"testing"
	"time"
)

func TestTwoNodesShareTheActors(t *testing.T) {
	a := launch(t, setup{Name: "a"})
	b := launch(t, setup{Name: "b", Join: []string{a.gossip}})
	agree(t, a, b)
	count := map[string]int{}
	of, at := a.tell(order{Do: "owners", Count: 200}).Owners, b.tell(order{Do: "owners", Count: 200}).Owners
	for i := range of {
		if of[i] != at[i] {
			t.Fatalf("actor %d: a says %q and b %q", i, of[i], at[i])
		}
		count[of[i]]++
	}
	if count["a"] < 60 || count["b"] < 60 {
		t.Errorf("shares are %v", count)
	}
	if r := a.tell(order{Do: "echo", Node: "b", ID: "x", Bytes: 10}); r.Err != "" || r.By != "b" || r.Count != 10 {
		t.Errorf("echo: %+v", r)
	}
}

func TestBenchTwo(t *testing.T) {
	a := launch(t, setup{Name: "a"})
	b := launch(t, setup{Name: "b", Join: []string{a.gossip}})
	agree(t, a, b)
	r := a.tell(order{Do: "storm", Node: "b", Callers: 1, Bytes: 200, For: 2 * time.Second})
	t.Logf("1 caller: p50 %v p99 %v %.0f/s failed %d %s", r.P50, r.P99, r.PerSec, r.Count, r.Text)
	r = a.tell(order{Do: "storm", Node: "b", Callers: 64, Bytes: 200, For: 2 * time.Second})
	t.Logf("64 callers: p50 %v p99 %v %.0f/s failed %d %s", r.P50, r.P99, r.PerSec, r.Count, r.Text)
}
