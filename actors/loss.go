package actors

import (
	"errors"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/journal"
)

// loss is the cause of an error that comes from an actor that went away, and not
// from anything it decided: another node may have the answer. What is ErrMoved was
// not done; of what is ErrLost that is not known.
type loss struct {
	kind  error // ErrMoved or ErrLost
	cause error // for the log; may be nil
}

func (l loss) Error() string {
	if l.cause == nil {
		return l.kind.Error()
	}
	return l.cause.Error()
}

func (l loss) Unwrap() error { return l.cause }

// lossOf returns ErrMoved or ErrLost if err is one, and nil for what an actor has
// decided and for troubles of the durable home.
func lossOf(err error) error {
	if err == nil {
		return nil
	}
	if l, ok := errors.AsType[loss](err); ok {
		return l.kind // the outermost: what came of the request, not of its cause
	}
	switch {
	case errors.Is(err, ErrMoved):
		return ErrMoved
	case errors.Is(err, ErrLost), errors.Is(err, errGone()):
		return ErrLost
	default:
		return nil
	}
}

// errGone is ErrLost as an actor's node says it to another: it is recognised by
// its code and message.
func errGone() *easel.Error {
	return &easel.Error{Code: easel.CodeUnavailable, Message: "the actor went away; the outcome is unknown", RetryAfter: time.Second}
}

// errElsewhere refuses what belongs on another node. Nothing was done.
func errElsewhere() error {
	return &easel.Error{
		Code: easel.CodeUnavailable, Message: "the actor belongs on another node", RetryAfter: time.Second, Err: loss{ErrMoved, nil},
	}
}

func errStopping() error {
	return &easel.Error{
		Code: easel.CodeUnavailable, Message: "the node is stopping", RetryAfter: time.Second, Err: loss{ErrMoved, nil},
	}
}

// unknown is the answer to those whose turn was neither seen to be durable nor
// not.
func unknown(cause error) error {
	if l := lossOf(cause); l != nil || errors.Is(cause, journal.ErrFenced) || errors.Is(cause, errPaused) {
		cause = loss{ErrLost, cause}
	}
	return &easel.Error{
		Code: easel.CodeUnavailable, Message: "the outcome is unknown; repeat the request", RetryAfter: time.Second, Err: cause,
	}
}

// outward is a reply that gives its error the form that may leave the node: an
// *easel.Error, or ErrMoved.
func outward(reply func(Message, error)) func(Message, error) {
	if reply == nil {
		return nil
	}
	return func(m Message, err error) {
		if err != nil {
			err = abroad(err)
		}
		reply(m, err)
	}
}

func abroad(err error) error {
	switch lossOf(err) {
	case ErrMoved: //nolint:errorlint // lossOf returns exactly this
		return ErrMoved
	case ErrLost:
		return errGone()
	}
	if e, ok := errors.AsType[*easel.Error](err); ok {
		return e
	}
	return &easel.Error{Code: easel.CodeInternal, Message: "internal error", Err: err}
}

// withoutLoss is err as an asker sees it.
func withoutLoss(err error) error {
	e, ok := errors.AsType[*easel.Error](err)
	if !ok {
		return errGone()
	}
	plain := *e
	plain.Err = nil
	return &plain
}
