package cluster_test

import (
	"crypto/rand"
	"encoding/base64"
	"flag"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/internal/freeport"
	"github.com/easelhq/easel/wire"
)

var (
	measure = flag.Duration("cluster.measure", 0, "measure requests between nodes for this long each")
	kills   = flag.Int("cluster.kills", 1, "how many owners to kill in TestCrashedNodeIsReplaced")
)

func newKey(t *testing.T) string {
	t.Helper()
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(key)
}

// trio launches three nodes with a key.
func trio(t *testing.T) (a, b, c *process) {
	t.Helper()
	key := newKey(t)
	a = launch(t, setup{Name: "a", Key: key})
	b = launch(t, setup{Name: "b", Key: key, Join: []string{a.gossip}})
	c = launch(t, setup{Name: "c", Key: key, Join: []string{a.gossip}})
	agree(t, a, b, c)
	return a, b, c
}

func pair(t *testing.T) (a, b *process) {
	t.Helper()
	a = launch(t, setup{Name: "a"})
	b = launch(t, setup{Name: "b", Join: []string{a.gossip}})
	agree(t, a, b)
	return a, b
}

func TestTwoNodesShareTheActors(t *testing.T) {
	a := launch(t, setup{Name: "a"})
	b := launch(t, setup{Name: "b", Join: []string{a.gossip}})
	agree(t, a, b)
	count := map[string]int{}
	of, at := a.tell(order{Do: "owners", Count: 200}).Owners, b.tell(order{Do: "owners", Count: 200}).Owners
	for i := range of {
		if of[i] != at[i] {
			t.Fatalf("actor %d: a says %q and b %q", i, of[i], at[i])
		}
		count[of[i]]++
	}
	if count["a"] < 60 || count["b"] < 60 {
		t.Errorf("shares are %v", count)
	}
	if r := a.tell(order{Do: "echo", Node: "b", ID: "x", Bytes: 10}); r.Err != "" || r.By != "b" || r.Count != 10 {
		t.Errorf("echo: %+v", r)
	}
}

func TestErrorsCrossNodes(t *testing.T) {
	a, _ := pair(t)
	r := a.tell(order{Do: "fail", Node: "b", ID: "x", Code: string(easel.CodeConflict)})
	if want := `refused 1s {"a":"<&>"} [{x y}] 7`; r.Code != string(easel.CodeConflict) || r.Text != want || r.Cause != "the cause" {
		t.Errorf("a refusal arrives as %+v", r)
	}
	r = a.tell(order{Do: "fail", Node: "b", ID: "x"})
	if r.Code != string(easel.CodeInternal) || strings.Contains(r.Text, "cause") || r.Cause != "the cause" {
		t.Errorf("any other error arrives as %+v", r)
	}
	r = a.tell(order{Do: "fail", Node: "b", ID: "x", Code: string(easel.CodeConflict), Bytes: wire.FieldBytes})
	if r.Code != string(easel.CodeConflict) || !strings.HasPrefix(r.Cause, "the causeéé") {
		t.Errorf("a refusal with a long cause arrives as %s: %s", r.Code, r.Err)
	}
	if r := a.tell(order{Do: "echo", Node: "nobody", ID: "x"}); !strings.Contains(r.Err, "belongs on another node") {
		t.Errorf("a node that is no member: %+v", r)
	}
}

func TestLargeMessagesCrossInParts(t *testing.T) {
	a, b := pair(t)
	const size = 8 << 20
	if r := a.tell(order{Do: "grow", Node: "b", ID: "x", Bytes: size, For: time.Minute}); r.Err != "" || r.Count != size {
		t.Errorf("large answer: %d bytes, %s", r.Count, r.Err)
	}
	if r := a.tell(order{Do: "echo", Node: "b", ID: "x", Bytes: size, For: time.Minute}); r.Err != "" || r.Count != size {
		t.Errorf("large request: %d bytes, %s", r.Count, r.Err)
	}
	settled(t, a, b)
	if raceBuilt {
		return // it would take half a minute to make what is too large
	}
	if r := a.tell(order{Do: "echo", Node: "b", ID: "x", Bytes: 65 << 20, For: time.Minute}); r.Code != string(easel.CodeTooLarge) {
		t.Errorf("a request that is too large: %+v", r)
	}
	if r := a.tell(order{Do: "grow", Node: "b", ID: "x", Bytes: 65 << 20, For: time.Minute}); r.Code != string(easel.CodeTooLarge) {
		t.Errorf("an answer that is too large: %+v", r)
	}
}

