package actors

import (
	"context"
	"log/slog"
	"time"

	"github.com/easelhq/easel"
)

// Context is what companions and ephemeral actors have in their hands. It is
// valid as long as the actor, but only on the actor's own goroutine, that is
// inside its methods and the functions it gives to be called back.
type Context struct {
	sys  *System
	key  Key
	mail *mailbox
	log  *slog.Logger
	run  func(f func()) // runs what is called back, on the actor's goroutine

	ctx  context.Context //nolint:containedctx // of the message being handled
	from Ref
}

// Key returns the actor's own key.
func (c *Context) Key() Key { return c.key }

// Self returns the actor's own address.
func (c *Context) Self() Ref { return Ref{Node: c.sys.node, Key: c.key} }

// From returns the sender of the message being handled, if it was an actor.
func (c *Context) From() Ref { return c.from }

// Now returns the current time.
func (c *Context) Now() time.Time { return c.sys.now() }

// Log returns the actor's logger.
func (c *Context) Log() *slog.Logger { return c.log }

// Tell sends a request without waiting for an answer; it may be lost.
func (c *Context) Tell(r Request) {
	r.From = c.Self()
	c.sys.send(c.trace(), r, nil)
}

// Ask sends a request; then is called with the answer, later, on the actor's
// goroutine, and exactly once unless the actor is stopped or withdraw is called
// first. The request is given up after timeout with CodeUnavailable. Once it was
// withdrawn it is not repeated, and not handled if it still waits for its turn on
// this node; what is on its way to another may take effect.
func (c *Context) Ask(r Request, timeout time.Duration, then func(Message, error)) (withdraw func()) {
	r.From = c.Self()
	asked := c.ctx
	ctx, cancel := context.WithTimeout(c.trace(), timeout)
	answered := false // owned by the actor's goroutine
	var stop func() bool
	finish := func(m Message, err error) {
		there := c.mail.post(func() {
			if answered {
				return
			}
			answered = true
			stop()
			cancel()
			c.ctx = asked // the answer belongs to the trace of the question
			c.run(func() { then(m, err) })
		})
		if !there {
			cancel()
		}
	}
	stop = context.AfterFunc(ctx, func() {
		finish(nil, &easel.Error{Code: easel.CodeUnavailable, Message: "no answer in time", Err: ctx.Err()})
	})
	c.sys.send(ctx, r, finish)
	return func() {
		answered = true
		stop()
		cancel()
	}
}

// Trace returns a context that carries the trace of the message being handled,
// for spans, but not its end.
func (c *Context) Trace() context.Context { return c.trace() }

// trace returns a context that carries the current message's trace, but not its
// end: what an actor starts is not its caller's to cancel.
func (c *Context) trace() context.Context {
	if c.ctx == nil {
		return c.sys.ctx
	}
	return context.WithoutCancel(c.ctx)
}

// After calls f on the actor's goroutine after d, unless the actor is stopped
// or stop is called first.
func (c *Context) After(d time.Duration, f func()) (stop func()) {
	stopped := false // owned by the actor's goroutine
	t := time.AfterFunc(d, func() {
		c.mail.post(func() {
			if !stopped {
				c.ctx = nil // not the trace of whatever came last
				c.run(f)
			}
		})
	})
	return func() {
		stopped = true
		t.Stop()
	}
}
