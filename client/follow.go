package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// silence is how long the server may say nothing: it pings every 25 s.
const silence = 60 * time.Second

// run connects and follows, again and again, until the Live is closed or the
// server says that there is no use.
func (l *Live) run(ctx context.Context) {
	defer close(l.done)
	for tries := 0; ; tries++ {
		greets := l.greeted()
		err := l.connection(ctx)
		if ctx.Err() != nil {
			err = ErrClosed
		}
		wait, again := reconnect(err)
		if !again {
			l.end(plain(err))
			return
		}
		if l.greeted() > greets {
			tries = 0
		}
		if pause(ctx, max(wait, backoff(tries))) != nil {
			l.end(ErrClosed)
			return
		}
	}
}

func (l *Live) greeted() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.greets
}

// byeError is the server's wish that the client comes back later.
type byeError struct{ after time.Duration }

func (e *byeError) Error() string { return "the server said bye" }

// reconnect says whether to connect again after err, and when at the earliest.
func reconnect(err error) (wait time.Duration, again bool) {
	if bye, ok := errors.AsType[*byeError](err); ok {
		return bye.after, true
	}
	if e, ok := errors.AsType[*easel.Error](err); ok {
		return e.RetryAfter, e.Code.Temporary()
	}
	if c, ok := errors.AsType[*websocket.CloseError](err); ok {
		return 0, c.Code != websocket.CloseMessageTooBig && c.Code/100 != 44
	}
	return 0, !errors.Is(err, ErrClosed)
}

// plain turns the way in which a socket was closed for good into an error of the
// protocol.
func plain(err error) error {
	c, ok := errors.AsType[*websocket.CloseError](err)
	if !ok {
		return err
	}
	code := easel.CodeBadRequest
	switch c.Code {
	case websocket.CloseMessageTooBig:
		code = easel.CodeTooLarge
	case 4401:
		code = easel.CodeUnauthorized
	case 4403:
		code = easel.CodeForbidden
	case 4404:
		code = easel.CodeNotFound
	case 4409:
		code = easel.CodeConflict
	case 4429:
		code = easel.CodeRateLimited
	}
	return &easel.Error{Code: code, Message: fmt.Sprintf("the socket was closed: %d %s", c.Code, c.Text), Err: err}
}

// connection is one connection, from its hello to its end.
func (l *Live) connection(ctx context.Context) error {
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var writer sync.WaitGroup
	writer.Go(func() {
		<-ctx.Done()
		_ = conn.Close() // ends the reading
	})
	defer func() {
		cancel()
		writer.Wait()
	}()
	if err := l.hello(conn); err != nil {
		return err
	}
	r := reading{live: l, conn: conn, start: func() {
		writer.Go(func() {
			l.write(ctx, conn)
			cancel()
		})
	}}
	return r.all()
}

func (l *Live) dial(ctx context.Context) (*websocket.Conn, error) {
	u := *l.c.base
	u.Scheme = strings.Replace(u.Scheme, "http", "ws", 1)
	u = *u.JoinPath(imagePath(l.image), "live")
	d := l.c.dialer()
	conn, res, err := d.DialContext(ctx, u.String(), http.Header{"Authorization": {"Bearer " + l.c.c.Token}})
	if err == nil {
		return conn, nil
	}
	if res != nil && res.StatusCode >= http.StatusBadRequest {
		defer func() { _ = res.Body.Close() }()
		b := make([]byte, 1024) // the dialer keeps no more of it
		n, _ := res.Body.Read(b)
		return nil, failure(res, b[:n])
	}
	return nil, fmt.Errorf("dial: %w", err)
}

// dialer makes sockets as Config.HTTP makes requests.
func (c *Client) dialer() websocket.Dialer {
	d := websocket.Dialer{Subprotocols: []string{"easel.v1"}, HandshakeTimeout: c.c.Patience, Proxy: http.ProxyFromEnvironment}
	if t, ok := c.c.HTTP.Transport.(*http.Transport); ok {
		d.Proxy, d.NetDialContext = t.Proxy, t.DialContext
		if t.TLSClientConfig != nil {
			d.TLSClientConfig = t.TLSClientConfig.Clone()
			d.TLSClientConfig.NextProtos = nil // a socket speaks HTTP/1.1 only
		}
	}
	return d
}

func (l *Live) hello(conn *websocket.Conn) error {
	type since struct {
		Epoch string `json:"epoch"`
		Ver   int64  `json:"ver"`
	}
	hello := struct {
		T      string `json:"t"`
		Client string `json:"client"`
		Name   string `json:"name,omitempty"`
		Since  *since `json:"since,omitempty"`
	}{T: "hello", Client: l.config.Client, Name: l.config.Name}
	l.mu.Lock()
	if l.greets > 0 {
		hello.Since = &since{l.epoch, l.ver}
	}
	l.mu.Unlock()
	b, err := encode(hello)
	if err != nil {
		return err
	}
	return deliver(conn, b)
}

