package actors

import (
	"time"

	"github.com/easelhq/easel/sqlite"
)

// Kind describes durable actors of one kind.
type Kind struct {
	Name   string
	Schema *sqlite.Schema         // what their files are born with and migrated to
	New    func(key Key) Behavior // called at activation and after a panic

	// NewCompanion makes the part of the actor that needs no open file and
	// receives what the behavior publishes. Nil: none.
	NewCompanion func(key Key) Companion

	// Births reports whether m may bring an actor to life that was never born.
	// Nil: no message may.
	Births func(m Message) bool

	// BornAsleep says that actors are born in crowds and then mostly left alone: the
	// turn of a birth works on a file that all births share, and the actor gets a file
	// of its own with its next message. Start must then neither write nor say anything
	// before there is a history.
	BornAsleep bool

	// Mailbox is how many messages may wait; one more is CodeOverloaded. 0: 1024.
	Mailbox int
}

// Behavior is the state machine of one durable actor. Its methods are called by
// one goroutine at a time, each inside a transaction of the actor's own file. If
// one returns an error or panics, what it wrote, published, told and set is
// undone and the asker gets the error. It must therefore change its own memory
// only when nothing can fail any more. After a panic, and after an error that is
// internal (not an *easel.Error, or one with that code), it is made anew from the
// file.
//
// It blocks on nothing: no network, no lock, no clock but Turn.Now.
type Behavior interface {
	// Start is called before anything else, in a turn of its own.
	Start(t *Turn) error
	// Receive handles one message and returns its answer (nil: an empty one).
	Receive(t *Turn, m Message) (Message, error)
	// Alarm is called when a named alarm is due. A nil error clears the alarm,
	// unless the call set it again; an error repeats it with backoff.
	Alarm(t *Turn, name string) error
}

// Companion lives as long as its actor is owned, also while the file is closed.
// Same rules as Behavior, but it has no file, is never undone, and a panic in it
// or in what it gave to be called back makes a new one.
type Companion interface {
	// Receive handles m if it is one for the companion; ok is false if it is for
	// the behavior.
	Receive(c *Context, m Message) (answer Message, ok bool, err error)
	// Published is given what the behavior published, in order, once durable.
	Published(c *Context, m Message)
	// Attached reports whether somebody still needs the actor to be owned.
	Attached() bool
}

// Ephemeral is an actor that lives in memory on one node, such as a room.
type Ephemeral interface {
	// Receive handles one message. Its answer goes to the asker, if any.
	Receive(c *Context, m Message) (Message, error)
	// Done reports whether the actor may be stopped now; it is asked after every
	// message.
	Done() bool
}

// Crasher is an Ephemeral that holds something others wait on, such as sockets.
type Crasher interface {
	// Crashed is called after a panic, just before the state is dropped. It only
	// lets go: it must neither panic nor call back.
	Crashed()
}

// EphemeralKind describes ephemeral actors of one kind.
type EphemeralKind struct {
	Name    string
	New     func(c *Context, key Key) Ephemeral
	Mailbox int // 0: 4096
}

// Alarm durations, in one place because the contract of an alarm is made of them.
const (
	alarmBackoffMin = 500 * time.Millisecond
	alarmBackoffMax = 5 * time.Minute
)
