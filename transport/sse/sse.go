// Package sse serves one image's live stream as server-sent events: the frames
// of the socket, for those who only read.
//
// Each event's data is a frame and its id is EPOCH:VER, the position behind it,
// except that the chunks of a snapshot before the last have none: who has only a
// part of a snapshot must not resume behind it. A stream is bounded like a
// socket, see package live. It ends when the request does, and is resumed by the
// browser with Last-Event-ID.
package sse

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/live"
)

// gather is about how many bytes are written before a flush.
const gather = 64 << 10

// Rooms lets listeners in. *live.Rooms does.
type Rooms interface {
	Listen(ctx context.Context, image actors.Key, who easel.Principal, since *live.Position) (*live.Seat, error)
}

// Handler serves event streams.
type Handler struct {
	Rooms Rooms
	// Error answers a request that gets no stream.
	Error func(w http.ResponseWriter, r *http.Request, err error)
	Keep  time.Duration // between comments on a quiet stream; 0: 15 s
	Stall time.Duration // a write without progress; 0: 30 s
}

// Serve streams an image to who until the client leaves, reads too slowly, or
// may no longer read.
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request, image actors.Key, who easel.Principal) {
	ctx := r.Context()
	seat, err := h.Rooms.Listen(ctx, image, who, ParsePosition(r.Header.Get("Last-Event-ID")))
	if err != nil {
		h.Error(w, r, err)
		return
	}
	defer seat.Leave(ctx)
	header := w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	s := stream{w: w, control: http.NewResponseController(w), seat: seat, stall: h.stall()}
	if s.flush() != nil {
		return
	}
	keep := time.NewTicker(h.keep())
	defer keep.Stop()
	s.run(ctx, keep.C)
}

func (h *Handler) keep() time.Duration {
	if h.Keep == 0 {
		return 15 * time.Second
	}
	return h.Keep
}

func (h *Handler) stall() time.Duration {
	if h.Stall == 0 {
		return 30 * time.Second
	}
	return h.Stall
}

// ParsePosition reads an event's id; nil if it is none, which starts over.
func ParsePosition(id string) *live.Position {
	i := strings.LastIndexByte(id, ':')
	if i < 1 {
		return nil
	}
	ver, err := strconv.ParseInt(id[i+1:], 10, 64)
	if err != nil || ver < 0 {
		return nil
	}
	return &live.Position{Epoch: id[:i], Ver: ver}
}

type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	seat    *live.Seat
	stall   time.Duration
	buf     []byte
}

func (s *stream) run(ctx context.Context, keep <-chan time.Time) {
	var items []live.Item
	for {
		taken, more, end := s.seat.Take(items[:0], gather)
		epoch := s.seat.Epoch()
		for _, it := range taken {
			s.event(epoch, it)
		}
		clear(taken)
		items = taken
		if s.flush() != nil || end != nil {
			return
		}
		if more {
			continue
		}
		select {
		case <-s.seat.Ready():
		case <-keep:
			s.buf = append(s.buf, ":\n\n"...)
		case <-ctx.Done():
			return
		}
	}
}

func (s *stream) event(epoch string, it live.Item) {
	if it.Kind != live.KindSnap && it.Kind != live.KindBye && epoch != "" {
		s.buf = append(s.buf, "id: "...)
		s.buf = append(s.buf, epoch...)
		s.buf = append(s.buf, ':')
		s.buf = strconv.AppendInt(s.buf, it.Ver, 10)
		s.buf = append(s.buf, '\n')
	}
	s.buf = append(s.buf, "data: "...)
	s.buf = append(s.buf, it.Frame.JSON()...)
	s.buf = append(s.buf, "\n\n"...)
}

// flush writes what was gathered.
func (s *stream) flush() error {
	// Servers without deadlines are for tests; there the client is fast.
	_ = s.control.SetWriteDeadline(time.Now().Add(s.stall))
	_, err := s.w.Write(s.buf)
	if s.buf = s.buf[:0]; cap(s.buf) > gather {
		s.buf = nil
	}
	if err != nil {
		return err
	}
	return s.control.Flush()
}
