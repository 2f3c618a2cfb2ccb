package journal_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// BenchmarkBucketAppend is what an append costs this process: the store answers
// at once.
func BenchmarkBucketAppend(b *testing.B) {
	for _, actors := range []int{1, 64} {
		b.Run(fmt.Sprintf("actors=%d", actors), func(b *testing.B) {
			bucket := openBucket(b, journal.BucketOptions{Store: journaltest.NewStore()})
			set := commit(1)
			terms := make([]journal.Term, actors)
			for i := range terms {
				var err error
				if terms[i], err = bucket.Birth(b.Context(), journal.Name(fmt.Sprintf("image/t/%d", i)), template4K()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for i, term := range terms {
				wg.Go(func() {
					for range b.N/actors + min(1, b.N%actors/(i+1)) {
						if err := journaltest.Append(term, set); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// template4K is an empty database whose pages are as those of commit.
func template4K() journal.Template {
	b := make([]byte, 20*4096)
	copy(b, "SQLite format 3\x00")
	b[16] = 4096 >> 8
	return templateOf(b)
}

func priceFlags() (put, get *float64) {
	return flag.Float64("journal.put-price", 5, "dollars for a million PUT and LIST requests"),
		flag.Float64("journal.get-price", 0.4, "dollars for a million GET requests")
}

var putPrice, getPrice = priceFlags()

// TestBucketCosts prints what an hour of drawing on one image asks of the store
// and how long its appends take: 5 users with one op a second each, a store that
// takes 20 ms. The clock is a fake one, so that the figures are exact.
func TestBucketCosts(t *testing.T) {
	const users, hour = 5, time.Hour
	t.Log("linger   puts/1,000 ops  gets/1,000 ops  deletes  p50     p99     $/image-hour")
	for _, linger := range []time.Duration{0, 100 * time.Millisecond, 250 * time.Millisecond, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			store := newMeter(20 * time.Millisecond)
			b := openBucket(t, journal.BucketOptions{Store: store, Linger: linger})
			term, err := b.Birth(t.Context(), "image/t/a", template4K())
			if err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var took []time.Duration
			var all sync.WaitGroup
			set := commit(1)
			// Users are not in step with each other: ops come at random.
			rng := rand.New(rand.NewPCG(1, 2))
			for begun := time.Now(); time.Since(begun) < hour; {
				nap(t.Context(), time.Duration(rng.ExpFloat64()*float64(time.Second)/users))
				all.Add(1)
				begun := time.Now()
				term.Append(set, func(err error) {
					defer all.Done()
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					took = append(took, time.Since(begun))
				})
			}
			all.Wait()
			if err := term.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
			slices.Sort(took)
			n, c := float64(len(took))/1000, store.take()
			dollars := (float64(c["put"]+c["list"])**putPrice + float64(c["get"])**getPrice) / 1e6
			t.Logf("%-7v  %14.0f  %14.0f  %7.0f  %-6v  %-6v  %.4f", linger, float64(c["put"])/n, float64(c["get"])/n,
				float64(c["delete"])/n, took[len(took)/2].Round(time.Millisecond), took[len(took)*99/100].Round(time.Millisecond), dollars)
		})
	}
}
