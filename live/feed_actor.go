package live

import (
	"github.com/easelhq/easel/actors"
)

// Feed is the owner's side of an image's rooms, beside its canvas: it knows which
// rooms are attached and sends each of them what the image publishes. It needs
// no open file, and keeps the image owned while a room is attached.
type Feed struct {
	core    feedCore
	looking bool // a timer looks for leases that have run out
}

var (
	_ actors.Companion = (*Feed)(nil)
	_ actors.Leaver    = (*Feed)(nil)
)

// NewFeed makes a feed without rooms, for actors.Kind.NewCompanion.
func NewFeed(actors.Key) actors.Companion { return &Feed{} }

// Receive implements actors.Companion.
func (f *Feed) Receive(c *actors.Context, m actors.Message) (actors.Message, bool, error) {
	switch m := m.(type) {
	case Attach:
		f.core.node = c.Self().Node
		answer, effects := f.core.attach(c.Now(), m)
		f.perform(c, effects)
		f.look(c)
		return answer, true, nil
	case Detach:
		f.perform(c, f.core.detach(c.Now(), m))
	case People:
		f.perform(c, f.core.relay(m.Room, m))
	case Arrival:
		f.perform(c, f.core.relay(m.Room, m))
	default:
		return nil, false, nil
	}
	return nil, true, nil
}

// Published implements actors.Companion.
func (f *Feed) Published(c *actors.Context, m actors.Message) {
	f.perform(c, f.core.published(c.Now(), m))
}

// Leaving implements actors.Leaver.
func (f *Feed) Leaving(c *actors.Context) { f.perform(c, f.core.leave()) }

// Attached implements actors.Companion.
func (f *Feed) Attached() bool { return f.core.attached() }

// look forgets the rooms that are not heard of any more, as long as there are
// any.
func (f *Feed) look(c *actors.Context) {
	if f.looking || !f.core.attached() {
		return
	}
	f.looking = true
	c.After(leaseFor, func() {
		f.looking = false
		f.perform(c, f.core.lapse(c.Now()))
		f.look(c)
	})
}

func (f *Feed) perform(c *actors.Context, effects []effect) {
	for _, e := range effects {
		if t, ok := e.(tellEffect); ok {
			c.Tell(actors.Request{To: t.to, Node: t.node, Message: t.message})
		}
	}
}
