package canvas

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/tenant"
)

const (
	outboxDelay = 400 * time.Millisecond // within which changes are told as one
	resendFirst = 2 * time.Second
	resendLast  = 5 * time.Minute
	mostLabels  = 2000 // labels that the tenant is told, and that memory holds
)

// outbox is what the tenant still has to be told.
type outbox struct {
	armed  bool // an alarm within outboxDelay is set
	resent int  // times since the last receipt
}

// touch makes the tenant be told of what this turn changed.
func (s *State) touch(t Turn) {
	if !s.outbox.armed {
		t.SetAlarm(alarmOutbox, t.Now().Add(outboxDelay))
		s.outbox.armed = true
	}
}

// seq counts what the tenant may be told of: it grows with every change.
func (s *State) seq() int64 { return s.head.ver + s.image.changes }

// send tells the tenant the image as it is now, until it has confirmed that.
func (s *State) send(t Turn) error {
	counts, err := s.labels.top(t.Tx())
	if err != nil {
		return err
	}
	t.Tell(actors.Request{To: tenant.Key(s.tenant), Message: tenant.Sync{
		Image: s.view(), Labels: counts, Seq: s.seq(), ReplyTo: t.Key(),
	}})
	t.SetAlarm(alarmOutbox, t.Now().Add(backoff(s.outbox.resent, resendFirst, resendLast)))
	s.outbox.armed = false
	s.outbox.resent++
	return nil
}

// synced is the tenant's receipt.
func (s *State) synced(t Turn, seq int64) error {
	if !s.image.born || s.image.purged || seq != s.seq() {
		return nil // there is news already, and an alarm for it
	}
	t.ClearAlarm(alarmOutbox)
	s.outbox = outbox{}
	return nil
}

// labels counts live annotations by label, from the first time it is asked for.
type labels struct {
	counts map[string]int64 // nil: not known
}

// add counts what a batch changed.
func (l *labels) add(touched []*box) {
	if l.counts == nil {
		return
	}
	for _, b := range touched {
		if b.before != nil {
			if l.counts[b.before.Label]--; l.counts[b.before.Label] <= 0 {
				delete(l.counts, b.before.Label)
			}
		}
		if !b.dead {
			l.counts[b.Label]++
		}
	}
	if len(l.counts) > mostLabels {
		l.counts = nil
	}
}

// top returns the counts of the mostLabels most frequent labels. The map is the
// caller's.
func (l *labels) top(tx *sqlite.Tx) (map[string]int64, error) {
	if l.counts != nil {
		return maps.Clone(l.counts), nil
	}
	counts, err := countLabels(tx)
	if err != nil {
		return nil, err
	}
	if len(counts) <= mostLabels {
		l.counts = maps.Clone(counts)
		return counts, nil
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, name := range names[mostLabels:] {
		delete(counts, name)
	}
	return counts, nil
}
