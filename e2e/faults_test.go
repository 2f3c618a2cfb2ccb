package e2e_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/faultproxy"
	"github.com/easelhq/easel/e2e/tally"
)

func faultFlags() (rounds *int, seconds *float64, server *string, only *string) {
	return flag.Int("faults.rounds", 1, "how often TestFaultsOnS3 goes through all troubles"),
		flag.Float64("faults.seconds", 0.4, "how long each trouble lasts"),
		flag.String("faults.server", "fake", "what stands behind the troubles: versitygw, minio, or fake (in this process)"),
		flag.String("faults.only", "", "only troubles with this in their name")
}

var faultRounds, faultSeconds, faultServer, faultOnly = faultFlags()

// trouble is what a store can be like.
type trouble struct {
	name string
	plan func(seed uint64) faultproxy.Plan // nil: the store is down
	want []string                          // faults that must have been seen
	lax  bool                              // only a store that checks nothing falls for it
	long time.Duration                     // it lasts at least that long; only in long tests
}

func some(n int, faults ...faultproxy.Fault) func(uint64) faultproxy.Plan {
	return func(seed uint64) faultproxy.Plan { return faultproxy.OneIn(seed, n, faults...) }
}

func all(f faultproxy.Fault) func(uint64) faultproxy.Plan {
	return func(uint64) faultproxy.Plan { return faultproxy.Always(f) }
}

func among(match func(faultproxy.Call) bool, plan func(uint64) faultproxy.Plan) func(uint64) faultproxy.Plan {
	return func(seed uint64) faultproxy.Plan { return faultproxy.Only(match, plan(seed)) }
}

// beyond is longer than a node goes on asking a store that does not answer.
const beyond = 14 * time.Second

func troubles() []trouble {
	var (
		conflict = faultproxy.Refuse(http.StatusConflict, "ConditionalRequestConflict")
		broken   = faultproxy.Refuse(http.StatusInternalServerError, "InternalError")
		slowDown = faultproxy.Refuse(http.StatusServiceUnavailable, "SlowDown")
		expired  = faultproxy.Refuse(http.StatusForbidden, "ExpiredToken")
		lost     = faultproxy.Fault{Kind: faultproxy.Lost}
		dropped  = faultproxy.Fault{Kind: faultproxy.Dropped}
		cutThere = faultproxy.Fault{Kind: faultproxy.CutRequest}
		cutBack  = faultproxy.Fault{Kind: faultproxy.CutAnswer}
		twice    = faultproxy.Fault{Kind: faultproxy.Twice, Hold: 2 * time.Second}
		late     = faultproxy.Fault{Kind: faultproxy.Late, Hold: 2 * time.Second}
		hung     = faultproxy.Fault{Kind: faultproxy.Hung, Hold: 2 * time.Second}
		torn     = faultproxy.Fault{Kind: faultproxy.Torn}
	)
	return []trouble{
		{name: "is slow", plan: some(1, faultproxy.Fault{Delay: 200 * time.Millisecond}), want: []string{"slow"}},
		{name: "is down", want: []string{"down"}},
		{name: "answers 409", plan: among(faultproxy.Puts, some(3, conflict)), want: []string{"409"}},
		{name: "answers 5xx", plan: some(3, broken, slowDown), want: []string{"500", "503"}},
		{name: "refuses the credentials", plan: all(expired), want: []string{"403"}},
		{name: "takes writes and loses the answer", plan: among(faultproxy.Puts, some(2, lost)), want: []string{"lost"}},
		{name: "loses requests and answers", plan: some(4, lost, dropped), want: []string{"lost", "dropped"}},
		{name: "is cut off in requests", plan: some(3, cutThere), want: []string{"request cut"}},
		{name: "is cut off in answers", plan: some(3, cutBack), want: []string{"answer cut"}},
		{name: "hangs now and then", plan: some(8, hung), want: []string{"hung"}},
		{name: "gets requests twice", plan: some(2, twice), want: []string{"delivered twice"}},
		{name: "gets requests late", plan: some(6, late), want: []string{"delivered late"}},
		{name: "takes half of an upload", plan: among(faultproxy.Slots, some(12, torn)), want: []string{"torn"}, lax: true},
		{name: "is all of that", plan: some(3, conflict, broken, slowDown, lost, dropped, cutThere, cutBack, hung, twice, late)},
		{name: "is down for long", want: []string{"down"}, long: beyond},
		{name: "hangs for long", plan: all(faultproxy.Fault{Kind: faultproxy.Hung, Hold: time.Hour}), want: []string{"hung"}, long: beyond},
		{name: "refuses the credentials for long", plan: all(expired), want: []string{"403"}, long: beyond},
	}
}

