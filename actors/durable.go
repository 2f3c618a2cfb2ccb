package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/sqlite"
)

const (
	maxBatch = 256                   // messages of one turn
	maxTurn  = 20 * time.Millisecond // after which what is left waits for the next turn
	maxHeld  = 64                    // turns that wait at the gate before no more are begun
)

// durable is one activation of a durable actor. All fields but mail, lastUsed
// and the constants are owned by the actor's goroutine.
type durable struct {
	sys  *System
	kind *Kind
	key  Key
	pid  *actor.PID
	mail mailbox
	log  *slog.Logger

	lastUsed atomic.Int64 // nanoseconds of the system's clock, for the sweep
	memory   atomic.Int64 // bytes that the open file costs; 0: closed
	leaving  atomic.Bool  // it was asked to move away and has not looked yet
	disk     atomic.Int64 // bytes that the working copy takes on disk; 0: there is none
	step     atomic.Int32 // of the activation; see stepOwned

	// While owned:
	term       journal.Term
	heirs      []func(Message, error) // nodes that wait for the actor to be released
	restored   bool                   // the working copy is on disk
	companion  Companion
	context    *Context
	life       int           // how often the actor was absent before
	pauses     int64         // of the process, when it was claimed
	claimed    time.Duration // when, by the pulse's clock
	wanted     time.Duration // when another node first asked for it, by the same; 0: none has
	gate       gate
	commit     int64 // newest commit handed to the journal
	inFlight   int
	registered timerSet // the entry by which a timer wakes the actor next; Due 0: none

	// While open:
	db        *sqlite.DB
	cradle    *sqlite.Cradle // whose file db is; nil: the actor's own
	open      *sqlite.Tx     // the turn's transaction, once begun
	behavior  Behavior
	sinceOnce int    // verdicts stored since old ones were dropped
	onceSeen  string // up to which id they were looked at
}

// drain works until nothing waits. It runs in the actor's protoactor mailbox,
// one call at a time.
func (a *durable) drain() {
	for {
		a.fencePaused()
		if a.step.Load() == stepParting {
			a.call(a.part)
		}
		limit := maxBatch
		if a.step.Load() == stepParting || a.inFlight >= a.sys.config.InFlight || len(a.gate.queue) >= maxHeld || a.settling() {
			limit = 0 // what waits becomes one larger turn
		}
		calls, messages, ok := a.mail.take(limit)
		if !ok {
			return
		}
		for _, f := range calls {
			a.call(f)
		}
		if len(messages) > 0 {
			a.lastUsed.Store(a.sys.now().UnixNano())
			a.work(messages)
		}
	}
}

// call runs one call back to the runtime.
func (a *durable) call(f func()) {
	defer func() {
		if p := recover(); p != nil {
			a.crashed(p)
		}
	}()
	f()
}

// crashed drops the activation after a panic in the runtime itself: nothing that
// it holds can be trusted. What waits goes on with a new one.
func (a *durable) crashed(p any) {
	a.sys.metrics.panics.WithLabelValues(a.kind.Name).Inc()
	a.log.Error("actor runtime panicked", "panic", p, "stack", stack())
	a.deactivate(fmt.Errorf("panic: %v", p))
}

// own makes this node the owner of the actor, bringing it to life if m may.
func (a *durable) own(m Message) error {
	if a.term != nil {
		return nil
	}
	if a.sys.corrupt.closed(a.key, a.sys.now()) {
		return fmt.Errorf("claim %s: %w", a.key, journal.ErrCorrupt)
	}
	done, err := a.sys.admit(a.key)
	if err != nil {
		return err
	}
	defer done()
	if !a.sys.mine(a.key) {
		return errElsewhere() // the place in the line may have taken a while
	}
	pauses := a.sys.pulse.pauses.Load()
	start := time.Now()
	ctx, cancel := context.WithTimeout(a.sys.ctx, a.sys.config.ActivationTimeout)
	defer cancel()
	term, err := a.sys.config.Journal.Claim(ctx, a.key.Name())
	if errors.Is(err, journal.ErrNotFound) && a.kind.Births != nil && a.kind.Births(m) {
		if !a.sys.mine(a.key) {
			return errElsewhere()
		}
		var t journal.Template
		if t, err = a.kind.Schema.Template(); err == nil {
			term, err = a.sys.config.Journal.Birth(ctx, a.key.Name(), t)
		}
	}
	switch {
	case err != nil && lossOf(err) != nil:
		return err // it has come to belong elsewhere
	case err != nil:
		return a.claimError(err)
	}
	a.term, a.pauses, a.claimed = term, pauses, a.sys.pulse.now()
	a.step.Store(stepOwned)
	if a.kind.NewCompanion != nil {
		a.companion = a.kind.NewCompanion(a.key)
	}
	a.sys.metrics.owned.WithLabelValues(a.kind.Name).Inc()
	a.sys.metrics.activation.WithLabelValues("claim").Observe(time.Since(start).Seconds())
	return nil
}

