package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/tally"
)

// street is where the nodes are, for clients that go from one to another.
type street struct {
	restarts atomic.Int64 // begun

	mu    sync.Mutex
	bases []string
}

func (s *street) set(bases []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bases = bases
}

func (s *street) any(r *rand.Rand) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bases[r.IntN(len(s.bases))]
}

// rider draws on one image over sockets, one after the other: when it is told to go
// it comes back elsewhere and resumes.
type rider struct {
	image, client string
	epoch         string
	ver           int64
	seq           int64
	waiting       map[int64]time.Time     // unanswered frames
	acked         map[string]bool         // labels
	shown         map[string]int64        // versions by label
	slowest       map[int64]time.Duration // from op to ack, by restart
	moves         int
	acks          atomic.Int64
}

// every is how often one of few riders draws.
const every = 100 * time.Millisecond

// pace is how often each of many riders draws. Unless -cluster.pace says otherwise, all
// of them together draw no faster than 60 that draw every 100 ms, so that what is
// measured is the cluster, and not how fast two processors show everything to everybody.
func pace() time.Duration {
	if *clusterPace > 0 {
		return *clusterPace
	}
	return every * time.Duration(max(1, *clusterSockets/60))
}

// ride works until stop is closed and everything is answered. An error is something
// that must not be.
func (d *rider) ride(ctx context.Context, s *street, bearer string, stop <-chan struct{}, r *rand.Rand) error {
	for {
		done, err := d.stay(ctx, s, newAPI(s.any(r), bearer), stop)
		if done || err != nil {
			return err
		}
		d.moves++
	}
}

// stay works on one socket. It returns false without an error if it was told to come
// back elsewhere, or if the node no longer takes connections.
func (d *rider) stay(ctx context.Context, s *street, a *api, stop <-chan struct{}) (done bool, err error) {
	var since *frame
	if d.epoch != "" {
		since = &frame{Epoch: d.epoch, Ver: d.ver}
	}
	sock, err := a.dial(ctx, d.image, d.client, since)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || isEOF(err) {
			return false, nil // its listener was closing
		}
		return false, fmt.Errorf("dial: %w", err)
	}
	defer sock.Close()
	frames := make(chan frame, 256)
	ended := make(chan error, 1)
	go func() {
		defer close(frames)
		for {
			f, err := sock.next()
			if err != nil {
				ended <- err
				return
			}
			frames <- f
		}
	}()
	defer func() {
		_ = sock.Close()
		for range frames { // until the reader has ended
		}
	}()
	tick := time.NewTicker(pace())
	defer tick.Stop()
	for welcome := false; ; {
		select {
		case f, ok := <-frames:
			if !ok {
				err := <-ended
				if closeCode(err) == 4503 {
					return false, nil
				}
				return false, fmt.Errorf("the socket ended: %w", err)
			}
			welcome = welcome || f.T == "welcome"
			if err := d.take(sock, f, since != nil, s.restarts.Load()); err != nil {
				return false, err
			}
		case <-tick.C:
			if stopped(stop) {
				if len(d.waiting) == 0 {
					return true, nil
				}
				continue
			}
			if welcome && len(d.waiting) < 16 { // what waited goes first
				d.seq++
				d.waiting[d.seq] = time.Now()
				if d.send(sock, d.seq) != nil {
					continue // the reader finds out why
				}
			}
		}
	}
}

func (d *rider) label(seq int64) string { return fmt.Sprintf("%s-%d", d.client, seq) }

func (d *rider) send(s socket, seq int64) error {
	return s.send(map[string]any{"t": "op", "seq": seq, "ops": []any{map[string]any{
		"k": "put", "annotation": map[string]any{"label": d.label(seq), "x": 0.1, "y": 0.1, "width": 0.1, "height": 0.1},
	}}})
}

