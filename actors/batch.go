package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/journal"
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
		if i > 0 && time.Since(begun) > maxTurn {
			a.mail.putBack(messages[i:])
			messages = messages[:i]
			break
		}
		m.wait.WithLabelValues(a.kind.Name).Observe(h.since.Sub(e.at).Seconds())
		if e.ctx.Err() != nil {
			e.answer(nil, &easel.Error{Code: easel.CodeUnavailable, Message: "the request was given up before its turn", Err: e.ctx.Err()})
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
	if a.term != nil && a.term.Fresh() && a.commit == 0 {
		a.release() // nothing came of a birth: the actor does not exist
		a.deactivate(nil)
	}
	if a.term == nil {
		a.leave()
	}
}

// hold makes an empty held for a turn that begins now.
func (a *durable) hold() *held { return &held{life: a.life, since: a.sys.now()} }

// handle lets the companion or the behavior answer e, into h. What it returns is
// why the actor could not be opened, which is true for the rest of the batch too.
func (a *durable) handle(e *envelope, h *held) (refused error) {
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

// loseTurn fails all that h holds: SQLite has given up the transaction that it
// tells of, as it does when the disk is full. What was committed before is sound.
func (a *durable) loseTurn(h *held, cause error) {
	a.rollback()
	a.behavior = nil
	h.fail(unwritable(errors.Join(sqlite.ErrTxDone, cause)))
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

// consult offers e to the companion.
func (a *durable) consult(e *envelope) (answer Message, mine bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			a.companionPanicked(p)
			answer, mine, err = nil, true, fmt.Errorf("companion of %s panicked: %v", a.key, p)
		}
	}()
	return a.companion.Receive(a.companionContext(e.ctx, e.from), e.message)
}

// companionPanicked makes a new companion.
func (a *durable) companionPanicked(p any) {
	a.sys.metrics.panics.WithLabelValues(a.kind.Name).Inc()
	a.log.Error("companion panicked", "panic", p, "stack", stack())
	if a.companion != nil {
		a.companion = a.kind.NewCompanion(a.key)
	}
}

// callBack runs a function that the companion gave to be called back.
func (a *durable) callBack(f func()) {
	defer func() {
		if p := recover(); p != nil {
			a.companionPanicked(p)
		}
	}()
	f()
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

// finish commits the turn's transaction and holds h until it is durable. If it
// cannot, the actor is absent afterwards.
func (a *durable) finish(h *held) error {
	if h.life != a.life {
		// It tells of a life that ended in the middle of the batch.
		h.fail(unknown(nil))
		return nil
	}
	before := a.commit
	if a.open != nil {
		if err := a.commitTx(h); err != nil {
			a.log.Error("turn was not committed", "err", err)
			h.fail(unwritable(errors.Join(sqlite.ErrTxDone, err)))
			a.deactivate(err)
			return errors.Join(sqlite.ErrTxDone, err)
		}
	}
	if h.commit = a.commit; h.commit == before && len(h.outputs) > 0 && a.sys.shared {
		// What was only read says something about the newest state, which another
		// process may have changed. A commit of our own would find that out.
		a.validate(h)
	}
	a.gate.hold(h)
	a.deliver()
	return nil
}

// validate holds h until the journal has said that nobody had claimed the actor
// when it was asked.
func (a *durable) validate(h *held) {
	h.check = true
	life, term := a.life, a.term
	a.sys.spawn(func() {
		ctx, cancel := context.WithTimeout(a.sys.ctx, a.sys.config.ActivationTimeout)
		defer cancel()
		err := term.Validate(ctx)
		a.mail.post(func() {
			switch {
			case a.life != life:
			case err == nil:
				h.check = false
				a.deliver()
			default:
				a.log.Warn("ownership was not confirmed; the actor is dropped", "err", err)
				a.deactivate(err)
			}
		})
	})
}

func (a *durable) commitTx(h *held) error {
	start := time.Now()
	a.open = nil
	if err := a.db.Commit(); err != nil {
		_ = a.db.Rollback() // the file is dropped in any case
		return err
	}
	set, err := a.db.Capture()
	if err != nil {
		return err
	}
	if set.Empty() {
		return nil
	}
	a.memory.Store(max(a.db.Memory(), 1))
	a.commit++
	a.inFlight++
	a.sys.metrics.turn.WithLabelValues(a.kind.Name).Observe(time.Since(start).Seconds())
	commit, term := a.commit, a.term
	spans := a.appendSpans(h)
	term.Append(set, func(err error) {
		for _, s := range spans {
			s.End()
		}
		a.mail.post(func() { a.appended(term, commit, err) })
	})
	return nil
}

// appended is the journal's word on a commit.
func (a *durable) appended(term journal.Term, commit int64, err error) {
	if a.term != term {
		return // of an activation that is over
	}
	a.inFlight--
	if err == nil {
		a.gate.durable = max(a.gate.durable, commit)
		a.deliver()
		return
	}
	if errors.Is(err, journal.ErrFenced) {
		a.sys.metrics.fenced.WithLabelValues(a.kind.Name).Inc()
	}
	a.log.Warn("append failed; the actor is dropped", "err", err)
	a.deactivate(err)
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
		a.sys.pool.run(o.ctx, o.job, func(m Message) {
			if m != nil {
				a.sys.send(context.WithoutCancel(o.ctx), Request{To: a.key, Message: m}, nil)
			}
		})
	}
}

