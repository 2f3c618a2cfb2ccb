package actors

import (
	"context"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/easelhq/easel"
)

const (
	// askBudget is how long an ask is tried whose context has no end.
	askBudget = 5 * time.Second
	// tellBudget is how long a told message is under way at most.
	tellBudget = 5 * time.Second

	// backoffMin, doubled up to backoffMax, is the pause before another attempt.
	backoffMin = 10 * time.Millisecond
	backoffMax = 160 * time.Millisecond
	// askMost is how long an ask is tried at most: all attempts must fall into the
	// time for which its verdict is kept, by clocks that may differ.
	askMost = time.Minute
	// silence, doubled up to silenceMax, is how long an attempt on another node is without
	// an answer before it is repeated: what carries it may have been lost although
	// the node and the link are there.
	silence    = 2 * time.Second
	silenceMax = 8 * time.Second
)

// send takes r to its actor, wherever that is. reply, if any, is called exactly
// once, on whatever goroutine, unless the message is lost with its actor.
func (s *System) send(ctx context.Context, r Request, reply func(Message, error)) {
	switch n := s.config.Network; {
	case n == nil:
		s.local(ctx, r, reply)
	case !s.isDurable(r.To):
		s.sendEphemeral(ctx, r, reply)
	case reply == nil:
		s.tell(ctx, r, true)
	default:
		if r.Once.ID == "" && !idempotent(r.Message) && !s.hooks.noOnceID {
			r.Once = Once{ID: s.newOwnID()}
		}
		t := &trip{s: s, ctx: ctx, r: r, reply: reply}
		t.attempt()
	}
}

// sendEphemeral takes r to the node it names, once.
func (s *System) sendEphemeral(ctx context.Context, r Request, reply func(Message, error)) {
	if r.Node == "" || r.Node == s.node {
		s.local(ctx, r, reply)
		return
	}
	if reply == nil {
		s.config.Network.Carry(ctx, r.Node, r, nil)
		return
	}
	ctx, cancel := bounded(ctx, askBudget)
	s.config.Network.Carry(ctx, r.Node, r, func(m Message, err error) {
		cancel()
		if lossOf(err) != nil {
			err = &easel.Error{Code: easel.CodeUnavailable, Message: "the node is away; the outcome is unknown", RetryAfter: time.Second, Err: err}
		}
		reply(m, err)
	})
}

// bounded gives ctx an end if it has none.
func bounded(ctx context.Context, budget time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, budget)
}

// tell takes r to the node it belongs on. If it was not done there, it is tried
// once more.
func (s *System) tell(ctx context.Context, r Request, again bool) {
	moved := func() {
		if again && s.ctx.Err() == nil {
			time.AfterFunc(pause(0), func() { s.tell(ctx, r, false) })
			return
		}
		s.metrics.dropped.Inc()
	}
	told := func(_ Message, err error) {
		switch {
		case lossOf(err) == ErrMoved: //nolint:errorlint // lossOf returns exactly this
			moved()
		case lossOf(err) != nil || easel.CodeOf(err) == easel.CodeOverloaded:
			s.metrics.dropped.Inc()
		}
	}
	owner := s.config.Network.Owner(r.To)
	switch {
	case s.ctx.Err() != nil:
		s.metrics.dropped.Inc()
	case owner == "":
		moved()
	case owner == s.node, s.holds(r.To):
		s.local(ctx, r, told)
	default:
		ctx, cancel := bounded(ctx, tellBudget)
		s.metrics.carried.WithLabelValues(r.To.Kind).Inc()
		s.config.Network.Carry(ctx, owner, r, func(m Message, err error) {
			cancel()
			told(m, err)
		})
	}
}

// pause is how long to wait before an attempt, after so many that failed.
func pause(tries int) time.Duration {
	d := min(backoffMin<<min(tries, 10), backoffMax)
	return d/2 + mathrand.N(d/2+1)
}

// trip is an ask on its way to a durable actor: attempt after attempt, until one of
// them has an answer or time is up. That repeats have one effect is seen to by the
// message or by its Once.
type trip struct {
	s     *System
	ctx   context.Context //nolint:containedctx // of the ask, for its end and its trace
	r     Request
	reply func(Message, error)

	mu       sync.Mutex // guards what follows
	over     bool
	away     bool // it is in the System's list
	deadline time.Time
	cancel   context.CancelFunc // ends what is carried; nil: nothing was
	node     string             // of the last attempt
	tries    int                // attempts that came back without an answer
	open     int                // attempts that have not come back
	doubt    bool               // one of them may have taken effect
	silence  time.Duration      // before the next repeat
	waiting  bool               // the timer is for the next attempt, not for a silent one
	timer    *time.Timer
}

// attempt takes the request to the node it belongs on now.
func (t *trip) attempt() {
	s := t.s
	if s.ctx.Err() != nil {
		t.end(nil, errStopping())
		return
	}
	owner := s.config.Network.Owner(t.r.To)
	if owner == s.node || s.holds(t.r.To) {
		s.local(t.begin(s.node), t.r, t.back)
		return
	}
	ctx, ok := t.leave(owner)
	switch {
	case !ok:
	case owner == "":
		t.back(nil, ErrMoved)
	default:
		s.metrics.carried.WithLabelValues(t.r.To.Kind).Inc()
		s.config.Network.Carry(ctx, owner, t.r, t.back)
	}
}

