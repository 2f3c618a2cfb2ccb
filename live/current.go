package live

import (
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// How a room finds out that its copy is current.
const (
	// MaxAge is how old a copy may be that answers a read.
	MaxAge = 5 * time.Second
	// lookAfter is the age from which on a read makes the room ask the image.
	lookAfter   = time.Second
	lookTimeout = 2 * time.Second
)

// proof is an answer of the image: at a moment after at, it had got to ver.
type proof struct {
	at    time.Time
	epoch string
	ver   int64
}

// glance asks the room for its copy. It never leaves a node.
type glance struct {
	since Position // what the copy must have reached; zero: anything
	one   easel.ID // the one annotation that is wanted; "": all
}

// MessageName implements actors.Message.
func (glance) MessageName() string { return "live.glance" }

// MessageName implements actors.Message.
func (View) MessageName() string { return "live.view" }

// glance answers from the copy. A stream without gap says nothing of how old it
// is: what is not sent is not missed. So the copy's age counts from when the room
// last asked the image, whose answer tells of all that was acknowledged before
// that, and which a superseded owner cannot give. Only reads make the room ask;
// they do not wait for it.
func (r *roomCore) glance(now time.Time, m glance) (View, []effect) {
	s := &r.sync
	if r.finished {
		return View{outcome: outcomeNone}, nil
	}
	v := View{Epoch: s.epoch, Ver: s.ver, outcome: outcomeAnswered}
	other := m.since.Epoch != "" && m.since.Epoch != s.epoch
	behind := m.since.Epoch != "" && !other && m.since.Ver > s.ver
	age, known := s.age(now)
	if behind || !known || age > lookAfter {
		r.look(now)
	}
	switch {
	case !s.live() || other:
		v.outcome = outcomeNone
	case !known || age > MaxAge:
		v.outcome = outcomeStale
	case behind:
		v.outcome = outcomeBehind
	case m.one != "":
		i, ok := s.replica.at[m.one]
		if !ok {
			v.outcome = outcomeNone // deleted, or never there: the image knows
			break
		}
		v.one = s.replica.list[i]
	case s.replica.unordered:
		v.outcome = outcomeNone
	default:
		v.all = s.replica.freeze(s.ver)
	}
	v.Age = age
	return v, r.done()
}

// age returns how long ago the copy was surely all that there was. The clock of the
// machine may have rested, with the machine; that of the wall tells.
func (s *syncState) age(now time.Time) (age time.Duration, known bool) {
	if s.current.IsZero() {
		return 0, false
	}
	return max(now.Sub(s.current), now.Round(0).Sub(s.current.Round(0))), true
}

// look asks the image how far it is, unless that was done just now.
func (r *roomCore) look(now time.Time) {
	s := &r.sync
	if s.looking || !s.looked.IsZero() && now.Sub(s.looked) < pullRetry {
		return
	}
	s.looking, s.looked = true, now
	asked := now
	r.ask(canvas.Look{}, lookTimeout, func(now time.Time, answer actors.Message, err error) []effect {
		s.looking = false
		reply, ok := answer.(canvas.ImageReply)
		switch {
		case err == nil && ok && s.looked.Equal(asked):
			s.proof = proof{asked, reply.Epoch, reply.Ver}
			r.learn(now, reply.Epoch, reply.Ver)
			s.prove()
		case err != nil && !easel.CodeOf(err).Temporary():
			s.doubt() // it is deleted, perhaps
		}
		return r.done()
	})
}

// prove notes that the copy is current, once it has all that the image told of.
func (s *syncState) prove() {
	p := s.proof
	if s.live() && p.epoch == s.epoch && s.ver >= p.ver && p.at.After(s.current) {
		s.current = p.at
	}
}

// doubt has the copy answer nothing until the image is asked again.
func (s *syncState) doubt() {
	s.current, s.proof, s.looked = time.Time{}, proof{}, time.Time{}
}