// take handles one frame.
func (d *rider) take(s socket, f frame, resumed bool, restart int64) error {
	switch f.T {
	case "welcome":
		if resumed && !f.Recovered {
			return fmt.Errorf("it was at %d and got a snapshot at %d", d.ver, f.Ver)
		}
		if !resumed {
			d.ver = f.Ver
		}
		d.epoch = f.Epoch
		seqs := make([]int64, 0, len(d.waiting))
		for seq := range d.waiting {
			seqs = append(seqs, seq)
		}
		slices.Sort(seqs)
		for _, seq := range seqs {
			if d.send(s, seq) != nil {
				return nil
			}
		}
	case "snap":
		d.ver = max(d.ver, f.Ver)
	case "ops":
		if f.Ver != d.ver+1 {
			return fmt.Errorf("version %d came after %d", f.Ver, d.ver)
		}
		d.ver = f.Ver
		for _, op := range f.Ops {
			if op.Annotation == nil {
				continue
			}
			if before, ok := d.shown[op.Annotation.Label]; ok {
				return fmt.Errorf("%s was shown at %d and at %d", op.Annotation.Label, before, f.Ver)
			}
			d.shown[op.Annotation.Label] = f.Ver
		}
	case "ack":
		if at, ok := d.waiting[f.Seq]; ok {
			d.slowest[restart] = max(d.slowest[restart], time.Since(at))
			delete(d.waiting, f.Seq)
			d.acked[d.label(f.Seq)] = true
			d.acks.Add(1)
		}
	case "rej":
		return fmt.Errorf("seq %d was refused: %s: %s, %d was expected, %d are unanswered", f.Seq, f.Code, f.Message, f.Expected, len(d.waiting))
	}
	return nil
}

func isEOF(err error) bool {
	return err != nil && (err.Error() == "EOF" || err.Error() == "unexpected EOF")
}

// hand writes over REST, each time to any node.
type hand struct {
	image, name string
	acked       map[string]bool
}

func (h *hand) work(ctx context.Context, s *street, bearer string, stop <-chan struct{}, r *rand.Rand) error {
	apis := map[string]*api{}
	for i := 0; !stopped(stop); i++ {
		label := fmt.Sprintf("%s-%d", h.name, i)
		for {
			base := s.any(r)
			if apis[base] == nil {
				apis[base] = newAPI(base, bearer)
			}
			// A client of HTTP repeats a request with this header by itself if its
			// connection turns out to have been closed.
			body := map[string]any{"image_id": h.image, "label": label, "x": 0.1, "y": 0.1, "width": 0.1, "height": 0.1}
			got, err := apis[base].do(ctx, "POST", "/api/annotations", body, "Idempotency-Key", label)
			if errors.Is(err, syscall.ECONNREFUSED) {
				continue // its listener has closed
			}
			if err != nil {
				return err
			}
			if got.status != http.StatusCreated {
				return fmt.Errorf("POST: %s", got)
			}
			break
		}
		h.acked[label] = true
		breathe(stop)
	}
	return nil
}

// traffic is people who draw and programs that write, on several images.
type traffic struct {
	street  *street
	images  []string
	riders  []*rider
	hands   []*hand
	idle    float64 // of the machine, when it began
	all     float64
	stop    chan struct{}
	working sync.WaitGroup
	broken  chan error
}

// ride lets people draw over sockets, and a program write to each of the first four
// images, at the nodes of s.
func (c *city) ride(t *testing.T, s *street, images []string, sockets int) *traffic {
	t.Helper()
	tr := &traffic{street: s, images: images, stop: make(chan struct{}), broken: make(chan error, sockets+len(images))}
	tr.idle, tr.all = processors()
	for i := range sockets {
		d := &rider{
			image: images[i%len(images)], client: fmt.Sprintf("rider-%d", i),
			waiting: map[int64]time.Time{}, acked: map[string]bool{}, shown: map[string]int64{}, slowest: map[int64]time.Duration{},
		}
		tr.riders = append(tr.riders, d)
		tr.working.Go(func() {
			if err := d.ride(t.Context(), s, c.bearer, tr.stop, rand.New(rand.NewPCG(1, uint64(i)))); err != nil {
				tr.broken <- fmt.Errorf("%s: %w", d.client, err)
			}
		})
	}
	for i, image := range images[:min(4, len(images))] {
		h := &hand{image: image, name: fmt.Sprintf("hand-%d", i), acked: map[string]bool{}}
		tr.hands = append(tr.hands, h)
		tr.working.Go(func() {
			if err := h.work(t.Context(), s, c.bearer, tr.stop, rand.New(rand.NewPCG(2, uint64(i)))); err != nil {
				tr.broken <- fmt.Errorf("%s: %w", h.name, err)
			}
		})
	}
	return tr
}

