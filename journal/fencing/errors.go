package fencing

import (
	"errors"
	"fmt"
)

// Errors with which machines end. Package journal documents them.
var (
	ErrNotFound    = errors.New("journal: no such actor")
	ErrErased      = errors.New("journal: actor was erased")
	ErrFenced      = errors.New("journal: fenced by a newer owner")
	ErrCorrupt     = errors.New("journal: corrupt")
	ErrUnavailable = errors.New("journal: durable home unavailable")
	ErrClosed      = errors.New("journal: closed")
)

var (
	// ErrAbsent answers a Get of a key that holds nothing.
	ErrAbsent = errors.New("no such object")
	// ErrAdopted says that the head was an own one whose write had no answer. It counts now;
	// what was to be written has to be made again.
	ErrAdopted = errors.New("an earlier head of this term was found")
)

// Other says that a key which was to be written holds something else.
type Other struct {
	Key     string
	Body    []byte // nil if it was gone again
	Version string
}

func (o *Other) Error() string { return "object " + o.Key + " exists and is another" }

// Damage says that what is kept of an actor cannot be trusted. It is an
// ErrCorrupt.
type Damage struct{ Cause error }

func (d *Damage) Error() string { return fmt.Sprintf("%v: %v", ErrCorrupt, d.Cause) }

// Unwrap returns ErrCorrupt and the cause.
func (d *Damage) Unwrap() []error { return []error{ErrCorrupt, d.Cause} }

// Bugs are planted faults that tests must notice. Without any of them this is
// the protocol.
type Bugs struct {
	NoSeal           bool // claim without sealing the older terms
	NoRecheck        bool // claim without looking at the head again
	TrustConflict    bool // take "exists already" for durable when a put is repeated
	TrustTorn        bool // take the beginning of the own bytes for all of them
	PassTorn         bool // go on behind a torn slot as if it were nothing
	AckOutOfOrder    bool // answer a slot before those below it are durable
	AppendAfterClose bool // append on while the head is being closed
	DeleteSeals      bool // delete seals with what is covered
	DeleteTorn       bool // delete torn slots with what is covered
	TidyBlind        bool // tidy by a listing alone
	JoinLook         bool // answer a read by a look at the head that began before it
	NoLook           bool // answer reads without any look
}