// claimError says what a failed claim means to whoever asked.
func (a *durable) claimError(err error) error {
	switch {
	case errors.Is(err, journal.ErrNotFound), errors.Is(err, journal.ErrErased):
		return &easel.Error{Code: easel.CodeNotFound, Message: "no such " + a.kind.Name, Err: err}
	case errors.Is(err, journal.ErrCorrupt):
		if a.sys.corrupt.note(a.key, a.sys.now()) {
			a.sys.metrics.corrupt.WithLabelValues(a.kind.Name).Inc()
			a.log.Error("actor stays closed: its history is corrupt", "err", err)
		}
		return fmt.Errorf("claim %s: %w", a.key, err)
	case errors.Is(err, journal.ErrFenced):
		return &easel.Error{
			Code: easel.CodeUnavailable, Message: "another node has the actor", RetryAfter: time.Second, Err: loss{ErrMoved, err},
		}
	default:
		a.log.Warn("actor could not be claimed", "err", err)
		return &easel.Error{Code: easel.CodeUnavailable, Message: "the durable home cannot be reached", RetryAfter: time.Second, Err: err}
	}
}

// path is where the working copy lies.
func (a *durable) path() string {
	id := strings.ReplaceAll(a.key.ID, "/", "+")
	// The end of an id is its random part; its start may be the same for many.
	return filepath.Join(a.sys.config.Dir, a.kind.Name, id[max(0, len(id)-2):], id+".db")
}

// ready brings the actor from owned to open.
func (a *durable) ready() error {
	if a.db != nil && a.behavior != nil {
		return nil
	}
	if a.bornAsleep() {
		return a.lie()
	}
	start, temperature := time.Now(), "warm"
	if !a.restored {
		temperature = "cold"
		if err := a.restore(); err != nil {
			return err
		}
	}
	if a.db == nil {
		db, err := sqlite.Open(a.path(), a.kind.Schema)
		if err != nil {
			// Whatever is wrong with the working copy, the next one is a new one.
			a.deactivate(err)
			return unwritable(fmt.Errorf("open %s: %w", a.key, err))
		}
		a.db = db
		a.sys.metrics.open.WithLabelValues(a.kind.Name).Inc()
		a.memory.Store(max(db.Memory(), 1))
	}
	behavior := a.kind.New(a.key)
	t := &Turn{a: a, ctx: a.sys.ctx, now: a.sys.now()}
	err := a.guard(func() error {
		if err := a.forgetOnce(t.Tx(), t.now); err != nil {
			return err
		}
		return behavior.Start(t)
	})
	if err != nil {
		a.undo()
		return unwritable(fmt.Errorf("start %s: %w", a.key, err))
	}
	a.behavior = behavior
	if err := a.keep(t); err != nil {
		return unwritable(err)
	}
	a.sys.corrupt.forget(a.key)
	a.sys.metrics.activation.WithLabelValues(temperature).Observe(time.Since(start).Seconds())
	return nil
}

func (a *durable) restore() error {
	done, err := a.sys.admit(a.key)
	if err != nil {
		return err
	}
	defer done()
	path := a.path()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return &easel.Error{Code: easel.CodeUnavailable, Message: "the working copy cannot be made", RetryAfter: time.Second, Err: err}
	}
	removeFile(path)
	ctx, cancel := context.WithTimeout(a.sys.ctx, a.sys.config.ActivationTimeout)
	defer cancel()
	if err := a.term.Restore(ctx, path); err != nil {
		if errors.Is(err, journal.ErrFenced) {
			a.deactivate(err)
		}
		return a.claimError(err)
	}
	a.restored = true
	a.disk.Store(max(diskBytes(path), 1))
	return nil
}

