package actors

import (
	"context"
	"time"

	"github.com/easelhq/easel/sqlite"
)

// Turn is what a behavior has in its hands while it works. It is valid only
// until the method it was given to returns.
type Turn struct {
	a       *durable
	ctx     context.Context //nolint:containedctx // of the message being handled
	from    Ref
	now     time.Time
	outputs []output
	alarms  []alarmChange
	ungated bool
}

// Key returns the actor's own key.
func (t *Turn) Key() Key { return t.a.key }

// Now returns the turn's time: the same for the whole turn.
func (t *Turn) Now() time.Time { return t.now }

// From returns the actor that sent the message, if one did.
func (t *Turn) From() Ref { return t.from }

// Tx returns the turn's transaction, which the runtime commits.
func (t *Turn) Tx() *sqlite.Tx { return t.a.tx() }

// Publish gives m to the companion once the turn is durable.
func (t *Turn) Publish(m Message) {
	t.outputs = append(t.outputs, output{publish: m, ctx: t.ctx})
}

// Tell sends a request to another actor once the turn is durable, at most once
// and without an answer. What must arrive is repeated by an alarm.
func (t *Turn) Tell(r Request) {
	r.From = Ref{Node: t.a.sys.node, Key: t.a.key}
	t.outputs = append(t.outputs, output{tell: &r, ctx: t.ctx})
}

// SetAlarm makes Behavior.Alarm(name) be called at or after due, at least once,
// also if the actor sleeps or the process ends before. It replaces an alarm of
// the same name.
func (t *Turn) SetAlarm(name string, due time.Time) {
	t.alarms = append(t.alarms, alarmChange{name: name, due: max(due.UnixMilli(), 1)})
}

// ClearAlarm forgets an alarm; none is no error.
func (t *Turn) ClearAlarm(name string) {
	t.alarms = append(t.alarms, alarmChange{name: name})
}

// Go runs work outside the turn once the turn is durable, on a goroutine of the
// runtime's bounded pool, and delivers the message it returns (nil: none) to
// Behavior.Receive. It is at most once: an alarm that is set until the message
// arrives makes it at least once. The context ends when the system begins to stop;
// what is returned then still reaches the actor, if it is on another node by now.
func (t *Turn) Go(work func(ctx context.Context) Message) {
	t.outputs = append(t.outputs, output{job: work, ctx: t.ctx})
}

// Durable returns the number of this activation's newest durable commit. A read
// of state no newer than that may be answered Ungated.
func (t *Turn) Durable() int64 { return t.a.gate.durable }

// Commit returns the number that this turn's commit has if it writes. Numbers
// count up by one for each commit, from 1 at each activation.
func (t *Turn) Commit() int64 { return t.a.commit + 1 }

// Ungated lets the answer of the current message leave at once, unless it is
// stored as the verdict of a Once. The behavior vouches that it shows nothing
// newer than Durable. What else the turn says waits as ever.
func (t *Turn) Ungated() { t.ungated = true }
