package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/sqlite"
)

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

// loseTurn fails all that h holds: SQLite has given up the transaction that it
// tells of, as it does when the disk is full. What was committed before is sound.
func (a *durable) loseTurn(h *held, cause error) {
	a.rollback()
	a.behavior = nil
	h.fail(unwritable(errors.Join(sqlite.ErrTxDone, cause)))
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
		h.check = true
		if !h.asked {
			a.validate(h)
		}
	}
	a.gate.hold(h)
	a.deliver()
	return nil
}

// validate asks the journal whether nobody has claimed the actor until now. If h
// only tells of reads, it waits for that. It may be asked before they are done, but
// not before they are asked for: whatever was acknowledged to anyone until then is
// in the file that they will see.
func (a *durable) validate(h *held) {
	h.asked = true
	life, term := a.life, a.term
	a.sys.spawn(func() {
		ctx, cancel := context.WithTimeout(a.sys.ctx, a.sys.config.ActivationTimeout)
		defer cancel()
		err := term.Validate(ctx)
		a.mail.post(func() {
			switch {
			case a.life != life, !h.check && err != nil: // an append will find out itself
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
	set, err := a.capture()
	if err != nil {
		return err
	}
	if set.Empty() {
		return nil
	}
	if a.cradle != nil {
		a.rise()
	} else {
		a.memory.Store(max(a.db.Memory(), 1))
	}
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
	if a.sys.hooks.letFencedOut && errors.Is(err, journal.ErrFenced) {
		a.gate.durable = max(a.gate.durable, commit)
		a.deliver()
	}
	if errors.Is(err, journal.ErrFenced) {
		a.sys.metrics.fenced.WithLabelValues(a.kind.Name).Inc()
	}
	a.log.Warn("append failed; the actor is dropped", "err", err)
	a.deactivate(err)
}
