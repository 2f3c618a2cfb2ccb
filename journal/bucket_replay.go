package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/easelhq/easel/blob"
)

// slotRef is a batch that files do not cover yet.
type slotRef struct {
	term  uint64
	nonce string
	seq   uint64
	size  int
	body  []byte // the object; nil if it has to be read again
}

// fence is what ends an older term: a seal or a torn slot. It stays for ever.
type fence struct {
	key  string
	torn bool
}

// replay finds what the older terms of the chain hold and seals them, the oldest
// first. Whoever owned them can append nothing more when it returns nil, and
// nobody had claimed the actor since.
func (t *bucketTerm) replay(ctx context.Context) error {
	looked := false
	for i := range len(t.head.Chain) - 1 {
		c := &t.head.Chain[i]
		if c.End != nil {
			for seq := c.From; seq < *c.End; seq++ {
				t.refs = append(t.refs, slotRef{term: c.Term, nonce: c.Nonce, seq: seq})
			}
			continue
		}
		looked = true
		end, err := t.replayTerm(ctx, *c)
		if err != nil {
			return err
		}
		c.End = &end
	}
	if !looked || t.b.hooks.noRecheck {
		return nil
	}
	// Another claim may have compacted meanwhile what was looked for here.
	return t.own(ctx)
}

// own returns ErrFenced if the head in the store is not of this claim.
func (t *bucketTerm) own(ctx context.Context) error {
	h, _, err := t.b.readHead(ctx, t.name)
	if errors.Is(err, blob.ErrNotFound) {
		return t.b.corrupt(t.name, errors.New("its head is missing"))
	}
	if err != nil {
		return err
	}
	if h.Nonce != t.nonce || h.State != stateLive {
		return fmt.Errorf("%w: term %d of %q", ErrFenced, h.Term, h.Owner)
	}
	return nil
}

// damaged returns what is wrong with what was found: only for the owner it is
// damage. Under anyone else things are compacted and deleted.
func (t *bucketTerm) damaged(ctx context.Context, cause error) error {
	if !t.b.hooks.noRecheck {
		if err := t.own(ctx); err != nil {
			return err
		}
	}
	return t.b.corrupt(t.name, cause)
}

// termLog is what is known of the slots of one older term.
type termLog struct {
	t      *bucketTerm
	c      logTerm
	prefix string
	bodies map[uint64][]byte
	clash  int // how often its owner was faster
}

// replayTerm walks one term to its end, which it makes if there is none, and
// returns the number of its batches.
func (t *bucketTerm) replayTerm(ctx context.Context, c logTerm) (uint64, error) {
	l := &termLog{t: t, c: c, prefix: t.b.logKey(t.name, c.Term, c.Nonce), bodies: map[uint64][]byte{}}
	if err := l.load(ctx, c.From); err != nil {
		return 0, err
	}
	prev, known := uint32(0), c.From == 0
	for seq := c.From; ; seq++ {
		body, err := l.at(ctx, seq)
		if err != nil {
			return 0, err
		}
		if body == nil {
			return seq, nil // a planted fault: not sealed
		}
		f, _, sum, err := decodeSlot(body)
		switch {
		case errors.Is(err, errTorn):
			if err := l.endsAt(ctx, seq); err != nil {
				return 0, err
			}
			t.fences = append(t.fences, fence{key: l.prefix + slotName(seq), torn: true})
			return seq, nil
		case err != nil:
			return 0, t.damaged(ctx, fmt.Errorf("slot %d of term %d: %w", seq, c.Term, err))
		case f.Term != c.Term || f.Nonce != c.Nonce || f.Seq != seq:
			return 0, t.damaged(ctx, fmt.Errorf("slot %d of term %d holds another", seq, c.Term))
		case f.Kind == slotSeal:
			t.fences = append(t.fences, fence{key: l.prefix + slotName(seq)})
			return seq, nil
		case known && f.Prev != prev:
			return 0, t.damaged(ctx, fmt.Errorf("slot %d of term %d does not follow the one before", seq, c.Term))
		}
		prev, known = sum, true
		t.refs = append(t.refs, t.b.retain(slotRef{term: c.Term, nonce: c.Nonce, seq: seq, size: len(body), body: body}))
		delete(l.bodies, seq)
	}
}

