package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/sqlite"
)

func stack() string { return string(debug.Stack()) }

// work handles messages in one turn: one transaction, one append.
func (a *durable) work(messages []*envelope) {
	defer func() {
		if p := recover(); p != nil {
			a.crashed(p)
			for _, e := range messages {
				e.answer(nil, unknown(nil))
			}
		}
	}()
	m := a.sys.metrics
	begun := time.Now()
	h := a.hold()
	var refused error // why the actor could not be opened
	for i, e := range messages {
		if i > 0 && (time.Since(begun) > maxTurn || a.settling()) {
			a.mail.putBack(messages[i:])
			messages = messages[:i]
			break
		}
		m.wait.WithLabelValues(a.kind.Name).Observe(h.since.Sub(e.at).Seconds())
		if err := over(e.ctx); err != nil {
			e.answer(nil, &easel.Error{Code: easel.CodeUnavailable, Message: "the request was given up before its turn", Err: err})
			continue
		}
		if refused != nil {
			e.answer(nil, refused)
			continue
		}
		refused = a.handle(e, h)
		if a.behavior == nil && a.open != nil {
			// A panic: what came before it is kept before a new behavior starts.
			_ = a.finish(h) // all who wait for h know
			h = a.hold()
		}
	}
	m.batch.WithLabelValues(a.kind.Name).Observe(float64(len(messages)))
	_ = a.finish(h) // all who wait for h know
	if a.cradle != nil {
		a.rise() // nothing was committed
	}
	if a.term != nil && a.term.Fresh() && a.commit == 0 {
		a.release() // nothing came of a birth: the actor does not exist
		a.deactivate(nil)
	}
	if a.term == nil {
		a.leave()
	}
}

// over returns why nobody waits for what ctx bounds any more. After a pause of the
// process its timer may not have rung yet.
func over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
		return context.DeadlineExceeded
	}
	return nil
}

// hold makes an empty held for a turn that begins now.
func (a *durable) hold() *held { return &held{life: a.life, since: a.sys.now()} }

// handle lets the companion or the behavior answer e, into h. What it returns is
// why the actor could not be opened, which is true for the rest of the batch too.
func (a *durable) handle(e *envelope, h *held) (refused error) {
	if _, ours := e.message.(Expel); ours {
		a.expel(e)
		return nil
	}
	if err := a.own(e.message); err != nil {
		e.answer(nil, err)
		if easel.CodeOf(err) == easel.CodeNotFound {
			return nil // the next message may bring it to life
		}
		return err
	}
	if _, ours := e.message.(wake); !ours && a.companion != nil {
		answer, mine, err := a.consult(e)
		if mine {
			e.answer(answer, err)
			return nil
		}
	}
	if a.db == nil && a.sys.shared && !h.asked && idempotent(e.message) {
		a.validate(h) // while the file is opened, as it is most likely a read
	}
	if err := a.ready(); err != nil {
		a.fail(e, err)
		return err
	}
	ctx, span := a.span(e)
	if span != nil {
		defer span.End()
	}
	t := &Turn{a: a, ctx: ctx, from: e.from, now: h.since}
	answer, err := a.turn(t, e, h)
	if a.sys.hooks.answerEarly || t.ungated && err == nil && e.once.ID == "" && !a.sys.shared {
		e.answer(answer, unwrapVerdict(err))
	}
	h.outputs = append(h.outputs, t.outputs...)
	h.outputs = append(h.outputs, output{env: e, message: answer, err: unwrapVerdict(err)})
	return nil
}

// turn lets the behavior handle e. If that fails, nothing of it is left in the
// file or in t.
func (a *durable) turn(t *Turn, e *envelope, h *held) (Message, error) {
	nested := a.mark()
	answer, err := a.receive(t, e, h)
	if err == nil {
		err = a.applyAlarms(t, h)
	}
	if err == nil && nested {
		err = a.open.Release()
	}
	if err == nil {
		return answer, nil
	}
	if errors.Is(err, errVerdict) {
		return nil, err
	}
	t.outputs, t.alarms = nil, nil
	failed := easel.CodeOf(err) == easel.CodeInternal
	if lost := a.undoTo(nested); lost != nil {
		a.loseTurn(h, lost)
		failed, err = true, errors.Join(sqlite.ErrTxDone, err)
	} else if e.once.ID != "" && !easel.CodeOf(err).Temporary() {
		if later := a.storeError(t, e, err); later != nil {
			failed, err = true, later
		}
	}
	if failed {
		// Not a refusal but a failure: perhaps after the behavior had done its
		// part, so its memory may be ahead of the file.
		a.behavior = nil
		a.log.Error("turn failed", "message", e.message.MessageName(), "err", err)
	}
	return nil, unwritable(err)
}

