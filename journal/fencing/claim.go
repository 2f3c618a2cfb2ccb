package fencing

import "errors"

// Claimant is who claims what.
type Claimant struct {
	Name  string // of the actor
	Dir   string // below which its objects lie; ends in "/"
	Owner string // for the eyes of operators
	Nonce string // which no other claim ever has
	Birth bool   // the actor may have no history yet
	Bugs  Bugs
}

// Ref is a batch that files do not cover yet.
type Ref struct {
	Term  uint64
	Nonce string
	Seq   uint64
	Size  int    // of the object, as far as it is known
	Body  []byte // the object; nil if it has to be read again
}

// Key is that of the batch's slot, of the actor below dir.
func (r Ref) Key(dir string) string { return LogKey(dir, r.Term, r.Nonce) + SlotName(r.Seq) }

// Fence is what ends an older term: a seal or a torn slot. It stays for ever.
type Fence struct {
	Key  string
	Torn bool
}

// Claim is one attempt to become the owner of an actor: it takes the head, ends
// the older terms and finds what they hold. It is a Machine.
type Claim struct {
	by   Claimant
	next func(Answer) Request
	err  error

	born Born
	was  string // the state before the claim
	hold Hold
	refs []Ref
	// at is the term of the chain that is looked at; looked says whether any had to
	// be.
	at     int
	looked bool
	log    termLog
}

// NewClaim prepares a claim.
func NewClaim(by Claimant) *Claim {
	return &Claim{by: by, hold: Hold{Name: by.Name, Dir: by.Dir, Nonce: by.Nonce, bugs: by.Bugs}}
}

// Claimed is what came of a Claim.
type Claimed struct {
	Hold
	// Refs are the batches that files do not cover, in order.
	Refs []Ref
	// Was is the state of the head before; "" if there was none. Then the first
	// append has to write it.
	Was string
}

// Fresh reports whether the actor has no history.
func (c Claimed) Fresh() bool { return c.Head.Last == 0 && len(c.Refs) == 0 }

// Result returns, once it is over, what was claimed or why not: ErrNotFound,
// ErrErased, ErrFenced, *Damage, *Other if the head was changed by another so that
// the claim has to begin anew, or an Answer's error.
func (c *Claim) Result() (Claimed, error) {
	return Claimed{Hold: c.hold, Refs: c.refs, Was: c.was}, c.err
}

// Found returns the batches that were found so far. Their bodies may be dropped.
func (c *Claim) Found() []Ref { return c.refs }

// Begin implements Machine.
func (c *Claim) Begin() Request { return c.ask(Get{HeadKey(c.by.Dir)}, c.read) }

// Step implements Machine.
func (c *Claim) Step(a Answer) Request { return c.next(a) }

func (c *Claim) ask(r Request, next func(Answer) Request) Request {
	c.next = next
	return r
}

func (c *Claim) fail(err error) Request {
	c.err = err
	return nil
}

func (c *Claim) read(a Answer) Request {
	h, err := headOf(c.by.Name, a)
	switch {
	case errors.Is(err, ErrAbsent) && c.by.Birth:
		return nil
	case errors.Is(err, ErrAbsent):
		return c.fail(ErrNotFound)
	case err != nil:
		return c.fail(err)
	case h.State == Erased:
		return c.fail(ErrErased)
	}
	c.was, c.hold.Head, c.hold.Version = h.State, h, a.Version
	if c.by.Birth {
		return c.take()
	}
	c.born = Born{Dir: c.by.Dir, Head: h}
	return c.ifBorn(c.born.Begin())
}

// ifBorn goes on with a claim when it is known that there is something to claim.
func (c *Claim) ifBorn(r Request) Request {
	if r != nil {
		return c.ask(r, func(a Answer) Request { return c.ifBorn(c.born.Step(a)) })
	}
	switch found, err := c.born.Result(); {
	case err != nil:
		return c.fail(err)
	case !found:
		return c.fail(ErrNotFound)
	}
	return c.take()
}

// take writes the head that names this claim.
func (c *Claim) take() Request {
	h := c.hold.Head
	h.State, h.Term, h.Nonce, h.Owner = Live, h.Term+1, c.by.Nonce, c.by.Owner
	h.Chain = append(h.Chain[:len(h.Chain):len(h.Chain)], LogTerm{Term: h.Term, Nonce: h.Nonce})
	body, err := EncodeHead(h)
	if err != nil {
		return c.fail(err)
	}
	return c.ask(Write{HeadKey(c.by.Dir), body, c.hold.Version}, func(a Answer) Request {
		if a.Err != nil {
			return c.fail(a.Err)
		}
		c.hold.Head, c.hold.Version = h, a.Version
		return c.replay()
	})
}

// replay finds what the older terms hold and seals them, the oldest first.
// Whoever owned them can append nothing more when it is over, and nobody had
// claimed the actor since.
func (c *Claim) replay() Request {
	chain := c.hold.Head.Chain
	for ; c.at < len(chain)-1; c.at++ {
		t := chain[c.at]
		if t.End == nil {
			c.looked = true
			return c.walkTerm(t)
		}
		for seq := t.From; seq < *t.End; seq++ {
			c.refs = append(c.refs, Ref{Term: t.Term, Nonce: t.Nonce, Seq: seq})
		}
	}
	if !c.looked || c.by.Bugs.NoRecheck {
		return c.finish()
	}
	// Another claim may have compacted meanwhile what was looked for here.
	return c.ask(Get{HeadKey(c.by.Dir)}, func(a Answer) Request {
		if err := Owns(c.by.Name, c.by.Nonce, a); err != nil {
			return c.fail(err)
		}
		return c.finish()
	})
}

func (c *Claim) finish() Request {
	if !c.by.Birth && c.hold.Head.Last == 0 && len(c.refs) == 0 {
		return c.fail(ErrNotFound) // it was not born after all
	}
	return nil
}

// suspect ends the claim because of what was found. Only for the owner it is
// damage: under anyone else things are compacted and deleted.
func (c *Claim) suspect(cause error) Request {
	if c.by.Bugs.NoRecheck {
		return c.fail(&Damage{cause})
	}
	return c.ask(Get{HeadKey(c.by.Dir)}, func(a Answer) Request {
		if err := Owns(c.by.Name, c.by.Nonce, a); err != nil {
			return c.fail(err)
		}
		return c.fail(&Damage{cause})
	})
}
