package e2e_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/tally"
)

func clusterFlags() (server *string, sockets, images, rounds, cuts, kills, joins *int) {
	return flag.String("cluster.server", "fake", "what a cluster's home is in: fake (in this process), versitygw or minio"),
		flag.Int("cluster.sockets", 60, "sockets of the rolling restart"),
		flag.Int("cluster.images", 12, "images they draw on"),
		flag.Int("cluster.rounds", 1, "how often the rolling restart restarts every node"),
		flag.Int("cluster.cuts", 1, "how many kinds of partition are tried, of 4"),
		flag.Int("cluster.kills", 1, "how many owners are killed, and how many frozen"),
		flag.Int("cluster.joins", 1, "how often a node joins under load")
}

var clusterPace = flag.Duration("cluster.pace", 0, "how often each socket draws; 0: all together 600 times a second at most")

var clusterServer, clusterSockets, clusterImages, clusterRounds, clusterCuts, clusterKills, clusterJoins = clusterFlags()

// TestClusterRollingRestart restarts every node in turn while people draw and
// programs write: nothing fails but connections to a listener that has closed,
// nothing is lost, and sockets resume elsewhere without a snapshot.
func TestClusterRollingRestart(t *testing.T) {
	t.Parallel()
	c := newCity(t, 3).up(t)
	s := &street{}
	s.set(c.bases(""))
	var images []string
	for i := range *clusterImages {
		images = append(images, c.api("n1").upload(t, fmt.Sprintf("%d.png", i), picture(40+i, 30, byte(i))).ID)
	}
	report := &tally.Report{Suite: "rolling restart, 3 nodes, " + *clusterServer, Rounds: *clusterRounds}
	began := time.Now()
	all := c.ride(t, s, images, *clusterSockets)
	for round := range *clusterRounds {
		for i := range c.seeds {
			name := c.name(i)
			s.restarts.Add(1)
			leaving := c.nodes[name]
			s.set(c.bases(name))
			if code := leaving.stop(t); code != 0 {
				t.Errorf("%s ended with %d", name, code)
			}
			delete(c.nodes, name)
			c.revive(t, name)
			s.set(c.bases(""))
			c.agree(t)
		}
		report.Round = round + 1
		report.Count(map[string]int{"SIGTERM": len(c.seeds)})
		tell(t, report)
		if timeIsUp(began) {
			break
		}
	}
	all.end(t, c, report)
	pauses := all.pauses(func(string, int64) bool { return true })
	report.Pauses(pauses)
	tell(t, report)
	t.Logf("%d acknowledged, %d moves of sockets; pause of an image at a restart: p50 %v, p99 %v, worst %v of %d; %s",
		report.Acked, all.moves(), report.P50, report.P99, slices.Max(pauses), len(pauses), report.Note)
	if all.moves() == 0 {
		t.Error("no socket had to move: this test saw nothing")
	}
}

// bases returns where the nodes serve, but for one.
func (c *city) bases(without string) []string {
	var out []string
	for name, n := range c.nodes {
		if name != without {
			out = append(out, n.base)
		}
	}
	return out
}
