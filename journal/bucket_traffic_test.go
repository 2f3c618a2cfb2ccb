package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// meter counts requests, which take a while.
type meter struct {
	*journaltest.Store
	each time.Duration

	mu     sync.Mutex // guards counts
	counts map[string]int
}

func newMeter(each time.Duration) *meter {
	return &meter{Store: journaltest.NewStore(), each: each, counts: map[string]int{}}
}

func (m *meter) count(ctx context.Context, kind string) {
	m.mu.Lock()
	m.counts[kind]++
	m.mu.Unlock()
	nap(ctx, m.each)
}

// take returns the counts since the last take.
func (m *meter) take() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.counts
	m.counts = map[string]int{}
	return c
}

func (m *meter) PutIfAbsent(ctx context.Context, key string, b []byte) (blob.Version, error) {
	m.count(ctx, "put")
	return m.Store.PutIfAbsent(ctx, key, b)
}

func (m *meter) PutIfMatch(ctx context.Context, key string, b []byte, v blob.Version) (blob.Version, error) {
	m.count(ctx, "put")
	return m.Store.PutIfMatch(ctx, key, b, v)
}

func (m *meter) Get(ctx context.Context, key string, r blob.Range) (io.ReadCloser, blob.Info, error) {
	m.count(ctx, "get")
	return m.Store.Get(ctx, key, r)
}

func (m *meter) List(ctx context.Context, prefix, after string, limit int) ([]blob.Info, error) {
	m.count(ctx, "list")
	return m.Store.List(ctx, prefix, after, limit)
}

func (m *meter) Delete(ctx context.Context, key string) error {
	m.count(ctx, "delete")
	return m.Store.Delete(ctx, key)
}