// TestFaultsOnS3 keeps clients busy on a node whose store is in every trouble there
// is, one after the other. The node is not started again in between: it has to go
// on by itself. At the end it loses its folder, and what clients were told is
// looked for in the store.
func TestFaultsOnS3(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	endpoint := startS3(t, *faultServer)
	proxy := startProxy(t, endpoint)
	data := filepath.Join(t.TempDir(), "data")
	bearer := token(t, data, "--tenant=faults", "--user=tester", "--role=admin", secretFlag())
	n := start(t, data, "--store="+homeOn(proxy.URL()), secretFlag())
	ask := &inquiry{bearer: bearer, base: n.base}
	w := newWorld(t, ask.api(), 3)
	report := &tally.Report{Suite: "faults, " + *faultServer}
	defer func() { tell(t, report) }()

	list := slices.DeleteFunc(troubles(), func(d trouble) bool {
		return d.lax && *faultServer != "fake" || d.long > 0 && *faultSeconds < 2 || !strings.Contains(d.name, *faultOnly)
	})
	report.Rounds = *faultRounds * len(list)
	began := time.Now()
	for round := range *faultRounds {
		for i, d := range list {
			t.Run(d.name, func(t *testing.T) {
				before := w.acked()
				seen := w.endure(t, ask, proxy, d, seed+uint64(round*len(list)+i))
				report.Count(seen)
				t.Logf("%d writes acknowledged, faults %v, told to come back %d times", w.acked()-before, seen, ask.count())
			})
			report.Round, report.Acked = report.Round+1, w.acked()
			report.Lost, report.Double = w.wrong()
			report.Note = fmt.Sprintf("peak memory of the node %d MiB", peakMemory(t, n)>>20)
			tell(t, report)
			if t.Failed() {
				return
			}
			if timeIsUp(began) {
				break
			}
		}
		if timeIsUp(began) {
			break
		}
	}
	if peak := peakMemory(t, n); peak > 400<<20 {
		t.Errorf("the node had %d MiB", peak>>20)
	}
	n.kill()
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	n = start(t, data, "--store="+homeOn(endpoint), secretFlag())
	w.checkWhole(t, newAPI(n.base, bearer), "on another machine")
	t.Log(w.summary())
}

// endure keeps the clients busy for as long as the trouble lasts, then lets them
// finish and compares. It returns the faults that there were.
func (w *world) endure(t *testing.T, ask *inquiry, proxy *faultproxy.Proxy, d trouble, seed uint64) map[string]int {
	t.Helper()
	stop := make(chan struct{})
	var working sync.WaitGroup
	for i, work := range w.workers() {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		working.Go(func() { work(t.Context(), ask.api(), stop, r) })
	}
	before := w.told()
	eventually(t, "the clients work", func() error {
		if w.told() == before {
			return errors.New("nothing was acknowledged")
		}
		return nil
	})
	seen := map[string]int{}
	lasts := max(d.long, time.Duration(*faultSeconds*float64(time.Second)))
	for last := time.Now().Add(lasts); ; {
		if d.plan == nil {
			proxy.Down(true)
		} else {
			proxy.Use(d.plan(seed))
		}
		time.Sleep(lasts)
		for name, n := range proxy.Seen() {
			seen[name] += n
		}
		missing := slices.ContainsFunc(d.want, func(name string) bool { return seen[name] == 0 })
		if !missing {
			break
		}
		if time.Since(last) > patience {
			t.Fatalf("saw only %v of %v", seen, d.want)
		}
	}
	proxy.Down(false)
	proxy.Use(faultproxy.Calm)
	maps.DeleteFunc(seen, func(_ string, n int) bool { return n == 0 })
	close(stop)
	done := make(chan struct{})
	go func() {
		defer close(done)
		working.Wait()
	}()
	select {
	case <-done:
	case <-time.After(2 * patience):
		t.Fatal("clients are still unanswered long after the trouble")
	}
	w.settle(t, ask.api())
	calm := ask.api()
	calm.patient = true
	w.check(t, calm, "after the store "+d.name)
	for _, wrong := range ask.wrongs() {
		t.Error(wrong)
	}
	return seen
}

// told is acked while clients work.
func (w *world) told() (sum int) {
	for _, l := range w.images {
		l.mu.Lock()
		sum += len(l.promises)
		l.mu.Unlock()
	}
	return sum
}

// inquiry looks at every answer over HTTP: a store that is away is no reason for
// any error but "come back then".
type inquiry struct {
	base, bearer string

	mu    sync.Mutex // guards what follows
	later int
	wrong []string
}

func (q *inquiry) api() *api {
	a := newAPI(q.base, q.bearer)
	a.seen = q.look
	return a
}

func (q *inquiry) look(method, path string, got answer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case got.status == http.StatusServiceUnavailable && got.header.Get("Retry-After") != "":
		q.later++
	case got.status >= http.StatusInternalServerError:
		q.wrong = append(q.wrong, fmt.Sprintf("%s %s: %s (Retry-After %q)", method, path, got, got.header.Get("Retry-After")))
	}
}

// count returns how many were told to come back since the last call.
func (q *inquiry) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.later
	q.later = 0
	return n
}

// wrongs returns the answers that must not be, at most ten.
func (q *inquiry) wrongs() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := q.wrong[:min(len(q.wrong), 10)]
	q.wrong = nil
	return out
}
