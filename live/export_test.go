package live

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// Host is what a room needs of its runtime.
type Host = host

// NewTestRoom makes a room on h.
func NewTestRoom(h Host, opts Options) *Room {
	return newRoom(h, opts, newMetrics(nil), slog.New(slog.DiscardHandler))
}

// Handle gives the room one message.
func (r *Room) Handle(m actors.Message) (actors.Message, error) { return r.handle(m) }

// Enter brings a new session into the room.
func (r *Room) Enter(conn string, who easel.Principal, q Queues) (*Session, error) {
	s := newSession(conn, q)
	_, err := r.handle(enter{session: s, who: who})
	return s, err
}

// Listen brings a new listener into the room.
func (r *Room) Listen(conn string, who easel.Principal, since *Position) (*Session, error) {
	s := newSession(conn, Queues{})
	_, err := r.handle(enter{session: s, who: who, listen: true, since: since})
	return s, err
}

// Say gives the room a frame of a session's client.
func (r *Room) Say(conn string, in Inbound) error {
	_, err := r.handle(said{conn, in})
	return err
}

// Leave takes a session out.
func (r *Room) Leave(conn string) { _, _ = r.handle(gone{conn}) }

// Renew changes who a session speaks for.
func (r *Room) Renew(conn string, who easel.Principal) { _, _ = r.handle(renewed{conn, who}) }

// Glance asks the room for its copy, as Rooms.Look does.
func (r *Room) Glance(since Position, one easel.ID) View {
	m, err := r.handle(glance{since, one})
	v, ok := m.(View)
	if err != nil || !ok {
		panic(fmt.Sprint("a glance is answered with ", m, err))
	}
	return v
}

// TestFeed is a feed without runtime.
type TestFeed struct{ core feedCore }

// Receive handles a message; ok is false if it is not for feeds. What the feed
// tells comes back as requests.
func (f *TestFeed) Receive(now time.Time, m actors.Message) (answer actors.Message, tells []actors.Request, ok bool) {
	var effects []effect
	switch m := m.(type) {
	case Attach:
		answer, effects = f.core.attach(now, m)
	case Detach:
		effects = f.core.detach(now, m)
	case People:
		effects = f.core.relay(m.Room, m)
	case Arrival:
		effects = f.core.relay(m.Room, m)
	default:
		return nil, nil, false
	}
	return answer, requests(effects), true
}

// Published gives the feed what the image published.
func (f *TestFeed) Published(now time.Time, m actors.Message) []actors.Request {
	return requests(f.core.published(now, m))
}

// Attached reports whether a room is attached.
func (f *TestFeed) Attached() bool { return f.core.attached() }

func requests(effects []effect) []actors.Request {
	var out []actors.Request
	for _, e := range effects {
		if t, ok := e.(tellEffect); ok {
			out = append(out, actors.Request{To: t.to, Node: t.node, Message: t.message})
		}
	}
	return out
}

// Timings that tests wait for.
const (
	BeatEvery = beatEvery
	LeaseFor  = leaseFor
)

// Bucket is a token bucket.
type Bucket = bucket

// NewBucket makes a full bucket.
func NewBucket(rate, burst int) Bucket { return newBucket(rate, burst) }

// Take takes tokens.
func (b *bucket) Take(now time.Time, n int) time.Duration { return b.take(now, n) }

// State describes how far a room's copy is.
func (r *Room) State() string {
	s := r.core.sync
	return fmt.Sprintf("ver %d whole %d known %d replica %t paging %t pulling %t timing %t beating %t again %t held %d members %d finished %t",
		s.ver, s.whole, s.known, s.replica != nil, s.paging, s.pulling, s.timing, s.beating, s.again, len(s.held),
		len(r.core.members), r.core.finished)
}

// NewTestFeed makes a feed on a node.
func NewTestFeed(node string) *TestFeed { return &TestFeed{feedCore{node: node}} }

// Leave sends the feed's rooms away.
func (f *TestFeed) Leave() []actors.Request {
	return requests(f.core.leave())
}