// begin notes an attempt on this node, which always comes back, and returns the
// context for it.
func (t *trip) begin(node string) context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.node, t.waiting = node, false
	t.open++
	return t.ctx
}

// leave notes an attempt on another node and makes sure that it is not waited for
// in vain. It returns the context to carry it with, and false if the trip is over.
func (t *trip) leave(node string) (context.Context, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return nil, false
	}
	t.listLocked()
	t.node, t.waiting = node, false
	t.open++
	t.silence = min(max(2*t.silence, silence), silenceMax)
	t.wakeLocked(t.silence)
	return t.ctx, true
}

// listLocked makes the System know of the trip, for changes of the cluster and for
// its own end, and gives it a deadline.
func (t *trip) listLocked() {
	if t.away {
		return
	}
	t.away = true
	t.ctx, t.cancel = bounded(t.ctx, askBudget)
	t.deadline, _ = t.ctx.Deadline()
	if most := time.Now().Add(askMost); t.deadline.After(most) {
		t.deadline = most
	}
	t.s.trips.add(t)
}

// wakeLocked calls tick after d, or when time is up.
func (t *trip) wakeLocked(d time.Duration) {
	if t.timer != nil {
		t.timer.Stop()
	}
	t.timer = time.AfterFunc(max(0, min(d, time.Until(t.deadline))), t.tick)
}

// tick is the end of a pause, of a silence, or of the deadline.
func (t *trip) tick() {
	t.mu.Lock()
	over, late := t.over, t.ctx.Err() != nil || !time.Now().Before(t.deadline)
	if !over && !late && !t.waiting {
		t.doubt = true
		t.s.metrics.repeated.WithLabelValues("silence").Inc()
	}
	t.mu.Unlock()
	switch {
	case over:
	case late:
		t.end(nil, t.tooLate())
	default:
		t.attempt()
	}
}

func (t *trip) tooLate() error {
	return &easel.Error{
		Code: easel.CodeUnavailable, Message: "no answer in time; the outcome is unknown", RetryAfter: time.Second, Err: t.ctx.Err(),
	}
}

// back takes what came of one attempt.
func (t *trip) back(m Message, err error) {
	why := ""
	switch lossOf(err) {
	case ErrMoved: //nolint:errorlint // lossOf returns exactly this
		why = "moved"
	case ErrLost:
		why = "lost"
	default:
		if err == nil || !t.undecided(err) {
			t.end(m, err)
			return
		}
		why = "undecided"
	}
	owner := t.s.config.Network.Owner(t.r.To)
	if owner == t.s.node && t.s.stopping.Load() {
		t.end(nil, errStopping()) // there is nobody to take it over
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open--
	t.doubt = t.doubt || why == "lost"
	if t.over || t.waiting {
		return
	}
	t.listLocked()
	t.s.metrics.repeated.WithLabelValues(why).Inc()
	t.waiting = true
	if owner != "" && owner != t.node {
		t.wakeLocked(0)
		return
	}
	t.wakeLocked(pause(t.tries))
	t.tries++
}

// undecided reports whether err only says that nothing came of this attempt, while
// another may have taken effect: the asker must not be told that nothing did.
func (t *trip) undecided(err error) bool {
	switch easel.CodeOf(err) {
	case easel.CodeOverloaded, easel.CodeRateLimited, easel.CodeUnavailable:
	default:
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return (t.doubt || t.open > 1) && !idempotent(t.r.Message)
}

// hurry makes an attempt at once if the actor belongs elsewhere than where it was
// asked last.
func (t *trip) hurry() {
	owner := t.s.config.Network.Owner(t.r.To)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over && t.waiting && owner != "" && owner != t.node {
		t.wakeLocked(0)
	}
}

// end gives the asker its answer, the first that came.
func (t *trip) end(m Message, err error) {
	t.mu.Lock()
	if t.over {
		t.mu.Unlock()
		return
	}
	t.over = true
	if t.timer != nil {
		t.timer.Stop()
	}
	away, cancel := t.away, t.cancel
	t.mu.Unlock()
	if away {
		t.s.trips.remove(t)
		cancel()
	}
	if lossOf(err) != nil {
		err = withoutLoss(err)
	}
	t.reply(m, err)
}

// trips are the asks that are not simply with an actor of this node.
type trips struct {
	mu  sync.Mutex // guards all
	all map[*trip]struct{}
}

func (l *trips) add(t *trip) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[*trip]struct{}{}
	}
	l.all[t] = struct{}{}
}

func (l *trips) remove(t *trip) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, t)
}

func (l *trips) each(f func(*trip)) {
	l.mu.Lock()
	all := make([]*trip, 0, len(l.all))
	for t := range l.all {
		all = append(all, t)
	}
	l.mu.Unlock()
	for _, t := range all {
		f(t)
	}
}
