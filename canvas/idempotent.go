package canvas

import (
	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// What may be repeated without a verdict, because a second time changes nothing,
// also if it comes late. All other messages that are asked are repeated under a
// Once: Amend, SoftDelete, Restore, Say, Judge, Revert, an Apply without a client, and
// a Hello of who may write.

var _ actors.Idempotent = Apply{}

// Idempotent implements actors.Idempotent: a seq is consumed once.
func (m Apply) Idempotent() bool { return m.Client != "" }

// Idempotent implements actors.Idempotent: a repeat answers the image as it is.
func (Birth) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (Look) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: a repeat finds it on its way.
func (WantTiles) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (List) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (One) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (Log) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (Page) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (Messages) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (Locate) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (BeginRevert) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent for viewers, whose hello is not recorded.
// Another one that comes late would end the client's next connection.
func (m Hello) Idempotent() bool { return !m.By.Role.AtLeast(easel.Annotator) }

// Idempotent implements actors.Idempotent: a promise is stored once.
func (Prepare) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: a bulk is decided once.
func (Decide) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: what is gone stays gone.
func (Purge) Idempotent() bool { return true }
