package fencing

import "errors"

// Born finds out whether an actor has a history, or had one when the head changed
// under this look. It is a Machine.
type Born struct {
	Dir  string
	Head Head // as it was read

	at    int // of the chain
	again bool
	found bool
	err   error
}

// Begin implements Machine.
func (b *Born) Begin() Request {
	if b.Head.Last > 0 {
		b.found = true
		return nil
	}
	for ; b.at < len(b.Head.Chain); b.at++ {
		c := b.Head.Chain[b.at]
		if c.End == nil {
			return Get{LogKey(b.Dir, c.Term, c.Nonce) + SlotName(0)}
		}
		if *c.End > 0 {
			b.found = true
			return nil
		}
	}
	// Its first batch may have been covered, and deleted, since the head was read.
	b.again = true
	return Get{HeadKey(b.Dir)}
}

// Step implements Machine.
func (b *Born) Step(a Answer) Request {
	if b.again {
		now, err := headOf(b.Head.Name, a)
		b.found, b.err = now.Last > 0 || now.Nonce != b.Head.Nonce, err
		return nil
	}
	if a.Err != nil && !errors.Is(a.Err, ErrAbsent) {
		b.err = a.Err
		return nil
	}
	if a.Err == nil {
		// Damage is for the claim to find.
		if f, _, _, err := DecodeSlot(a.Body); !errors.Is(err, ErrTorn) && f.Kind != Seal {
			b.found = true
			return nil
		}
	}
	b.at++
	return b.Begin()
}

// Result returns, once it is over, whether the actor has a history.
func (b *Born) Result() (found bool, err error) { return b.found && b.err == nil, b.err }
