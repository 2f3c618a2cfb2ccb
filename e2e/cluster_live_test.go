package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/tally"
)

// drawer draws on an image over one socket that must never break, and checks that
// what it is shown has neither gap nor repeat.
type drawer struct {
	s    socket
	name string

	mu      sync.Mutex
	ver     int64           // newest version it was shown
	seq     int64           // newest frame it sent
	acked   map[int64]int64 // version by seq
	sentAt  map[int64]time.Time
	slowest time.Duration    // from op to ack
	labels  map[string]int64 // shown, by version
	err     error
	closed  chan struct{}
}

// drawOn joins an image on a node.
func drawOn(t *testing.T, a *api, image, client string) *drawer {
	t.Helper()
	s, err := a.dial(t.Context(), image, client, nil)
	if err != nil {
		t.Fatalf("%s: %v", client, err)
	}
	d := &drawer{
		s: s, name: client, acked: map[int64]int64{}, sentAt: map[int64]time.Time{}, labels: map[string]int64{},
		closed: make(chan struct{}),
	}
	d.ver = s.until(t, "welcome", nil).Ver
	d.ver = max(d.ver, s.until(t, "snap", func(f frame) bool { return f.Last }).Ver)
	go d.read()
	t.Cleanup(func() { _ = s.Close(); <-d.closed })
	return d
}

func (d *drawer) read() {
	defer close(d.closed)
	for {
		f, err := d.s.next()
		d.mu.Lock()
		switch {
		case err != nil:
			if d.err == nil {
				d.err = err
			}
			d.mu.Unlock()
			return
		case f.T == "ops":
			if f.Ver != d.ver+1 && d.err == nil {
				d.err = fmt.Errorf("version %d came after %d", f.Ver, d.ver)
			}
			d.ver = f.Ver
			for _, op := range f.Ops {
				if op.Annotation != nil {
					if before, ok := d.labels[op.Annotation.Label]; ok && d.err == nil {
						d.err = fmt.Errorf("%s was shown at %d and at %d", op.Annotation.Label, before, f.Ver)
					}
					d.labels[op.Annotation.Label] = f.Ver
				}
			}
		case f.T == "ack":
			d.acked[f.Seq] = f.Ver
			d.slowest = max(d.slowest, time.Since(d.sentAt[f.Seq]))
		case f.T == "rej" && d.err == nil:
			d.err = fmt.Errorf("seq %d was refused: %s", f.Seq, f.Code)
		}
		d.mu.Unlock()
	}
}

// put sends one box.
func (d *drawer) put(t *testing.T) {
	t.Helper()
	d.mu.Lock()
	d.seq++
	seq := d.seq
	d.sentAt[seq] = time.Now()
	d.mu.Unlock()
	err := d.s.send(map[string]any{"t": "op", "seq": seq, "ops": []any{map[string]any{
		"k": "put", "annotation": map[string]any{
			"label": fmt.Sprintf("%s-%d", d.name, seq), "x": 0.1, "y": 0.1, "width": 0.1, "height": 0.1,
		},
	}}})
	if err != nil {
		t.Fatalf("%s: %v", d.name, err)
	}
}

// settled returns nil once all that was sent is acknowledged and ver was shown.
func (d *drawer) settled(ver int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.err != nil:
		return d.err
	case int64(len(d.acked)) < d.seq:
		return fmt.Errorf("%s: %d of %d are acknowledged", d.name, len(d.acked), d.seq)
	case d.ver < ver:
		return fmt.Errorf("%s: was shown %d of %d", d.name, d.ver, ver)
	}
	return nil
}

func (d *drawer) newest() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	newest := d.ver
	for _, v := range d.acked {
		newest = max(newest, v)
	}
	return newest
}

// settle waits until all drawers are acknowledged and were shown everything, and
// compares with what the image says on every node.
func (c *city) settle(t *testing.T, image string, all ...*drawer) {
	t.Helper()
	for _, d := range all {
		eventually(t, d.name+" is acknowledged", func() error { return d.settled(0) })
	}
	var ver int64
	want := map[string]bool{}
	for _, d := range all {
		ver = max(ver, d.newest())
		for seq := range d.seq {
			want[fmt.Sprintf("%s-%d", d.name, seq+1)] = true
		}
	}
	for _, d := range all {
		eventually(t, d.name+" was shown everything", func() error { return d.settled(ver) })
		for label := range want {
			if _, ok := d.labels[label]; !ok {
				t.Errorf("%s was not shown %s", d.name, label)
			}
		}
	}
	for name := range c.nodes {
		var list struct{ Annotations []box }
		if err := c.api(name).must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+image, nil).into(&list); err != nil {
			t.Fatal(err)
		}
		there := map[string]int{}
		for _, a := range list.Annotations {
			there[a.Label]++
		}
		for label := range want {
			switch n := there[label]; {
			case n == 0:
				c.lost++
				t.Errorf("%s has lost %s", name, label)
			case n > 1:
				c.double++
				t.Errorf("%s has %s %d times", name, label, n)
			}
		}
	}
}

