package live

import (
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// Room is the live view of one image on one node: an ephemeral actor that
// carries out what its core decides. Sessions belong to it from enter until they
// are closed.
type Room struct {
	host     host
	core     *roomCore
	metrics  *metrics
	tracer   trace.Tracer // nil: none
	log      *slog.Logger
	sessions []*Session
	byConn   map[string]*Session
	hellos   map[string]func() // withdraw what is asked for a session; by conn
	ended    []string          // sessions found closed while effects were performed
	crashed  bool
}

// host is what a room needs of *actors.Context.
type host interface {
	Self() actors.Ref
	Now() time.Time
	Tell(r actors.Request)
	Ask(r actors.Request, timeout time.Duration, then func(actors.Message, error)) (withdraw func())
	After(d time.Duration, f func()) (stop func())
}

var (
	_ actors.Ephemeral = (*Room)(nil)
	_ host             = (*actors.Context)(nil)
)

func newRoom(h host, opts Options, m *metrics, log *slog.Logger) *Room {
	r := &Room{
		host: h, core: newRoomCore(h.Self(), opts), metrics: m, tracer: opts.Tracer, log: log,
		byConn: map[string]*Session{}, hellos: map[string]func(){},
	}
	r.sweep()
	return r
}

// sweep notices sessions that ended without saying so.
func (r *Room) sweep() {
	r.host.After(beatEvery, func() {
		if r.crashed {
			return
		}
		for _, s := range r.sessions {
			if s.Closed() != nil {
				r.ended = append(r.ended, s.conn)
			}
		}
		r.perform(nil)
		r.sweep()
	})
}

// Receive implements actors.Ephemeral.
func (r *Room) Receive(c *actors.Context, m actors.Message) (actors.Message, error) {
	if a, ok := m.(canvas.Accepted); ok && r.tracer != nil {
		defer r.fanOut(c, a).End()
	}
	return r.handle(m)
}

// fanOut starts the span of giving a batch to everyone in the room. It goes on the
// trace of the frame or request that made the batch; without one it records
// nothing.
func (r *Room) fanOut(c *actors.Context, a canvas.Accepted) trace.Span {
	ctx := c.Trace()
	if at := trace.SpanFromContext(ctx); !at.SpanContext().IsSampled() {
		return noop.Span{}
	}
	_, span := r.tracer.Start(ctx, "room fan-out", trace.WithAttributes(
		attribute.Int("easel.sessions", len(r.sessions)), attribute.Int64("easel.ver", a.Batch.Ver)))
	return span
}

func (r *Room) handle(m actors.Message) (actors.Message, error) {
	now := r.host.Now()
	switch m := m.(type) {
	case enter:
		effects, err := r.core.enter(now, m)
		if err != nil {
			return nil, err
		}
		r.sessions = append(r.sessions, m.session)
		r.byConn[m.session.conn] = m.session
		r.perform(effects)
		return entered{}, nil
	case said:
		effects, err := r.core.said(now, m)
		r.perform(effects)
		return nil, err
	case renewed:
		r.perform(r.core.renew(now, m))
	case glance:
		v, effects := r.core.glance(now, m)
		r.perform(effects)
		return v, nil
	case gone:
		r.drop(m.conn)
		r.perform(r.core.leave(now, m.conn))
	default:
		r.perform(r.core.receive(now, m))
	}
	return nil, nil
}

// Done implements actors.Ephemeral.
func (r *Room) Done() bool { return r.core.finished }

// Crashed ends all sessions after a panic: the next room knows nothing of them.
func (r *Room) Crashed() {
	r.crashed = true
	for _, s := range r.sessions {
		s.Close(CloseInternal)
	}
}

func (r *Room) drop(conn string) {
	s := r.byConn[conn]
	if s == nil {
		return
	}
	if c := s.Closed(); c != nil && *c == CloseSlow {
		r.metrics.slow.Inc()
	}
	delete(r.byConn, conn)
	if withdraw := r.hellos[conn]; withdraw != nil {
		delete(r.hellos, conn)
		withdraw()
	}
	for i, o := range r.sessions {
		if o == s {
			last := len(r.sessions) - 1
			r.sessions[i], r.sessions[last] = r.sessions[last], nil
			r.sessions = r.sessions[:last]
			return
		}
	}
}

// perform carries out effects in order, and then lets go of the sessions that
// turned out to have ended.
func (r *Room) perform(effects []effect) {
	for {
		for _, e := range effects {
			r.performOne(e)
		}
		if len(r.ended) == 0 {
			return
		}
		conn := r.ended[len(r.ended)-1]
		r.ended = r.ended[:len(r.ended)-1]
		effects = nil
		if s := r.byConn[conn]; s != nil {
			r.drop(conn)
			effects = r.core.leave(r.host.Now(), conn)
		}
	}
}

func (r *Room) performOne(e effect) {
	switch e := e.(type) {
	case askEffect:
		r.ask(e)
	case tellEffect:
		r.host.Tell(actors.Request{To: e.to, Node: e.node, Message: e.message})
	case timerEffect:
		r.host.After(e.after, func() { r.resume(e.then, nil, nil) })
	case postEffect:
		if s := r.byConn[e.conn]; s != nil {
			s.push(e.item)
		}
	case beginEffect:
		if s := r.byConn[e.conn]; s != nil {
			s.begin(e)
		}
	case advanceEffect:
		for _, s := range r.sessions {
			if !s.advance(e.tail) {
				r.ended = append(r.ended, s.conn)
			}
		}
		r.metrics.deliveries.Add(float64(len(r.sessions)))
	case showEffect:
		for _, s := range r.sessions {
			if s.conn != e.conn {
				s.show(e.conn, e.frame)
			}
		}
	case forgetEffect:
		for _, s := range r.sessions {
			s.forget(e.conn)
		}
	case closeEffect:
		s := r.byConn[e.conn]
		if s == nil {
			return
		}
		r.drop(e.conn)
		if e.reason != "" {
			s.Bye(e.reason, 0, e.close)
			return
		}
		s.Close(e.close)
	case alarmEffect:
		r.metrics.alarms.Inc()
		r.log.Error("broken invariant", "key", r.core.image.String(), "what", e.message)
	}
}

func (r *Room) ask(e askEffect) {
	withdraw := r.host.Ask(actors.Request{To: e.to, Message: e.message, Once: e.once}, e.timeout, func(m actors.Message, err error) {
		if e.conn != "" {
			delete(r.hellos, e.conn)
		}
		r.resume(e.then, m, err)
	})
	if e.conn != "" {
		r.hellos[e.conn] = withdraw
	}
}

func (r *Room) resume(f then, m actors.Message, err error) {
	if r.crashed {
		return
	}
	r.perform(f(r.host.Now(), m, err))
}
