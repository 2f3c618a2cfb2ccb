package canvas

import (
	"strconv"

	"github.com/easelhq/easel"
)

// revert applies a part of a revert as one batch.
func (s *State) revert(t Turn, m Revert) (Applied, error) {
	if err := may(m.By, easel.Reviewer, "revert"); err != nil {
		return Applied{}, err
	}
	n := len(m.Changes)
	if n < 1 || n > easel.MaxOps {
		return Applied{}, easel.Invalid("changes", "must be 1 to "+strconv.Itoa(easel.MaxOps))
	}
	p := s.newPlan(t, m.By, n)
	for i := range m.Changes {
		if err := p.undo(&m.Changes[i]); err != nil {
			return Applied{}, err
		}
		if p.size > mostBatch {
			return Applied{}, errBatch
		}
	}
	if err := s.roomFor(t, p); err != nil {
		return Applied{}, err
	}
	return s.accept(t, p, origin{}, false)
}

// undo plans one change. What somebody has changed since the revert was planned
// stays.
func (p *plan) undo(c *Change) error {
	if !c.ID.Valid() {
		return errNoAnnotation
	}
	b, err := p.find(c.ID)
	switch {
	case err != nil:
		return err
	case b == nil:
		return nil // it never was: nothing is planned for such an id
	case b.dead:
		if c.From == nil && c.To != nil {
			return p.revive(b, c)
		}
		return nil
	case c.From == nil:
		return nil
	case c.To == nil:
		if b.Draft().Equal(*c.From) {
			p.remove(b)
		}
		return nil
	}
	d := b.Draft().Undo(*c.From, *c.To)
	// The registers that stayed were made for another geometry or label than those
	// that did not, but rules bind only fields of one register.
	if d.Equal(b.Draft()) || len(d.Validate("")) > 0 {
		return nil
	}
	b.setDraft(d)
	b.UpdatedBy, b.UpdatedAt = p.by.User, p.at
	b.Rev++
	p.changed(easel.OpPatch, b)
	return nil
}

// revive brings a deleted annotation back: with its id and its maker, a rev that
// it never had, and as the newest in lists.
func (p *plan) revive(b *box, c *Change) error {
	d := normal(*c.To)
	if broken := d.Validate(""); len(broken) > 0 {
		return rules("annotation.", broken)
	}
	rev := b.Rev
	b.Annotation = easel.Annotation{
		ID: c.ID, ImageID: p.s.image.ID, CreatedBy: p.by.User, CreatedAt: p.at, UpdatedBy: p.by.User, UpdatedAt: p.at,
	}
	if c.Made != nil {
		rev = max(rev, c.Made.Rev)
		b.CreatedBy, b.CreatedAt = c.Made.By, c.Made.At
	}
	b.Rev = rev + 1
	b.setDraft(d)
	b.dead, b.ver, b.pos = false, p.s.head.ver+1, int64(len(p.effects))
	p.growth++
	p.changed(easel.OpPut, b)
	return nil
}
