package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/linear"
	"github.com/easelhq/easel/e2e/tally"
)

// TestClusterPartition cuts nodes from each other, or one from the store, while
// clients on both sides work on one image, and looks for one order of all calls
// that explains what everybody was told. After each cut heals, all nodes agree
// again without anybody's doing.
func TestClusterPartition(t *testing.T) { // not beside others: the check may take only so long
	both := func(c *country, do func(int, string)) { c.between(do, 0, 1); c.between(do, 0, 2) }
	cuts := []struct {
		name string
		cut  func(c *country, do func(int, string))
		flap bool
	}{
		{name: "one node from the others", cut: both},
		{name: "one node from the store", cut: func(c *country, do func(int, string)) { do(0, c.storehouse()) }},
		{name: "one way", cut: func(c *country, do func(int, string)) { do(0, c.address(1)); do(0, c.address(2)) }},
		{name: "flapping", cut: both, flap: true},
	}
	for _, tt := range cuts[:min(*clusterCuts, len(cuts))] {
		t.Run(tt.name, func(t *testing.T) {
			c := newCountry(t, 3)
			c.up(t)
			target := &process{tokens: map[string]string{}, sockets: map[int]socket{}}
			for i := range 2 {
				user := "user" + strconv.Itoa(i)
				target.tokens[user] = token(t, c.dir, "--tenant=linear", "--user="+user, "--role=admin", secretFlag())
			}
			cutOff, other := c.nodes["n1"].base, c.nodes["n2"].base
			target.base = cutOff
			target.second.Store(&other)
			admin := newAPI(other, target.tokens["user0"])
			target.begin(admin.upload(t, "cut.png", picture(20, 20, 1)).ID)
			load := &linear.Load{Target: target, History: target.history, Clients: 8, Seed: 1, Most: 12_000}
			ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
			defer cancel()
			var working sync.WaitGroup
			enough := make(chan struct{})
			working.Go(func() { load.Run(ctx, enough) })
			eventually(t, "the clients work", func() error { return atLeast(target.history.Len(), 200) })
			before := target.history.Len()
			c.trouble(tt.cut, tt.flap)
			during := target.history.Len() - before
			if during == 0 || target.history.Len() >= load.Most {
				t.Errorf("%d calls while nodes were cut off, of %d: this test saw too little", during, load.Most)
			}
			// From now on every node must serve again, by itself.
			c.agree(t)
			for name := range c.nodes {
				eventually(t, name+" serves the image", func() error {
					got, err := newAPI(c.nodes[name].base, target.tokens["user0"]).do(ctx, "GET", "/api/annotations/by-image/"+target.image, nil)
					if err == nil && got.status != http.StatusOK {
						err = fmt.Errorf("%s", got)
					}
					return err
				})
			}
			healed := target.history.Len()
			eventually(t, "the clients go on", func() error { return atLeast(target.history.Len(), min(healed+500, load.Most)) })
			close(enough)
			working.Wait()
			load.Look(ctx)
			late := ctx.Err()
			target.end()
			if late != nil {
				t.Fatal("the clients were not done in time")
			}
			if err := target.history.Check(patience); err != nil {
				t.Fatal(err)
			}
			tell(t, &tally.Report{
				Suite: "partition: " + tt.name, Round: 1, Rounds: 1, Acked: target.history.Len() - target.history.Unknown(),
				Faults: map[string]int{"cut": 1},
			})
			t.Logf("%d calls are in order, %d of them while nodes were cut off, %d with an unknown outcome",
				target.history.Len(), during, target.history.Unknown())
		})
	}
}

func atLeast(have, want int) error {
	if have < want {
		return fmt.Errorf("%d of %d", have, want)
	}
	return nil
}

// trouble cuts for longer than a node takes to be held for dead, or, flapping,
// again and again for shorter.
func (c *country) trouble(cut func(*country, func(int, string)), flap bool) {
	for range 6 {
		cut(c, c.lose)
		if !flap {
			time.Sleep(4 * time.Second)
			cut(c, c.pass)
			return
		}
		time.Sleep(700 * time.Millisecond)
		cut(c, c.pass)
		time.Sleep(700 * time.Millisecond)
	}
}