func TestRequestsForOneActorKeepTheirOrder(t *testing.T) {
	a, b := pair(t)
	a.tell(order{Do: "ordered", Node: "b", ID: "x", Count: 60, Bytes: 700 << 10})
	got := b.tell(order{Do: "seen", ID: "x"}).Order
	for i, n := range got {
		if n != i {
			t.Fatalf("they arrived as %v", got)
		}
	}
	if len(got) != 60 {
		t.Errorf("%d of 60 arrived", len(got))
	}
	settled(t, a, b)
}

// settled checks that nothing is left of what was carried.
func settled(t *testing.T, nodes ...*process) {
	t.Helper()
	for _, n := range nodes {
		if m := n.tell(order{Do: "metrics"}).Metrics; m["easel_cluster_requests_pending"] != 0 {
			t.Errorf("%s: %v requests wait", n.setup.Name, m["easel_cluster_requests_pending"])
		}
	}
}

func TestRequestsEndWithTheirNode(t *testing.T) {
	a, b := pair(t)
	if r := a.tell(order{Do: "echo", Node: "b", ID: "x"}); r.Err != "" {
		t.Fatal(r.Err)
	}
	if err := a.orders.Encode(order{Do: "hang", Node: "b", ID: "x", For: time.Minute}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is on its way", func() bool { return b.tell(order{Do: "hanging"}).Count == 1 })
	b.kill()
	var r report
	if err := a.out.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.Err, "outcome is unknown") {
		t.Errorf("the request ended with %q", r.Err)
	}
	t.Logf("known after %v", r.Took)
	settled(t, a)
}

func TestRequestsEndWithTheirLink(t *testing.T) {
	a, b := pair(t)
	r := a.tell(order{Do: "hang and cut", Node: "b", ID: "x", For: time.Minute})
	if !strings.Contains(r.Err, "outcome is unknown") {
		t.Errorf("when the way there is cut the request ends with %+v", r)
	}
	eventually(t, "the way there is found again", func() bool { return a.tell(order{Do: "echo", Node: "b", ID: "x"}).By == "b" })
	if err := a.orders.Encode(order{Do: "hang", Node: "b", ID: "x", For: time.Minute}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is on its way", func() bool { return b.tell(order{Do: "hanging"}).Count == 2 })
	b.tell(order{Do: "cut"})
	if err := a.out.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.Err, "outcome is unknown") {
		t.Errorf("when the way back is cut the request ends with %+v", r)
	}
	eventually(t, "the way back is found again", func() bool { return a.tell(order{Do: "echo", Node: "b", ID: "x"}).By == "b" })
	settled(t, a, b)
}

func TestTooMuchIsRefusedByName(t *testing.T) {
	a, _ := pair(t)
	for _, o := range []order{{Count: 70_000}, {Count: 500, Bytes: 150 << 10}} {
		if o.Bytes > 0 && raceBuilt {
			break // encoding them would take a minute
		}
		o.Do, o.Node = "flood", "b"
		r := a.tell(o)
		// A machine that is very busy may take b for dead meanwhile.
		refused, lost, moved := r.Order[0], r.Order[1], r.Order[2]
		if refused == 0 || lost == 0 || refused+lost+moved != o.Count {
			t.Errorf("of %d requests of %d bytes %d are refused, %d have no answer, %d were not sent", o.Count, o.Bytes, refused, lost, moved)
		}
	}
	settled(t, a)
	eventually(t, "there is room again", func() bool { return a.tell(order{Do: "echo", Node: "b", ID: "x"}).By == "b" })
}

func TestRequestsEndWithTheirContext(t *testing.T) {
	a, b := pair(t)
	if r := a.tell(order{Do: "hang", Node: "b", ID: "x", For: 100 * time.Millisecond}); !strings.Contains(r.Err, "outcome is unknown") {
		t.Errorf("the request ended with %+v", r)
	}
	settled(t, a, b)
}

