package journal

import (
	"context"

	"github.com/easelhq/easel/journal/fencing"
)

// own returns ErrFenced if the head in the store is not of this claim.
func (t *bucketTerm) own(ctx context.Context) error {
	a := t.b.perform(ctx, fencing.Get{Key: t.b.headKey(t.name)})
	return t.b.judged(t.name, fencing.Owns(string(t.name), t.hold.Nonce, a))
}

// damaged returns what is wrong with what was found: only for the owner it is
// damage. Under anyone else things are compacted and deleted.
func (t *bucketTerm) damaged(ctx context.Context, cause error) error {
	if !t.b.hooks.bugs.NoRecheck {
		if err := t.own(ctx); err != nil {
			return err
		}
	}
	return t.b.corrupt(t.name, cause)
}
