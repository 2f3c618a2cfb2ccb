package e2e_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/tally"
)

// crashRounds and crashSeed are read by TestCrash only.
func crashFlags() (rounds *int, seed *uint64) {
	return flag.Int("crash.rounds", 4, "how often TestCrash kills the node"),
		flag.Uint64("crash.seed", 0, "seed of TestCrash's choices; 0 takes one from the clock")
}

var crashRounds, crashSeed = crashFlags()

func withinFlag() *time.Duration {
	return flag.Duration("within", 0, "tests that go round by round begin none after this; 0: they do all")
}

var within = withinFlag()

// timeIsUp reports whether a test that began then shall begin no further round.
func timeIsUp(began time.Time) bool { return *within > 0 && time.Since(began) > *within }

// tell says how far a long test is, in its log and to the program that runs it.
func tell(t *testing.T, r *tally.Report) {
	t.Helper()
	if err := r.Write(); err != nil {
		t.Fatal(err)
	}
}

// TestCrash keeps several clients busy on a few images, kills the node with
// SIGKILL at a random instant, deletes its working copies half of the time, as on
// another machine, starts it again, and compares everything that the clients were
// told with what is there.
//
// What a killed process has written stays with the operating system, so this
// test cannot notice a missing sync: the journal's model test cuts the power.
func TestCrash(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	bearer := token(t, data, "--tenant=crash", "--user=tester", "--role=admin")
	crash(t, victim{
		suite: "crash, folder", data: data, bearer: bearer,
		lose: func(random *rand.Rand) {
			if random == nil || random.IntN(2) == 0 {
				wipe(t, data)
			}
		},
	})
}

// awaitWork returns once the clients were told more than before, or did not get on
// for a while.
func awaitWork(w *world, before int) {
	for late := time.Now().Add(5 * time.Second); w.told() < before+20 && time.Now().Before(late); {
		time.Sleep(5 * time.Millisecond)
	}
}

// victim is a node that is killed again and again.
type victim struct {
	suite        string // its name in reports
	data, bearer string
	args         []string         // of easel serve
	lose         func(*rand.Rand) // takes away what the node may lose
}

func crash(t *testing.T, v victim) {
	seed := *crashSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("%d rounds; repeat the choices with -crash.seed %d (not the scheduling)", *crashRounds, seed)
	random := rand.New(rand.NewPCG(seed, 0))

	bearer := v.bearer
	n := start(t, v.data, v.args...)
	w := newWorld(t, newAPI(n.base, bearer), 3)
	began := time.Now()
	report := &tally.Report{Suite: v.suite, Rounds: *crashRounds}
	defer func() { tell(t, report) }()

	for round := range *crashRounds {
		before, told := w.acked(), w.told()
		stop := make(chan struct{})
		var working sync.WaitGroup
		for i, work := range w.workers() {
			r := rand.New(rand.NewPCG(seed, uint64(round*1000+i+1)))
			working.Go(func() { work(t.Context(), newAPI(n.base, bearer), stop, r) })
		}
		time.Sleep(time.Duration(20+random.IntN(600)) * time.Millisecond)
		if random.IntN(2) == 0 { // not only while the node is getting under way
			awaitWork(w, told)
		}
		n.kill()
		close(stop)
		working.Wait()
		v.lose(random)
		n = start(t, v.data, v.args...)
		w.check(t, newAPI(n.base, bearer), fmt.Sprintf("after kill %d", round+1))
		t.Logf("kill %d: %d writes acknowledged", round+1, w.acked()-before)
		report.Round, report.Acked = round+1, w.acked()
		report.Lost, report.Double = w.wrong()
		report.Count(map[string]int{"SIGKILL": 1})
		tell(t, report)
		if t.Failed() {
			t.FailNow()
		}
		if timeIsUp(began) {
			break
		}
	}
	// What is left unanswered is sent again and must be decided now.
	w.settle(t, newAPI(n.base, bearer))
	w.check(t, newAPI(n.base, bearer), "at the end")
	if code := n.stop(t); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
	v.lose(nil)
	n = start(t, v.data, v.args...)
	w.checkWhole(t, newAPI(n.base, bearer), "after a clean stop")
	t.Log(w.summary())
	if w.acked() == 0 {
		t.Error("no write was ever acknowledged: this test saw nothing")
	}
}

