package live

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// Rooms are the rooms of one node, and the way into them. Its methods may be
// called by any goroutine.
type Rooms struct {
	opts    Options
	metrics *metrics
	log     *slog.Logger

	mu       sync.Mutex // guards what follows; held for moments only
	asker    Messenger
	seats    map[*Seat]struct{}
	places   map[actors.Key]int // seats in each room
	tenants  map[easel.TenantID]*tenantUse
	draining bool
}

// NewRooms makes the rooms of a node. Registering Kind with a System and giving
// that System to Use makes them work. reg may be nil.
func NewRooms(opts Options, log *slog.Logger, reg prometheus.Registerer) *Rooms {
	return &Rooms{opts: opts.withDefaults(), metrics: newMetrics(reg), log: log, seats: map[*Seat]struct{}{}, places: map[actors.Key]int{}, tenants: map[easel.TenantID]*tenantUse{}}
}

// Kind returns the actor kind of rooms.
func (r *Rooms) Kind() *actors.EphemeralKind {
	return &actors.EphemeralKind{Name: KindName, New: func(c *actors.Context, _ actors.Key) actors.Ephemeral {
		return newRoom(c, r.opts, r.metrics, r.log)
	}}
}

// Use says who carries messages to rooms and images. It is called once, before
// Join.
func (r *Rooms) Use(m Messenger) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asker = m
}

// Messenger carries messages to actors; *actors.System is one.
type Messenger interface {
	actors.Asker
	// Tell sends r without waiting for an answer; it may be lost.
	Tell(r actors.Request)
}

// OwnersChanged makes the rooms with seats attach to the feeds of images that have
// moved, at once instead of when they would next. owner tells where an image
// belongs; it is called for each of them and must not block.
func (r *Rooms) OwnersChanged(owner func(actors.Key) string) {
	r.mu.Lock()
	messenger := r.asker
	rooms := slices.Collect(maps.Keys(r.places))
	r.mu.Unlock()
	for _, room := range rooms {
		if node := owner(imageKey(room)); node != "" {
			messenger.Tell(actors.Request{To: room, Message: Moved{Owner: node}})
		}
	}
}

// Join takes a seat for a socket in the room of an image; its client has to say
// hello. While the node drains the seat is told to go at once, so that a client
// which came too late is told like all others. Errors: CodeNotFound and CodeGone for
// the image, CodeRateLimited if the room is full, CodeUnavailable if the image cannot
// be reached.
func (r *Rooms) Join(ctx context.Context, image actors.Key, who easel.Principal) (*Seat, error) {
	return r.join(ctx, image, enter{who: who})
}

// Listen takes a seat for an event stream, which begins with a snapshot, or with
// what was missed since a position. Errors as for Join.
func (r *Rooms) Listen(ctx context.Context, image actors.Key, who easel.Principal, since *Position) (*Seat, error) {
	return r.join(ctx, image, enter{who: who, listen: true, since: since})
}

func (r *Rooms) join(ctx context.Context, image actors.Key, m enter) (*Seat, error) {
	r.mu.Lock()
	asker := r.asker
	r.mu.Unlock()
	_, err := actors.Ask[canvas.ImageReply](ctx, asker, actors.Request{To: image, Message: canvas.Look{}})
	if err != nil {
		return nil, err
	}
	m.session = newSession(string(easel.NewID()), r.opts.Queues)
	s := &Seat{Session: m.session, rooms: r, asker: asker, room: Key(image), who: m.who, tenant: m.who.Tenant}
	if _, err := asker.Ask(ctx, actors.Request{To: s.room, Message: m}); err != nil {
		s.Leave(ctx) // it may have entered although the answer was lost
		return nil, err
	}
	draining, err := r.seat(s)
	if err != nil {
		s.Leave(ctx)
		return nil, err
	}
	s.expireAt(m.who.Expires)
	if draining {
		s.Bye("draining", 0, CloseDraining)
	}
	return s, nil
}

// tenantUse is what a tenant uses of this node.
type tenantUse struct {
	sockets int
	ops     bucket
}

// useLocked returns the tenant's use, which is forgotten when it is none.
func (r *Rooms) useLocked(id easel.TenantID) *tenantUse {
	u := r.tenants[id]
	if u == nil {
		u = &tenantUse{ops: newBucket(r.opts.Limits.TenantOps, r.opts.Limits.TenantOps)}
		r.tenants[id] = u
	}
	return u
}

func (r *Rooms) seat(s *Seat) (draining bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u := r.useLocked(s.tenant)
	if u.sockets >= r.opts.Limits.TenantSockets {
		return false, slow("the tenant has too many connections", time.Second)
	}
	u.sockets++
	r.seats[s] = struct{}{}
	r.places[s.room]++
	r.metrics.sessions.Inc()
	return r.draining, nil
}

func (r *Rooms) release(s *Seat) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.seats[s]; !ok {
		return
	}
	delete(r.seats, s)
	if r.places[s.room]--; r.places[s.room] == 0 {
		delete(r.places, s.room)
	}
	r.metrics.sessions.Dec()
	if u := r.useLocked(s.tenant); u.sockets > 1 {
		u.sockets--
	} else {
		delete(r.tenants, s.tenant)
	}
}

// takeOps takes n ops from the tenant's rate; otherwise it says how long to
// wait.
func (r *Rooms) takeOps(tenant easel.TenantID, n int) (wait time.Duration) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.useLocked(tenant).ops.take(now, n)
}

func (r *Rooms) all() []*Seat {
	r.mu.Lock()
	defer r.mu.Unlock()
	seats := make([]*Seat, 0, len(r.seats))
	for s := range r.seats {
		seats = append(seats, s)
	}
	return seats
}

// Recheck says what a service key may do now. An error of CodeUnauthorized means
// that it was revoked or has expired; other errors mean nothing.
type Recheck func(ctx context.Context, who easel.Principal) (easel.Principal, error)

// Watch looks after the service keys that seats were taken with, every interval,
// until ctx ends: the seats of a revoked key are closed with CloseUnauthorized.
func (r *Rooms) Watch(ctx context.Context, every time.Duration, check Recheck) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		type key struct {
			tenant easel.TenantID
			id     easel.ID
		}
		keys := map[key][]*Seat{}
		for _, s := range r.all() {
			if who := s.Principal(); who.Key != "" {
				k := key{who.Tenant, who.Key}
				keys[k] = append(keys[k], s)
			}
		}
		for _, seats := range keys {
			who, err := check(ctx, seats[0].Principal())
			for _, s := range seats {
				switch {
				case easel.CodeOf(err) == easel.CodeUnauthorized:
					s.Close(CloseUnauthorized)
				case err == nil && who.Role != s.Principal().Role:
					_ = s.Renew(ctx, who) // it comes again in a second
				}
			}
		}
	}
}
