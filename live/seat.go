package live

import (
	"context"
	"sync"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// Seat is a session's place in a room, as a connection sees it: frames of the
// client go in by Say, frames for the client come out by Session.Take. Whoever
// got a seat calls Leave.
type Seat struct {
	*Session
	rooms  *Rooms
	asker  actors.Asker
	room   actors.Key
	tenant easel.TenantID

	mu     sync.Mutex // guards what follows
	who    easel.Principal
	expiry *time.Timer
	left   bool
}

// leaveTimeout bounds how long Leave waits for a busy room, which otherwise
// notices by itself.
const leaveTimeout = 2 * time.Second

// Principal returns who the seat speaks for.
func (s *Seat) Principal() easel.Principal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.who
}

// Say gives one frame of the client to the room and waits until the room has
// taken it, which keeps a client from filling the room's mailbox. A ping is
// answered at once. Errors: CodeOverloaded and CodeUnavailable if the frame was
// not taken, CodeNotFound if the room knows nothing of the seat any more.
func (s *Seat) Say(ctx context.Context, in Inbound) error {
	if in.Type == TypePing && in.Bad == nil {
		s.Pong()
		return nil
	}
	if in.Op != nil {
		if wait := s.rooms.takeOps(s.tenant, max(len(in.Op.Ops), 1)); wait > 0 {
			s.push(Item{Frame: rej(in.Op.Seq, slow("the tenant does too many ops", wait))})
			return nil
		}
	}
	_, err := s.asker.Ask(ctx, actors.Request{To: s.room, Message: said{conn: s.conn, frame: in}})
	switch code := easel.CodeOf(err); {
	case code != easel.CodeOverloaded && code != easel.CodeUnavailable:
		return err
	case in.Op != nil && ctx.Err() == nil:
		s.push(Item{Frame: rej(in.Op.Seq, asError(err))})
		return nil
	case ctx.Err() == nil:
		s.Refuse(err)
		return nil
	default:
		return err
	}
}

// Renew makes the seat speak for who from now on, until that expires. Errors:
// CodeForbidden if it is another user or tenant, or a ticket for another image.
func (s *Seat) Renew(ctx context.Context, who easel.Principal) error {
	old := s.Principal()
	if who.User != old.User || who.Tenant != old.Tenant || who.Image != "" && who.Image != old.Image {
		return easel.Errorf(easel.CodeForbidden, "the token is not of this user and tenant")
	}
	if _, err := s.asker.Ask(ctx, actors.Request{To: s.room, Message: renewed{conn: s.conn, who: who}}); err != nil {
		return err
	}
	s.mu.Lock()
	s.who = who
	s.mu.Unlock()
	s.expireAt(who.Expires)
	return nil
}

// expireAt closes the seat at t, instead of whenever it was to be closed before.
// The zero time is never.
func (s *Seat) expireAt(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expiry != nil {
		s.expiry.Stop()
		s.expiry = nil
	}
	if s.left || t.IsZero() {
		return
	}
	s.expiry = time.AfterFunc(time.Until(t), func() { s.Close(CloseUnauthorized) })
}

// Leave gives the seat back, also if ctx has ended. It may be called more than
// once.
func (s *Seat) Leave(ctx context.Context) {
	s.mu.Lock()
	again := s.left
	s.left = true
	if s.expiry != nil {
		s.expiry.Stop()
	}
	s.mu.Unlock()
	if again {
		return
	}
	s.Close(CloseGone)
	s.rooms.release(s)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	_, _ = s.asker.Ask(ctx, actors.Request{To: s.room, Message: gone{s.conn}})
}