// load reads all slots that are listed from one on.
func (l *termLog) load(ctx context.Context, from uint64) error {
	after := ""
	if from > 0 {
		after = l.prefix + slotName(from-1)
	}
	names, err := l.t.b.list(ctx, l.prefix, after)
	if err != nil {
		return err
	}
	bodies, errs := make([][]byte, len(names)), make([]error, len(names))
	parallel(len(names), func(i int) { bodies[i], _, errs[i] = l.t.b.get(ctx, l.prefix+names[i]) })
	for i, name := range names {
		seq, ok := slotSeq(name)
		switch {
		case errors.Is(errs[i], blob.ErrNotFound): // deleted since it was listed
		case errs[i] != nil:
			return errs[i]
		case !ok:
			return l.t.damaged(ctx, fmt.Errorf("object %q in the log of term %d", name, l.c.Term))
		default:
			l.bodies[seq] = bodies[i]
		}
	}
	return nil
}

// at returns the slot at seq, which is sealed if it is free. With sealing
// switched off it returns nil for a free slot.
func (l *termLog) at(ctx context.Context, seq uint64) ([]byte, error) {
	if body := l.bodies[seq]; body != nil {
		return body, nil
	}
	b := l.t.b
	if l.ends(seq) != nil {
		// A listing may miss what landed while it was made.
		body, _, err := b.get(ctx, l.prefix+slotName(seq))
		switch {
		case err == nil:
			return body, nil
		case !errors.Is(err, blob.ErrNotFound):
			return nil, err
		}
		if err := l.endsAt(ctx, seq); err != nil {
			return nil, err
		}
	}
	if b.hooks.noSeal {
		return nil, nil
	}
	seal := l.seal(seq, seq)
	err := b.putOnce(ctx, nil, l.prefix+slotName(seq), seal)
	other, clash := errors.AsType[*taken](err)
	switch {
	case err == nil:
		return seal, nil
	case !clash:
		return nil, err
	case other.body == nil:
		return nil, l.t.damaged(ctx, fmt.Errorf("slot %d of term %d came and went", seq, l.c.Term))
	}
	// The owner was faster. One that appends all the time would be for ever: a
	// second seal ahead of it makes it stop.
	if l.clash++; l.clash > 1 {
		ahead := seq + 4<<min(l.clash, 8)
		err := b.putOnce(ctx, nil, l.prefix+slotName(ahead), l.seal(ahead, seq))
		if _, clash := errors.AsType[*taken](err); err != nil && !clash {
			return nil, err
		}
	}
	return other.body, l.load(ctx, seq+1)
}

func (l *termLog) seal(seq, watermark uint64) []byte {
	seal, _ := encodeSlot(slotFacts{
		Kind: slotSeal, Term: l.c.Term, Seq: seq, Nonce: l.c.Nonce, Watermark: watermark,
	}, nil)
	return seal
}

// endsAt returns ErrCorrupt (or ErrFenced) if the term cannot end at seq.
func (l *termLog) endsAt(ctx context.Context, seq uint64) error {
	if err := l.ends(seq); err != nil {
		return l.t.damaged(ctx, err)
	}
	return nil
}

// ends says what proves that there was a batch at seq.
func (l *termLog) ends(seq uint64) error {
	for later, body := range l.bodies {
		if later <= seq {
			continue
		}
		f, _, _, err := decodeSlot(body)
		if errors.Is(err, errTorn) {
			continue
		}
		if err != nil {
			return fmt.Errorf("slot %d of term %d: %w", later, l.c.Term, err)
		}
		if f.Watermark > seq {
			return fmt.Errorf("slot %d of term %d is missing, slot %d vouches for it", seq, l.c.Term, later)
		}
	}
	return nil
}
