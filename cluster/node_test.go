package cluster_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/cluster"
)

// lone makes a node in the tests' own process. protoactor's globals race when a
// second one starts there.
func lone(t *testing.T, c cluster.Config) (*cluster.Node, *testActors) {
	t.Helper()
	if raceBuilt {
		t.Skip("nodes under the race detector are processes")
	}
	c.Name, c.Bind, c.Registerer = "n", "127.0.0.1:0", prometheus.NewRegistry()
	n, err := cluster.New(c)
	if err != nil {
		t.Fatal(err)
	}
	codec, err := actors.NewCodec(echo{}, grow{}, fail{}, hang{})
	if err != nil {
		t.Fatal(err)
	}
	return n, &testActors{name: "n", node: n, codec: codec, seen: map[string][]int{}}
}

func TestNodeAlone(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	n, local := lone(t, cluster.Config{Region: "eu", Join: []string{"127.0.0.1:1"}, JoinWait: time.Millisecond})
	key := actors.Key{Kind: "test", ID: "x"}
	if o := n.Owner(key); o != "" {
		t.Errorf("before Start %q owns", o)
	}
	n.Carry(t.Context(), "other", actors.Request{To: key, Message: echo{}}, func(_ actors.Message, err error) {
		if !errors.Is(err, actors.ErrMoved) {
			t.Errorf("before Start a request is answered %v", err)
		}
	})
	if err := n.Start(t.Context(), local); err != nil {
		t.Fatal(err)
	}
	if o := n.Owner(key); o != "n" {
		t.Errorf("%q owns", o)
	}
	eventually(t, "the actors are told", func() bool { return local.changes.Load() > 0 })
	m := n.Members()
	if len(m) != 1 || !m[0].Self || m[0].Name != "n" || m[0].Region != "eu" || m[0].RPC != n.RPC() || m[0].Gossip != n.Gossip() {
		t.Errorf("members are %+v", m)
	}
	n.Carry(t.Context(), "n", actors.Request{To: key, Message: echo{Text: "x"}}, func(m actors.Message, err error) {
		if e, ok := m.(echo); !ok || e.By != "n" || err != nil {
			t.Errorf("a request to itself is answered %v, %v", m, err)
		}
	})
	if err := n.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if o := n.Owner(key); o != "" {
		t.Errorf("while all drain %q owns", o)
	}
	if err := n.Leave(t.Context()); err != nil {
		t.Error(err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, ignore)
}

// TestNodeLeavesNothingBehind: what it had with another node ends with it.
func TestNodeLeavesNothingBehind(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	n, local := lone(t, cluster.Config{})
	if err := n.Start(t.Context(), local); err != nil {
		t.Fatal(err)
	}
	b := launch(t, setup{Name: "b", Join: []string{n.Gossip()}})
	eventually(t, "they meet", func() bool { return len(n.Members()) == 2 })
	for _, m := range []actors.Message{echo{Text: "x"}, grow{Bytes: 1 << 20}, hang{}} {
		answered := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		n.Carry(ctx, "b", actors.Request{To: actors.Key{Kind: "any", ID: "x"}, Message: m}, func(_ actors.Message, err error) {
			answered <- err
		})
		if _, hangs := m.(hang); hangs {
			if err := n.Leave(t.Context()); err != nil {
				t.Error(err)
			}
			if err := <-answered; !errors.Is(err, actors.ErrLost) {
				t.Errorf("what waits ends with %v", err)
			}
		} else if err := <-answered; err != nil {
			t.Error(err)
		}
		cancel()
	}
	n.Carry(t.Context(), "b", actors.Request{To: actors.Key{Kind: "any", ID: "x"}, Message: echo{}}, func(_ actors.Message, err error) {
		if !errors.Is(err, actors.ErrMoved) && !errors.Is(err, actors.ErrLost) {
			t.Errorf("after Leave a request is answered %v", err)
		}
	})
	eventually(t, "the other knows", func() bool { return len(b.tell(order{Do: "members"}).Members) == 1 })
	b.kill()
	goleak.VerifyNone(t, ignore)
}

func TestNodeThatNeverStarts(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	n, _ := lone(t, cluster.Config{})
	if err := n.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, ignore)
}

func TestConfigIsChecked(t *testing.T) {
	good := cluster.Config{Name: "n", Bind: "127.0.0.1:0"}
	for _, c := range []struct {
		name  string
		spoil func(*cluster.Config)
	}{
		{"no name", func(c *cluster.Config) { c.Name = "" }},
		{"a name with a slash", func(c *cluster.Config) { c.Name = "a/b" }},
		{"no address", func(c *cluster.Config) { c.Bind = "" }},
		{"no port", func(c *cluster.Config) { c.Bind = "127.0.0.1" }},
		{"a port that is none", func(c *cluster.Config) { c.Bind = "127.0.0.1:x" }},
		{"a host name to listen on", func(c *cluster.Config) { c.Bind = "example.org:1" }},
		{"gRPC without a port", func(c *cluster.Config) { c.RPCBind = "127.0.0.1" }},
		{"a short key", func(c *cluster.Config) { c.Key = make([]byte, 31) }},
		{"a negative weight", func(c *cluster.Config) { c.Weight = -1 }},
		{"a region longer than gossip has room", func(c *cluster.Config) { c.Region = strings.Repeat("r", 600) }},
		{"an address of nobody here", func(c *cluster.Config) { c.RPCBind, c.Key = "192.0.2.1:0", make([]byte, 32) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := good
			c.spoil(&config)
			n, err := cluster.New(config)
			if err == nil {
				n.Close()
				t.Error("it is taken")
			}
		})
	}
}