// errVerdict marks an error that a repeat got from the stored verdict.
var errVerdict = errors.New("stored verdict")

type verdictError struct{ error }

func (v verdictError) Is(target error) bool { return target == errVerdict }
func (v verdictError) Unwrap() error        { return v.error }

func unwrapVerdict(err error) error {
	var v verdictError
	if errors.As(err, &v) {
		return v.error
	}
	return err
}

// receive runs the behavior on one message, once if the message says so.
func (a *durable) receive(t *Turn, e *envelope, h *held) (answer Message, err error) {
	if e.once.ID != "" {
		m, known, err := a.recall(t.Tx(), e.once, t.now)
		if known && err != nil {
			return nil, verdictError{err}
		}
		if known || err != nil {
			return m, err
		}
	}
	err = a.guard(func() error {
		var err error
		if w, ok := e.message.(wake); ok {
			answer, err = a.wake(t, w, h)
		} else {
			answer, err = a.behavior.Receive(t, e.message)
		}
		return err
	})
	if err == nil && answer == nil {
		answer = Empty{}
	}
	if err == nil && e.once.ID != "" && !a.sys.hooks.forgetVerdict {
		err = a.remember(t.Tx(), e.once, t.now, answer, nil)
		a.countOnce(t)
	}
	return answer, err
}

func (a *durable) storeError(t *Turn, e *envelope, err error) error {
	failure, ok := errors.AsType[*easel.Error](err)
	if !ok {
		return nil
	}
	return a.remember(t.Tx(), e.once, t.now, nil, failure)
}

func (a *durable) countOnce(t *Turn) {
	if a.sinceOnce++; a.sinceOnce >= forgetEvery {
		a.sinceOnce = 0
		if err := a.forgetOnce(t.Tx(), t.now); err != nil {
			a.log.Warn("old verdicts stay", "err", err)
		}
	}
}

// guard runs f and turns a panic into an error. The behavior's memory is then
// dropped: the next message finds one made anew from the file.
func (a *durable) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.sys.metrics.panics.WithLabelValues(a.kind.Name).Inc()
			a.log.Error("actor panicked", "panic", p, "stack", stack())
			a.behavior = nil
			err = fmt.Errorf("actor %s panicked: %v", a.key, p)
		}
	}()
	return f()
}

// fail answers e after the actor could not be opened.
func (a *durable) fail(e *envelope, err error) {
	code := easel.CodeOf(err)
	if code == easel.CodeInternal {
		a.log.Error("actor did not open", "err", err)
	}
	e.answer(nil, err)
	if a.term != nil && a.commit == 0 && a.open == nil && a.idle() {
		if code != easel.CodeUnavailable { // else this would only wait for the home once more
			a.release()
		}
		a.deactivate(err)
	}
}

// keep commits the turn of a start, and holds what it wants to say.
func (a *durable) keep(t *Turn) error {
	h := a.hold()
	err := a.applyAlarms(t, h)
	if err == nil {
		err = a.rearm(t, h)
	}
	if err != nil {
		a.undo()
		a.behavior = nil
		return fmt.Errorf("set alarms of %s: %w", a.key, err)
	}
	h.outputs = append(h.outputs, t.outputs...)
	return a.finish(h)
}

// deliver lets out all that is durable.
func (a *durable) deliver() {
	for {
		h := a.gate.next()
		if h == nil {
			return
		}
		a.sys.metrics.gate.WithLabelValues(a.kind.Name).Observe(a.sys.now().Sub(h.since).Seconds())
		for i := range h.outputs {
			a.say(&h.outputs[i])
		}
	}
}

func (a *durable) say(o *output) {
	switch {
	case o.env != nil:
		o.env.answer(o.message, o.err)
	case o.publish != nil:
		a.published(o)
	case o.tell != nil:
		// It carries the trace of the message that caused it, but not its end: the
		// asker may be gone as soon as it has its answer.
		a.sys.send(context.WithoutCancel(o.ctx), *o.tell, nil)
	case o.job != nil:
		a.sys.pool.run(o.ctx, a.key.share(), o.job, func(m Message) {
			if m != nil {
				a.sys.send(context.WithoutCancel(o.ctx), Request{To: a.key, Message: m}, nil)
			}
		})
	}
}
