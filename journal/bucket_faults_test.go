package journal_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// outage is a store that can be down.
type outage struct {
	blob.Store
	down atomic.Bool
}

func newOutage() *outage {
	o := &outage{}
	o.Store = blob.NewFaulty(journaltest.NewStore(), func(blob.Call) blob.Fault {
		return blob.Fault{Delay: time.Millisecond, Fail: o.down.Load()}
	})
	return o
}

// answers counts what appends were told.
type answers struct {
	wg    sync.WaitGroup
	mu    sync.Mutex // guards what follows
	acked int
	errs  []error
}

func (a *answers) append(term journal.Term, i int) {
	a.wg.Add(1)
	term.Append(journaltest.Batch("image/t/a", i), func(err error) {
		defer a.wg.Done()
		a.mu.Lock()
		defer a.mu.Unlock()
		switch {
		case err != nil:
			a.errs = append(a.errs, err)
		case len(a.errs) > 0:
			a.errs = append(a.errs, errors.New("acknowledged after a refusal"))
		default:
			a.acked++
		}
	})
}

func wantRestored(t *testing.T, b *journal.Bucket, want int) {
	t.Helper()
	term, err := b.Claim(t.Context(), "image/t/a")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := journaltest.Restored(t.Context(), term, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := journaltest.Find("image/t/a", raw, 0, want+100); got != want {
		t.Errorf("restored as of batch %d (known: %v), want %d", got, ok, want)
	}
}

func TestBucketGoesOnAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newOutage()
		b := openBucket(t, journal.BucketOptions{Store: store}.WithCompactSlots(8))
		term, err := b.Birth(t.Context(), "image/t/a", journaltest.Template())
		if err != nil {
			t.Fatal(err)
		}
		a := &answers{}
		for i := 1; i <= 60; i++ {
			store.down.Store(i > 20 && i <= 40)
			a.append(term, i)
			nap(t.Context(), 100*time.Millisecond)
		}
		a.wg.Wait()
		if a.acked != 60 || len(a.errs) > 0 {
			t.Errorf("%d of 60 acknowledged, errors %v", a.acked, a.errs)
		}
		wantRestored(t, b, 60)
	})
}

func TestBucketEndsTheTermInALastingOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newOutage()
		b := openBucket(t, journal.BucketOptions{Store: store, Deadline: 3 * time.Second})
		term, err := b.Birth(t.Context(), "image/t/a", journaltest.Template())
		if err != nil {
			t.Fatal(err)
		}
		a := &answers{}
		a.append(term, 1)
		a.wg.Wait()
		store.down.Store(true)
		start := time.Now()
		for i := 2; i <= 30; i++ {
			a.append(term, i)
		}
		a.wg.Wait()
		if took := time.Since(start); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("answered after %v, want the deadline of 3 s", took)
		}
		if a.acked != 1 || len(a.errs) != 29 || !errors.Is(a.errs[0], journal.ErrUnavailable) {
			t.Errorf("%d acknowledged, errors %v", a.acked, a.errs)
		}
		if _, err := b.Claim(t.Context(), "image/t/a"); !errors.Is(err, journal.ErrUnavailable) {
			t.Errorf("claim: %v, want ErrUnavailable", err)
		}
		store.down.Store(false)
		wantRestored(t, b, 1)
	})
}

func TestBucketHoldsABoundedAmount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newOutage()
		b := openBucket(t, journal.BucketOptions{Store: store, MaxHeld: 64 << 10})
		term, err := b.Birth(t.Context(), "image/t/a", journaltest.Template())
		if err != nil {
			t.Fatal(err)
		}
		a := &answers{}
		a.append(term, 1)
		a.wg.Wait()
		store.down.Store(true)
		for i := 2; i <= 1000; i++ {
			a.append(term, i)
		}
		a.wg.Wait()
		if a.acked != 1 || len(a.errs) != 999 || !errors.Is(a.errs[998], journal.ErrUnavailable) {
			t.Errorf("%d acknowledged, %d errors, the first %v", a.acked, len(a.errs), a.errs[0])
		}
		store.down.Store(false)
		wantRestored(t, b, 1)
	})
}

// badServer is an S3 server behind a line that fails in every way that HTTP has.
func badServer(t *testing.T, rates func() float64) blob.S3Options {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("easel"); err != nil {
		t.Fatal(err)
	}
	next := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := func(status int) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(status)
		}
		switch p := rates(); {
		case p < 0.04: // the answer is lost
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case p < 0.08: // the request is
			panic(http.ErrAbortHandler)
		case p < 0.11:
			answer(http.StatusServiceUnavailable)
		case p < 0.14:
			answer(http.StatusInternalServerError)
		case p < 0.17 && r.Method == http.MethodPut:
			answer(http.StatusConflict)
		case p < 0.19:
			answer(http.StatusForbidden) // credentials that expire and are renewed
		case p < 0.21: // it has its effect and says that it failed
			next.ServeHTTP(httptest.NewRecorder(), r)
			answer(http.StatusBadGateway)
		default:
			next.ServeHTTP(w, r)
		}
	})
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	return blob.S3Options{Bucket: "easel", Prefix: "p", Endpoint: server.URL, AccessKey: "key", SecretKey: "secret"}
}

