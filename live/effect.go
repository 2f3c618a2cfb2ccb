package live

import (
	"time"

	"github.com/easelhq/easel/actors"
)

// An effect is what a core wants done. Cores are state machines: each of their
// methods takes an event and the time, changes the state, and returns effects in
// the order in which they must happen. They have no goroutine, lock or clock.
type effect interface{ effect() }

// then is how a core goes on when the answer to one of its effects is there. It
// is called as an event of its own.
type then func(now time.Time, m actors.Message, err error) []effect

// askEffect sends a request; the answer, or an error, comes back exactly once,
// unless it is withdrawn because the session that it is for has left.
type askEffect struct {
	conn    string // of the session; "": it is never withdrawn
	to      actors.Key
	message actors.Message
	once    actors.Once
	timeout time.Duration
	then    then
}

// tellEffect sends a message that may be lost.
type tellEffect struct {
	to      actors.Key
	node    string // of a room; "" for images
	message actors.Message
}

// timerEffect calls then after a while, with neither message nor error.
type timerEffect struct {
	after time.Duration
	then  then
}

// postEffect sends a frame to one session.
type postEffect struct {
	conn string
	item Item
}

// beginEffect puts a session on the stream.
type beginEffect struct {
	conn  string
	epoch string
	first Item
	catch catchUp
	from  *node
	tail  *node
}

// advanceEffect tells all sessions that the stream has grown.
type advanceEffect struct{ tail *node }

// showEffect shows a peer's presence to all sessions but its own.
type showEffect struct {
	conn  string
	frame Frame
}

// forgetEffect drops what waits to be shown of a peer.
type forgetEffect struct{ conn string }

// closeEffect ends a session, with a bye before it if reason is not "". The room
// has already forgotten it.
type closeEffect struct {
	conn   string
	close  Close
	reason string
}

// alarmEffect reports a broken invariant.
type alarmEffect struct{ message string }

func (askEffect) effect()     {}
func (tellEffect) effect()    {}
func (timerEffect) effect()   {}
func (postEffect) effect()    {}
func (beginEffect) effect()   {}
func (advanceEffect) effect() {}
func (showEffect) effect()    {}
func (forgetEffect) effect()  {}
func (closeEffect) effect()   {}
func (alarmEffect) effect()   {}
