package actors

import (
	"context"

	"github.com/easelhq/easel/journal"
)

// Key names an actor: its kind and its identity within the kind.
type Key struct {
	Kind string // as registered, [a-z0-9_-]+
	ID   string // segments of [a-z0-9_-] joined by "/", such as "<tenant>/<image>"
}

// String returns "kind/id".
func (k Key) String() string { return k.Kind + "/" + k.ID }

// Name returns the actor's name in the durable home.
func (k Key) Name() journal.Name { return journal.Name(k.String()) }

// Message is what actors are sent and answer. Values are immutable once sent.
type Message interface {
	// MessageName names the type between nodes and in metrics, such as
	// "canvas.apply". It is constant for the type and is never reused.
	MessageName() string
}

// Once makes a request take effect at most once: the verdict (an answer, or an
// error that is not temporary) is stored in the turn's own transaction under
// ID, and a repeat gets it again. With another Hash the repeat is CodeInvalid.
type Once struct {
	ID   string // unique for the actor; "" stores nothing
	Hash string // of the request's content
}

// Request is one message on its way to an actor.
type Request struct {
	To      Key
	Node    string // ephemeral actors: where; "" is this node
	From    Ref    // who sent it, if it was an actor; the zero Ref otherwise
	Message Message
	Once    Once
}

// Ref is the address of an actor that was running: a durable one anywhere, or
// an ephemeral one on Node.
type Ref struct {
	Node string
	Key  Key
}

// Asker sends requests. *System is one; so is whatever forwards to the cluster.
type Asker interface {
	// Ask sends r and waits for the answer, which is durable when it arrives.
	// Errors: *easel.Error as the actor gave it; CodeNotFound if the actor was
	// never born and r may not bring it to life; CodeOverloaded if its mailbox
	// is full; CodeUnavailable if ctx ends first or the durable home is away (the
	// outcome is then unknown).
	Ask(ctx context.Context, r Request) (Message, error)
}
