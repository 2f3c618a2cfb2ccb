package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// steady calls the API until it is stopped, and keeps what was answered.
type steady struct {
	key    bool // with an Idempotency-Key
	labels []string
	ids    map[string]string // of annotations, by label
	err    error
}

func (w *steady) work(ctx context.Context, a *api, image, name string, stop <-chan struct{}) {
	w.ids = map[string]string{}
	for i := 0; !stopped(stop); i++ {
		label := fmt.Sprintf("%s-%d", name, i)
		var header []string
		if w.key {
			header = []string{"Idempotency-Key", label}
		}
		got, err := a.do(ctx, "POST", "/api/annotations", drawingOf(image, label), header...)
		if err == nil && got.status != http.StatusCreated {
			err = fmt.Errorf("%s", got)
		}
		var made struct{ Annotation box }
		if err == nil {
			err = got.into(&made)
		}
		if err != nil {
			w.err = fmt.Errorf("%s: %w", label, err)
			return
		}
		w.labels = append(w.labels, label)
		w.ids[label] = made.Annotation.ID
	}
}

func drawingOf(image, label string) map[string]any {
	return map[string]any{"image_id": image, "label": label, "x": 0.1, "y": 0.1, "width": 0.1, "height": 0.1}
}

// bulks draws one label on all images at once, again and again.
type bulks struct {
	acked   []string
	unknown []string // answered 503, or not at all
	err     error
}

func (b *bulks) work(ctx context.Context, a *api, images []string, stop <-chan struct{}) {
	for i := 0; !stopped(stop); i++ {
		label := fmt.Sprintf("bulk-%d", i)
		var items []any
		for _, image := range images {
			items = append(items, drawingOf(image, label))
		}
		got, err := a.do(ctx, "POST", "/api/annotations/bulk", map[string]any{"annotations": items})
		switch {
		case err != nil || got.status == http.StatusServiceUnavailable:
			b.unknown = append(b.unknown, label)
		case got.status == http.StatusCreated:
			b.acked = append(b.acked, label)
		default:
			b.err = fmt.Errorf("%s: %s", label, got)
			return
		}
	}
}

