package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/tally"
)

// TestClusterJoinUnderLoad has a node leave and come back while people draw, on other
// nodes, on the images that it owns: their sockets stay open, and nothing is lost,
// shown twice or skipped when the images move to it.
func TestClusterJoinUnderLoad(t *testing.T) {
	t.Parallel()
	c := newCity(t, 3).up(t)
	var images, moving []string
	moves := map[string]bool{}
	for i := 0; len(moving) < *clusterImages/2 || len(images) < *clusterImages; i++ {
		id := c.api("n1").upload(t, fmt.Sprintf("%d.png", i), picture(40+i%50, 30, byte(i))).ID
		images = append(images, id)
		// The owner follows from the names of the nodes, so it is the same again.
		if c.owner(t, id) == "n3" {
			moving, moves[id] = append(moving, id), true
		}
	}
	leave := func() {
		leaving := c.nodes["n3"]
		if code := leaving.stop(t); code != 0 {
			t.Errorf("n3 ended with %d", code)
		}
		delete(c.nodes, "n3")
		c.agree(t)
	}
	leave()
	s := &street{}
	s.set(c.bases(""))
	all := c.ride(t, s, images, max(len(images), *clusterSockets/3))
	report := &tally.Report{Suite: "join, 3 nodes, " + *clusterServer, Rounds: *clusterJoins}
	began := time.Now()
	for round := range *clusterJoins {
		if round > 0 {
			s.restarts.Add(1) // an even number: n3 leaves
			leave()
		}
		all.answered(t, 3)
		s.restarts.Add(1) // an odd number: n3 comes
		c.revive(t, "n3")
		c.agree(t)
		all.answered(t, 3)
		report.Round = round + 1
		report.Count(map[string]int{"join": 1})
		tell(t, report)
		if timeIsUp(began) {
			break
		}
	}
	for _, id := range moving {
		if owner := c.owner(t, id); owner != "n3" {
			t.Errorf("an image of n3 is owned by %s", owner)
		}
	}
	all.end(t, c, report)
	if n := all.moves(); n > 0 {
		t.Errorf("%d sockets had to come back although their nodes stayed", n)
	}
	pauses := all.pauses(func(image string, restart int64) bool { return moves[image] && restart%2 == 1 })
	report.Pauses(pauses)
	tell(t, report)
	t.Logf("%d acknowledged; pause of an image that moves to a node that joins: p50 %v, p99 %v of %d; %s",
		report.Acked, report.P50, report.P99, len(pauses), report.Note)
}