func TestBucketRequestsOfALife(t *testing.T) {
	store := newMeter(0)
	b := openBucket(t, journal.BucketOptions{Store: store})
	steps := []struct {
		name string
		do   func(t *testing.T, term journal.Term) journal.Term
		want map[string]int
	}{
		{"birth", func(t *testing.T, _ journal.Term) journal.Term {
			term, err := b.Birth(t.Context(), "image/t/a", journaltest.Template())
			if err != nil {
				t.Fatal(err)
			}
			return term
		}, map[string]int{"get": 1, "put": 1}}, // head, template: once for all actors
		{"first append", func(t *testing.T, term journal.Term) journal.Term {
			if err := journaltest.Append(term, journaltest.Batch("image/t/a", 1)); err != nil {
				t.Fatal(err)
			}
			return term
		}, map[string]int{"put": 2}}, // head, slot
		{"second append", func(t *testing.T, term journal.Term) journal.Term {
			if err := journaltest.Append(term, journaltest.Batch("image/t/a", 2)); err != nil {
				t.Fatal(err)
			}
			return term
		}, map[string]int{"put": 1}},
		{"release", func(t *testing.T, term journal.Term) journal.Term {
			if err := term.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
			return nil
		}, map[string]int{"put": 2, "delete": 2}}, // snapshot, head; slots
		{"claim of the released", func(t *testing.T, _ journal.Term) journal.Term {
			term, err := b.Claim(t.Context(), "image/t/a")
			if err != nil {
				t.Fatal(err)
			}
			return term
		}, map[string]int{"get": 1, "put": 1}},
		{"restore", func(t *testing.T, term journal.Term) journal.Term {
			if _, err := journaltest.Restored(t.Context(), term, t.TempDir()); err != nil {
				t.Fatal(err)
			}
			return term
		}, map[string]int{"get": 1}},
		{"claim of the unreleased", func(t *testing.T, _ journal.Term) journal.Term {
			term, err := b.Claim(t.Context(), "image/t/a")
			if err != nil {
				t.Fatal(err)
			}
			return term
		}, map[string]int{"get": 2, "put": 2, "list": 1}}, // head; head, seal; log; head again
		{"hand-over", func(t *testing.T, term journal.Term) journal.Term {
			if err := journaltest.Append(term, journaltest.Batch("image/t/a", 3)); err != nil {
				t.Fatal(err)
			}
			if err := term.HandOver(t.Context()); err != nil {
				t.Fatal(err)
			}
			return nil
		}, map[string]int{"put": 2}}, // slot, head
		{"claim of what was handed over", func(t *testing.T, _ journal.Term) journal.Term {
			term, err := b.Claim(t.Context(), "image/t/a")
			if err != nil {
				t.Fatal(err)
			}
			return term
		}, map[string]int{"get": 1, "put": 1}},
		{"restore of what was handed over", func(t *testing.T, term journal.Term) journal.Term {
			if _, err := journaltest.Restored(t.Context(), term, t.TempDir()); err != nil {
				t.Fatal(err)
			}
			return term
		}, map[string]int{"get": 2}}, // snapshot, slot
	}
	var term journal.Term
	for _, step := range steps {
		term = step.do(t, term)
		if diff := cmp.Diff(step.want, store.take()); diff != "" {
			t.Errorf("%s: requests (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestOneCheckAnswersAllWhoWaitForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMeter(time.Second)
		b := openBucket(t, journal.BucketOptions{Store: store})
		term, err := b.Birth(t.Context(), "image/t/a", journaltest.Template())
		if err != nil {
			t.Fatal(err)
		}
		if err := journaltest.Append(term, journaltest.Batch("image/t/a", 1)); err != nil {
			t.Fatal(err)
		}
		store.take()
		var all sync.WaitGroup
		start := time.Now()
		for i := range 100 {
			all.Go(func() {
				nap(t.Context(), time.Duration(i)*time.Millisecond)
				arrived := time.Now()
				if err := term.Validate(t.Context()); err != nil {
					t.Error(err)
				}
				if i > 0 && time.Since(arrived) < time.Second {
					t.Error("a check that had begun before answers")
				}
			})
		}
		all.Wait()
		if got := store.take()["get"]; got != 2 || time.Since(start) != 2*time.Second {
			t.Errorf("%d checks in %v, want 2 in 2 s", got, time.Since(start))
		}
	})
}

func TestLingerGathersAppends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMeter(20 * time.Millisecond)
		b := openBucket(t, journal.BucketOptions{Store: store, Linger: 100 * time.Millisecond})
		term, err := b.Birth(t.Context(), "image/t/a", journaltest.Template())
		if err != nil {
			t.Fatal(err)
		}
		a := &answers{}
		a.append(term, 1)
		a.wg.Wait()
		store.take()
		start := time.Now()
		for i := 2; i <= 11; i++ {
			a.append(term, i)
			nap(t.Context(), 10*time.Millisecond)
		}
		a.wg.Wait()
		if got, took := store.take()["put"], time.Since(start); got != 1 || took != 120*time.Millisecond {
			t.Errorf("10 appends in 100 ms took %d requests and %v", got, took)
		}
		// Nothing lingers when the actor is given up.
		a.append(term, 12)
		start = time.Now()
		if err := term.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.wg.Wait()
		if took := time.Since(start); took > 90*time.Millisecond {
			t.Errorf("release took %v", took)
		}
		wantRestored(t, b, 12)
	})
}

