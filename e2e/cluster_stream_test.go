package e2e_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// metric returns the sum of a metric of a node over its labels, or of the series
// whose first labels name has.
func (c *city) metric(t *testing.T, node, name string) float64 {
	t.Helper()
	sum := 0.0
	lines := bufio.NewScanner(bytes.NewReader(c.api(node).must(t, http.StatusOK, "GET", "/metrics", nil).body))
	for lines.Scan() {
		line := lines.Text()
		rest, ok := strings.CutPrefix(line, name)
		if !ok || !strings.HasPrefix(rest, " ") && !strings.HasPrefix(rest, "{") && !strings.Contains(name, "{") {
			continue
		}
		v, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		sum += v
	}
	return sum
}

// TestClusterStreamsOncePerNode watches an image with few and with many sockets on
// nodes that do not own it: what crosses between the nodes for each op must not
// grow with the sockets.
func TestClusterStreamsOncePerNode(t *testing.T) {
	t.Parallel()
	const few, many, ops = 1, 166, 60 // sockets on each node
	c := newCity(t, 3).up(t)
	row := c.api("n1").upload(t, "one.png", picture(40, 30, 1))
	owner := c.owner(t, row.ID)
	hand := drawOn(t, c.api(owner), row.ID, "hand")

	watched := 0
	watch := func(sockets int) (crossed float64) {
		var (
			joining sync.WaitGroup
			failed  = make(chan error, 3*sockets)
			seen    = make(chan socket, 3*sockets)
		)
		for name := range c.nodes {
			for i := range sockets {
				joining.Go(func() {
					s, err := c.api(name).dial(t.Context(), row.ID, fmt.Sprintf("%s-%d-%d", name, sockets, i), nil)
					if err != nil {
						failed <- err
						return
					}
					seen <- s
				})
			}
		}
		joining.Wait()
		close(failed)
		close(seen)
		for err := range failed {
			t.Fatal(err)
		}
		var all []socket
		for s := range seen {
			all = append(all, s)
			t.Cleanup(func() { _ = s.Close() })
			s.until(t, "snap", func(f frame) bool { return f.Last })
		}
		watched += len(all)
		before := c.metric(t, owner, "easel_cluster_sent_bytes_total")
		first := hand.seq + 1
		for range ops {
			hand.put(t)
			eventually(t, "there is room for another frame", hand.room)
		}
		eventually(t, "all is acknowledged", func() error { return hand.settled(0) })
		last := fmt.Sprintf("hand-%d", first+ops-1)
		for _, s := range all {
			s.until(t, "ops", func(f frame) bool {
				return len(f.Ops) > 0 && f.Ops[0].Annotation != nil && f.Ops[0].Annotation.Label == last
			})
		}
		return c.metric(t, owner, "easel_cluster_sent_bytes_total") - before
	}
	one := watch(few)
	all := watch(many)
	t.Logf("%d ops cost %.0f bytes from the owner with %d sockets, %.0f with %d", ops, one, 3*few, all, watched)
	if one == 0 {
		t.Error("nothing crossed: this test saw nothing")
	}
	if all > 2*one { // beats and the census are in it
		t.Errorf("%.0f bytes crossed for %d sockets, %.0f for %d", all, watched, one, 3*few)
	}
}