func TestClusterServesAnImageOnEveryNode(t *testing.T) {
	t.Parallel()
	c := newCity(t, 3).up(t)
	row := c.api("n1").upload(t, "one.png", picture(40, 30, 1))
	var all []*drawer
	for i := range 3 {
		all = append(all, drawOn(t, c.api(c.name(i)), row.ID, "d-"+c.name(i)))
	}
	for range 20 {
		for _, d := range all {
			d.put(t)
		}
	}
	c.settle(t, row.ID, all...)
	// A read shows every write that was acknowledged before it, on whichever node.
	for i := range 30 {
		label := fmt.Sprintf("rest-%d", i)
		body := map[string]any{"image_id": row.ID, "label": label, "x": 0.1, "y": 0.1, "width": 0.1, "height": 0.1}
		c.api(c.name(i%3)).must(t, http.StatusCreated, "POST", "/api/annotations", body)
		var list struct{ Annotations []box }
		if err := c.api(c.name((i+1)%3)).must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+row.ID+"?label="+label, nil).into(&list); err != nil {
			t.Fatal(err)
		}
		if len(list.Annotations) != 1 {
			t.Fatalf("%s is there %d times for another node", label, len(list.Annotations))
		}
	}
	owner := c.owner(t, row.ID)
	for name := range c.nodes {
		if got := c.view(t, name, row.ID).Owner; got != owner {
			t.Errorf("%s says that %s owns the image, another says %s", name, got, owner)
		}
	}
}

