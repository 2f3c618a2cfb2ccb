package canvas

import (
	"cmp"
	"slices"

	"github.com/easelhq/easel"
)

// Difference returns the changes that make the annotations of present those of
// then, by the order in which they were made.
func Difference(present, then *Scene) []Change {
	var out []sorted
	for id, b := range present.boxes {
		if c, ok := difference(id, b, then.boxes[id]); ok {
			out = append(out, sorted{c, b.ver, b.pos})
		}
	}
	for id, b := range then.boxes {
		if present.boxes[id] == nil {
			c, _ := difference(id, nil, b)
			out = append(out, sorted{c, b.ver, b.pos})
		}
	}
	return inOrder(out)
}

// DifferenceOf is Difference for one annotation.
func DifferenceOf(id easel.ID, present, then *Scene) []Change {
	if c, ok := difference(id, present.boxes[id], then.boxes[id]); ok {
		return []Change{c}
	}
	return nil
}

func difference(id easel.ID, from, to *box) (c Change, differs bool) {
	c.ID = id
	if from != nil {
		d := from.Draft()
		c.From = &d
	}
	if to != nil {
		d := to.Draft()
		c.To = &d
		if from == nil {
			c.Made = &Made{By: to.CreatedBy, At: to.CreatedAt, Rev: to.Rev}
		}
	}
	return c, (c.From == nil) != (c.To == nil) || c.From != nil && !c.From.Equal(*c.To)
}

// sorted is a change and what it is sorted by.
type sorted struct {
	Change
	ver, pos int64
}

func inOrder(list []sorted) []Change {
	slices.SortFunc(list, func(a, b sorted) int {
		return cmp.Or(cmp.Compare(a.ver, b.ver), cmp.Compare(a.pos, b.pos), cmp.Compare(a.ID, b.ID))
	})
	out := make([]Change, len(list))
	for i := range list {
		out[i] = list[i].Change
	}
	return out
}

// Size estimates the change's JSON in bytes, from above unless strings are full of
// escapes.
func (c *Change) Size() int {
	size := 200
	for _, d := range []*easel.Draft{c.From, c.To} {
		if d != nil {
			size += 150 + len(d.Label) + len(d.Shape) + len(d.Attributes) + len(d.Source) + len(d.Model)
		}
	}
	if c.Made != nil {
		size += len(c.Made.By)
	}
	return size
}

// Undoing follows batches and works out what the annotations would be if one user
// had not taken part. Of every register it keeps the last value that was not his;
// what he deleted would be there, and what he made would not, unless somebody else
// has worked on it since.
type Undoing struct {
	scene   *Scene
	user    string
	threads map[easel.ID]*thread
}

// thread is one annotation that the user has touched.
type thread struct {
	clean *easel.Draft // what it would be; nil: not there
	made  Made         // as it was last
	ver   int64        // of creation, to sort by
	pos   int64
}

// NewUndoing starts at a scene, which it takes over.
func NewUndoing(s *Scene, user string) *Undoing {
	return &Undoing{scene: s, user: user, threads: make(map[easel.ID]*thread)}
}

// Apply takes the next batch.
func (u *Undoing) Apply(m *easel.Batch) error {
	mine := m.By == u.user
	for i := range m.Ops {
		// Ops of one batch may be of the same annotation, so they go one by one.
		e := &m.Ops[i]
		before := u.scene.boxes[e.ID]
		th := u.threads[e.ID]
		if th == nil && mine {
			th = &thread{ver: m.Ver, pos: int64(i)}
			if before != nil {
				d := before.Draft()
				th.clean, th.ver, th.pos = &d, before.ver, before.pos
			}
			u.threads[e.ID] = th
		}
		if th == nil {
			continue
		}
		if before != nil {
			th.made = Made{By: before.CreatedBy, At: before.CreatedAt, Rev: before.Rev}
		}
		if !mine {
			th.follow(before, e)
		}
		u.step(m, i)
	}
	return u.scene.Apply(m)
}

// step shows one op to the scene, for the ops after it in the same batch. The
// scene's own Apply then does it again, with the same result.
func (u *Undoing) step(m *easel.Batch, i int) {
	e := &m.Ops[i]
	if e.Annotation == nil {
		delete(u.scene.boxes, e.ID)
		return
	}
	b := u.scene.boxes[e.ID]
	if b == nil {
		if u.scene.boxes == nil {
			u.scene.boxes = make(map[easel.ID]*box)
		}
		b = &box{ver: m.Ver, pos: int64(i)}
		u.scene.boxes[e.ID] = b
	}
	b.Annotation = *e.Annotation
}

// follow takes over what somebody else did.
func (th *thread) follow(before *box, e *easel.Effect) {
	switch {
	case e.Annotation == nil:
		th.clean = nil
	case th.clean == nil || before == nil:
		// It was made by the user, or is brought back: now it is somebody else's.
		d := e.Annotation.Draft()
		th.clean = &d
	default:
		d := th.clean.Follow(before.Draft(), e.Annotation.Draft())
		th.clean = &d
	}
}

// Changes returns what has to change, by the order in which annotations were made.
func (u *Undoing) Changes() []Change {
	var out []sorted
	for id, th := range u.threads {
		now := u.scene.boxes[id]
		c := Change{ID: id, To: th.clean}
		switch {
		case now != nil:
			d := now.Draft()
			c.From = &d
		case th.clean == nil:
			continue
		default:
			c.Made = &th.made
		}
		if c.From != nil && c.To != nil && c.From.Equal(*c.To) {
			continue
		}
		out = append(out, sorted{c, th.ver, th.pos})
	}
	return inOrder(out)
}