func TestNodesStartInAnyOrder(t *testing.T) {
	seeds := []string{freeport.Loopback(t), freeport.Loopback(t), freeport.Loopback(t)}
	var nodes []*process
	for i, s := range seeds {
		nodes = append(nodes, begin(t, setup{Name: string(rune('a' + i)), Bind: s, Join: seeds, JoinWait: 50 * time.Millisecond}))
	}
	for _, n := range nodes {
		if err := n.ready(); err != nil {
			t.Fatalf("%v: %s", err, n.stderr)
		}
	}
	agree(t, nodes...)
}

func TestPausedNodeIsReplacedAndComesBack(t *testing.T) {
	t.Parallel()
	a, b, c := trio(t)
	c.signal(syscall.SIGSTOP)
	agree(t, a, b)
	c.signal(syscall.SIGCONT)
	agree(t, a, b, c)
	for _, n := range []*process{a, b} {
		if r := n.tell(order{Do: "echo", Node: "c", ID: "x"}); r.Err != "" {
			eventually(t, n.setup.Name+" asks c again", func() bool { return n.tell(order{Do: "echo", Node: "c", ID: "x"}).Err == "" })
		}
	}
}

func TestCrashedNodeIsReplaced(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	a := launch(t, setup{Name: "a", Key: key})
	b := launch(t, setup{Name: "b", Key: key, Join: []string{a.gossip}})
	var took []time.Duration
	for i := range *kills {
		c := launch(t, setup{Name: "c", Key: key, Join: []string{a.gossip}})
		agree(t, a, b, c)
		owners := a.tell(order{Do: "owners", Count: 100}).Owners
		id := fmt.Sprint(slices.Index(owners, "c"))
		if r := a.tell(order{Do: "echo", ID: id}); r.By != "c" {
			t.Fatalf("before: %+v", r)
		}
		c.kill()
		r := a.tell(order{Do: "retry", ID: id, For: time.Minute})
		if r.Err != "" || r.By == "c" {
			t.Fatalf("kill %d: %+v", i, r)
		}
		took = append(took, r.Took)
		agree(t, a, b)
	}
	slices.Sort(took)
	t.Logf("crash to first success elsewhere: p50 %v, max %v of %d", took[len(took)/2], took[len(took)-1], len(took))
	settled(t, a, b)
}

func TestNodeTakenForDeadComesBack(t *testing.T) {
	a, b := pair(t)
	if r := a.tell(order{Do: "bury", Node: "b"}); r.Err != "" {
		t.Error(r.Err)
	}
	agree(t, a, b)
	if r := a.tell(order{Do: "echo", Node: "b", ID: "x"}); r.By != "b" {
		t.Errorf("afterwards it is asked: %+v", r)
	}
}

// TestNodeThatSpeaksIsNotEvicted: gossip's probes may be late where a node has no
// processor to spare; what comes from it says that it lives.
func TestNodeThatSpeaksIsNotEvicted(t *testing.T) {
	a, _ := pair(t)
	if r := a.tell(order{Do: "accuse", Node: "b", Count: 1}); len(r.Members) != 2 {
		t.Errorf("while it speaks the members are %v", r.Members)
	}
	eventually(t, "it is silent, and gone", func() bool { return len(a.tell(order{Do: "members"}).Members) == 1 })
}

func TestSilentNodeIsEvictedAtOnce(t *testing.T) {
	a, _ := pair(t)
	if r := a.tell(order{Do: "accuse", Node: "b"}); len(r.Members) != 1 {
		t.Errorf("of a node that says nothing the members are %v", r.Members)
	}
}

func TestRestartedNodeTakesItsPlaceAtOnce(t *testing.T) {
	a, b, c := trio(t)
	before := a.tell(order{Do: "owners", Count: 100}).Owners
	c.kill()
	again := c.setup
	again.Bind, again.RPCBind = c.gossip, c.rpc // as it is with fixed ports
	d := launch(t, again)
	agree(t, a, b, d)
	if after := a.tell(order{Do: "owners", Count: 100}).Owners; !slices.Equal(before, after) {
		t.Error("the actors of a node that was restarted are elsewhere")
	}
	eventually(t, "a asks the new run", func() bool { return a.tell(order{Do: "echo", Node: "c", ID: "x"}).By == "c" })
}