func TestNamesAreListedPageByPage(t *testing.T) {
	store := journaltest.NewStore()
	b := openBucket(t, journal.BucketOptions{Store: store, Prefix: "p"}.WithCompactSlots(10000))
	long := journal.Name("image/" + strings.Repeat("a", 64) + "/" + strings.Repeat("b", 64))
	want := map[journal.Name]bool{long: true, "image/t/busy": true}
	for i := range 20 {
		want[journal.Name(fmt.Sprintf("image/t/%d", i))] = true
	}
	for name := range want {
		term, err := b.Birth(t.Context(), name, journaltest.Template())
		if err != nil {
			t.Fatal(err)
		}
		last := 1
		if name == "image/t/busy" {
			last = 2500 // slots lie between its head and the next actor's
		}
		for i := 1; i <= last; i++ {
			if err := journaltest.Append(term, journaltest.Batch(name, i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for prefix, count := range map[journal.Name]int{"": 22, "image": 22, "image/t": 21, "image/t/busy": 1, "imag": 0} {
		got := 0
		err := b.Names(t.Context(), prefix, func(n journal.Name) bool {
			if !want[n] {
				t.Errorf("below %q: %q", prefix, n)
			}
			got++
			return true
		})
		if err != nil || got != count {
			t.Errorf("%d names below %q (%v), want %d", got, prefix, err, count)
		}
	}
}

func TestEraseLeavesNoData(t *testing.T) {
	const name = journal.Name("image/t/a")
	p := newPast(t)
	secret := journaltest.Batch(name, 40).Pages[0].Data[:16]
	if found(p.store, secret) == "" {
		t.Fatal("the test does not know what to look for")
	}
	zombie := openBucket(t, journal.BucketOptions{Store: p.store})
	held, err := zombie.Claim(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	b := openBucket(t, journal.BucketOptions{Store: p.store})
	for range 2 {
		if err := b.Erase(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		for i := 1; i < 60; i++ {
			if key := found(p.store, journaltest.Batch(name, i).Pages[0].Data[:16]); key != "" {
				t.Fatalf("batch %d is still in %s", i, key)
			}
		}
	}
	if err := journaltest.Append(held, journaltest.Batch(name, 46)); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("append of the erased: %v, want ErrFenced", err)
	}
	for _, key := range p.store.Keys() {
		if strings.HasPrefix(key, "actors/image.t.a/") && kindOfKey(key) != "head" && kindOfKey(key) != "log" {
			t.Errorf("%s is left", key)
		}
	}
	if _, err := b.Claim(t.Context(), "image/t/young"); err != nil {
		t.Errorf("claim of another actor: %v", err)
	}
}

// found returns the key of an object that holds b.
func found(s *journaltest.Store, b []byte) string {
	for _, key := range s.Keys() {
		if bytes.Contains(s.Bytes(key), b) {
			return key
		}
	}
	return ""
}

func TestErasedIsWhatIsCorrupt(t *testing.T) {
	p := newPast(t)
	for _, key := range p.store.Keys() {
		if strings.HasSuffix(key, "image.t.a/head") {
			p.store.Bytes(key)[40] ^= 1
		}
	}
	b := openBucket(t, journal.BucketOptions{Store: p.store})
	if err := b.Erase(t.Context(), "image/t/a"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Claim(t.Context(), "image/t/a"); !errors.Is(err, journal.ErrErased) {
		t.Errorf("claim: %v, want ErrErased", err)
	}
}

// A claimer needs more trips than an owner that appends all the time.
func TestClaimEndsThoughTheOwnerNeverRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMeter(10 * time.Millisecond)
		owner := openBucket(t, journal.BucketOptions{Store: store}.WithCompactSlots(10000))
		term, err := owner.Birth(t.Context(), "image/t/a", journaltest.Template())
		if err != nil {
			t.Fatal(err)
		}
		a := &answers{}
		a.append(term, 1)
		a.wg.Wait()
		var appending sync.WaitGroup
		appending.Go(func() {
			for i := 2; i < 1000; i++ {
				a.mu.Lock()
				over := len(a.errs) > 0
				a.mu.Unlock()
				if over {
					return
				}
				a.append(term, i)
				nap(t.Context(), 3*time.Millisecond)
			}
			t.Error("the owner was never stopped")
		})
		nap(t.Context(), 100*time.Millisecond)
		start := time.Now()
		other := openBucket(t, journal.BucketOptions{Store: store})
		again, err := other.Claim(t.Context(), "image/t/a")
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		appending.Wait()
		a.wg.Wait()
		if !errors.Is(a.errs[0], journal.ErrFenced) || took > time.Second {
			t.Errorf("the claim took %v, the owner was told %v", took, a.errs[0])
		}
		raw, err := journaltest.Restored(t.Context(), again, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := journaltest.Find("image/t/a", raw, a.acked, a.acked+50); got < a.acked {
			t.Errorf("%d were acknowledged, %d are there", a.acked, got)
		}
	})
}
