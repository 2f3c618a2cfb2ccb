package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal/fencing"
)

// Erase implements Journal. The tombstone comes first, then every log is sealed,
// then the data goes; seals and the tombstone stay and hold no data. A put that
// was on its way meanwhile may land afterwards, unacknowledged: erasing again,
// a day later, removes that too.
func (b *Bucket) Erase(ctx context.Context, name Name) error {
	if err := name.Check(); err != nil {
		return err
	}
	if err := b.enter(); err != nil {
		return err
	}
	defer b.left()
	for range claimTries {
		h, err := b.bury(ctx, name)
		if _, again := errors.AsType[*fencing.Other](err); again {
			continue
		}
		if err != nil || h == nil {
			return err
		}
		return b.wipe(ctx, *h)
	}
	return fmt.Errorf("%w: %s is claimed by others all the time", ErrUnavailable, name)
}

// bury makes the tombstone and returns the last head, or nil if there is nothing
// to erase.
func (b *Bucket) bury(ctx context.Context, name Name) (*fencing.Head, error) {
	h, v, err := b.readHead(ctx, name)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return nil, nil
	case errors.Is(err, ErrCorrupt):
		h = fencing.Head{Name: string(name)} // its logs are found by listing
	case err != nil:
		return nil, err
	case h.State == fencing.Erased:
		return &h, nil // again: what landed since goes too
	default:
		if born, err := b.born(ctx, h); err != nil || !born {
			return nil, err
		}
	}
	tomb := fencing.Head{Name: string(name), State: fencing.Erased, Term: h.Term + 1, Nonce: b.hooks.nonce(), Chain: h.Chain}
	body, err := fencing.EncodeHead(tomb)
	if err != nil {
		return nil, err
	}
	_, err = b.write(ctx, nil, fencing.Write{Key: b.headKey(name), Body: body, Over: string(v)})
	return &tomb, err
}

// wipe seals every log of an erased actor and deletes its data.
func (b *Bucket) wipe(ctx context.Context, h fencing.Head) error {
	actor := Name(h.Name)
	prefix := b.actorKey(actor)
	names, err := b.list(ctx, prefix, "")
	if err != nil {
		return err
	}
	logs := map[string]*deadLog{}
	for _, c := range h.Chain {
		logs[b.logKey(actor, c.Term, c.Nonce)] = &deadLog{from: c.From, open: c.End == nil}
	}
	var keys []string
	for _, name := range names {
		log, seq, ok := fencing.CutSlot(name)
		switch {
		case name == "head":
		case ok:
			l := logs[prefix+log]
			if l == nil {
				// Covered and sealed, unless the head that knew was damaged.
				l = &deadLog{from: seq, unknown: true}
				logs[prefix+log] = l
			}
			l.seqs = append(l.seqs, seq)
		default:
			keys = append(keys, prefix+name)
		}
	}
	for log, l := range logs {
		more, err := b.wipeLog(ctx, actor, log, l)
		if err != nil {
			return err
		}
		keys = append(keys, more...)
	}
	if err := b.removeAll(ctx, keys); err != nil {
		return fmt.Errorf("erase %s: %w", h.Name, err)
	}
	return nil
}

// deadLog is one term of an erased actor.
type deadLog struct {
	from    uint64 // below it everything was covered
	open    bool   // its owner may believe in itself
	unknown bool   // it is in no chain
	seqs    []uint64
}

// wipeLog seals a log at its first free slot and returns the keys of the data in
// it. A torn slot, which ends a log as a seal does, becomes one.
func (b *Bucket) wipeLog(ctx context.Context, name Name, log string, l *deadLog) ([]string, error) {
	term, nonce, err := fencing.CutLog(log)
	if err != nil {
		return nil, b.corrupt(name, err)
	}
	facts := fencing.Slot{Kind: fencing.Seal, Term: term, Nonce: nonce}
	var keys []string
	ends := map[uint64]bool{} // slots that are a seal
	bodies, versions := make([][]byte, len(l.seqs)), make([]blob.Version, len(l.seqs))
	errs := make([]error, len(l.seqs))
	parallel(len(l.seqs), func(i int) { bodies[i], versions[i], errs[i] = b.get(ctx, log+fencing.SlotName(l.seqs[i])) })
	for i, seq := range l.seqs {
		if errors.Is(errs[i], blob.ErrNotFound) {
			continue
		}
		if errs[i] != nil {
			return nil, errs[i]
		}
		f, _, _, err := fencing.DecodeSlot(bodies[i])
		switch {
		case err == nil && f.Kind == fencing.Seal:
			ends[seq] = true
		case errors.Is(err, fencing.ErrTorn):
			if err := b.sealTorn(ctx, log, facts, seq, versions[i]); err != nil {
				return nil, err
			}
			ends[seq] = true
		default:
			keys = append(keys, log+fencing.SlotName(seq))
		}
	}
	if !l.open && (!l.unknown || len(ends) > 0) {
		return keys, nil
	}
	for seq := l.from; !ends[seq]; seq++ {
		if slices.Contains(l.seqs, seq) {
			continue
		}
		facts.Seq = seq
		seal, _ := fencing.EncodeSlot(facts, nil)
		err := b.putOnce(ctx, nil, log+fencing.SlotName(seq), seal)
		if _, clash := errors.AsType[*fencing.Other](err); clash {
			keys = append(keys, log+fencing.SlotName(seq)) // its owner was faster
			continue
		}
		if err != nil {
			return nil, err
		}
		break
	}
	return keys, nil
}

// sealTorn replaces a torn slot, in which half a batch may lie, by a seal.
func (b *Bucket) sealTorn(ctx context.Context, log string, facts fencing.Slot, seq uint64, v blob.Version) error {
	facts.Seq = seq
	seal, _ := fencing.EncodeSlot(facts, nil)
	err := b.try(ctx, nil, 0, func(ctx context.Context) error {
		_, err := b.store.PutIfMatch(ctx, log+fencing.SlotName(seq), seal, v)
		return err
	})
	if errors.Is(err, blob.ErrExists) {
		return nil // an attempt whose answer was lost
	}
	return err
}