func TestDrainedNodeOwnsNothingAndStillAnswers(t *testing.T) {
	a, b, c := trio(t)
	if r := c.tell(order{Do: "drain"}); r.Err != "" {
		t.Fatal(r.Err)
	}
	if slices.Contains(c.tell(order{Do: "owners", Count: 100}).Owners, "c") {
		t.Error("it owns actors by its own view")
	}
	agree(t, a, b)
	if r := a.tell(order{Do: "echo", Node: "c", ID: "x"}); r.By != "c" {
		t.Errorf("it is asked: %+v", r)
	}
	if r := c.tell(order{Do: "echo", Node: "a", ID: "x"}); r.By != "a" {
		t.Errorf("it asks: %+v", r)
	}
	if r := c.tell(order{Do: "leave"}); r.Err != "" {
		t.Error(r.Err)
	}
	c.wait()
	eventually(t, "it is gone", func() bool { return len(a.tell(order{Do: "members"}).Members) == 2 })
	settled(t, a, b)
}

func TestTwoNodesOfOneName(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	again := begin(t, setup{Name: "b", Join: []string{a.gossip}})
	if err := again.ready(); err == nil {
		t.Fatal("a second b starts")
	}
	if s := again.stderr.String(); !strings.Contains(s, "another node has this name") {
		t.Errorf("it says %q", s)
	}
	agree(t, a, b)
	// Two clusters that meet later: the younger node goes.
	lone := launch(t, setup{Name: "b", Join: []string{freeport.Loopback(t)}, JoinWait: time.Millisecond})
	launch(t, setup{Name: "bridge", Join: []string{a.gossip, lone.gossip}})
	if r := lone.tell(order{Do: "failed", For: 30 * time.Second}); !strings.Contains(r.Err, "another node has this name") {
		t.Errorf("the younger one says %q", r.Err)
	}
	if r := b.tell(order{Do: "failed", For: time.Millisecond}); r.Err != "" {
		t.Errorf("the older one says %q", r.Err)
	}
}

func TestNodesOfTwoVersions(t *testing.T) {
	t.Parallel()
	a := launch(t, setup{Name: "a"})
	next := launch(t, setup{Name: "next", Join: []string{a.gossip}, Lowest: wire.Version, Highest: wire.Version + 1})
	agree(t, a, next)
	for _, n := range []struct{ from, to *process }{{a, next}, {next, a}} {
		if r := n.from.tell(order{Do: "echo", Node: n.to.setup.Name, ID: "x"}); r.By != n.to.setup.Name {
			t.Errorf("%s is answered %+v", n.from.setup.Name, r)
		}
	}
	far := begin(t, setup{Name: "far", Join: []string{a.gossip}, Lowest: wire.Version + 1, Highest: wire.Version + 2})
	if err := far.ready(); err == nil || !strings.Contains(far.stderr.String(), "too old or too new") {
		t.Errorf("a node that speaks another language: %v %s", err, far.stderr)
	}
	agree(t, a, next)
}

func TestWithoutKeyOnlyLoopback(t *testing.T) {
	for _, s := range []setup{{Name: "a", Bind: "0.0.0.0:0"}, {Name: "a", RPCBind: "0.0.0.0:0"}, {Name: "a", Bind: "192.0.2.1:0"}} {
		p := begin(t, s)
		if err := p.ready(); err == nil || !strings.Contains(p.stderr.String(), "cluster-key") {
			t.Errorf("%+v: %v %s", s, err, p.stderr)
		}
	}
	launch(t, setup{Name: "a", Bind: "0.0.0.0:0", Key: newKey(t)})
}

func TestMeasure(t *testing.T) {
	if *measure == 0 {
		t.Skip("run with -cluster.measure=5s")
	}
	a, _, _ := trio(t)
	for _, o := range []order{{Callers: 1, Bytes: 200}, {Callers: 64, Bytes: 200}, {Callers: 64, Bytes: 20_000}} {
		o.Do, o.Node, o.For = "storm", "b", *measure
		r := a.tell(o)
		t.Logf("%d callers, %d bytes: p50 %v, p99 %v, %.0f/s, %d failed %s", o.Callers, o.Bytes, r.P50, r.P99, r.PerSec, r.Count, r.Text)
	}
	settled(t, a)
}
