package ws

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"

	"github.com/easelhq/easel/live"
)

// closeProtocol answers what is no WebSocket.
var closeProtocol = live.Close{Code: websocket.CloseProtocolError, Name: "protocol error"}

const (
	// closeWait is how long a client may take to answer a close.
	closeWait = 2 * time.Second
	// sendBuffer is what the kernel may keep for a connection: enough for a fast
	// link, and little enough for a slow one to hear a ping in time.
	sendBuffer = 256 << 10
	maxPongs   = 32 // pings of a client that wait to be answered
)

// conn is one connection.
type conn struct {
	server *Server
	socket *websocket.Conn
	net    net.Conn
	seat   *live.Seat
	pings  chan []byte   // from the client, to be answered; more are ignored
	read   chan struct{} // closed when the reader has ended
	wrote  chan struct{} // closed when the writer has
	rate   *rate.Limiter // of frames, see pace

	mu       sync.Mutex // guards what follows, and the read deadline with it
	ending   bool       // the close was sent
	awaiting bool       // a sign of life: the hello, later a pong

	greeted bool // hello was said; owned by the reader
}

var messages = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (s *Server) start(socket *websocket.Conn, wire net.Conn, seat *live.Seat) {
	c := &conn{
		server: s, socket: socket, net: wire, seat: seat,
		pings: make(chan []byte, maxPongs), read: make(chan struct{}), wrote: make(chan struct{}),
		rate:     rate.NewLimiter(rate.Limit(s.config.FrameRate), 2*s.config.FrameRate),
		awaiting: true, // the hello
	}
	if b, ok := c.net.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = b.SetWriteBuffer(sendBuffer) // a matter of taste, not of correctness
	}
	ctx, cancel := context.WithCancel(s.ctx)
	socket.SetReadLimit(s.config.FrameBytes)
	socket.SetPingHandler(func(data string) error {
		c.pace(ctx)
		select {
		case c.pings <- []byte(data):
		default:
		}
		return nil
	})
	socket.SetPongHandler(func(string) error {
		c.alive()
		return nil
	})
	socket.SetCloseHandler(func(code int, _ string) error {
		seat.Close(live.Close{Code: code})
		return nil
	})
	_ = socket.SetReadDeadline(time.Now().Add(s.config.Hello))
	s.wg.Go(func() {
		defer close(c.read)
		c.readAll(ctx)
	})
	s.wg.Go(func() {
		c.writeAll(ctx)
		c.end()
		close(c.wrote)
		<-c.read
		cancel()
		_ = c.net.Close()
		seat.Leave(s.ctx)
	})
}

// readAll reads until the connection ends. Once the seat is closed it only waits
// for the client to close, too.
func (c *conn) readAll(ctx context.Context) {
	for {
		text, err := c.message()
		if err != nil {
			c.broken(err)
			return
		}
		if c.seat.Closed() != nil {
			continue
		}
		c.alive()
		c.pace(ctx)
		if text == nil {
			c.seat.Close(live.CloseBadFrame)
			continue
		}
		in, ok := live.Parse(text.Bytes())
		text.Reset()
		messages.Put(text)
		if !ok {
			c.seat.Close(live.CloseBadFrame)
			continue
		}
		if in.Hello != nil && !c.greeted {
			c.greeted = true
			c.alive()
		}
		if err := c.handle(ctx, in); err != nil && c.seat.Closed() == nil {
			c.seat.Close(live.CloseInternal)
		}
	}
}

// pace lets a client that says more than any limit allows wait. What it says
// beyond would only be refused, frame by frame, at the cost of the room and of
// everyone in it.
func (c *conn) pace(ctx context.Context) {
	wait := c.rate.Reserve().Delay()
	if wait == 0 {
		return
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-c.wrote:
	}
}

// alive ends the wait for a sign of life. Before the hello nothing does.
func (c *conn) alive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.greeted && !c.ending && c.awaiting {
		c.awaiting = false
		_ = c.socket.SetReadDeadline(time.Time{})
	}
}

// await starts the wait for a sign of life.
func (c *conn) await() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.awaiting && !c.ending {
		c.awaiting = true
		_ = c.socket.SetReadDeadline(time.Now().Add(c.server.config.PongWait))
	}
}

// end gives the client a moment to answer the close.
func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	_ = c.socket.SetReadDeadline(time.Now().Add(closeWait))
}

// message reads one message; nil is one that is not text.
func (c *conn) message() (*bytes.Buffer, error) {
	kind, r, err := c.socket.NextReader()
	if err != nil {
		return nil, err
	}
	if kind != websocket.TextMessage {
		return nil, nil
	}
	buf := messages.Get().(*bytes.Buffer) //nolint:forcetypeassert // nothing else is put there
	if _, err := buf.ReadFrom(r); err != nil {
		buf.Reset()
		messages.Put(buf)
		return nil, err
	}
	return buf, nil
}

func (c *conn) handle(ctx context.Context, in live.Inbound) error {
	if in.Op != nil && c.server.config.Tracer != nil {
		return c.traced(ctx, in)
	}
	if in.Type != live.TypeAuth || in.Bad != nil {
		return c.seat.Say(ctx, in)
	}
	who, err := c.server.config.Authenticate(ctx, in.Token)
	if err == nil {
		err = c.seat.Renew(ctx, who)
	}
	if err != nil {
		c.seat.Refuse(err)
	}
	return nil
}

// traced gives an op frame to the room as the root of a trace. Its span ends when
// the room has taken the frame; those of the turn, the journal and the fan-out are
// its children and come later.
func (c *conn) traced(ctx context.Context, in live.Inbound) error {
	ctx, span := c.server.config.Tracer.Start(ctx, "socket op", trace.WithNewRoot(),
		trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.Int("easel.ops", len(in.Op.Ops))))
	defer span.End()
	return c.seat.Say(ctx, in)
}

// broken ends the seat after a read failed. What is still unread is read away,
// because closing a connection with unread data would take back the close frame.
func (c *conn) broken(err error) {
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &closed):
		c.seat.Close(live.CloseGone) // unless the close handler has said more
		return
	case isTimeout(err) && c.greeted:
		c.seat.Close(live.CloseNoPong)
		return
	case isTimeout(err):
		c.seat.Close(live.CloseNoHello)
		return
	case errors.Is(err, net.ErrClosed), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		c.seat.Close(live.CloseGone)
		return
	case errors.Is(err, websocket.ErrReadLimit):
		c.seat.Close(live.CloseTooLarge)
	default:
		c.seat.Close(closeProtocol)
	}
	// The writer has to say so before the connection is half closed.
	select {
	case <-c.wrote:
	case <-time.After(closeWait):
	}
	if half, ok := c.net.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = c.net.SetReadDeadline(time.Now().Add(closeWait))
	_, _ = io.CopyN(io.Discard, c.net, 1<<20)
}

// isTimeout recognises an expired deadline also in what the socket makes of it.
func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
