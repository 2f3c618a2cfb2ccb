package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func replicaFlags() (rounds *int, seed *uint64) {
	return flag.Int("replica.rounds", 3, "how often TestReplicas kills the node"),
		flag.Uint64("replica.seed", 0, "seed of TestReplicas' choices; 0 takes one from the clock")
}

var replicaRounds, replicaSeed = replicaFlags()

// TestReplicas lets clients hold copies of an image that they make of nothing
// but frames, over WebSocket and SSE, while they lose their connections, read
// slowly, and the node is killed. In the end all copies are the image.
func TestReplicas(t *testing.T) {
	t.Parallel()
	seed := *replicaSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("%d rounds; repeat the choices with -replica.seed %d (not the scheduling)", *replicaRounds, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	data := t.TempDir()
	bearer := token(t, data, "--tenant=replicas", "--user=tester", "--role=admin")
	n := start(t, data)
	a := newAPI(n.base, bearer)
	l := newLedger(a.upload(t, "replicas.png", picture(40, 30, 1)).ID)
	// Enough for a snapshot of several chunks.
	for i := range 3 {
		var many []map[string]any
		for j := range 500 {
			d := draft(fmt.Sprintf("old-%d-%d", i, j), random)
			d["image_id"] = l.id
			many = append(many, d)
		}
		a.must(t, http.StatusCreated, "POST", "/api/annotations/bulk", map[string]any{"annotations": many})
	}
	writers := []*writer{{ledger: l, client: "w0"}, {ledger: l, client: "w1"}}
	rest := &poster{ledger: l, name: "p0"}
	var replicas []*replica
	for i := range 6 {
		replicas = append(replicas, &replica{ledger: l, client: "r" + strconv.Itoa(i), sse: i%2 == 1, slow: i >= 4})
	}
	for round := range *replicaRounds + 1 {
		a = newAPI(n.base, bearer)
		// The writers stop before their readers, in the last round to the end.
		last := round == *replicaRounds
		writing, reading := make(chan struct{}), make(chan struct{})
		var write, read sync.WaitGroup
		go1 := func(all *sync.WaitGroup, stop <-chan struct{}, number int, work worker) {
			r := rand.New(rand.NewPCG(seed, uint64(round*100+number)))
			all.Go(func() { work(t.Context(), newAPI(n.base, bearer), stop, r) })
		}
		for i, w := range writers {
			go1(&write, writing, i, w.work)
		}
		go1(&write, writing, 10, rest.work)
		for i, r := range replicas {
			go1(&read, reading, 20+i, r.work)
		}
		time.Sleep(time.Duration(800+random.IntN(800)) * time.Millisecond)
		if !last {
			n.kill()
			close(writing)
			close(reading)
			write.Wait()
			read.Wait()
			if random.IntN(2) == 0 {
				wipe(t, data)
			}
			n = start(t, data)
		} else {
			close(writing)
			write.Wait()
			for _, r := range replicas {
				r.hurry.Store(true)
			}
			var list struct{ Version int64 }
			if err := a.must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+l.id, nil).into(&list); err != nil {
				t.Fatal(err)
			}
			eventually(t, "all replicas come to the image's version", func() error {
				for _, r := range replicas {
					if ver, broken := r.at(); broken == nil && ver != list.Version {
						return fmt.Errorf("%s is at %d of %d since %v", r.client, ver, list.Version, time.Since(r.since()))
					}
				}
				return nil
			})
			close(reading)
			read.Wait()
		}
		for _, w := range writers {
			if w.broken != nil || last && len(w.pending) > 0 {
				t.Errorf("%s: %d unanswered, %v", w.client, len(w.pending), w.broken)
			}
		}
		if rest.broken != nil || last && rest.open != nil {
			t.Errorf("%s: %v", rest.name, rest.broken)
		}
		l.check(t, newAPI(n.base, bearer), fmt.Sprintf("after round %d", round+1))
		for _, r := range replicas {
			r.check(t, last)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	var frames, snapshots, resumes int
	for _, r := range replicas {
		frames += r.frames
		snapshots += r.snapshots
		resumes += r.resumes
	}
	t.Logf("version %d; replicas took %d batches, %d snapshots and %d resumes", len(l.history), frames, snapshots, resumes)
	if snapshots < len(replicas) || resumes == 0 || frames == 0 {
		t.Error("the replicas saw too little")
	}
}

// replica is an image made of nothing but frames.
type replica struct {
	ledger *ledger
	client string
	sse    bool
	slow   bool        // does not always read at once
	hurry  atomic.Bool // but does from now on

	// Used by its worker only, but for version.
	boxes     map[string]box
	pending   map[string]box // of a snapshot that is not complete
	complete  bool           // boxes are those of epoch and ver
	epoch     string
	frames    int
	snapshots int
	resumes   int

	mu     sync.Mutex // guards what follows
	ver    int64
	moved  time.Time
	broken error
}

// at returns the version that the replica has, 0 if it is not complete.
func (r *replica) at() (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ver, r.broken
}

// since returns when the replica last took a batch or a snapshot.
func (r *replica) since() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moved
}

func (r *replica) fail(format string, args ...any) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken == nil {
		r.broken = fmt.Errorf("%s: "+format, append([]any{r.client}, args...)...)
	}
	return false
}