func (a *durable) published(o *output) {
	if a.companion == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			a.companionPanicked(p)
		}
	}()
	a.companion.Published(a.companionContext(o.ctx, Ref{}), o.publish)
}

func (a *durable) companionContext(ctx context.Context, from Ref) *Context {
	if a.context == nil {
		a.context = &Context{sys: a.sys, key: a.key, mail: &a.mail, log: a.log, run: a.callBack}
	}
	a.context.ctx, a.context.from = ctx, from
	return a.context
}

// tx returns the turn's transaction, begun on first use.
func (a *durable) tx() *sqlite.Tx {
	if a.open == nil {
		tx, err := a.db.Begin()
		if err != nil {
			panic(fmt.Errorf("begin: %w", err)) // no transaction: the file is unusable
		}
		a.open = tx
	}
	return a.open
}

// mark notes the state before a message, to which undoTo returns. Nothing is
// marked before the first message: to undo it is to roll back.
func (a *durable) mark() (nested bool) {
	if a.open == nil {
		return false
	}
	if err := a.open.Savepoint(); err != nil {
		panic(fmt.Errorf("savepoint: %w", err)) // a turn has hidden that its transaction was lost
	}
	return true
}

// undoTo returns to the mark. An error means that the transaction is lost, with
// what came before the mark.
func (a *durable) undoTo(nested bool) error {
	if a.sys.hooks.skipUndo {
		return nil
	}
	if !nested {
		a.undo()
		return nil
	}
	return a.open.RollbackTo()
}

func (a *durable) undo() {
	if a.open != nil {
		a.rollback()
	}
}

func (a *durable) rollback() {
	a.open = nil
	if err := a.db.Rollback(); err != nil {
		a.log.Warn("roll back failed", "err", err)
	}
}

// span starts the span of one message's turn if its request is traced.
func (a *durable) span(e *envelope) (context.Context, trace.Span) {
	if !trace.SpanContextFromContext(e.ctx).IsSampled() {
		return e.ctx, nil
	}
	return a.sys.config.Tracer.Start(e.ctx, "turn "+e.message.MessageName(),
		trace.WithAttributes(attribute.String("easel.kind", a.kind.Name)))
}

// appendSpans starts a span for the journal below each traced message of h.
func (a *durable) appendSpans(h *held) []trace.Span {
	var spans []trace.Span
	for _, o := range h.outputs {
		if o.env != nil && trace.SpanContextFromContext(o.env.ctx).IsSampled() {
			_, s := a.sys.config.Tracer.Start(o.env.ctx, "journal.append")
			spans = append(spans, s)
		}
	}
	return spans
}
