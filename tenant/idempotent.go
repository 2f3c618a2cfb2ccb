package tenant

import "github.com/easelhq/easel/actors"

// What may be repeated without a verdict, because a second time changes nothing,
// also if it comes late. All other messages that are asked are repeated under a
// Once: Claim, whose lease would begin anew, and all that create, replace or
// delete on behalf of a client.

var _ actors.Idempotent = Seen{}

// Idempotent implements actors.Idempotent: the last one counts, and all are alike within minutes.
func (Seen) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (Member) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (Usage) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (Images) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (ImageProgress) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (Expired) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (KVGet) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (KVList) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (FileCheck) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (FileGet) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (FileList) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (Drops) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (KeyList) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (Schema) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (SchemaVersions) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: it changes nothing.
func (KeyCheck) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: the image's id is used once.
func (Reserve) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: the image's id is used once.
func (Ready) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: the image's id is used once.
func (Abandon) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: the image's id is used once.
func (Purged) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: an older seq changes nothing.
func (Row) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: an older seq changes nothing.
func (Sync) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: a claim is settled once.
func (Settle) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: a bulk is decided and confirmed once.
func (Decide) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: a bulk is decided and confirmed once.
func (Outcome) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: a bulk is decided and confirmed once.
func (Confirm) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: a blob is queued and deleted once.
func (Dropped) Idempotent() bool { return true }

// Idempotent implements actors.Idempotent: a blob is queued and deleted once.
func (Sweep) Idempotent() bool { return true }
