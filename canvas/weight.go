package canvas

import "github.com/easelhq/easel/actors"

var (
	_ actors.Weighty = Apply{}
	_ actors.Weighty = Prepare{}
)

// Weight is the number of ops.
func (m Apply) Weight() int { return len(m.Ops) }

// Weight is the number of drafts.
func (m Prepare) Weight() int { return len(m.Drafts) }
