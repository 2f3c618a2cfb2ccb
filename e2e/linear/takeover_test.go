package linear_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/e2e/linear"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// duo is two nodes that know nothing of each other and serve one image from one
// bucket, so that they take it from each other all the time.
type duo struct {
	stages [2]*stage
	n      atomic.Int64
}

// newDuo opens the bucket for each of the nodes through line.
func newDuo(t *testing.T, seed uint64, line func(blob.Store) blob.Store, b bugs) *duo {
	t.Helper()
	store := journaltest.NewStore()
	d := &duo{}
	history, image := linear.NewHistory(), easel.NewID()
	for i := range d.stages {
		home, err := journal.OpenBucket(journal.BucketOptions{Store: line(store), Owner: string(rune('a' + i))})
		if err != nil {
			t.Fatal(err)
		}
		d.stages[i] = &stage{t: t, node: home, shared: true, bugs: b, seed: seed + uint64(i)*100, history: history}
		d.stages[i].birth(image)
	}
	return d
}

var _ linear.Target = (*duo)(nil)

// Try implements linear.Target.
func (d *duo) Try(ctx context.Context, a linear.Attempt) (linear.Answer, bool, bool) {
	return d.stages[(d.n.Add(1)/40)%2].Try(ctx, a)
}

// errStuck says that clients got no answers for long.
var errStuck = errors.New("the clients were not done in time")

// fought works on one image of two nodes and returns what was told, or errStuck if
// that takes longer than patience.
func fought(t *testing.T, seed uint64, line func(blob.Store) blob.Store, b bugs, patience time.Duration) (*linear.History, error) {
	t.Helper()
	d := newDuo(t, seed, line, b)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	load := &linear.Load{Target: d, History: d.stages[0].history, Clients: 9, Seed: seed, Most: 200}
	load.Run(ctx, nil)
	load.Look(ctx)
	if ctx.Err() != nil {
		return nil, errStuck
	}
	return d.stages[0].history, nil
}

// bad is a line on which calls are slow, fail, or have their effect and lose their
// answer.
func bad(seed uint64) func(blob.Store) blob.Store {
	return func(s blob.Store) blob.Store {
		seed++
		return blob.NewFaulty(s, blob.Random(seed, blob.Rates{Fail: 0.03, Lost: 0.05, MaxDelay: time.Millisecond}))
	}
}

func TestImageOfTwoOwnersIsLinearizable(t *testing.T) {
	first := seed(t)
	calls, unknown := 0, 0
	for began, n := time.Now(), uint64(0); n < 1 || time.Since(began).Seconds() < *linearSeconds; n++ {
		h, err := fought(t, first+n*1000, bad(first+n), bugs{}, 4*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Check(time.Minute); err != nil && !errors.Is(err, linear.ErrUndecided) {
			t.Fatalf("episode %d: %v", n, err)
		}
		calls += h.Len()
		unknown += h.Unknown()
	}
	t.Logf("%d calls are in order, %d of them with an unknown outcome", calls, unknown)
}

// TestCheckCatchesPlantedBugsOfFencing breaks what keeps two owners apart.
func TestCheckCatchesPlantedBugsOfFencing(t *testing.T) {
	tests := []struct {
		name string
		line func(blob.Store) blob.Store
		bugs bugs
	}{
		{name: "reads of an owner that does not ask whether it still is", bugs: bugs{
			journal: func(j journal.Journal) journal.Journal { return sure{j} },
		}},
		{name: "acknowledged before durable", bugs: bugs{journal: func(j journal.Journal) journal.Journal { return hasty{j} }}},
		{name: "terms of others are not sealed", line: func(s blob.Store) blob.Store { return unsealed{s} }},
		{name: "a slot that is taken is taken for durable", line: func(s blob.Store) blob.Store { return trusting{s} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			line := tt.line
			if line == nil {
				line = func(s blob.Store) blob.Store { return s }
			}
			first := seed(t)
			for n := range uint64(20) {
				h, err := fought(t, first+n*1000, line, tt.bugs, 20*time.Second)
				if err == nil { // a bug may also leave an image that nobody can open
					err = h.Check(10 * time.Second)
				}
				if err != nil && !errors.Is(err, linear.ErrUndecided) {
					t.Logf("found in episode %d: %.1000v", n, err)
					return
				}
			}
			t.Error("not found")
		})
	}
}

// sure is a journal whose terms never doubt that they are the last.
type sure struct{ journal.Journal }

func (j sure) Claim(ctx context.Context, name journal.Name) (journal.Term, error) {
	t, err := j.Journal.Claim(ctx, name)
	return sureTerm{t}, err
}

func (j sure) Birth(ctx context.Context, name journal.Name, template journal.Template) (journal.Term, error) {
	t, err := j.Journal.Birth(ctx, name, template)
	return sureTerm{t}, err
}

type sureTerm struct{ journal.Term }

func (sureTerm) Validate(context.Context) error { return nil }

// isSlot reports whether a key is of an actor's log.
func isSlot(key string) bool { return strings.Contains(key, "/log/") }

// unsealed is a store that loses seals.
type unsealed struct{ blob.Store }

// sealKind is where a slot says that it is a seal, and how.
const (
	sealAt   = 10
	sealKind = 3
)

func (s unsealed) PutIfAbsent(ctx context.Context, key string, b []byte) (blob.Version, error) {
	if isSlot(key) && len(b) > sealAt && b[sealAt] == sealKind {
		if _, err := s.Stat(ctx, key); errors.Is(err, blob.ErrNotFound) {
			return "sealed", nil
		}
	}
	return s.Store.PutIfAbsent(ctx, key, b)
}

// trusting is a store that says of a slot that is taken that it was written.
type trusting struct{ blob.Store }

func (s trusting) PutIfAbsent(ctx context.Context, key string, b []byte) (blob.Version, error) {
	v, err := s.Store.PutIfAbsent(ctx, key, b)
	if isSlot(key) && errors.Is(err, blob.ErrExists) && b[sealAt] != sealKind {
		return "trusted", nil
	}
	return v, err
}
