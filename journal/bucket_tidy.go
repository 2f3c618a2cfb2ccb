package journal

import (
	"context"

	"github.com/easelhq/easel/journal/fencing"
)

// tidyEvery is how many ownerships of an actor pass, if none of them crashed,
// before what its deletes may have left behind is looked for.
const tidyEvery = 8

// untidy reports whether the owners before a claim that made term of a head in
// state may have died between a head and the deletes after it.
func untidy(state string, term uint64) bool { return state == fencing.Live || term%tidyEvery == 0 }

// tidy deletes what heads before this one superseded and a crash left behind. It
// costs a listing, so it is done only where something is likely to be found. What
// fails is left for another time. The caller holds busy.
func (t *bucketTerm) tidy(ctx context.Context) error {
	m := fencing.NewTidy(t.hold)
	for r := m.Begin(); r != nil; {
		r = m.Step(t.b.perform(ctx, r))
	}
	dead, err := m.Result()
	if err != nil {
		return t.b.judged(t.name, err)
	}
	if err := t.b.remove(ctx, dead); err != nil {
		return err
	}
	t.b.metrics.tidied.Add(float64(len(dead)))
	return nil
}

// tidyOnce tidies if this term has reason to. The caller holds busy.
func (t *bucketTerm) tidyOnce(ctx context.Context) {
	if !t.untidy {
		return
	}
	t.untidy = false
	if err := t.tidy(ctx); err != nil && ctx.Err() == nil {
		t.b.log.DebugContext(ctx, "what was superseded stays", "actor", t.name, "err", err)
	}
}
