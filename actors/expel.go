package actors

import (
	"context"
	"errors"

	"github.com/easelhq/easel"
)

// Expel makes whichever node has the actor in memory let go of it at once, with its
// working copy: its history was erased behind the actor's back. What is on its way
// is told that the outcome is unknown. It brings no actor to memory. -> Empty.
type Expel struct{}

// MessageName implements Message.
func (Expel) MessageName() string { return "actors.expel" }

// expel answers an Expel. Letting go without any care is always safe: it is what a
// crash does.
func (a *durable) expel(e *envelope) {
	if a.term != nil || a.restored {
		a.deactivate(errExpelled)
	}
	e.answer(Empty{}, nil)
}

var errExpelled = errors.New("the actor was erased")

// timerForget makes a timer forget all wake-ups of an actor.
type timerForget struct {
	Key Key `json:"key"`
}

// MessageName implements Message.
func (timerForget) MessageName() string { return "actors.timer_forget" }

// ForgetAlarms removes the wake-ups of an actor that is no more from all timers that
// may have them.
func ForgetAlarms(ctx context.Context, a Asker, key Key) error {
	for attempt := range timerChoices {
		_, err := a.Ask(ctx, Request{To: timerKey(key, attempt), Message: timerForget{Key: key}})
		if err != nil && easel.CodeOf(err) != easel.CodeNotFound { // it never had any
			return err
		}
	}
	return nil
}