func (r *replica) work(ctx context.Context, a *api, stop <-chan struct{}, random *rand.Rand) {
	for !stopped(stop) {
		if _, broken := r.at(); broken != nil {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		go func() {
			select {
			case <-stop:
				cancel()
			case <-ctx.Done():
			}
		}()
		open := r.overSocket
		if r.sse {
			open = r.overEvents
		}
		err := open(ctx, a, random)
		cancel()
		if err != nil {
			return // the node is away
		}
	}
}

// patienceOf is after how many frames a replica hangs up, complete or not.
func patienceOf(random *rand.Rand) int { return 1 + random.IntN(120) }

func (r *replica) overSocket(ctx context.Context, a *api, random *rand.Rand) error {
	var since *frame
	if r.complete {
		since = &frame{Epoch: r.epoch, Ver: r.ver}
	}
	s, err := a.dial(ctx, r.ledger.id, r.client, since)
	if s.Conn != nil {
		defer s.Close()
		defer context.AfterFunc(ctx, func() { s.Close() })()
	}
	if err != nil {
		return err
	}
	for range patienceOf(random) {
		f, err := s.next()
		if err != nil {
			return nil // it comes back, and then sees whether the node is there
		}
		if f.T == "welcome" {
			if f.Recovered != r.complete && f.Epoch == r.epoch {
				// Only a log that is too long to send is refused.
				if f.Recovered || f.Ver-r.ver < 1500 {
					r.fail("since %d of %d, recovered is %v", r.ver, f.Ver, f.Recovered)
				}
			}
			if f.Recovered {
				r.resumes++
			} else {
				r.forget()
			}
			r.epoch = f.Epoch
		}
		if !r.take(f) {
			return nil
		}
		r.dawdle(ctx, random)
	}
	return nil
}

func (r *replica) overEvents(ctx context.Context, a *api, random *rand.Rand) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+"/api/images/"+r.ledger.id+"/events", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	resumes := r.complete
	if resumes {
		req.Header.Set("Last-Event-ID", r.epoch+":"+strconv.FormatInt(r.ver, 10))
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	var id, raw string
	for left := patienceOf(random); left > 0 && lines.Scan(); {
		line := lines.Text()
		if v, ok := strings.CutPrefix(line, "id: "); ok {
			id = v
		}
		if v, ok := strings.CutPrefix(line, "data: "); ok {
			raw = v
		}
		if line != "" || raw == "" {
			continue // only an empty line ends an event
		}
		left--
		var f frame
		if err := json.Unmarshal([]byte(raw), &f); err != nil {
			r.fail("data %.200s: %v", raw, err)
			return nil
		}
		raw = ""
		switch {
		case f.T == "snap" && r.complete && r.pending == nil:
			r.forget() // what was missed is not to be had any more
		case f.T == "ops" && resumes:
			r.resumes++
			resumes = false
		}
		if epoch, _, ok := strings.Cut(id, ":"); ok {
			r.epoch = epoch
		}
		if !r.take(f) {
			return nil
		}
		if _, ver, _ := strings.Cut(id, ":"); f.T == "ops" && ver != strconv.FormatInt(f.Ver, 10) {
			r.fail("event %s has version %d", id, f.Ver)
		}
		r.dawdle(ctx, random)
	}
	return nil
}

// forget drops what the replica has: a snapshot follows.
func (r *replica) forget() {
	r.boxes, r.pending, r.complete = nil, nil, false
	r.mu.Lock()
	r.ver = 0
	r.mu.Unlock()
}

// take takes in one frame; false means that it must not be.
func (r *replica) take(f frame) bool {
	switch f.T {
	case "snap":
		if r.complete {
			return r.fail("a snapshot at version %d, without need", f.Ver)
		}
		if r.pending == nil || f.I == 0 {
			r.pending = map[string]box{}
		}
		for _, b := range f.Annotations {
			if _, ok := r.pending[b.ID]; ok {
				return r.fail("%s is twice in the snapshot of version %d", b.ID, f.Ver)
			}
			r.pending[b.ID] = b
		}
		if f.Last {
			r.boxes, r.pending, r.complete = r.pending, nil, true
			r.snapshots++
			r.move(f.Ver)
		}
	case "ops":
		if !r.complete {
			return r.fail("version %d comes before the snapshot ends", f.Ver)
		}
		if f.Ver != r.ver+1 {
			return r.fail("version %d follows %d", f.Ver, r.ver)
		}
		if err := r.ledger.saw(f); err != nil {
			return r.fail("%v", err)
		}
		for _, e := range f.Ops {
			old, there := r.boxes[e.ID]
			switch {
			case e.K == "del" && !there, e.K == "put" && there, e.K == "patch" && old.Rev+1 != e.Annotation.Rev:
				return r.fail("version %d: %s of %s does not fit rev %d", f.Ver, e.K, e.ID, old.Rev)
			case e.K == "del":
				delete(r.boxes, e.ID)
			default:
				r.boxes[e.ID] = *e.Annotation
			}
		}
		r.frames++
		r.move(f.Ver)
	}
	return true
}

func (r *replica) move(ver int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ver, r.moved = ver, time.Now()
}

// dawdle does nothing for a while, now and then.
func (r *replica) dawdle(ctx context.Context, random *rand.Rand) {
	if !r.slow || r.hurry.Load() || random.IntN(40) > 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(random.IntN(300)) * time.Millisecond):
	}
}

// check compares the replica with the image as its history makes it.
func (r *replica) check(t *testing.T, last bool) {
	t.Helper()
	ver, broken := r.at()
	switch {
	case broken != nil:
		t.Error(broken)
	case ver > int64(len(r.ledger.history)):
		t.Errorf("%s is at version %d, the image at %d", r.client, ver, len(r.ledger.history))
	case last && (!r.complete || ver != int64(len(r.ledger.history))):
		t.Errorf("%s is at version %d of %d at the end", r.client, ver, len(r.ledger.history))
	case r.complete:
		want := map[string]box{}
		for _, b := range r.ledger.history[:ver] {
			for _, e := range b.Ops {
				if e.K == "del" {
					delete(want, e.ID)
				} else {
					want[e.ID] = *e.Annotation
				}
			}
		}
		if !maps.Equal(want, r.boxes) {
			t.Errorf("%s is not the image at version %d:\n%s", r.client, ver, cmp.Diff(want, r.boxes))
		}
	}
}
