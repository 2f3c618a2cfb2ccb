package live

import (
	"sync"
	"time"

	"github.com/easelhq/easel"
)

// Queues are the bounds of one session's outgoing side, in bytes.
type Queues struct {
	Live    int64 // of a reader that has caught up; 0: 1 MiB
	Backlog int64 // of one that has not; 0: 64 MiB
	Chunk   int   // of a snapshot; 0: 256 KiB
}

func (q Queues) withDefaults() Queues {
	if q.Live == 0 {
		q.Live = 1 << 20
	}
	if q.Backlog == 0 {
		q.Backlog = 64 << 20
	}
	if q.Chunk == 0 {
		q.Chunk = 256 << 10
	}
	return q
}

// Session is one reader of a room: the outgoing side of a socket or of an SSE
// stream. The room puts frames in and never waits; one goroutine, the writer,
// takes them out. What everyone gets is not copied: a session is a cursor into
// the room's stream, with a few frames of its own beside it.
type Session struct {
	conn   string
	queues Queues
	ready  chan struct{} // room for one signal: there is something to take

	mu      sync.Mutex // guards what follows; held for moments only
	epoch   string
	private []queued
	bytes   int64 // of private
	pres    map[string]Frame
	order   []string // peers in pres, the longest waiting first
	presLen int64
	cursor  *node // nil before begin
	tail    *node // of the stream, as far as the room has told
	joined  uint64
	catch   catchUp
	behind  bool // still on its way to the tail for the first time
	closed  *Close
}

// queued is a private frame and the place in the stream that it follows.
type queued struct {
	Item
	after uint64
}

// catchUp is what a session reads before its cursor.
type catchUp struct {
	backlog []Item    // missed batches, or
	snap    *snapshot // a snapshot
	next    int       // of either
}

func newSession(conn string, q Queues) *Session {
	return &Session{conn: conn, queues: q.withDefaults(), ready: make(chan struct{}, 1)}
}

// Conn returns the session's connection id.
func (s *Session) Conn() string { return s.conn }

// Epoch names the history that the session's frames are of; "" before there are
// any.
func (s *Session) Epoch() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

// Ready is signalled when Take may have something new.
func (s *Session) Ready() <-chan struct{} { return s.ready }

func (s *Session) signal() {
	select {
	case s.ready <- struct{}{}:
	default: // already signalled
	}
}

// Take appends to buf what is to be sent next, about limit bytes of it, and
// reports whether there is more. A non-nil close is the end: it comes after the
// last frame, and Take is then not called again.
func (s *Session) Take(buf []Item, limit int) (items []Item, more bool, end *Close) {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := 0
	add := func(it Item) {
		buf = append(buf, it)
		taken += it.Frame.Len()
	}
	for taken < limit {
		if s.closed != nil {
			if len(s.private) == 0 {
				return buf, false, s.closed
			}
			add(s.popLocked())
			continue
		}
		it, ok := s.nextLocked()
		if !ok {
			return buf, false, nil
		}
		add(it)
	}
	return buf, true, nil
}

// nextLocked returns the next frame in order: private frames have a place in
// the stream, except that while the session catches up they overtake it.
func (s *Session) nextLocked() (Item, bool) {
	if s.cursor == nil || s.catching() {
		if len(s.private) > 0 {
			return s.popLocked(), true
		}
		return s.caughtLocked()
	}
	for {
		if len(s.private) > 0 && s.private[0].after <= s.cursor.index {
			return s.popLocked(), true
		}
		n := s.cursor.next.Load()
		if n == nil || n.index > s.tail.index {
			break
		}
		s.cursor = n
		// What is not replayed is skipped by those who came after it.
		if n.index > s.joined || n.Kind == KindOps {
			return n.Item, true
		}
	}
	s.behind = false
	if len(s.order) > 0 {
		peer := s.order[0]
		f := s.pres[peer]
		s.order = s.order[1:]
		delete(s.pres, peer)
		s.presLen -= int64(f.Len())
		return Item{Frame: f, Kind: KindPresence, Ver: s.tail.Ver}, true
	}
	return Item{}, false
}

func (s *Session) catching() bool { return s.catch.backlog != nil || s.catch.snap != nil }

// caughtLocked returns the next frame of the catch-up, if there is one, or goes
// on with the stream.
func (s *Session) caughtLocked() (Item, bool) {
	switch c := &s.catch; {
	case s.cursor == nil:
		return Item{}, false
	case c.snap != nil:
		if it, ok := c.snap.chunk(c.next, s.queues.Chunk); ok {
			c.next++
			return it, true
		}
	case c.next < len(c.backlog):
		it := c.backlog[c.next]
		c.next++
		return it, true
	}
	s.catch = catchUp{}
	return s.nextLocked()
}

