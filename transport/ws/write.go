package ws

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/easelhq/easel/live"
)

// gather is how many bytes are sent with one system call, at most, unless one
// frame is larger.
const gather = 64 << 10

// linger is how long a reader that was closed as slow may at least take to read
// what is on its way, and that it was closed.
const linger = 10 * time.Second

// looks is how often in the time of a stall a write is looked after.
const looks = 10

// record is the most that TLS seals at once, in bytes.
const record = 16 << 10

var gathered = sync.Pool{New: func() any {
	b := make([]byte, 0, 4<<10)
	return &b
}}

// writeAll sends until the seat is closed or the connection breaks, and then the
// close frame.
func (c *conn) writeAll(ctx context.Context) {
	w := writer{conn: c, ctx: ctx}
	// A write that waits for the client must not hold up the end of the server.
	stop := context.AfterFunc(ctx, func() { _ = c.net.SetWriteDeadline(time.Now()) })
	defer stop()
	ping := time.NewTicker(c.server.config.PingEvery)
	defer ping.Stop()
	var items []live.Item
	for {
		taken, more, end := c.seat.Take(items[:0], gather)
		if err := w.send(taken); err != nil {
			c.seat.Close(live.CloseGone)
			return
		}
		clear(taken) // the frames are not ours to keep
		items = taken
		if end != nil {
			w.bye(*end)
			return
		}
		if more {
			select {
			case data := <-c.pings:
				w.control(websocket.PongMessage, data)
			default:
			}
			continue
		}
		if cap(items) > 64 {
			items = nil
		}
		select {
		case <-c.seat.Ready():
		case data := <-c.pings:
			w.control(websocket.PongMessage, data)
		case <-ping.C:
			// A reader that is still catching up is watched by its progress.
			if c.seat.CaughtUp() {
				c.await()
				w.control(websocket.PingMessage, nil)
			}
		case <-ctx.Done():
			c.seat.Close(live.CloseDraining)
		}
	}
}

// writer writes to one connection. After an error it writes no more.
type writer struct {
	*conn
	ctx   context.Context //nolint:containedctx // the connection's
	until time.Time       // the seat is closed: no write may last longer
	err   error
}

func (w *writer) send(items []live.Item) error {
	if len(items) == 1 {
		return w.write(items[0].Frame.WebSocket())
	}
	if len(items) == 0 {
		return w.err
	}
	pooled := gathered.Get().(*[]byte) //nolint:forcetypeassert // nothing else is put there
	buf := (*pooled)[:0]
	for _, it := range items {
		b := it.Frame.WebSocket()
		if len(buf)+len(b) > gather && len(buf) > 0 {
			_ = w.write(buf)
			buf = buf[:0]
		}
		if len(b) > gather {
			_ = w.write(b)
			continue
		}
		buf = append(buf, b...)
	}
	_ = w.write(buf)
	*pooled = buf[:0]
	gathered.Put(pooled)
	return w.err
}

// write writes all of b. A reader that takes nothing for the time of a stall is
// closed as slow; it then has that time again, so that it can be told. It is looked
// for more often than that: the part that the kernel takes when a write begins says
// nothing of the rest of the time.
func (w *writer) write(b []byte) error {
	if conn, ok := w.net.(*tls.Conn); ok {
		return w.writeSealed(conn, b)
	}
	moved := time.Now()
	for len(b) > 0 && w.err == nil {
		limit := time.Now().Add(w.server.config.Stall / looks)
		if w.seat.Closed() != nil {
			if w.until.IsZero() {
				w.until = time.Now().Add(max(w.server.config.Stall, linger))
			}
			limit = w.until
		}
		if w.ctx.Err() != nil {
			if soon := time.Now().Add(closeWait); w.until.IsZero() || soon.Before(w.until) {
				w.until = soon
			}
			limit = w.until
		}
		_ = w.net.SetWriteDeadline(limit)
		n, err := w.net.Write(b)
		b = b[n:]
		if n > 0 {
			moved = time.Now()
		}
		if err == nil {
			continue
		}
		if !isTimeout(err) || !w.until.IsZero() && !time.Now().Before(w.until) {
			w.err = err
			break
		}
		if time.Since(moved) >= w.server.config.Stall && w.ctx.Err() == nil {
			w.seat.Close(live.CloseSlow)
		}
	}
	return w.err
}

// writeSealed is write over TLS, where nothing can be sent after a write that did
// not end in time: a reader that does not take one record in the time of a stall is
// closed without being told.
func (w *writer) writeSealed(conn *tls.Conn, b []byte) error {
	for len(b) > 0 && w.err == nil {
		limit := time.Now().Add(w.server.config.Stall)
		if soon := time.Now().Add(closeWait); w.ctx.Err() != nil && soon.Before(limit) {
			limit = soon
		}
		_ = conn.SetWriteDeadline(limit)
		n, err := conn.Write(b[:min(len(b), record)])
		b = b[n:]
		if err != nil {
			w.err = err
			if isTimeout(err) && w.ctx.Err() == nil {
				w.seat.Close(live.CloseSlow)
			}
		}
	}
	return w.err
}

// control writes a control frame of at most 125 bytes of data.
func (w *writer) control(kind int, data []byte) {
	const fin = 0x80
	b := make([]byte, 0, 2+len(data))
	b = append(b, fin|byte(kind), byte(len(data)))
	_ = w.write(append(b, data...))
}

// bye writes the close frame.
func (w *writer) bye(c live.Close) {
	if c == live.CloseGone {
		return // nobody is there
	}
	if c.Code == websocket.CloseNoStatusReceived {
		w.control(websocket.CloseMessage, nil)
		return
	}
	data := binary.BigEndian.AppendUint16(nil, uint16(c.Code))
	w.control(websocket.CloseMessage, append(data, c.Name...))
}