func TestBucketLosesNothingOverABadLine(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	var mu sync.Mutex
	calm := true
	s, err := blob.OpenS3(badServer(t, func() float64 {
		mu.Lock()
		defer mu.Unlock()
		if calm {
			return 1
		}
		return rng.Float64()
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := openBucket(t, journal.BucketOptions{Store: s}.WithCompactSlots(8)) // the probe wants a good line
	mu.Lock()
	calm = false
	mu.Unlock()
	term, err := b.Birth(t.Context(), "image/t/a", journaltest.Template())
	if err != nil {
		t.Fatal(err)
	}
	const batches = 120
	a := &answers{}
	for i := 1; i <= batches; i++ {
		a.append(term, i)
		if i%3 == 0 {
			a.wg.Wait()
		}
	}
	a.wg.Wait()
	if a.acked != batches {
		t.Errorf("%d of %d acknowledged, errors %v", a.acked, batches, a.errs)
	}
	if err := term.Validate(t.Context()); err != nil {
		t.Errorf("validate: %v", err)
	}
	wantRestored(t, b, batches)
}

// unconditional ignores the conditions of writes, and says so when asked.
type unconditional struct{ *journaltest.Store }

func (unconditional) Probe(context.Context) error { return blob.ErrUnconditional }

func TestOpenBucketAsksForConditionalWrites(t *testing.T) {
	store := unconditional{journaltest.NewStore()}
	if _, err := journal.OpenBucket(journal.BucketOptions{Store: store}); !errors.Is(err, blob.ErrUnconditional) {
		t.Errorf("open: %v, want ErrUnconditional", err)
	}
	var log bytes.Buffer
	b, err := journal.OpenBucket(journal.BucketOptions{Store: store, Single: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatalf("open for one node: %v", err)
	}
	defer b.Close()
	if !strings.Contains(log.String(), "level=WARN") {
		t.Errorf("log: %q, want a warning", log.String())
	}
}

// Every request of a birth and its first append may be the last one of the
// process.
func TestBirthThatIsCutShortLeavesNothingOrAll(t *testing.T) {
	born := map[string]int{}
	for last := 1; last < 12; last++ {
		synctest.Test(t, func(t *testing.T) {
			store := journaltest.NewStore()
			l := &link{Store: store, left: last, calls: map[string]int{}, seed: 3}
			b := openBucket(t, journal.BucketOptions{Store: l})
			acked := false
			if term, err := b.Birth(t.Context(), "image/t/a", journaltest.Template()); err == nil {
				acked = journaltest.Append(term, journaltest.Batch("image/t/a", 1)) == nil
			}
			l.late.Wait()
			before := objects(store)
			after := openBucket(t, journal.BucketOptions{Store: store})
			_, err := after.Claim(t.Context(), "image/t/a")
			switch {
			case err == nil:
				born["born"]++
				wantRestored(t, after, 1)
			case !errors.Is(err, journal.ErrNotFound) || acked:
				t.Errorf("cut after %d requests: claim: %v; acknowledged: %v", last, err, acked)
			case !maps.Equal(before, objects(store)):
				t.Errorf("cut after %d requests: a claim of nothing wrote", last)
			default:
				born["nothing"]++
				again, err := after.Birth(t.Context(), "image/t/a", journaltest.Template())
				if err != nil || !again.Fresh() {
					t.Fatalf("cut after %d requests: second birth: %v", last, err)
				}
				if err := journaltest.Append(again, journaltest.Batch("image/t/a", 1)); err != nil {
					t.Errorf("cut after %d requests: append: %v", last, err)
				}
				wantRestored(t, after, 1)
			}
		})
	}
	if born["born"] == 0 || born["nothing"] == 0 {
		t.Errorf("outcomes %v: this test saw only one side", born)
	}
}

func objects(s *journaltest.Store) map[string]string {
	all := map[string]string{}
	for _, key := range s.Keys() {
		all[key] = string(s.Bytes(key))
	}
	return all
}

// An owner that dies again and again, before there is much to compact, must not
// leave a chain that takes longer to claim each time.
func TestManyCrashesLeaveAShortChain(t *testing.T) {
	store := newMeter(0)
	most := 0
	for i := 1; i <= 40; i++ {
		b := openBucket(t, journal.BucketOptions{Store: store})
		store.take()
		term, err := b.Birth(t.Context(), "image/t/a", journaltest.Template())
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, store.take()["list"])
		if i%2 == 0 { // others claim and append nothing
			if err := journaltest.Append(term, journaltest.Batch("image/t/a", i/2)); err != nil {
				t.Fatal(err)
			}
		}
		if err := journal.CompactTermIfChained(t.Context(), term); err != nil {
			t.Fatal(err)
		}
	}
	if most > 10 {
		t.Errorf("a claim listed %d logs", most)
	}
	wantRestored(t, openBucket(t, journal.BucketOptions{Store: store}), 20)
}
