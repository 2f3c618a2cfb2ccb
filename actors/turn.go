package actors

import (
	"context"
	"time"

	"github.com/easelhq/easel/sqlite"
)

// Turn is what a behavior has in its hands while it works. It is valid only
// until the method it was given to returns.
type Turn struct{ h *host }

// Key returns the actor's own key.
func (t *Turn) Key() Key { panic("todo") }

// Now returns the turn's time: the same for the whole turn.
func (t *Turn) Now() time.Time { panic("todo") }

// From returns the actor that sent the message, if one did.
func (t *Turn) From() Ref { panic("todo") }

// Tx returns the turn's transaction, which the runtime commits.
func (t *Turn) Tx() *sqlite.Tx { panic("todo") }

// Publish gives m to the companion once the turn is durable.
func (t *Turn) Publish(m Message) { panic("todo") }

// Tell sends a request to another actor once the turn is durable, at most once
// and without an answer. What must arrive is repeated by an alarm.
func (t *Turn) Tell(r Request) { panic("todo") }

// SetAlarm makes Behavior.Alarm(name) be called at or after due, at least once,
// also if the actor sleeps or the process ends before. It replaces an alarm of
// the same name.
func (t *Turn) SetAlarm(name string, due time.Time) { panic("todo") }

// ClearAlarm forgets an alarm; none is no error.
func (t *Turn) ClearAlarm(name string) { panic("todo") }

// Go runs work outside the turn once the turn is durable, on a goroutine of the
// runtime's bounded pool, and delivers the message it returns (nil: none) to
// Behavior.Receive. It is at most once: an alarm that is set until the message
// arrives makes it at least once. ctx ends when the actor is released.
func (t *Turn) Go(work func(ctx context.Context) Message) { panic("todo") }

// Durable returns the number of this actor's newest durable commit, and Commit
// the number that this turn's commit will have if it writes. A read of state no
// newer than Durable may be answered ungated, see Ungated.
func (t *Turn) Durable() int64 { panic("todo") }

// Commit returns the number that this turn's commit has if it writes.
func (t *Turn) Commit() int64 { panic("todo") }

// Ungated lets the answer of the current message leave at once. The behavior
// vouches that it shows nothing newer than Durable.
func (t *Turn) Ungated() { panic("todo") }

// Context is what companions and ephemeral actors have in their hands. It is
// valid as long as the actor, but only on the actor's own goroutine, that is
// inside its methods and the functions it is given to call back.
type Context struct{ h *host }

// Key returns the actor's own key.
func (c *Context) Key() Key { panic("todo") }

// Self returns the actor's own address.
func (c *Context) Self() Ref { panic("todo") }

// From returns the sender of the message being handled, if it was an actor.
func (c *Context) From() Ref { panic("todo") }

// Now returns the current time.
func (c *Context) Now() time.Time { panic("todo") }

// Tell sends a request without waiting for an answer; it may be lost.
func (c *Context) Tell(r Request) { panic("todo") }

// Ask sends a request; then is called with the answer, later, on the actor's
// goroutine, and exactly once unless the actor is stopped first. The request is
// given up after timeout with CodeUnavailable.
func (c *Context) Ask(r Request, timeout time.Duration, then func(Message, error)) { panic("todo") }

// After calls f on the actor's goroutine after d, unless the actor is stopped
// or stop is called first.
func (c *Context) After(d time.Duration, f func()) (stop func()) { panic("todo") }