func deliver(conn *websocket.Conn, b []byte) error {
	if err := conn.SetWriteDeadline(time.Now().Add(silence)); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	if err := conn.WriteMessage(websocket.TextMessage, b); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// write sends what waits, in order, as long as the connection lives. After a
// temporary refusal it starts again with the oldest frame.
func (l *Live) write(ctx context.Context, conn *websocket.Conn) {
	for {
		var next *frame
		err := l.wait(ctx, func() bool {
			if l.sent >= len(l.queue) {
				return false
			}
			next = l.queue[l.sent]
			l.sent++
			return true
		})
		if err != nil || deliver(conn, opcodec.AppendFrame(nil, next.seq, next.ops)) != nil {
			return
		}
	}
}

// reading is what the server says on one connection.
type reading struct {
	live  *Live
	conn  *websocket.Conn
	start func() // the writer
	// A snapshot on its way, and the history that it is of.
	fresh map[easel.ID]easel.Annotation
	epoch string
}

func (r *reading) all() error {
	alive := func() error { return r.conn.SetReadDeadline(time.Now().Add(silence)) }
	pong := r.conn.PingHandler()
	r.conn.SetPingHandler(func(data string) error {
		if err := alive(); err != nil {
			return err
		}
		return pong(data)
	})
	for {
		if err := alive(); err != nil {
			return fmt.Errorf("set deadline: %w", err)
		}
		_, b, err := r.conn.ReadMessage()
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if err := r.one(b); err != nil {
			return err
		}
	}
}

// heard is any frame of the server, as far as a Live looks.
type heard struct {
	T           string             `json:"t"`
	Epoch       string             `json:"epoch"`
	Ver         int64              `json:"ver"`
	Recovered   bool               `json:"recovered"`
	Known       bool               `json:"known"`
	LastSeq     int64              `json:"last_seq"`
	Annotations []easel.Annotation `json:"annotations"`
	Last        bool               `json:"last"`
	Seq         int64              `json:"seq"`
	Results     []easel.Result     `json:"results"`
	Code        easel.Code         `json:"code"`
	Message     string             `json:"message"`
	Temporary   bool               `json:"temporary"`
	Current     json.RawMessage    `json:"current"`
	Details     []easel.Detail     `json:"details"`
	RetryAfter  int64              `json:"retry_after_ms"`
	After       int64              `json:"after_ms"`
}

func (r *reading) one(b []byte) error {
	var f heard
	if err := json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("decode frame: %w", err)
	}
	l := r.live
	switch f.T {
	case "welcome":
		r.welcome(&f)
		r.start()
	case "snap":
		r.snapshot(&f)
	case "ops":
		var batch easel.Batch
		if err := json.Unmarshal(b, &batch); err != nil {
			return fmt.Errorf("decode batch: %w", err)
		}
		return l.follow(batch)
	case "ack":
		l.settle(f.Seq, verdict{ack: Ack{Ver: f.Ver, Results: f.Results}})
	case "rej":
		l.refused(&f)
	case "err":
		if f.Temporary {
			return &easel.Error{Code: easel.CodeUnavailable, Message: f.Message}
		}
		return &easel.Error{Code: f.Code, Message: f.Message, Details: f.Details}
	case "bye":
		return &byeError{time.Duration(f.After) * time.Millisecond}
	}
	return nil
}

// welcome starts a connection. If the server has forgotten this client, its seqs
// start at 1 again.
func (r *reading) welcome(f *heard) {
	l := r.live
	l.mu.Lock()
	defer l.mu.Unlock()
	if !f.Known && f.LastSeq == 0 || f.LastSeq > l.seq {
		// Forgotten, or a name that was used before: this one's frames come next.
		l.seq = f.LastSeq
		for _, frame := range l.queue {
			l.seq++
			frame.seq = l.seq
		}
	}
	l.sent = 0
	if f.Recovered {
		l.greets++
		l.changedLocked()
		return
	}
	r.epoch, r.fresh = f.Epoch, map[easel.ID]easel.Annotation{}
}

func (r *reading) snapshot(f *heard) {
	for _, a := range f.Annotations {
		r.fresh[a.ID] = a
	}
	if !f.Last {
		return
	}
	l := r.live
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notes, l.epoch, l.ver, r.fresh = r.fresh, r.epoch, f.Ver, nil
	l.greets++
	l.changedLocked()
}

// follow applies a batch. One that is not the next is a fault, which a new
// connection mends.
func (l *Live) follow(b easel.Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.Ver != l.ver+1 {
		return fmt.Errorf("batch %d after %d", b.Ver, l.ver)
	}
	for _, e := range b.Ops {
		if e.Annotation == nil {
			delete(l.notes, e.ID)
		} else {
			l.notes[e.ID] = *e.Annotation
		}
	}
	l.ver = b.Ver
	if l.config.OnBatch != nil {
		l.config.OnBatch(b)
	}
	l.changedLocked()
	return nil
}

// settle gives a frame its verdict.
func (l *Live) settle(seq int64, v verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, f := range l.queue {
		if f.seq != seq {
			continue
		}
		l.queue = append(l.queue[:i:i], l.queue[i+1:]...)
		if i < l.sent {
			l.sent--
		}
		f.verdict <- v
		<-l.slots
		l.changedLocked()
		return
	}
}

// refused gives a frame its verdict, or sends it and all behind it again.
func (l *Live) refused(f *heard) {
	if !f.Temporary {
		l.settle(f.Seq, verdict{err: &easel.Error{Code: f.Code, Message: f.Message, Details: f.Details, Current: f.Current}})
		return
	}
	// Frames behind a refused one are refused too, as bad_seq, until it is taken.
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.again != nil {
		return
	}
	l.again = time.AfterFunc(max(time.Duration(f.RetryAfter)*time.Millisecond, 50*time.Millisecond), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent, l.again = 0, nil
		l.changedLocked()
	})
}