func (s *Session) popLocked() Item {
	q := s.private[0]
	s.private[0] = queued{}
	s.private = s.private[1:]
	s.bytes -= int64(q.Frame.Len())
	return q.Item
}

// CaughtUp reports whether there is no catch-up on its way to the client.
func (s *Session) CaughtUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor == nil || !s.catching() && !s.behind
}

// Closed returns how the session ended, nil while it lives.
func (s *Session) Closed() *Close {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Close ends the session: no frame is taken any more but those already queued
// for it alone, then c. The first call counts.
func (s *Session) Close(c Close) {
	s.mu.Lock()
	s.closeLocked(c)
	s.mu.Unlock()
}

// Bye asks the client to come back after a while, and ends the session.
func (s *Session) Bye(reason string, after time.Duration, c Close) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return
	}
	s.pushLocked(Item{Frame: bye(reason, after), Kind: KindBye})
	s.closeLocked(c)
}

func (s *Session) closeLocked(c Close) {
	if s.closed != nil {
		return
	}
	s.closed = &c
	if c == CloseSlow || c == CloseGone {
		// Nobody waits for these frames.
		s.private, s.bytes = nil, 0
	}
	s.cursor, s.tail, s.catch = nil, nil, catchUp{}
	s.pres, s.order, s.presLen = nil, nil, 0
	s.signal()
}

// Refuse answers a frame with err.
func (s *Session) Refuse(err error) { s.push(Item{Frame: errorFrame(asError(err))}) }

// Pong answers a ping with the version that the stream has reached.
func (s *Session) Pong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ver int64
	if s.tail != nil {
		ver = s.tail.Ver
	}
	s.pushLocked(Item{Frame: pong(ver), Ver: ver})
	s.checkLocked()
}

// push queues a frame for this session alone.
func (s *Session) push(it Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pushLocked(it)
	s.checkLocked()
}

func (s *Session) pushLocked(it Item) {
	if s.closed != nil {
		return
	}
	q := queued{Item: it}
	if s.tail != nil {
		q.after = s.tail.index
	}
	s.private = append(s.private, q)
	s.bytes += int64(it.Frame.Len())
	s.signal()
}

// begin puts the session on the stream behind e.from: e.first is sent first, if
// it holds a frame, then the catch-up. e.tail is the stream's end.
func (s *Session) begin(e beginEffect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return
	}
	s.epoch = e.epoch
	if e.first.Frame.Len() > 0 {
		s.pushLocked(e.first)
	}
	s.catch, s.cursor, s.tail, s.joined, s.behind = e.catch, e.from, e.tail, e.tail.index, true
	s.signal()
}

// advance tells of the stream's new end. It reports false if the session has
// ended, of which it may be the reason.
func (s *Session) advance(tail *node) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return false
	}
	if s.cursor == nil {
		return true
	}
	s.tail = tail
	s.checkLocked()
	s.signal()
	return s.closed == nil
}

// show queues the newest presence of a peer.
func (s *Session) show(peer string, f Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil || s.cursor == nil {
		return
	}
	if s.pres == nil {
		s.pres = map[string]Frame{}
	}
	old, waiting := s.pres[peer]
	if !waiting {
		s.order = append(s.order, peer)
	}
	s.pres[peer] = f
	s.presLen += int64(f.Len() - old.Len())
	s.checkLocked()
	s.signal()
}

// forget drops what waits to be shown of a peer that left.
func (s *Session) forget(peer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.pres[peer]
	if !ok {
		return
	}
	delete(s.pres, peer)
	s.presLen -= int64(f.Len())
	for i, p := range s.order {
		if p == peer {
			s.order = append(s.order[:i:i], s.order[i+1:]...)
			break
		}
	}
}

// checkLocked keeps the queue within its bounds: presence is dropped first, and
// a reader that is still too far behind is cut off. It resumes when it is back.
func (s *Session) checkLocked() {
	if s.closed != nil {
		return
	}
	waiting := s.bytes
	if s.cursor != nil {
		waiting += s.tail.end - s.cursor.end
	}
	limit := s.queues.Live
	if s.behind {
		limit = s.queues.Backlog
	}
	if waiting+s.presLen > limit && s.presLen > 0 {
		s.pres, s.order, s.presLen = nil, nil, 0
	}
	if waiting > limit {
		s.closeLocked(CloseSlow)
	}
}

// slow is what a client hears that is at a limit.
func slow(what string, wait time.Duration) *easel.Error {
	return &easel.Error{Code: easel.CodeRateLimited, Message: what, RetryAfter: wait}
}
