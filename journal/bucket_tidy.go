package journal

import (
	"context"
	"errors"
	"strings"

	"github.com/easelhq/easel/blob"
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
//
// A listing alone proves nothing: it may show what a newer owner made. So the
// head is looked at after it. If it is still the one that this term wrote, nobody
// has claimed the actor since, and of all that was listed
//   - a merge or snapshot of an older term that the head does not name is named by
//     no later head either: owners name what the head before named, and their
//     own. What this term made itself stays: a write of the head that was given
//     up may still arrive and name it;
//   - a batch that the head covers is covered by every later head. Seals and torn
//     slots are never deleted.
func (t *bucketTerm) tidy(ctx context.Context) error {
	prefix := t.b.actorKey(t.name)
	listed, err := t.b.list(ctx, prefix, "")
	if err != nil {
		return err
	}
	if !t.b.hooks.tidyBlind {
		h, v, err := t.b.readHead(ctx, t.name)
		if err != nil {
			return err
		}
		if h.Nonce != t.hold.Nonce || string(v) != t.hold.Version {
			return nil
		}
	}
	named := map[string]bool{}
	for _, f := range t.hold.Head.Files() {
		named[t.b.fileKey(t.name, f.File)] = true
	}
	open := map[string]uint64{} // logs of the chain, with their first slot that is not covered
	for _, c := range t.hold.Head.Chain {
		open[t.b.logKey(t.name, c.Term, c.Nonce)] = c.From
	}
	own := t.b.logKey(t.name, t.number, t.hold.Nonce)
	var keys, maybe []string
	for _, name := range listed {
		key := prefix + name
		log, seq, slot := cutSlot(name)
		from, isOpen := open[prefix+log]
		switch {
		case slot && isOpen:
			if seq < from {
				keys = append(keys, key)
			}
		case slot && prefix+log != own:
			if facts, err := logFacts(log); err == nil && facts.Term < t.number {
				maybe = append(maybe, key) // a covered batch, or what ends its log
			}
		case !slot && (strings.HasPrefix(name, "l1/") || strings.HasPrefix(name, "snap/")):
			if !named[key] && !strings.Contains(name, "-"+t.hold.Nonce+"-") {
				keys = append(keys, key)
			}
		}
	}
	batches, err := t.b.batchesAmong(ctx, maybe)
	if err != nil {
		return err
	}
	keys = append(keys, batches...)
	if err := t.b.remove(ctx, keys); err != nil {
		return err
	}
	t.b.metrics.tidied.Add(float64(len(keys)))
	return nil
}

// batchesAmong returns those slots that hold a whole batch.
func (b *Bucket) batchesAmong(ctx context.Context, keys []string) ([]string, error) {
	found, errs := make([]bool, len(keys)), make([]error, len(keys))
	parallel(len(keys), func(i int) {
		var body []byte
		body, _, errs[i] = b.get(ctx, keys[i])
		if f, _, _, err := fencing.DecodeSlot(body); errs[i] == nil && err == nil {
			found[i] = f.Kind != fencing.Seal
		}
	})
	var out []string
	for i, err := range errs {
		switch {
		case errors.Is(err, blob.ErrNotFound): // gone meanwhile
		case err != nil:
			return nil, err
		case found[i]:
			out = append(out, keys[i])
		}
	}
	return out, nil
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
