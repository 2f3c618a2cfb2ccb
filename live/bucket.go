package live

import "time"

// bucket is a token bucket. Time is the caller's.
type bucket struct {
	rate  float64 // tokens a second
	burst float64
	have  float64
	at    time.Time
}

func newBucket(rate, burst int) bucket {
	return bucket{rate: float64(rate), burst: float64(burst), have: float64(burst)}
}

// take takes n tokens, or none and says when there will be enough. More than the
// whole bucket holds is let through when it is full, and leaves a debt. A time
// before that of the last call, read by somebody who then had to wait for the bucket,
// takes nothing back.
func (b *bucket) take(now time.Time, n int) (wait time.Duration) {
	if !b.at.IsZero() {
		b.have = min(b.burst, b.have+b.rate*max(0, now.Sub(b.at)).Seconds())
	}
	if now.After(b.at) {
		b.at = now
	}
	need := min(float64(n), b.burst)
	if b.have >= need {
		b.have -= float64(n)
		return 0
	}
	return max(time.Duration((need-b.have)/b.rate*float64(time.Second)), time.Millisecond)
}

// giveBack returns tokens that were taken for nothing.
func (b *bucket) giveBack(n int) { b.have = min(b.burst, b.have+float64(n)) }
