package journal_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// model is what the test knows of actors: the batches that were acknowledged,
// and those that were tried and may have become durable.
type model struct {
	dir    string // for restored files
	actors []*modelActor
}

type modelActor struct {
	name         journal.Name
	term         journal.Term
	acked, tried int
	whole        []byte // the file as of acked, where a test wants it
}

func newModel(dir string, actors int) *model {
	m := &model{dir: dir}
	for i := range actors {
		m.actors = append(m.actors, &modelActor{name: journal.Name(fmt.Sprintf("image/t/%d", i))})
	}
	return m
}

// claim takes every actor and compares what it restores with what it may be.
func (m *model) claim(t *testing.T, n *journal.Node) error {
	for _, a := range m.actors {
		if err := m.claimOne(t, n, a); err != nil {
			return fmt.Errorf("%s with %d acknowledged of %d batches: %w", a.name, a.acked, a.tried, err)
		}
	}
	return nil
}

var errLost = errors.New("history is not what was acknowledged")

func (m *model) claimOne(t *testing.T, n *journal.Node, a *modelActor) error {
	if a.acked > 0 {
		if _, err := n.Claim(t.Context(), a.name); err != nil {
			return err
		}
	}
	term, err := n.Birth(t.Context(), a.name, journaltest.Template())
	if err != nil {
		return err
	}
	b, err := journaltest.Restored(t.Context(), term, m.dir)
	if err != nil {
		return err
	}
	i, ok := journaltest.Find(a.name, b, a.acked, a.tried)
	if !ok {
		old, was := journaltest.Find(a.name, b, 0, a.acked)
		return fmt.Errorf("%w: it is batch %d (%v)", errLost, old, was)
	}
	a.term, a.acked, a.tried = term, i, i
	return nil
}

// write appends to random actors, some at once, until a write fails or count
// were acknowledged. It reports whether all were.
func (m *model) write(rng *rand.Rand, count int) bool {
	type answer struct {
		actor *modelActor
		batch int
		err   error
	}
	for count > 0 {
		flight := 1 + rng.IntN(4)
		answers := make(chan answer, flight)
		for range flight {
			a := m.actors[rng.IntN(len(m.actors))]
			a.tried++
			i := a.tried
			a.term.Append(journaltest.Batch(a.name, i), func(err error) { answers <- answer{a, i, err} })
		}
		failed := false
		for range flight {
			got := <-answers
			if got.err != nil {
				failed = true
			} else {
				got.actor.acked = max(got.actor.acked, got.batch)
			}
		}
		if failed {
			return false
		}
		count -= flight
	}
	return true
}

// life opens the log on fsys, checks it, writes, compacts and closes, until the
// power fails.
func (m *model) life(t *testing.T, fsys *journaltest.FS, opts journal.NodeOptions, rng *rand.Rand) error {
	opts.FS, opts.Dir = fsys, "/store"
	n, err := journal.OpenNode(opts)
	if err != nil {
		if errors.Is(err, journaltest.ErrPowerLoss) {
			return nil
		}
		return err
	}
	defer n.Close()
	if err := m.claim(t, n); err != nil {
		if errors.Is(err, journaltest.ErrPowerLoss) || errors.Is(err, journal.ErrUnavailable) {
			return nil
		}
		return err
	}
	for range 3 {
		if !m.write(rng, 10) {
			return nil
		}
		if err := n.Compact(); err != nil {
			return nil
		}
	}
	return nil
}

const modelActors = 4

// cutEverywhere cuts the power at every step of a life, lets it come back in
// each way, lives on, and returns the first history that is not right.
func cutEverywhere(t *testing.T, fault journal.Fault, seed uint64, stride int) error {
	opts := journal.NodeOptions{CompactBytes: 8192}.WithFault(fault).WithMaxMerges(1)
	for cut := 1 + int(seed)%stride; ; cut += stride {
		cutOff := false
		for _, loss := range []journaltest.Loss{journaltest.LoseAll, journaltest.LoseNothing, journaltest.LoseSome, journaltest.LoseSome} {
			rng := rand.New(rand.NewPCG(seed, uint64(cut)*8+uint64(loss)))
			m := newModel(t.TempDir(), modelActors)
			fsys := journaltest.NewFS()
			fsys.CutAfter(cut)
			if err := m.life(t, fsys, opts, rng); err != nil {
				return fmt.Errorf("cut at step %d: first life: %w", cut, err)
			}
			cutOff = cutOff || fsys.Steps() >= cut
			// The second life is cut too, in what start and compaction do first.
			fsys = fsys.Restart(loss, rng)
			fsys.CutAfter(1 + rng.IntN(40))
			if err := m.life(t, fsys, opts, rng); err != nil {
				return fmt.Errorf("cut at step %d, loss %d: second life: %w", cut, loss, err)
			}
			fsys = fsys.Restart(loss, rng)
			if err := m.life(t, fsys, opts, rng); err != nil {
				return fmt.Errorf("cut at step %d, loss %d: third life: %w", cut, loss, err)
			}
			fsys = fsys.Restart(journaltest.LoseAll, rng)
			if err := m.life(t, fsys, opts, rng); err != nil {
				return fmt.Errorf("cut at step %d, loss %d: last life: %w", cut, loss, err)
			}
		}
		if !cutOff {
			return nil
		}
	}
}

// stride is 1 in CI; everyday runs cut at every fifth step.
var stride = flag.Int("journal.stride", 5, "cut the power at every so-many-th step")

func TestNodeSurvivesPowerLossAtEveryStep(t *testing.T) {
	t.Parallel()
	if err := cutEverywhere(t, journal.NoFault, 1, *stride); err != nil {
		t.Fatal(err)
	}
}

func TestPowerLossModelNoticesPlantedFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault journal.Fault
	}{
		{"acknowledged before it is synced", journal.AckBeforeSync},
		{"head names a file that is not synced", journal.HeadBeforeSnap},
		{"folders are not synced", journal.NoDirSync},
		{"replay goes on after a torn record", journal.ReplayPastTorn},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(20) {
				if err := cutEverywhere(t, tt.fault, seed, 5); err != nil {
					t.Logf("noticed: %v", err)
					return
				}
			}
			t.Error("the model did not notice")
		})
	}
}
