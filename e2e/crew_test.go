package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/client"
)

// TestCrewOutlivesTheOwner is what a program sees that uses the Go client: several
// of them draw on one image over two nodes of a cluster while the node that owns it
// is killed. None gets an error, and all end up with the same annotations, those
// that they were told of, once each.
func TestCrewOutlivesTheOwner(t *testing.T) {
	t.Parallel()
	const crew, each = 6, 40
	c := newCity(t, 3).up(t)
	first := crewClient(t, c, c.besides(t))
	image, err := first.Upload(t.Context(), "crew.png", bytes.NewReader(picture(20, 20, 1)))
	if err != nil {
		t.Fatal(err)
	}
	owner := c.owner(t, string(image.ID))
	nodes := []string{c.besides(t, owner)}
	nodes = append(nodes, c.besides(t, owner, nodes[0]))
	lives := make([]*client.Live, crew)
	clients := make([]*client.Client, crew)
	for i := range lives {
		clients[i] = crewClient(t, c, nodes[i%len(nodes)])
		if lives[i], err = clients[i].Live(t.Context(), image.ID, client.LiveConfig{Name: fmt.Sprint("member ", i)}); err != nil {
			t.Fatal(err)
		}
		defer lives[i].Close()
	}

	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	var mu sync.Mutex // guards what follows
	told := map[easel.ID]string{}
	var newest int64
	half := make(chan struct{}, 2*crew)
	var all sync.WaitGroup
	for i, live := range lives {
		all.Go(func() {
			for n := range each {
				label := fmt.Sprintf("box %d of %d", n, i)
				ack, err := live.Do(ctx, client.Put(easel.Draft{Label: label, X: 0.1, Y: 0.1, Width: 0.2, Height: 0.2}))
				if err != nil {
					t.Errorf("%s: %v", label, err)
					break
				}
				mu.Lock()
				told[ack.Results[0].ID] = label
				newest = max(newest, ack.Ver)
				mu.Unlock()
				if n == each/2 {
					half <- struct{}{}
				}
			}
			half <- struct{}{} // also of one that has failed
		})
	}
	<-half
	c.kill(owner)
	all.Wait()

	var want []easel.Annotation
	for i, live := range lives {
		if err := live.Wait(ctx, newest); err != nil {
			t.Fatalf("member %d follows: %v", i, err)
		}
		got := live.Annotations()
		byID := func(a, b easel.Annotation) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) }
		slices.SortFunc(got, byID)
		if want == nil {
			if want, _, err = clients[i].Annotations(ctx, image.ID, client.Filter{}); err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(want, byID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("member %d has other annotations than the API tells (-api +member):\n%s", i, diff)
		}
	}
	labels := map[easel.ID]string{}
	for _, a := range want {
		labels[a.ID] = a.Label
	}
	if diff := cmp.Diff(told, labels); diff != "" || len(want) != crew*each {
		t.Errorf("%d annotations, want %d (-told +there):\n%s", len(want), crew*each, diff)
	}
}

func crewClient(t *testing.T, c *city, node string) *client.Client {
	t.Helper()
	one, err := client.New(client.Config{URL: c.nodes[node].base, Token: c.bearer})
	if err != nil {
		t.Fatal(err)
	}
	return one
}