// answered waits until every rider has been acknowledged n times more.
func (tr *traffic) answered(t *testing.T, n int64) {
	t.Helper()
	wants := make([]int64, len(tr.riders))
	for i, d := range tr.riders {
		wants[i] = d.acks.Load() + n
	}
	for i, d := range tr.riders {
		want := wants[i]
		eventually(t, d.client+" is acknowledged", func() error {
			select {
			case err := <-tr.broken:
				tr.broken <- err // for end
				t.Fatal(err)
			default:
			}
			if got := d.acks.Load(); got < want {
				return fmt.Errorf("%d of %d times", got, want)
			}
			return nil
		})
	}
}

// end stops everybody, tells what went wrong and compares what was acknowledged with
// what is there.
func (tr *traffic) end(t *testing.T, c *city, report *tally.Report) {
	t.Helper()
	close(tr.stop)
	tr.working.Wait()
	close(tr.broken)
	for err := range tr.broken {
		t.Error(err)
	}
	if idle, all := processors(); all > tr.all {
		report.Note = fmt.Sprintf("processors idle %.0f %%", 100*(idle-tr.idle)/(all-tr.all))
	}
	want := map[string]map[string]bool{}
	for _, image := range tr.images {
		want[image] = map[string]bool{}
	}
	for _, d := range tr.riders {
		maps.Copy(want[d.image], d.acked)
	}
	for _, h := range tr.hands {
		maps.Copy(want[h.image], h.acked)
	}
	for image, labels := range want {
		var list struct{ Annotations []box }
		if err := c.api("n1").must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+image, nil).into(&list); err != nil {
			t.Fatal(err)
		}
		there := map[string]int{}
		for _, a := range list.Annotations {
			there[a.Label]++
		}
		for label := range labels {
			switch n := there[label]; {
			case n == 0:
				report.Lost++
				t.Errorf("%s is lost", label)
			case n > 1:
				report.Double++
				t.Errorf("%s is there %d times", label, n)
			}
		}
		report.Acked += len(labels)
	}
}

// moves is how many times a socket had to come back elsewhere.
func (tr *traffic) moves() (n int) {
	for _, d := range tr.riders {
		n += d.moves
	}
	return n
}

// pauses returns, for each image and each restart that is asked for, the longest that
// anybody on it had to wait.
func (tr *traffic) pauses(asked func(image string, restart int64) bool) []time.Duration {
	type where struct {
		image   string
		restart int64
	}
	longest := map[where]time.Duration{}
	for _, d := range tr.riders {
		for restart, wait := range d.slowest {
			if restart > 0 && asked(d.image, restart) {
				at := where{d.image, restart}
				longest[at] = max(longest[at], wait)
			}
		}
	}
	return slices.Collect(maps.Values(longest))
}

// processors returns how long the machine's processors have been idle, and how long
// there were any, in ticks; zeros where that is not known.
func processors() (idle, all float64) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	for i, field := range strings.Fields(line) {
		var ticks float64
		if _, err := fmt.Sscan(field, &ticks); err != nil {
			continue // its name
		}
		if all += ticks; i == 4 || i == 5 { // idle, and idle while a disk works
			idle += ticks
		}
	}
	return idle, all
}