// world is everything the clients share: images, and what each was told.
type world struct {
	images  []*ledger
	sockets []*writer
	rests   []*poster
	bulks   []*bulker
	files   []*filer
	watches []*watcher
	curator *curator
}

// newWorld makes the images that the clients work on.
func newWorld(t *testing.T, a *api, images int) *world {
	w := &world{curator: &curator{images: map[string]*kept{}, listed: map[string]bool{}, opened: map[string]bool{}}}
	for i := range images {
		row := a.upload(t, fmt.Sprintf("crash-%d.png", i), picture(40+i, 30, byte(i)))
		w.images = append(w.images, newLedger(row.ID))
	}
	for i, l := range w.images {
		w.sockets = append(w.sockets, &writer{ledger: l, client: fmt.Sprintf("w%d", i)}, &writer{ledger: l, client: fmt.Sprintf("v%d", i)})
		w.rests = append(w.rests, &poster{ledger: l, name: fmt.Sprintf("p%d", i)})
		w.watches = append(w.watches, &watcher{ledger: l})
	}
	w.bulks = append(w.bulks, &bulker{images: w.images})
	w.files = append(w.files, &filer{room: w.images[0].id})
	return w
}

// workers returns what runs until the node dies.
func (w *world) workers() []worker {
	var out []worker
	for _, s := range w.sockets {
		out = append(out, s.work)
	}
	for _, p := range w.rests {
		out = append(out, p.work)
	}
	for _, b := range w.bulks {
		out = append(out, b.work)
	}
	for _, f := range w.files {
		out = append(out, f.work, f.look)
	}
	out = append(out, w.curator.work)
	for _, o := range w.watches {
		out = append(out, o.work)
	}
	return out
}

// settle lets every worker finish what it has begun.
func (w *world) settle(t *testing.T, a *api) {
	t.Helper()
	var all sync.WaitGroup
	for i, work := range w.workers() {
		stop := make(chan struct{})
		close(stop) // workers finish what is unanswered before they look at stop
		all.Go(func() { work(t.Context(), a, stop, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		all.Wait()
	}()
	select {
	case <-done:
	case <-time.After(2 * patience):
		t.Fatal("what is unanswered is not answered")
	}
	for _, s := range w.sockets {
		if len(s.pending) > 0 {
			t.Errorf("client %s: %d frames have no answer", s.client, len(s.pending))
		}
	}
	for _, p := range w.rests {
		if p.open != nil {
			t.Errorf("%s: a request has no answer", p.name)
		}
	}
}

// check compares what is there with what clients were told, from where the last
// check ended.
func (w *world) check(t *testing.T, a *api, when string) {
	t.Helper()
	for _, s := range w.sockets {
		if s.broken != nil {
			t.Errorf("%s: %v", when, s.broken)
		}
	}
	for _, p := range w.rests {
		if p.broken != nil {
			t.Errorf("%s: %v", when, p.broken)
		}
	}
	for _, o := range w.watches {
		if o.broken != nil {
			t.Errorf("%s: %v", when, o.broken)
		}
	}
	for _, l := range w.images {
		l.check(t, a, when)
	}
	for _, b := range w.bulks {
		b.check(t, a, when)
	}
	for _, f := range w.files {
		f.check(t, a, when)
	}
	w.curator.check(t, a, when)
}

// checkWhole reads every history again from its beginning.
func (w *world) checkWhole(t *testing.T, a *api, when string) {
	t.Helper()
	for _, l := range w.images {
		l.rewind(t)
	}
	for _, f := range w.files {
		f.rewind()
	}
	for _, k := range w.curator.images {
		k.changed = true
	}
	w.check(t, a, when)
}

func (w *world) acked() (sum int) {
	for _, l := range w.images {
		sum += len(l.promises)
	}
	return sum
}

// wrong is how many writes that were acknowledged the checks did not find, and how
// many they found more than once.
func (w *world) wrong() (lost, double int) {
	for _, l := range w.images {
		lost += l.lost
		double += l.double
	}
	return lost, double
}

func (w *world) summary() string {
	var batches, shown int
	for _, l := range w.images {
		batches += len(l.history)
		shown += l.shownCount
	}
	return fmt.Sprintf("%d writes acknowledged, %d batches in histories, %d broadcasts seen", w.acked(), batches, shown)
}

// decided reports whether an answer means that the request was decided.
func decided(status int) bool {
	return status != http.StatusServiceUnavailable && status != http.StatusTooManyRequests && status < 500
}