// closeFile goes from open to owned.
func (a *durable) closeFile() {
	if a.db == nil {
		return
	}
	if a.cradle != nil {
		a.rise()
		return
	}
	if a.open != nil {
		a.rollback()
	}
	err := a.db.Close()
	a.db, a.behavior = nil, nil
	a.memory.Store(0)
	a.sys.metrics.open.WithLabelValues(a.kind.Name).Dec()
	if err != nil {
		// A working copy that did not close well is not to be trusted.
		a.log.Warn("working copy did not close", "err", err)
		a.removeCopy()
		return
	}
	a.disk.Store(max(diskBytes(a.path()), 1))
}

// removeCopy deletes the closed working copy, if there is one.
func (a *durable) removeCopy() {
	if !a.restored {
		return
	}
	removeFile(a.path())
	a.restored = false
	a.disk.Store(0)
}

// deactivate goes to absent at once: whatever is held is lost, and those who
// wait for it are told that the outcome is unknown.
func (a *durable) deactivate(cause error) {
	a.life++
	lost := a.gate.queue
	if cause != nil && (a.kind.Name == timerKind || slices.ContainsFunc(lost, func(h *held) bool { return h.alarms })) {
		// A turn of unknown outcome may have left alarms that no timer knows of.
		a.sys.nudges.add(a.key)
	}
	a.closeFile()
	a.removeCopy()
	if a.term != nil {
		a.sys.metrics.owned.WithLabelValues(a.kind.Name).Dec()
		a.term = nil
	}
	a.bidFarewell()
	a.companion = nil
	a.gate, a.commit, a.inFlight, a.registered = gate{}, 0, 0, timerSet{}
	a.inherit()
	for _, h := range lost {
		h.fail(unknown(cause))
	}
}

// unwritable gives a failure of the working copy's disk the code that an asker
// sees. Others pass.
func unwritable(err error) error {
	if errors.Is(err, sqlite.ErrTxDone) || sqlite.IsFull(err) || errors.Is(err, syscall.ENOSPC) {
		return &easel.Error{Code: easel.CodeUnavailable, Message: "the working copy cannot be written", RetryAfter: time.Second, Err: err}
	}
	return err
}

// idle reports whether nothing is on its way.
func (a *durable) idle() bool {
	return a.inFlight == 0 && len(a.gate.queue) == 0
}

// rest is the sweep's request to close the file; what is on its way goes on.
func (a *durable) rest() {
	if a.db != nil && a.inFlight == 0 {
		a.closeFile()
	}
}

// retire gives the ownership up and ends the actor, unless it is in use.
func (a *durable) retire() {
	if !a.idle() || a.companion != nil && a.companion.Attached() {
		return
	}
	if a.term != nil {
		a.release()
		a.deactivate(nil)
	}
	a.leave()
}

// release gives the ownership up; what follows is deactivate.
func (a *durable) release() { a.giveUp(journal.Term.Release) }

// handOver is release for a node that waits for the actor.
func (a *durable) handOver() { a.giveUp(journal.Term.HandOver) }

func (a *durable) giveUp(how func(journal.Term, context.Context) error) {
	a.step.Store(stepParting)
	a.closeFile()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.sys.ctx), a.sys.config.ActivationTimeout)
	defer cancel()
	if err := how(a.term, ctx); err != nil && !errors.Is(err, journal.ErrClosed) && !errors.Is(err, journal.ErrFenced) {
		a.log.Warn("actor was not released", "err", err)
	}
}

// quit ends the actor because the system ends: all who wait are told.
func (a *durable) quit() {
	a.deactivate(errStopping())
	a.sys.drop(a)
}

// ended is called once, when the actor is out of the registry.
func (a *durable) ended() { a.sys.proto.Root.Stop(a.pid) }

// leave ends an actor that is absent and has no mail.
func (a *durable) leave() bool {
	if a.term != nil || !a.sys.forget(a) {
		return false
	}
	a.ended()
	return true
}
