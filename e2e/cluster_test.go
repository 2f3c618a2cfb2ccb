package e2e_test

import (
	"encoding/base64"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/easelhq/easel/internal/freeport"
)

// city is a cluster of nodes on one bucket, each a process with a folder of its own.
type city struct {
	store, key, bearer string
	dir                string
	seeds              []string // gossip addresses, fixed for each name
	nodes              map[string]*node
	corpses            []*node                              // lost, and not yet killed
	lost, double       int                                  // acknowledged ops that settle did not find, or twice
	args               []string                             // of every node
	regions            []string                             // of each node; none: all are in "r"
	start              func(i int, args []string) *exec.Cmd // makes a node's process; nil: here
}

// newCity makes a cluster in which nothing runs yet. Its nodes are called n1, n2, …
func newCity(t *testing.T, size int, args ...string) *city {
	t.Helper()
	c := &city{
		store: homeOn(startS3(t, *clusterServer)), dir: t.TempDir(), nodes: map[string]*node{}, args: args,
		key: base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")),
	}
	for range size {
		c.seeds = append(c.seeds, freeport.Loopback(t))
	}
	c.bearer = token(t, c.dir, "--tenant=city", "--user=tester", "--role=admin", secretFlag())
	return c
}

func (c *city) name(i int) string   { return fmt.Sprintf("n%d", i+1) }
func (c *city) folder(i int) string { return filepath.Join(c.dir, c.name(i)) }

// launch starts node i and does not wait for it.
func (c *city) launch(t *testing.T, i int) *node {
	t.Helper()
	region := "r"
	if len(c.regions) > 0 {
		region = c.regions[i]
	}
	args := append([]string{
		"--store=" + c.store, secretFlag(), "--node=" + c.name(i), "--region=" + region,
		"--cluster-bind=" + c.seeds[i], "--cluster-join=" + strings.Join(c.seeds, ","), "--cluster-key=" + c.key,
	}, c.args...)
	var n *node
	if c.start == nil {
		n = launch(t, c.folder(i), args...)
	} else {
		n = follow(t, c.start(i, append([]string{"serve", "--data=" + c.folder(i)}, args...)), c.folder(i))
	}
	c.nodes[c.name(i)] = n
	return n
}

// up starts all nodes at once and waits until each sees all.
func (c *city) up(t *testing.T) *city {
	t.Helper()
	for i := range c.seeds {
		c.launch(t, i)
	}
	for i := range c.seeds {
		await(t, c.nodes[c.name(i)])
	}
	c.agree(t)
	return c
}

// agree waits until every running node sees exactly the running ones.
func (c *city) agree(t *testing.T) {
	t.Helper()
	var want []string
	for name := range c.nodes {
		want = append(want, name)
	}
	slices.Sort(want)
	for name := range c.nodes {
		eventually(t, name+" sees "+strings.Join(want, ", "), func() error {
			if got := c.seen(t, name); !slices.Equal(got, want) {
				return fmt.Errorf("it sees %v", got)
			}
			return nil
		})
	}
}

type clusterView struct {
	Node, Owner string
	Members     []struct{ Name, State string }
}

func (c *city) view(t *testing.T, name, image string) clusterView {
	t.Helper()
	var v clusterView
	path := "/api/cluster"
	if image != "" {
		path += "?image=" + image
	}
	if err := c.api(name).must(t, 200, "GET", path, nil).into(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// seen returns who is ready in the eyes of a node.
func (c *city) seen(t *testing.T, name string) []string {
	t.Helper()
	var names []string
	for _, m := range c.view(t, name, "").Members {
		if m.State == "ready" {
			names = append(names, m.Name)
		}
	}
	return names
}

func (c *city) api(name string) *api { return newAPI(c.nodes[name].base, c.bearer) }

// owner returns the node that owns an image, in the eyes of any.
func (c *city) owner(t *testing.T, image string) string {
	t.Helper()
	for name := range c.nodes {
		return c.view(t, name, image).Owner
	}
	t.Fatal("nothing runs")
	return ""
}

// besides returns a running node that is none of these.
func (c *city) besides(t *testing.T, names ...string) string {
	t.Helper()
	all := make([]string, 0, len(c.nodes))
	for name := range c.nodes {
		all = append(all, name)
	}
	slices.Sort(all)
	for _, name := range all {
		if !slices.Contains(names, name) {
			return name
		}
	}
	t.Fatal("there is no other node")
	return ""
}

// index is the inverse of name.
func (c *city) index(name string) int {
	return slices.IndexFunc(c.seeds, func(s string) bool { return c.name(slices.Index(c.seeds, s)) == name })
}

// kill ends a node as a power cut does.
func (c *city) kill(name string) {
	c.nodes[name].kill()
	delete(c.nodes, name)
}

// revive starts a node again that is gone.
func (c *city) revive(t *testing.T, name string) {
	t.Helper()
	await(t, c.launch(t, c.index(name)))
}
