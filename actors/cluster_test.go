package actors_test

import (
	"testing"
	"testing/synctest"
)

func TestAnyNodeTakesAnyRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t, 1)
		nodes := f.start(tally(t), "n1", "n2", "n3")
		defer f.stopAll()
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
	})
}
