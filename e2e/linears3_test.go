package e2e_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/faultproxy"
	"github.com/easelhq/easel/e2e/linear"
	"github.com/easelhq/easel/e2e/tally"
)

func linearS3Flags() (seconds *float64, calls *int) {
	return flag.Float64("linear.s3seconds", 3, "how long TestLinearOnS3 works"),
		flag.Int("linear.s3calls", 500, "calls of each of its episodes")
}

var linearS3Seconds, linearS3Calls = linearS3Flags()

// TestLinearOnS3 lets two nodes that know nothing of each other serve one image
// from one bucket, over a line on which everything goes wrong, and pauses, kills
// and starts them again. They take the image from each other all the time. Still
// there must be an order of all calls, to either of them, that explains what every
// client was told.
func TestLinearOnS3(t *testing.T) { // not beside others: the check may take only so long
	seed := *linearSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat the choices with -linear.seed %d (not the scheduling)", seed)
	proxy := startProxy(t, startS3(t, *faultServer))
	p := &pair{t: t, root: t.TempDir(), proxy: proxy, random: rand.New(rand.NewPCG(seed, 1)), seed: seed}
	target := &process{tokens: map[string]string{}, sockets: map[int]socket{}}
	for i := range 2 {
		user := "user" + strconv.Itoa(i)
		target.tokens[user] = token(t, p.root, "--tenant=linear", "--user="+user, "--role=admin", secretFlag())
	}
	report := &tally.Report{Suite: "linearizability, " + *faultServer}
	defer func() { tell(t, report) }()
	unknown, undecided := 0, 0
	for began := time.Now(); report.Round == 0 || time.Since(began).Seconds() < *linearS3Seconds; {
		seen, err := p.episode(target, seed+uint64(report.Round)*1000)
		report.Count(seen)
		switch {
		case errors.Is(err, linear.ErrUndecided):
			undecided++
		case err != nil:
			t.Fatalf("episode %d: %v", report.Round, err)
		}
		report.Round++
		report.Acked += target.history.Len() - target.history.Unknown()
		unknown += target.history.Unknown()
		report.Note = fmt.Sprintf("%d calls with unknown outcome, %d episodes undecided", unknown, undecided)
		tell(t, report)
	}
	t.Logf("%d calls are in order; %s; faults %v", report.Acked, report.Note, report.Faults)
	if undecided == report.Round {
		t.Error("no episode was decided")
	}
}

// pair is two nodes on one bucket.
type pair struct {
	t      *testing.T
	root   string
	proxy  *faultproxy.Proxy
	random *rand.Rand
	seed   uint64
	nodes  [2]*node
	count  int
}

// node starts a node in a folder that was never used.
func (p *pair) node() *node {
	p.count++
	return start(p.t, filepath.Join(p.root, strconv.Itoa(p.count)), "--store="+homeOn(p.proxy.URL()), secretFlag())
}

// episode works on a new image and returns the faults that there were, and what
// is wrong with the history.
func (p *pair) episode(target *process, seed uint64) (map[string]int, error) {
	t := p.t
	t.Helper()
	for i := range p.nodes {
		p.nodes[i] = p.node()
	}
	defer func() {
		p.proxy.Use(faultproxy.Calm)
		target.second.Store(nil)
		for _, n := range p.nodes {
			n.kill()
			if err := os.RemoveAll(n.data); err != nil {
				t.Error(err)
			}
		}
	}()
	target.base = p.nodes[0].base
	target.second.Store(&p.nodes[1].base)
	target.begin(uploadUntilTaken(t, newAPI(target.base, target.tokens["user0"]), picture(20, 20, byte(seed))))
	load := &linear.Load{Target: target, History: target.history, Clients: 9, Seed: seed, Most: *linearS3Calls}
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		load.Run(ctx, nil)
	}()
	events := p.disturb(target, finished)
	<-finished
	p.proxy.Use(faultproxy.Calm)
	load.Look(ctx)
	target.end()
	if ctx.Err() != nil {
		t.Fatal("the clients were not done in time")
	}
	for name, n := range p.proxy.Seen() {
		events[name] += n
	}
	return events, target.history.Check(patience)
}

// uploadUntilTaken uploads a picture, again if the outcome is unknown, and returns
// the image's id.
func uploadUntilTaken(t *testing.T, a *api, content []byte) string {
	t.Helper()
	var out struct{ Image imageRow }
	eventually(t, "an upload is taken", func() error {
		body, contentType := form("linear.png", content)
		got, err := a.do(t.Context(), "POST", "/api/images/upload", body, "Content-Type", contentType)
		if err != nil {
			return err
		}
		if got.status != http.StatusCreated {
			return fmt.Errorf("%s", got)
		}
		return got.into(&out)
	})
	return out.Image.ID
}

// disturb does one thing after another to the line and to the nodes until the
// clients are finished, and counts what it does to the nodes.
func (p *pair) disturb(target *process, finished <-chan struct{}) map[string]int {
	t := p.t
	events := map[string]int{}
	wait := func(least, more int) bool {
		select {
		case <-finished:
			return false
		case <-time.After(time.Duration(least+p.random.IntN(more)) * time.Millisecond):
			return true
		}
	}
	for wait(50, 200) {
		p.seed++
		p.proxy.Use(faultproxy.OneIn(p.seed, 6,
			faultproxy.Refuse(http.StatusConflict, "ConditionalRequestConflict"), faultproxy.Refuse(http.StatusServiceUnavailable, "SlowDown"),
			faultproxy.Fault{Kind: faultproxy.Lost}, faultproxy.Fault{Kind: faultproxy.Dropped}, faultproxy.Fault{Kind: faultproxy.CutRequest},
			faultproxy.Fault{Kind: faultproxy.CutAnswer}, faultproxy.Fault{Kind: faultproxy.Twice, Hold: time.Second},
			faultproxy.Fault{Kind: faultproxy.Late, Hold: time.Second}, faultproxy.Fault{Delay: 100 * time.Millisecond},
		))
		if !wait(100, 400) {
			break
		}
		victim := p.random.IntN(2)
		n := p.nodes[victim]
		if p.random.IntN(3) > 0 {
			if err := n.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			events["SIGSTOP"]++
			wait(200, 800)
			if err := n.cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			continue
		}
		n.kill()
		events["SIGKILL"]++
		if err := os.RemoveAll(n.data); err != nil {
			t.Fatal(err)
		}
		p.proxy.Use(faultproxy.Calm) // a node asks its store at start, and ends if that does not answer
		p.nodes[victim] = p.node()
		if victim == 0 {
			target.mu.Lock() // clients of the dead node have their error
			target.base = p.nodes[0].base
			target.mu.Unlock()
		} else {
			target.second.Store(&p.nodes[1].base)
		}
	}
	return events
}
