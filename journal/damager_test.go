package journal_test

import (
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/tally"
)

func damageFlags() (flips *int, within *time.Duration) {
	return flag.Int("journal.flips", 0, "how many bits are flipped, spread over all objects; 0: a few in each"),
		flag.Duration("journal.within", 0, "no more bits are flipped, and no more rounds of the fencing model begun, after this; 0: all are")
}

var damageFlips, damageWithin = damageFlags()

// damager spreads damage over objects, and over the whole of each.
type damager struct {
	objects, each int
	began         time.Time
	kinds         map[string]int // flips, by kind of object
	noticed       map[string]int
	report        *tally.Report
}

// part is the place of a flip in an object: one of so many equal parts.
type part struct{ i, of int }

// bit draws a bit of the part of size bits.
func (p part) bit(r *rand.Rand, size int64) int64 {
	from, to := size*int64(p.i)/int64(p.of), size*int64(p.i+1)/int64(p.of)
	return from + r.Int64N(max(to-from, 1))
}

func newDamager(t *testing.T, suite string, objects, each int) *damager {
	t.Helper()
	if *damageFlips > 0 {
		each = (*damageFlips + objects - 1) / objects
	}
	d := &damager{objects: objects, each: each, began: time.Now(), kinds: map[string]int{}, noticed: map[string]int{}}
	d.report = &tally.Report{Suite: suite, Rounds: objects * each}
	t.Cleanup(func() { d.tell(t) })
	return d
}

// all goes through the parts of all objects, every object in turn.
func (d *damager) all() iter.Seq2[int, part] {
	return func(yield func(int, part) bool) {
		for i := range d.each {
			for object := range d.objects {
				if *damageWithin > 0 && time.Since(d.began) > *damageWithin || !yield(object, part{i, d.each}) {
					return
				}
			}
		}
	}
}

// did counts a flip.
func (d *damager) did(t *testing.T, kind string, noticed bool) {
	t.Helper()
	d.kinds[kind]++
	if noticed {
		d.noticed[kind]++
	}
	if d.report.Round++; d.report.Round%50 == 0 {
		d.tell(t)
	}
}

// many reports whether so many bits of a kind of object were flipped that one of
// them must have been noticed; unless time was up, they were.
func (d *damager) many(kind string) bool { return *damageWithin == 0 || d.kinds[kind] >= 50 }

func (d *damager) tell(t *testing.T) {
	t.Helper()
	d.report.Faults, d.report.Note = d.kinds, d.String()
	if err := d.report.Write(); err != nil {
		t.Error(err)
	}
}

func (d *damager) String() string {
	var noticed int
	for _, n := range d.noticed {
		noticed += n
	}
	return fmt.Sprintf("%d bits flipped %v, %d noticed %v, the others harmless", d.report.Round, d.kinds, noticed, d.noticed)
}
