package e2e_test

import (
	"flag"
	"fmt"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/tally"
)

func clusterBurnFlag() *time.Duration {
	return flag.Duration("cluster.burn", 0, "how long all processors are kept busy while nodes watch each other; 0: not at all")
}

var clusterBurn = clusterBurnFlag()

// TestClusterKeepsMembersWithoutProcessors runs four processes that do nothing but
// spin for each processor beside three nodes that people use, and counts how often a
// node took another one that works for lost.
func TestClusterKeepsMembersWithoutProcessors(t *testing.T) {
	if *clusterBurn == 0 {
		t.Skip("takes all processors: -cluster.burn=1m")
	}
	c := newCity(t, 3).up(t)
	var images []string
	for i := range 3 {
		images = append(images, c.api("n1").upload(t, fmt.Sprintf("%d.png", i), picture(20, 20, byte(i))).ID)
	}
	s := &street{}
	s.set(c.bases(""))
	report := &tally.Report{Suite: "no processors, 3 nodes, " + *clusterServer, Rounds: 1}
	changes := func() (n float64) {
		for name := range c.nodes {
			n += c.metric(t, name, "easel_cluster_topology_changes_total")
		}
		return n
	}
	all := c.ride(t, s, images, 3)
	all.answered(t, 3)
	before := changes()
	for range 4 * runtime.NumCPU() {
		burner := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
		if err := burner.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = burner.Wait() }) // killed by the context's end
	}
	for end := time.Now().Add(*clusterBurn); time.Now().Before(end); {
		all.answered(t, 1)
	}
	// One that is lost goes, and comes back, in the eyes of whoever took it for lost.
	evictions := int(changes()-before+1) / 2
	all.end(t, c, report)
	report.Round = 1
	report.Faults = map[string]int{"false evictions": evictions}
	tell(t, report)
	t.Logf("%d false evictions in %v, %d acknowledged; %s", evictions, *clusterBurn, report.Acked, report.Note)
	if evictions > 0 {
		t.Errorf("%d times a node that works was taken for lost", evictions)
	}
	if n := all.moves(); n > 0 {
		t.Errorf("%d sockets had to come back", n)
	}
}