// TestClusterLosesANode kills the owner of an image while an event stream is read,
// programs write and bulks span the images of all nodes, on the nodes that stay:
// the stream has no gap, every write succeeds and is there once, and every bulk is
// on all of its images or on none. The cluster's chores go on elsewhere.
func TestClusterLosesANode(t *testing.T) {
	t.Parallel()
	c := newCity(t, 3, "--chores=@every 1s").up(t)
	var victim string
	eventually(t, "somebody does the chores", func() error {
		for name := range c.nodes {
			if c.metric(t, name, "easel_chore_runs_total") > 0 {
				victim = name
				return nil
			}
		}
		return fmt.Errorf("nobody")
	})
	// One image of each node.
	images := map[string]string{}
	for i := 0; len(images) < 3; i++ {
		id := c.api("n1").upload(t, "one.png", picture(20, 20, byte(i))).ID
		images[c.owner(t, id)] = id
	}
	image := images[victim]
	at, other := c.besides(t, victim), c.besides(t, victim, c.besides(t, victim))

	first := c.api(at).stream(t, image, "")
	ver := first.until(t, "snap").frame.Ver
	stop := make(chan struct{})
	var working sync.WaitGroup
	plain, keyed, all := &steady{}, &steady{key: true}, &bulks{}
	working.Go(func() { plain.work(t.Context(), c.api(at), image, "plain", stop) })
	working.Go(func() { keyed.work(t.Context(), c.api(other), image, "keyed", stop) })
	working.Go(func() { all.work(t.Context(), c.api(at), []string{images["n1"], images["n2"], images["n3"]}, stop) })

	shown := map[string]bool{}
	follow := func(until func() bool) {
		t.Helper()
		deadline := time.After(patience)
		for !until() {
			select {
			case e, ok := <-first.events:
				if !ok {
					t.Fatal("the event stream ended")
				}
				if e.frame.T != "ops" {
					continue
				}
				if e.frame.Ver != ver+1 {
					t.Fatalf("version %d came after %d", e.frame.Ver, ver)
				}
				ver = e.frame.Ver
				for _, op := range e.frame.Ops {
					if op.Annotation != nil {
						shown[op.Annotation.Label] = true
					}
				}
			case <-deadline:
				t.Fatal("the event stream is silent")
			}
		}
	}
	follow(func() bool { return len(shown) >= 20 })
	for name := range c.nodes {
		if n := c.metric(t, name, "easel_chore_runs_total"); name != victim && n > 0 {
			t.Errorf("%s did chores, too: %v runs", name, n)
		}
	}
	c.kill(victim)
	c.agree(t)
	follow(func() bool { return shown["plain-0"] && len(shown) >= 60 })
	close(stop)
	working.Wait()
	for _, err := range []error{plain.err, keyed.err, all.err} {
		if err != nil {
			t.Error(err)
		}
	}
	want := append(append([]string{}, plain.labels...), keyed.labels...)
	follow(func() bool {
		for _, label := range want {
			if !shown[label] {
				return false
			}
		}
		return true
	})
	there := map[string]map[string]int{} // by image
	for _, id := range images {
		there[id] = map[string]int{}
		var list struct{ Annotations []box }
		if err := c.api(at).must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+id, nil).into(&list); err != nil {
			t.Fatal(err)
		}
		for _, a := range list.Annotations {
			there[id][a.Label]++
		}
	}
	for _, label := range want {
		if there[image][label] != 1 {
			t.Errorf("%s is there %d times", label, there[image][label])
		}
	}
	for _, label := range all.acked {
		for node, id := range images {
			if there[id][label] != 1 {
				t.Errorf("%s is on the image of %s %d times", label, node, there[id][label])
			}
		}
	}
	for _, label := range all.unknown {
		eventually(t, label+" is everywhere or nowhere", func() error { return c.whole(t, at, label, images) })
	}
	// Its key tells a request from another, whoever is asked.
	for _, label := range keyed.labels[max(0, len(keyed.labels)-3):] {
		var made struct{ Annotation box }
		if err := c.api(at).must(t, http.StatusCreated, "POST", "/api/annotations", drawingOf(image, label), "Idempotency-Key", label).into(&made); err != nil {
			t.Fatal(err)
		}
		if made.Annotation.ID != keyed.ids[label] {
			t.Errorf("%s was drawn as %s and again as %s", label, keyed.ids[label], made.Annotation.ID)
		}
	}
	t.Logf("%d plain, %d keyed, %d bulks, %d of unknown outcome", len(plain.labels), len(keyed.labels), len(all.acked), len(all.unknown))
	c.choresGoOn(t)
}

// whole returns nil if label is on all images once or on none.
func (c *city) whole(t *testing.T, at, label string, images map[string]string) error {
	t.Helper()
	sum := 0
	for _, id := range images {
		var list struct{ Annotations []box }
		if err := c.api(at).must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+id+"?label="+label, nil).into(&list); err != nil {
			return err
		}
		sum += len(list.Annotations)
	}
	if sum != 0 && sum != len(images) {
		return fmt.Errorf("it is there %d times", sum)
	}
	return nil
}

// choresGoOn waits until one of the nodes does chores. A run that died with its
// node is begun again after a minute, any other is due at once.
func (c *city) choresGoOn(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(3 * patience)
	for {
		doing := 0
		for name := range c.nodes {
			if c.metric(t, name, "easel_chore_runs_total") > 0 {
				doing++
			}
		}
		switch {
		case doing == 1:
			return
		case doing > 1:
			t.Fatalf("%d nodes do the chores", doing)
		case time.Now().After(deadline):
			t.Fatal("nobody does the chores any more")
		}
		time.Sleep(50 * time.Millisecond)
	}
}
