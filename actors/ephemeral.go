package actors

import (
	"fmt"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/easelhq/easel"
)

// ephemeral is one running ephemeral actor. All fields but mail are owned by
// the actor's goroutine.
type ephemeral struct {
	sys     *System
	kind    *EphemeralKind
	key     Key
	pid     *actor.PID
	mail    mailbox
	log     *slog.Logger
	context *Context
	self    Ephemeral
}

func (a *ephemeral) drain() {
	for {
		calls, messages, ok := a.mail.take(maxBatch)
		if !ok {
			return
		}
		for _, f := range calls {
			_ = a.guard(func() error { f(); return nil }) // logged there; nobody waits
		}
		for _, e := range messages {
			a.handle(e)
		}
		// After a panic nobody is there: the next message finds a new one.
		if (a.self == nil || a.self.Done()) && a.leave() {
			return
		}
	}
}

func (a *ephemeral) handle(e *envelope) {
	if err := e.ctx.Err(); err != nil {
		e.answer(nil, &easel.Error{Code: easel.CodeUnavailable, Message: "the request was given up before its turn", Err: err})
		return
	}
	var answer Message
	err := a.guard(func() (err error) {
		a.start()
		a.context.ctx, a.context.from = e.ctx, e.from
		answer, err = a.self.Receive(a.context, e.message)
		return err
	})
	if err == nil && answer == nil {
		answer = Empty{}
	}
	e.answer(answer, err)
}

func (a *ephemeral) start() {
	if a.self == nil {
		a.context = &Context{sys: a.sys, key: a.key, mail: &a.mail, log: a.log, run: func(f func()) { f() }, ctx: a.sys.ctx}
		a.self = a.kind.New(a.context, a.key)
	}
}

// guard runs f; a panic ends the actor's state, and the next message finds a
// new one.
func (a *ephemeral) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.sys.metrics.panics.WithLabelValues(a.kind.Name).Inc()
			a.log.Error("actor panicked", "panic", p, "stack", stack())
			if c, ok := a.self.(Crasher); ok {
				c.Crashed()
			}
			a.self = nil
			err = fmt.Errorf("actor %s panicked: %v", a.key, p)
		}
	}()
	return f()
}

func (a *ephemeral) leave() bool {
	if !a.sys.forget(a) {
		return false
	}
	a.ended()
	return true
}

// quit ends the actor because the system ends.
func (a *ephemeral) quit() { a.sys.drop(a) }

// ended is called once, when the actor is out of the registry.
func (a *ephemeral) ended() {
	a.sys.proto.Root.Stop(a.pid)
	a.sys.metrics.ephemeral.WithLabelValues(a.kind.Name).Dec()
}
