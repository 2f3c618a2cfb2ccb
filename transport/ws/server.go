package ws

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"go.opentelemetry.io/otel/trace"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/live"
)

// Subprotocol is the protocol that clients must offer.
const Subprotocol = "easel.v1"

// Rooms lets connections in. *live.Rooms does.
type Rooms interface {
	Join(ctx context.Context, image actors.Key, who easel.Principal) (*live.Seat, error)
}

// Config is what a Server is made of.
type Config struct {
	Rooms Rooms
	// Authenticate checks the token of an auth frame.
	Authenticate func(ctx context.Context, token string) (easel.Principal, error)
	// CheckOrigin reports whether a page from the request's Origin may connect.
	CheckOrigin func(r *http.Request) bool
	// Error answers a request that is not upgraded.
	Error func(w http.ResponseWriter, r *http.Request, err error)
	Log   *slog.Logger
	// Tracer starts a trace for each op frame; nil: none, at no cost.
	Tracer trace.Tracer

	FrameBytes int64         // largest message of a client; 0: 64 KiB
	FrameRate  int           // frames a second that are read of one client, see pace; 0: 1,500
	Hello      time.Duration // for the first hello; 0: 10 s
	PingEvery  time.Duration // 0: 25 s
	PongWait   time.Duration // silence after a ping; 0: 8 s
	Stall      time.Duration // a write without progress; 0: 30 s
}

// Server serves live sockets.
type Server struct {
	config   Config
	ctx      context.Context //nolint:containedctx // the life of all connections
	upgrader websocket.Upgrader
	wg       sync.WaitGroup
}

// New makes a server whose connections end when ctx does.
func New(ctx context.Context, c Config) *Server {
	if c.FrameBytes == 0 {
		c.FrameBytes = 64 << 10
	}
	if c.FrameRate == 0 {
		c.FrameRate = 1500
	}
	if c.Hello == 0 {
		c.Hello = 10 * time.Second
	}
	if c.PingEvery == 0 {
		c.PingEvery = 25 * time.Second
	}
	if c.PongWait == 0 {
		c.PongWait = 8 * time.Second
	}
	if c.Stall == 0 {
		c.Stall = 30 * time.Second
	}
	s := &Server{config: c, ctx: ctx}
	s.upgrader = websocket.Upgrader{
		// Small and own buffers: an idle connection keeps its read buffer.
		ReadBufferSize:  1024,
		WriteBufferSize: 1024,
		WriteBufferPool: &sync.Pool{},
		Subprotocols:    []string{Subprotocol},
		CheckOrigin:     func(*http.Request) bool { return true }, // checked before
		Error: func(w http.ResponseWriter, r *http.Request, status int, reason error) {
			c.Error(w, r, refusal(status, reason))
		},
	}
	return s
}

func refusal(status int, reason error) error {
	switch status {
	case http.StatusForbidden:
		return easel.Errorf(easel.CodeForbidden, "origin not allowed")
	case http.StatusMethodNotAllowed:
		return easel.Errorf(easel.CodeMethodNotAllowed, "a handshake is a GET")
	default:
		return &easel.Error{Code: easel.CodeBadRequest, Message: "not a WebSocket handshake", Err: reason}
	}
}

// Serve upgrades a request of who to a socket on an image. It returns after the
// handshake; the connection goes on by itself.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, image actors.Key, who easel.Principal) {
	if !websocket.IsWebSocketUpgrade(r) {
		s.config.Error(w, r, easel.Errorf(easel.CodeBadRequest, "not a WebSocket handshake"))
		return
	}
	if !s.config.CheckOrigin(r) {
		s.config.Error(w, r, easel.Errorf(easel.CodeForbidden, "origin not allowed"))
		return
	}
	seat, err := s.config.Rooms.Join(r.Context(), image, who)
	if err != nil {
		s.config.Error(w, r, err)
		return
	}
	h := &hijacker{ResponseWriter: w}
	const id = "X-Request-Id" // the handshake answers past w and its headers
	socket, err := s.upgrader.Upgrade(h, r, http.Header{id: w.Header()[id]})
	if err != nil {
		seat.Leave(r.Context()) // Upgrade has answered
		return
	}
	if !slices.Contains(websocket.Subprotocols(r), Subprotocol) {
		seat.Close(live.CloseTooOld)
	}
	h.conn.muted.Store(true)
	s.start(socket, h.conn.Conn, seat)
}

// hijacker gives the socket a connection that it may only read from once it is
// upgraded: the socket would answer some faults by itself, in between what the
// connection's writer writes.
type hijacker struct {
	http.ResponseWriter
	conn *mutable
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, buf, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = &mutable{Conn: c}
	return h.conn, buf, nil
}

type mutable struct {
	net.Conn
	muted atomic.Bool
}

// Write implements net.Conn. It pretends when muted.
func (m *mutable) Write(b []byte) (int, error) {
	if m.muted.Load() {
		return len(b), nil
	}
	return m.Conn.Write(b)
}

// SetWriteDeadline implements net.Conn. When muted it leaves the deadline to the
// connection's writer.
func (m *mutable) SetWriteDeadline(t time.Time) error {
	if m.muted.Load() {
		return nil
	}
	return m.Conn.SetWriteDeadline(t)
}

// Wait returns when all connections have ended; none may be served any more.
func (s *Server) Wait() { s.wg.Wait() }