// TestClusterOwnerCrash kills the owner of an image, folder and all, while people on
// other nodes draw: their sockets stay open, and nothing is lost, shown twice or
// skipped.
func TestClusterOwnerCrash(t *testing.T) {
	t.Parallel()
	losesOwners(t, "owner crash", "SIGKILL", func(c *city, owner string) {
		folder := c.nodes[owner].data
		c.kill(owner)
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
}

// TestClusterOwnerFreezes stops the owner's process instead: like a machine that is
// lost it says nothing any more, and nobody is told that its connections have ended.
func TestClusterOwnerFreezes(t *testing.T) {
	t.Parallel()
	losesOwners(t, "owner frozen", "SIGSTOP", func(c *city, owner string) {
		frozen := c.nodes[owner]
		delete(c.nodes, owner)
		if err := frozen.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Error(err)
		}
		// It is killed when the round is over: it has not known of anything since.
		c.corpses = append(c.corpses, frozen)
	})
}

// losesOwners has the owner of an image taken away in the middle of each round.
func losesOwners(t *testing.T, suite, fault string, lose func(c *city, owner string)) {
	t.Helper()
	c := newCity(t, 3).up(t)
	report := &tally.Report{Suite: suite + ", 3 nodes, " + *clusterServer, Rounds: *clusterKills}
	began := time.Now()
	var longest []time.Duration
	for round := range *clusterKills {
		row := c.api("n1").upload(t, "one.png", picture(40, 30, byte(round)))
		owner := c.owner(t, row.ID)
		one := c.besides(t, owner)
		two := c.besides(t, owner, one)
		ada := drawOn(t, c.api(one), row.ID, fmt.Sprintf("ada-%d", round))
		bob := drawOn(t, c.api(two), row.ID, fmt.Sprintf("bob-%d", round))
		stop, inflight := make(chan struct{}), make(chan error, 1)
		go func() { inflight <- c.write(t.Context(), one, row.ID, fmt.Sprintf("rest-%d", round), stop) }()
		for i := range 30 {
			ada.put(t)
			bob.put(t)
			if i == 10 {
				lose(c, owner)
			}
			// At most 32 frames may be unanswered.
			eventually(t, "there is room for another frame", func() error { return max2(ada.room(), bob.room()) })
		}
		c.settle(t, row.ID, ada, bob)
		close(stop)
		if err := <-inflight; err != nil {
			t.Errorf("a REST write failed while the owner was away: %v", err)
		}
		longest = append(longest, max(ada.slowest, bob.slowest))
		for _, d := range []*drawer{ada, bob} {
			_ = d.s.Close()
			<-d.closed
		}
		for _, n := range c.corpses {
			n.kill()
		}
		c.corpses = nil
		c.revive(t, owner)
		c.agree(t)
		report.Round, report.Acked = round+1, report.Acked+60
		report.Count(map[string]int{fault: 1})
		report.Pauses(longest)
		report.Lost, report.Double = c.lost, c.double
		tell(t, report)
		if t.Failed() || timeIsUp(began) {
			break
		}
	}
	t.Logf("longest wait for an ack in each round: p50 %v, p99 %v of %d", report.P50, report.P99, len(longest))
}

func max2(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// room returns nil if another frame may be sent.
func (d *drawer) room() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	if n := d.seq - int64(len(d.acked)); n >= 16 {
		return fmt.Errorf("%d frames wait", n)
	}
	return nil
}

// write creates annotations on a node until stop is closed; every one must succeed.
func (c *city) write(ctx context.Context, name, image, label string, stop <-chan struct{}) error {
	a := c.api(name)
	for i := 0; !stopped(stop); i++ {
		body := map[string]any{"image_id": image, "label": fmt.Sprintf("%s-%d", label, i), "x": 0.1, "y": 0.1, "width": 0.1, "height": 0.1}
		got, err := a.do(ctx, "POST", "/api/annotations", body)
		if err != nil {
			return err
		}
		if got.status != http.StatusCreated {
			return fmt.Errorf("%s", got)
		}
		breathe(stop)
	}
	return nil
}

// breathe lets a writer wait a little, or less if it shall stop: what is measured
// is the cluster, not how many requests two processors can answer.
func breathe(stop <-chan struct{}) {
	select {
	case <-stop:
	case <-time.After(every / 4):
	}
}

// TestClusterDrain stops the owner of an image while people draw: those on other
// nodes notice nothing, those on it are told to go, and no request fails.
func TestClusterDrain(t *testing.T) {
	t.Parallel()
	c := newCity(t, 3).up(t)
	row := c.api("n1").upload(t, "one.png", picture(40, 30, 1))
	for round := range 3 {
		owner := c.owner(t, row.ID)
		other := c.besides(t, owner)
		here := drawOn(t, c.api(other), row.ID, fmt.Sprintf("here-%d", round))
		there := drawOn(t, c.api(owner), row.ID, fmt.Sprintf("there-%d", round))
		here.put(t)
		there.put(t)
		c.settle(t, row.ID, here, there)
		stop, inflight := make(chan struct{}), make(chan error, 1)
		go func() { inflight <- c.write(t.Context(), other, row.ID, fmt.Sprintf("rest-%d", round), stop) }()
		leaving := c.nodes[owner]
		delete(c.nodes, owner)
		go func() { _ = leaving.cmd.Process.Signal(os.Interrupt) }()
		for range 20 {
			here.put(t)
			eventually(t, "there is room for another frame", here.room)
		}
		<-there.closed
		if code := closeCode(there.err); code != 4503 {
			t.Errorf("the socket of the leaving node ended with %d (%v), not 4503", code, there.err)
		}
		if code := leaving.wait(t); code != 0 {
			t.Errorf("the leaving node ended with %d", code)
		}
		c.settle(t, row.ID, here)
		close(stop)
		if err := <-inflight; err != nil {
			t.Errorf("a REST write failed: %v", err)
		}
		t.Logf("round %d: longest wait for an ack %v", round+1, here.slowest)
		c.revive(t, owner)
		c.agree(t)
	}
}

// TestClusterKeepsImagesInTheirRegion uploads on every node of a cluster of two
// regions: each image is owned in the region it was uploaded in, as long as there
// is a node in it.
func TestClusterKeepsImagesInTheirRegion(t *testing.T) {
	t.Parallel()
	c := newCity(t, 3)
	c.regions = []string{"eu", "eu", "us"}
	c.up(t)
	region := func(node string) string { return c.regions[c.index(node)] }
	var american []string
	for i := range 12 {
		at := c.name(i % 3)
		id := c.api(at).upload(t, "one.png", picture(20, 20, byte(i))).ID
		if owner := c.owner(t, id); region(owner) != region(at) {
			t.Errorf("what was uploaded on %s is owned by %s", at, owner)
		}
		if at == "n3" {
			american = append(american, id)
		}
	}
	c.kill("n3")
	c.agree(t)
	for _, id := range american {
		if owner := c.owner(t, id); region(owner) != "eu" {
			t.Errorf("%s is owned by %q although its region is empty", id, owner)
		}
		c.api("n1").must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+id, nil)
	}
}
