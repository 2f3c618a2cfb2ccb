package actors

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/journal"
)

// Config is what a System is made of. Zero values are the defaults.
type Config struct {
	Node       string          // this node's name
	Dir        string          // for working copies; emptied at start. Required
	Journal    journal.Journal // required
	Kinds      []*Kind
	Ephemerals []*EphemeralKind
	// Messages are prototypes of all types that are stored as the verdict of a Once,
	// and with a Network of all that cross nodes.
	Messages []Message

	// Network makes the System a member of a cluster; nil: it is alone. Then
	// messages go where their actors belong, and what belongs elsewhere is never
	// activated here.
	Network Network
	// Proto is the protoactor system to live in, which is not shut down by Stop;
	// nil: one of its own.
	Proto *actor.ActorSystem

	CloseAfter        time.Duration // an idle file is closed after this; 0: 45 s
	ReleaseAfter      time.Duration // an idle actor is released after this; 0: 10 min
	OpenBytes         int64         // memory that open files may cost; 0: 64 MiB
	WorkBytes         int64         // of working copies on disk, before the least recently used go; 0: 10 GiB
	ActivationTimeout time.Duration // for claim, restore and release; 0: 30 s
	Activations       int           // that may be under way at once; 0: 64

	// InFlight is how many commits of one actor may be on their way to the journal
	// before what waits becomes one larger turn; 0: 4, for a home that is far away.
	InFlight int
	// Waiting is how many ops (see Weighty) may wait on this node, for their turn or
	// for the journal; one message more is CodeOverloaded. 0: 65,536.
	Waiting int

	Now        func() time.Time      // nil: time.Now
	Log        *slog.Logger          // nil: none
	Registerer prometheus.Registerer // nil: none
	Tracer     trace.Tracer          // nil: none
}

// System runs the actors of one node.
type System struct {
	config     Config
	node       string
	shared     bool // other processes may claim what this one owns
	now        func() time.Time
	log        *slog.Logger
	codec      *Codec
	kinds      map[string]*Kind
	ephemerals map[string]*EphemeralKind
	metrics    *metrics
	load       load
	proto      *actor.ActorSystem
	props      *actor.Props
	pool       *pool
	late       lateness
	admission  *places // of activations under way
	nudges     nudges
	corrupt    corrupt
	hooks      hooks
	trips      trips
	moves      moves
	pulse      pulse
	cradles    cradles

	ctx      context.Context //nolint:containedctx // the system's life
	cancel   context.CancelFunc
	started  atomic.Bool
	stopping atomic.Bool
	end      sync.Once
	spawning sync.Mutex // held to add to wg, and to end the adding
	wg       sync.WaitGroup

	seed   maphash.Seed
	shards [64]shard
}

// shard is a part of the registry of running actors.
type shard struct {
	mu     sync.Mutex // guards actors; taken before a mailbox's lock, never after
	actors map[Key]running
}

// running is a running actor, *durable or *ephemeral.
type running interface {
	name() Key
	mailbox() *mailbox
	quit()  // on the actor's goroutine
	ended() // once it is out of the registry
}

func (a *durable) name() Key           { return a.key }
func (a *durable) mailbox() *mailbox   { return &a.mail }
func (a *ephemeral) name() Key         { return a.key }
func (a *ephemeral) mailbox() *mailbox { return &a.mail }

// hooks plant faults that the model test must notice. They are all off.
type hooks struct {
	answerEarly   bool // answer before the turn is durable
	forgetVerdict bool // store no verdict of a Once
	trustTimer    bool // do not wait for the timer's entry
	skipUndo      bool // leave what a failed message wrote
	noOnceID      bool // repeat what is not idempotent without a Once
	noOwnerCheck  bool // take every actor for one of this node
	letFencedOut  bool // answer although the append was refused
}

// drainer is the one message that protoactor carries: the actor that has mail.
type drainer interface{ drain() }

