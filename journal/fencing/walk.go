package fencing

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// termLog is what a Claim knows of the slots of one older term.
type termLog struct {
	LogTerm
	prefix string
	bodies map[uint64][]byte
	seq    uint64 // the slot that is looked at
	prev   uint32 // the checksum of the one before, if it is known
	known  bool
	clash  int // how often its owner was faster
}

// walkTerm goes to the end of a term, which it makes if there is none.
func (c *Claim) walkTerm(t LogTerm) Request {
	c.log = termLog{
		LogTerm: t, prefix: LogKey(c.by.Dir, t.Term, t.Nonce), bodies: map[uint64][]byte{},
		seq: t.From, known: t.From == 0,
	}
	return c.load(t.From)
}

// load reads all slots that are listed from one on.
func (c *Claim) load(from uint64) Request {
	after := ""
	if from > 0 {
		after = c.log.prefix + SlotName(from-1)
	}
	return c.ask(List{c.log.prefix, after}, func(a Answer) Request {
		if a.Err != nil {
			return c.fail(a.Err)
		}
		if len(a.Names) == 0 {
			return c.walk()
		}
		keys := make([]string, len(a.Names))
		for i, name := range a.Names {
			keys[i] = c.log.prefix + name
		}
		return c.ask(Read{keys}, func(read Answer) Request { return c.loaded(a.Names, read) })
	})
}

func (c *Claim) loaded(names []string, a Answer) Request {
	if a.Err != nil {
		return c.fail(a.Err)
	}
	for i, name := range names {
		seq, ok := SlotSeq(name)
		switch {
		case a.Bodies[i] == nil: // deleted since it was listed
		case !ok:
			return c.suspect(fmt.Errorf("object %q in the log of term %d", name, c.log.Term))
		default:
			c.log.bodies[seq] = a.Bodies[i]
		}
	}
	return c.walk()
}

// walk goes on from slot to slot as far as they are known.
func (c *Claim) walk() Request {
	l := &c.log
	for {
		body := l.bodies[l.seq]
		if body == nil {
			return c.find()
		}
		f, _, sum, err := DecodeSlot(body)
		switch {
		case errors.Is(err, ErrTorn) && c.by.Bugs.PassTorn:
			l.seq, l.known = l.seq+1, false
			continue
		case errors.Is(err, ErrTorn):
			if err := l.ends(); err != nil {
				return c.suspect(err)
			}
			return c.fence(true)
		case err != nil:
			return c.suspect(fmt.Errorf("slot %d of term %d: %w", l.seq, l.Term, err))
		case f.Term != l.Term || f.Nonce != l.Nonce || f.Seq != l.seq:
			return c.suspect(fmt.Errorf("slot %d of term %d holds another", l.seq, l.Term))
		case f.Kind == Seal:
			return c.fence(false)
		case l.known && f.Prev != l.prev:
			return c.suspect(fmt.Errorf("slot %d of term %d does not follow the one before", l.seq, l.Term))
		}
		c.refs = append(c.refs, Ref{Term: l.Term, Nonce: l.Nonce, Seq: l.seq, Size: len(body), Body: body})
		delete(l.bodies, l.seq)
		l.prev, l.known = sum, true
		l.seq++
	}
}

func (c *Claim) fence(torn bool) Request {
	c.hold.Fences = append(c.hold.Fences, Fence{Key: c.log.prefix + SlotName(c.log.seq), Torn: torn})
	return c.termEnds()
}

// termEnds notes the number of the term's batches and turns to the next one.
func (c *Claim) termEnds() Request {
	end := c.log.seq
	c.hold.Head.Chain[c.at].End = &end
	c.at++
	c.log = termLog{}
	return c.replay()
}

// find looks for a slot that no listing showed.
func (c *Claim) find() Request {
	l := &c.log
	if l.ends() == nil {
		return c.seal()
	}
	// A listing may miss what landed while it was made.
	return c.ask(Get{l.prefix + SlotName(l.seq)}, func(a Answer) Request {
		switch {
		case a.Err == nil:
			l.bodies[l.seq] = a.Body
			return c.walk()
		case !errors.Is(a.Err, ErrAbsent):
			return c.fail(a.Err)
		}
		return c.suspect(l.ends())
	})
}

// seal makes the free slot the end of the term.
func (c *Claim) seal() Request {
	l := &c.log
	if c.by.Bugs.NoSeal {
		return c.termEnds()
	}
	seal := l.sealAt(l.seq)
	return c.ask(Write{Key: l.prefix + SlotName(l.seq), Body: seal}, func(a Answer) Request {
		other, clash := errors.AsType[*Other](a.Err)
		switch {
		case a.Err == nil:
			l.bodies[l.seq] = seal
			return c.walk()
		case !clash:
			return c.fail(a.Err)
		case other.Body == nil:
			return c.suspect(fmt.Errorf("slot %d of term %d came and went", l.seq, l.Term))
		}
		l.bodies[l.seq] = other.Body
		return c.beaten()
	})
}

// beaten goes on when the owner was faster. One that appends all the time would
// be for ever: a second seal ahead of it makes it stop.
func (c *Claim) beaten() Request {
	l := &c.log
	if l.clash++; l.clash < 2 {
		return c.load(l.seq + 1)
	}
	ahead := l.seq + 4<<min(l.clash, 8)
	return c.ask(Write{Key: l.prefix + SlotName(ahead), Body: l.sealAt(ahead)}, func(a Answer) Request {
		if _, clash := errors.AsType[*Other](a.Err); a.Err != nil && !clash {
			return c.fail(a.Err)
		}
		return c.load(l.seq + 1)
	})
}

// sealAt returns a seal for a slot. It vouches for what was found so far.
func (l *termLog) sealAt(seq uint64) []byte {
	seal, _ := EncodeSlot(Slot{Kind: Seal, Term: l.Term, Seq: seq, Nonce: l.Nonce, Watermark: l.seq}, nil)
	return seal
}

// ends returns an error if the term cannot end at the slot that is looked at: a
// later one proves that there was a batch.
func (l *termLog) ends() error {
	for _, later := range slices.Sorted(maps.Keys(l.bodies)) {
		if later <= l.seq {
			continue
		}
		f, _, _, err := DecodeSlot(l.bodies[later])
		if errors.Is(err, ErrTorn) {
			continue
		}
		if err != nil {
			return fmt.Errorf("slot %d of term %d: %w", later, l.Term, err)
		}
		if f.Watermark > l.seq {
			return fmt.Errorf("slot %d of term %d is missing, slot %d vouches for it", l.seq, l.Term, later)
		}
	}
	return nil
}
