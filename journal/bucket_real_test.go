package journal_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/blob/blobtest"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

func TestBucketKeepsTheContractOnS3(t *testing.T) {
	for _, name := range blobtest.Servers() {
		t.Run(name, func(t *testing.T) {
			o := blobtest.Serve(t, name)
			homes := 0
			journaltest.Run(t, func(t *testing.T) journal.Journal {
				homes++
				o.Prefix = fmt.Sprintf("home-%d", homes)
				s, err := blob.OpenS3(o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = s.Close() })
				return openBucket(t, journal.BucketOptions{Store: s}.WithCompactSlots(8))
			})
		})
	}
}

// BenchmarkBucketOnS3 is the latency of single appends on a real server.
func BenchmarkBucketOnS3(b *testing.B) {
	s, err := blob.OpenS3(blobtest.Serve(b, "versitygw"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for _, linger := range []time.Duration{0, 100 * time.Millisecond, 250 * time.Millisecond} {
		b.Run(fmt.Sprintf("linger=%v", linger), func(b *testing.B) {
			bucket := openBucket(b, journal.BucketOptions{Store: s, Prefix: "linger-" + linger.String(), Linger: linger})
			term, err := bucket.Birth(b.Context(), journal.Name(fmt.Sprintf("image/t/%d", b.N)), template4K())
			if err != nil {
				b.Fatal(err)
			}
			set := commit(1)
			for b.Loop() {
				if err := journaltest.Append(term, set); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