// New makes a System; Start starts it.
func New(c Config) (*System, error) {
	if c.Dir == "" || c.Journal == nil {
		return nil, errors.New("actors: Config.Dir and Config.Journal are required")
	}
	if c.CloseAfter == 0 {
		c.CloseAfter = 45 * time.Second
	}
	if c.ReleaseAfter == 0 {
		c.ReleaseAfter = 10 * time.Minute
	}
	if c.OpenBytes == 0 {
		c.OpenBytes = 64 << 20
	}
	if c.WorkBytes == 0 {
		c.WorkBytes = 10 << 30
	}
	if c.ActivationTimeout == 0 {
		c.ActivationTimeout = 30 * time.Second
	}
	if c.Activations == 0 {
		c.Activations = 64
	}
	if c.InFlight == 0 {
		c.InFlight = 4
	}
	if c.Waiting == 0 {
		c.Waiting = 65536
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Tracer == nil {
		c.Tracer = noop.NewTracerProvider().Tracer("")
	}
	s := &System{
		config: c, node: c.Node, shared: c.Journal.Shared(), now: c.Now, log: c.Log,
		kinds: map[string]*Kind{}, ephemerals: map[string]*EphemeralKind{},
		admission: newPlaces(c.Activations), load: load{most: int64(c.Waiting)}, seed: maphash.MakeSeed(),
	}
	var err error
	if s.codec, err = NewCodec(c.Messages...); err != nil {
		return nil, err
	}
	timers, err := newTimerKind()
	if err != nil {
		return nil, err
	}
	for _, k := range append(c.Kinds, timers) {
		if s.kinds[k.Name] != nil {
			return nil, fmt.Errorf("actors: two kinds are called %q", k.Name)
		}
		s.kinds[k.Name] = k
	}
	for _, k := range c.Ephemerals {
		if s.kinds[k.Name] != nil || s.ephemerals[k.Name] != nil {
			return nil, fmt.Errorf("actors: two kinds are called %q", k.Name)
		}
		s.ephemerals[k.Name] = k
	}
	for i := range s.shards {
		s.shards[i].actors = map[Key]running{}
	}
	s.metrics = newMetrics(c.Registerer)
	if c.Network != nil {
		c.Journal.AskFirst(s.askFirst)
	}
	s.pulse = newPulse(monotonic(time.Now()))
	s.late = lateness{run: newRun(), began: time.Now(), origins: map[string]*Lag{}}
	return s, nil
}

// Start puts an empty folder of working copies in the place of an earlier one and
// wakes the timers, so that alarms that came due meanwhile are called. ctx bounds
// nothing but the start, which takes no longer the more actors there are.
func (s *System) Start(ctx context.Context) error {
	if err := setAside(s.config.Dir); err != nil {
		return err
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	jobs, cut := context.WithCancel(s.ctx)
	s.pool = &pool{ctx: jobs, cut: cut, workers: 4, log: s.log, dropped: s.metrics.dropped.Inc}
	if s.proto = s.config.Proto; s.proto == nil {
		s.proto = actor.NewActorSystem(
			actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(quiet{s.log.Handler()}) }),
		)
	}
	s.props = actor.PropsFromFunc(func(c actor.Context) {
		if d, ok := c.Message().(drainer); ok {
			d.drain()
		}
	})
	s.spawn(func() { s.clearAside(s.config.Dir) })
	s.spawn(s.sweep)
	if s.shared {
		s.spawn(s.watchPulse)
	}
	s.started.Store(true)
	s.wakeTimers()
	return nil
}

// Ask implements Asker.
func (s *System) Ask(ctx context.Context, r Request) (Message, error) {
	type outcome struct {
		m   Message
		err error
	}
	c := make(chan outcome, 1) // an actor answers once and never waits for the asker
	s.send(ctx, r, func(m Message, err error) { c <- outcome{m, err} })
	select {
	case o := <-c:
		return o.m, o.err
	case <-ctx.Done():
		return nil, &easel.Error{Code: easel.CodeUnavailable, Message: "no answer in time; the outcome is unknown", Err: ctx.Err()}
	}
}

// Tell sends r without waiting for an answer; what goes wrong is counted and
// dropped.
func (s *System) Tell(r Request) { s.send(s.ctx, r, nil) }

// Ask sends r and returns the answer as an R. An answer of another type is a
// broken invariant and comes back as an internal error.
func Ask[R Message](ctx context.Context, a Asker, r Request) (R, error) {
	m, err := a.Ask(ctx, r)
	if err != nil {
		var zero R
		return zero, err
	}
	answer, ok := m.(R)
	if !ok {
		return answer, fmt.Errorf("actors: %s answered %s with a %s", r.To, r.Message.MessageName(), m.MessageName())
	}
	return answer, nil
}

// Codec returns the codec of all messages that the System knows.
func (s *System) Codec() *Codec { return s.codec }

