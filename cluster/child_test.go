package cluster_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/cluster"
)

// A node of these tests is a process: this test binary, told by its environment
// to be one. protoactor shares state between the nodes of one process, and only a
// process can be killed and stopped.
const nodeEnvironment = "EASEL_CLUSTER_TEST_NODE"

func TestMain(m *testing.M) {
	if config := os.Getenv(nodeEnvironment); config != "" {
		if err := beNode(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// setup is what a node is told at its start.
type setup struct {
	Name, Region, Zone, Bind, RPCBind, Key string
	Join                                   []string
	Weight                                 float64
	JoinWait                               time.Duration
	Verbose                                bool
	Lowest, Highest                        uint32 // versions of the wire, if not the build's own
}

// order is one command to a node, and report its answer.
type order struct {
	Do      string
	Node    string // that is asked; "" is the owner
	ID      string
	Bytes   int
	Count   int
	Callers int
	For     time.Duration
	Code    string
}

type report struct {
	Err     string
	Code    string // of an easel.Error
	Cause   string
	Text    string
	By      string
	Members []cluster.Member
	Gossip  string
	RPC     string
	Owners  []string
	Order   []int
	Count   int
	Metrics map[string]float64
	P50     time.Duration
	P99     time.Duration
	PerSec  float64
	Took    time.Duration
}

// Messages of the test's actors.
type (
	echo struct {
		Text string
		By   string
		N    int
	}
	grow struct{ Bytes int }
	fail struct{ Code, Cause string }
	hang struct{ Filler string }
)

func (echo) MessageName() string { return "test.echo" }
func (grow) MessageName() string { return "test.grow" }
func (fail) MessageName() string { return "test.fail" }
func (hang) MessageName() string { return "test.hang" }

// testActors is the local part of a node: every key is an actor that answers.
type testActors struct {
	name    string
	node    *cluster.Node
	codec   *actors.Codec
	changes atomic.Int64
	hanging atomic.Int64

	mu   sync.Mutex
	seen map[string][]int
}

func (a *testActors) Codec() *actors.Codec { return a.codec }
func (a *testActors) OwnersChanged()       { a.changes.Add(1) }

func (a *testActors) Deliver(_ context.Context, r actors.Request, reply func(actors.Message, error)) {
	if r.To.Kind == "test" && a.node.Owner(r.To) != a.name {
		reply(nil, actors.ErrMoved)
		return
	}
	switch m := r.Message.(type) {
	case echo:
		a.mu.Lock()
		a.seen[r.To.ID] = append(a.seen[r.To.ID], m.N)
		a.mu.Unlock()
		reply(echo{Text: m.Text, By: a.name, N: m.N}, nil)
	case grow:
		reply(echo{Text: strings.Repeat("x", m.Bytes), By: a.name}, nil)
	case fail:
		if m.Code == "" {
			reply(nil, errors.New(m.Cause))
			return
		}
		reply(nil, &easel.Error{
			Code: easel.Code(m.Code), Message: "refused", RetryAfter: time.Second, Current: json.RawMessage(`{"a":"<&>"}`),
			Details: []easel.Detail{{Path: "x", Message: "y"}}, Expected: 7, Err: errors.New(m.Cause),
		})
	case hang:
		a.hanging.Add(1)
	}
}

func beNode(config string) error {
	var s setup
	if err := json.Unmarshal([]byte(config), &s); err != nil {
		return err
	}
	key, err := base64.StdEncoding.DecodeString(s.Key)
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if s.Verbose {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("on", s.Name)
	}
	registry := prometheus.NewRegistry()
	n, err := cluster.New(cluster.Config{
		Name: s.Name, Region: s.Region, Zone: s.Zone, Weight: s.Weight, Bind: s.Bind, RPCBind: s.RPCBind, Join: s.Join, Key: key,
		JoinWait: s.JoinWait, HTTP: "127.0.0.1:1", Version: "test", Log: log, Registerer: registry,
	})
	if err != nil {
		return err
	}
	if s.Highest != 0 {
		cluster.SetVersions(n, s.Lowest, s.Highest)
	}
	codec, err := actors.NewCodec(echo{}, grow{}, fail{}, hang{})
	if err != nil {
		return err
	}
	local := &testActors{name: s.Name, node: n, codec: codec, seen: map[string][]int{}}
	if err := n.Start(context.Background(), local); err != nil {
		return errors.Join(err, n.Close())
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(report{Gossip: n.Gossip(), RPC: n.RPC()}); err != nil {
		return err
	}
	orders := json.NewDecoder(os.Stdin)
	var writing sync.Mutex
	var wg sync.WaitGroup
	for {
		var o order
		if err := orders.Decode(&o); err != nil {
			return n.Close()
		}
		if o.Do == "leave" {
			wg.Wait()
			err := n.Leave(context.Background())
			_ = out.Encode(report{Err: text(err)})
			return nil
		}
		wg.Go(func() {
			r := obey(n, local, registry, o)
			writing.Lock()
			defer writing.Unlock()
			_ = out.Encode(r)
		})
		wg.Wait()
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// obey does one order inside a node.
func obey(n *cluster.Node, local *testActors, registry *prometheus.Registry, o order) (r report) {
	switch o.Do {
	case "members":
		r.Members, r.Count = n.Members(), int(local.changes.Load())
	case "owners":
		for i := range o.Count {
			r.Owners = append(r.Owners, n.Owner(actors.Key{Kind: "test", ID: fmt.Sprint(i)}))
		}
	case "echo", "grow", "fail", "hang":
		r = one(n, o)
	case "ordered":
		ordered(n, o)
	case "seen":
		local.mu.Lock()
		r.Order = local.seen[o.ID]
		local.mu.Unlock()
	case "storm":
		r = storm(n, o)
	case "retry":
		begun := time.Now()
		for time.Since(begun) < o.For {
			if r = one(n, order{Do: "echo", ID: o.ID}); r.Err == "" {
				break
			}
			r.Count++
			time.Sleep(10 * time.Millisecond)
		}
		r.Took = time.Since(begun)
	case "hanging":
		r.Count = int(local.hanging.Load())
	case "cut":
		cluster.CutLinks(n)
	case "bury":
		if !cluster.Bury(n, o.Node) {
			r.Err = "it is still a member"
		}
	case "accuse":
		cluster.Accuse(n, o.Node, o.Count > 0)
		r.Members = n.Members()
	case "hang and cut":
		cut := time.AfterFunc(100*time.Millisecond, func() { cluster.CutLinks(n) })
		defer cut.Stop()
		o.Do = "hang"
		r = one(n, o)
	case "flood":
		r = flood(n, o)
	case "drain":
		r.Err = text(n.Drain(context.Background()))
	case "failed":
		select {
		case err := <-n.Failed():
			r.Err = text(err)
		case <-time.After(o.For):
		}
	case "metrics":
		r.Metrics = map[string]float64{}
		families, err := registry.Gather()
		r.Err = text(err)
		for _, f := range families {
			for _, m := range f.Metric {
				r.Metrics[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	default:
		r.Err = "no such order: " + o.Do
	}
	return r
}

func request(n *cluster.Node, o order) (string, actors.Request) {
	key := actors.Key{Kind: "test", ID: o.ID}
	node := o.Node
	if node == "" {
		node = n.Owner(key)
	} else {
		key.Kind = "any" // whichever node is asked has it
	}
	var m actors.Message
	switch o.Do {
	case "grow":
		m = grow{o.Bytes}
	case "fail":
		m = fail{o.Code, "the cause" + strings.Repeat("é", o.Bytes)}
	case "hang":
		m = hang{}
	default:
		m = echo{Text: strings.Repeat("e", o.Bytes), N: o.Count}
	}
	return node, actors.Request{To: key, Message: m}
}

func one(n *cluster.Node, o order) (r report) {
	limit := o.For
	if limit == 0 {
		limit = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	node, q := request(n, o)
	done := make(chan struct{})
	begun := time.Now()
	n.Carry(ctx, node, q, func(m actors.Message, err error) {
		r.Err = text(err)
		var e *easel.Error
		if errors.As(err, &e) {
			r.Code = string(e.Code)
			r.Cause = text(e.Err)
			r.Text = fmt.Sprintf("%s %v %s %v %d", e.Message, e.RetryAfter, e.Current, e.Details, e.Expected)
		}
		if m, ok := m.(echo); ok {
			r.Text, r.By, r.Count = m.Text, m.By, len(m.Text)
		}
		close(done)
	})
	<-done
	r.Took = time.Since(begun)
	if r.Code == "" && len(r.Text) > 1000 {
		r.Text = ""
	}
	return r
}

// ordered sends Count numbered messages to one actor, every tenth large.
func ordered(n *cluster.Node, o order) {
	var wg sync.WaitGroup
	for i := range o.Count {
		bytes := 100
		if i%10 == 3 {
			bytes = o.Bytes
		}
		node, q := request(n, order{Node: o.Node, ID: o.ID, Bytes: bytes, Count: i})
		wg.Add(1)
		n.Carry(context.Background(), node, q, func(actors.Message, error) { wg.Done() })
	}
	wg.Wait()
}

// flood asks what is never answered, Count times, and counts how it ends.
func flood(n *cluster.Node, o order) (r report) {
	ctx, cancel := context.WithCancel(context.Background())
	var refused, lost, moved atomic.Int64
	var wg sync.WaitGroup
	for i := range o.Count {
		wg.Add(1)
		q := actors.Request{To: actors.Key{Kind: "any", ID: fmt.Sprint(i)}, Message: hang{Filler: strings.Repeat("f", o.Bytes)}}
		n.Carry(ctx, o.Node, q, func(_ actors.Message, err error) {
			defer wg.Done()
			switch {
			case easel.CodeOf(err) == easel.CodeOverloaded:
				refused.Add(1)
			case errors.Is(err, actors.ErrLost):
				lost.Add(1)
			case errors.Is(err, actors.ErrMoved):
				moved.Add(1)
			}
		})
	}
	cancel()
	wg.Wait()
	r.Order = []int{int(refused.Load()), int(lost.Load()), int(moved.Load())}
	return r
}

// storm asks from many callers for a while and measures.
func storm(n *cluster.Node, o order) (r report) {
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	var failed atomic.Int64
	var last atomic.Pointer[string]
	until := time.Now().Add(o.For)
	for c := range o.Callers {
		wg.Go(func() {
			var mine []time.Duration
			answered := make(chan error, 1)
			for i := 0; time.Now().Before(until); i++ {
				node, q := request(n, order{Node: o.Node, ID: fmt.Sprint(c, i%100), Bytes: o.Bytes})
				begun := time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				n.Carry(ctx, node, q, func(_ actors.Message, err error) { answered <- err })
				err := <-answered
				cancel()
				if err != nil {
					failed.Add(1)
					s := err.Error()
					last.Store(&s)
				}
				mine = append(mine, time.Since(begun))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
		})
	}
	wg.Wait()
	slices.Sort(all)
	r.Count = int(failed.Load())
	if s := last.Load(); s != nil {
		r.Text = *s
	}
	if len(all) > 0 {
		r.P50, r.P99 = all[len(all)/2], all[len(all)*99/100]
		r.PerSec = float64(len(all)) / o.For.Seconds()
	}
	return r
}
