package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/faultproxy"
)

// trap watches what a cluster stores of one bulk over several images, and stops it
// where the tenant decides.
type trap struct {
	images map[string]bool // ids
	after  bool            // the decision is stored, but nobody hears of it; else it is not
	sprung chan struct{}   // closed when that is so

	mu       sync.Mutex // guards what follows
	armed    bool
	prepared map[string]bool
	quiet    time.Time // since when the tenant stores nothing
	decided  int       // tries to store the decision
}

// plan is a faultproxy.Plan.
func (p *trap) plan(c faultproxy.Call) faultproxy.Fault {
	if !faultproxy.Slots(c) {
		return faultproxy.Fault{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case strings.Contains(c.Path, "/image."):
		for id := range p.images {
			if p.armed && strings.Contains(c.Path, id) {
				p.prepared[id] = true
			}
		}
	case !strings.Contains(c.Path, "/tenant."):
	case !p.armed || len(p.prepared) < len(p.images):
		p.quiet = time.Now()
	default:
		p.decided++
		if p.after && p.decided == 1 {
			return faultproxy.Fault{Kind: faultproxy.Lost}
		}
		// With after, this is the second try: the store has answered the first.
		select {
		case <-p.sprung:
		default:
			close(p.sprung)
		}
		return faultproxy.Fault{Kind: faultproxy.Hung, Hold: time.Minute}
	}
	return faultproxy.Fault{}
}

// rests returns nil once the tenant has stored nothing for longer than rows of images
// take to reach it: what it stores next is of the bulk.
func (p *trap) rests() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := time.Since(p.quiet); d < 3*time.Second {
		return fmt.Errorf("it stored something %s ago", d)
	}
	p.armed = true
	return nil
}

// TestClusterLosesTheNodeThatDecides kills the node of the tenant, which decides
// about a bulk over images of all nodes, between their promises and its decision, and
// between its decision and its telling anybody. The bulk is on all images or on none,
// whatever its client heard; and its key gets it one verdict, which is that of the
// decision if there was one.
func TestClusterLosesTheNodeThatDecides(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		after bool
		there bool // the client asks the node that is lost: it hears nothing
	}{
		{"before its decision", false, false},
		{"after its decision, and who asked it hears nothing", true, true},
		{"before its decision, and who asked it hears nothing", false, true}, // its claim has to run out
		{"after its decision", true, false},
	}
	for _, tt := range cases[:min(2**clusterKills, len(cases))] {
		t.Run(tt.name, func(t *testing.T) {
			c := newCity(t, 3)
			_, endpoint, _ := strings.Cut(c.store, "endpoint=")
			store := startProxy(t, endpoint)
			c.store = homeOn(store.URL())
			c.up(t)
			images := map[string]string{} // one of each node
			for i := 0; len(images) < 3; i++ {
				id := c.api("n1").upload(t, "one.png", picture(20, 20, byte(i))).ID
				images[c.owner(t, id)] = id
			}
			var victim string
			for name := range c.nodes {
				if c.metric(t, name, `easel_actors_owned{kind="tenant"`) > 0 {
					victim = name
				}
			}
			asked := c.besides(t, victim)
			other := c.besides(t, victim, asked)
			if tt.there {
				asked = victim
			}
			snare := &trap{
				images: map[string]bool{}, after: tt.after, sprung: make(chan struct{}),
				prepared: map[string]bool{}, quiet: time.Now(),
			}
			var items []any
			for _, id := range images {
				snare.images[id] = true
				items = append(items, drawingOf(id, "bulk"), drawingOf(id, "bulk"))
			}
			store.Use(snare.plan)
			eventually(t, "the tenant rests", snare.rests)

			type heard struct {
				answer
				err error
			}
			first := make(chan heard, 1)
			body := map[string]any{"annotations": items}
			go func() {
				got, err := c.api(asked).do(t.Context(), "POST", "/api/annotations/bulk", body, "Idempotency-Key", "once")
				first <- heard{got, err}
			}()
			select {
			case <-snare.sprung:
			case <-time.After(patience):
				t.Fatal("the tenant decides nothing")
			}
			api := c.api(other)
			c.kill(victim)
			store.Use(faultproxy.Calm)
			got := <-first
			switch {
			case tt.there && got.err == nil:
				t.Errorf("the lost node has answered: %s", got)
			case !tt.there && (got.err != nil || got.status != http.StatusCreated && got.status != http.StatusServiceUnavailable):
				t.Errorf("the client hears %s, %v", got.answer, got.err)
			}
			// count returns how many of the bulk are there, on all images or on none.
			count := func() (n int, ids map[string]bool) {
				ids = map[string]bool{}
				eventually(t, "it is on all images or on none", func() error {
					clear(ids)
					n = 0
					for _, id := range images {
						var list struct{ Annotations []box }
						if err := api.must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+id+"?label=bulk", nil).into(&list); err != nil {
							return err
						}
						for _, a := range list.Annotations {
							ids[a.ID] = true
						}
						n += len(list.Annotations)
					}
					if n != 0 && n != len(items) {
						return fmt.Errorf("%d of %d are there", n, len(items))
					}
					return nil
				})
				return n, ids
			}
			if tt.after { // it was decided: nobody has to ask for it
				eventually(t, "the decision is told", func() error {
					if n, _ := count(); n == 0 {
						return fmt.Errorf("nothing is there")
					}
					return nil
				})
			}
			before, _ := count()
			if got.status == http.StatusCreated && before == 0 {
				t.Error("it was acknowledged, and nothing is there")
			}
			var again struct{ IDs []string }
			eventually(t, "its key has a verdict", func() error {
				repeat, err := api.do(t.Context(), "POST", "/api/annotations/bulk", body, "Idempotency-Key", "once")
				if err == nil && repeat.status != http.StatusCreated {
					err = fmt.Errorf("%s", repeat)
				}
				if err != nil {
					return err
				}
				return repeat.into(&again)
			})
			n, ids := count()
			if n != len(items) || len(again.IDs) != len(items) {
				t.Errorf("%d of %d are there, %d were answered", n, len(items), len(again.IDs))
			}
			for _, id := range again.IDs {
				if !ids[id] {
					t.Errorf("the verdict names %s, which is not there", id)
				}
			}
			api.refused(t, "invalid", "POST", "/api/annotations/bulk", map[string]any{"annotations": items[:1]}, "Idempotency-Key", "once")
		})
	}
}