// local puts r into the mailbox of its actor on this node. reply, if any, is
// called exactly once, on whatever goroutine, unless the message is lost with its
// actor.
func (s *System) local(ctx context.Context, r Request, reply func(Message, error)) {
	admitted, err := s.load.admit(ctx, r.Message, reply)
	if err != nil {
		s.metrics.overloaded.WithLabelValues(r.To.Kind).Inc()
		reply(nil, err)
		return
	}
	reply = admitted
	e := &envelope{ctx: ctx, message: r.Message, from: r.From, once: r.Once, reply: reply, at: s.now()}
	for {
		a, err := s.running(r.To)
		if err == nil {
			err = a.mailbox().push(e)
		}
		switch {
		case err == nil:
			return
		case errors.Is(err, errMailboxClosed):
			continue // it left just now: the registry knows no more of it
		case errors.Is(err, errMailboxFull):
			s.metrics.overloaded.WithLabelValues(r.To.Kind).Inc()
			e.answer(nil, &easel.Error{
				Code: easel.CodeOverloaded, Message: "too much is waiting for this " + r.To.Kind, RetryAfter: time.Second,
			})
		default:
			e.answer(nil, err)
		}
		if reply == nil {
			s.metrics.dropped.Inc()
		}
		return
	}
}

// running returns the actor, started if need be.
func (s *System) running(key Key) (running, error) {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if a, ok := sh.actors[key]; ok {
		return a, nil
	}
	if s.stopping.Load() {
		return nil, errStopping()
	}
	if s.isDurable(key) && !s.mine(key) {
		return nil, errElsewhere()
	}
	var a running
	var pid **actor.PID
	if k, ok := s.kinds[key.Kind]; ok {
		d := &durable{sys: s, kind: k, key: key, log: s.log.With("key", key.String())}
		d.mail.capacity = k.Mailbox
		if k.Mailbox == 0 {
			d.mail.capacity = 1024
		}
		d.lastUsed.Store(s.now().UnixNano())
		a, pid = d, &d.pid
	} else if k, ok := s.ephemerals[key.Kind]; ok {
		d := &ephemeral{sys: s, kind: k, key: key, log: s.log.With("key", key.String())}
		d.mail.capacity = k.Mailbox
		if k.Mailbox == 0 {
			d.mail.capacity = 4096
		}
		s.metrics.ephemeral.WithLabelValues(k.Name).Inc()
		a, pid = d, &d.pid
	} else {
		return nil, fmt.Errorf("actors: no kind is called %q", key.Kind)
	}
	p := s.proto.Root.SpawnPrefix(s.props, key.String())
	*pid = p
	a.mailbox().wake = func() { s.proto.Root.Send(p, a) }
	sh.actors[key] = a
	return a, nil
}

func (s *System) shard(key Key) *shard {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_, _ = h.WriteString(key.Kind)
	_, _ = h.WriteString(key.ID)
	return &s.shards[h.Sum64()%uint64(len(s.shards))]
}

// forget takes an actor whose mailbox is empty out of the registry; the next
// message to its key starts a new one.
func (s *System) forget(a running) bool {
	sh := s.shard(a.name())
	sh.mu.Lock()
	defer sh.mu.Unlock()
	// It may have left before, and another may have its key by now.
	if sh.actors[a.name()] != a || !a.mailbox().close() {
		return false
	}
	delete(sh.actors, a.name())
	return true
}

// drop takes an actor out of the registry without any care, and answers all
// that wait in its mailbox.
func (s *System) drop(a running) {
	sh := s.shard(a.name())
	sh.mu.Lock()
	there := sh.actors[a.name()] == a
	if there {
		delete(sh.actors, a.name())
	}
	rest := a.mailbox().abandon()
	sh.mu.Unlock()
	for _, e := range rest {
		e.answer(nil, errStopping())
	}
	if there {
		a.ended()
	}
}

// each calls f for every running actor, without a lock held.
func (s *System) each(f func(running)) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		all := make([]running, 0, len(sh.actors))
		for _, a := range sh.actors {
			all = append(all, a)
		}
		sh.mu.Unlock()
		for _, a := range all {
			f(a)
		}
	}
}

// admit waits for a place among the activations under way. Those who wait get
// one by turns of their shares, so that a storm of one share delays no other.
func (s *System) admit(key Key) (done func(), err error) {
	if err := s.admission.take(s.ctx, key.share()); err != nil {
		return nil, errStopping()
	}
	return s.admission.give, nil
}

// spawn runs f on a goroutine that Stop waits for; a system that has stopped runs
// no more.
func (s *System) spawn(f func()) {
	s.spawning.Lock()
	defer s.spawning.Unlock()
	if s.ctx.Err() == nil {
		s.wg.Go(f)
	}
}
