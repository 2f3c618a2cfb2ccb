package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/live"
	"github.com/easelhq/easel/live/livetest"
	"github.com/easelhq/easel/transport/ws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a node with sockets. Tokens are "user/role" and last an hour, or
// "user/role/DURATION".
type stage struct {
	*livetest.Stage
	url   string
	waits waits
}

// waits is how long writes to clients were given.
type waits struct {
	mu   sync.Mutex
	most time.Duration
}

// watched notes the write deadlines of the connections that it accepts.
type watched struct {
	net.Listener
	waits *waits
}

func (l watched) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return watchedConn{c.(*net.TCPConn), l.waits}, nil
}

type watchedConn struct {
	*net.TCPConn
	waits *waits
}

func (c watchedConn) SetWriteDeadline(at time.Time) error {
	c.waits.mu.Lock()
	c.waits.most = max(c.waits.most, time.Until(at))
	c.waits.mu.Unlock()
	return c.TCPConn.SetWriteDeadline(at)
}

func start(t *testing.T, opts live.Options, config ws.Config) *stage {
	t.Helper()
	s := &stage{Stage: livetest.Start(t, opts)}
	config.Rooms, config.Log = s.Rooms, slog.New(slog.DiscardHandler)
	config.Authenticate = func(_ context.Context, token string) (easel.Principal, error) { return principal(token) }
	config.CheckOrigin = func(r *http.Request) bool { return r.Header.Get("Origin") != "https://evil.example" }
	config.Error = func(w http.ResponseWriter, _ *http.Request, err error) {
		status := map[easel.Code]int{
			easel.CodeNotFound: 404, easel.CodeGone: 410, easel.CodeForbidden: 403, easel.CodeUnauthorized: 401,
			easel.CodeRateLimited: 429, easel.CodeBadRequest: 400, easel.CodeUnavailable: 503,
		}[easel.CodeOf(err)]
		w.WriteHeader(status)
		_, _ = w.Write([]byte(err.Error()))
	}
	ctx, cancel := context.WithCancel(context.Background())
	server := ws.New(ctx, config)
	mux := http.NewServeMux()
	mux.HandleFunc("/{id}", func(w http.ResponseWriter, r *http.Request) {
		_, token, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), "bearer.")
		who, err := principal(token)
		if err != nil {
			config.Error(w, r, err)
			return
		}
		server.Serve(w, r, actors.Key{Kind: "image", ID: string(livetest.Tenant) + "/" + r.PathValue("id")}, who)
	})
	hs := httptest.NewUnstartedServer(mux)
	hs.Listener = watched{hs.Listener, &s.waits}
	hs.Start()
	s.url = "ws" + strings.TrimPrefix(hs.URL, "http") + "/"
	t.Cleanup(func() {
		hs.Close()
		cancel()
		server.Wait()
	})
	return s
}

func principal(token string) (easel.Principal, error) {
	parts := strings.Split(token, "_")
	if len(parts) < 2 {
		return easel.Principal{}, easel.Errorf(easel.CodeUnauthorized, "bad token")
	}
	who := livetest.Who(parts[0], easel.Role(parts[1]))
	if len(parts) > 2 && parts[2] == "elsewhere" {
		who.Tenant = "another"
	} else if len(parts) > 2 {
		d, err := time.ParseDuration(parts[2])
		if err != nil {
			return easel.Principal{}, easel.Errorf(easel.CodeUnauthorized, "bad token")
		}
		who.Expires = time.Now().Add(d)
	}
	return who, nil
}

func imageID(key actors.Key) string { return key.ID[strings.IndexByte(key.ID, '/')+1:] }

// client is a socket that has not said hello.
type client struct {
	*websocket.Conn
	t *testing.T
}

func (s *stage) dial(t *testing.T, key actors.Key, token string) *client {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"easel.v1", "bearer." + token}}
	c, resp, err := d.DialContext(t.Context(), s.url+imageID(key), nil)
	if err != nil {
		t.Fatalf("dial: %v (%v)", err, resp)
	}
	if got := c.Subprotocol(); got != "easel.v1" {
		t.Fatalf("subprotocol = %q", got)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &client{Conn: c, t: t}
}

// hello dials, says hello and returns the client with its welcome.
func (s *stage) hello(t *testing.T, key actors.Key, token, text string) (*client, frame) {
	t.Helper()
	c := s.dial(t, key, token)
	c.say(text)
	return c, c.want("welcome")
}

// join is hello for a new client, and reads its snapshot.
func (s *stage) join(t *testing.T, key actors.Key, token, name string) (*client, frame) {
	t.Helper()
	c, w := s.hello(t, key, token, `{"t":"hello","client":"`+name+`"}`)
	if w.Recovered {
		t.Fatalf("recovered: %+v", w)
	}
	for !c.want("snap").Last {
	}
	return c, w
}

// frame is any frame of the server.
type frame struct {
	T           string             `json:"t"`
	Conn        string             `json:"conn"`
	Epoch       string             `json:"epoch"`
	Ver         int64              `json:"ver"`
	Recovered   bool               `json:"recovered"`
	Known       bool               `json:"known"`
	LastSeq     int64              `json:"last_seq"`
	Role        string             `json:"role"`
	I           int                `json:"i"`
	Last        bool               `json:"last"`
	Annotations []easel.Annotation `json:"annotations"`
	Ops         []easel.Effect     `json:"ops"`
	Seq         int64              `json:"seq"`
	Code        string             `json:"code"`
	Temporary   bool               `json:"temporary"`
	Expected    int64              `json:"expected"`
	RetryAfter  int64              `json:"retry_after_ms"`
	After       int64              `json:"after_ms"`
	Peers       []live.Peer        `json:"peers"`
	User        string             `json:"user"`
	State       json.RawMessage    `json:"state"`
	By          string             `json:"by"`
	Text        string             `json:"text"`
	Reason      string             `json:"reason"`
	Results     []easel.Result     `json:"results"`
	Image       *easel.Image       `json:"image"`
	Details     []easel.Detail     `json:"details"`
	raw         string
}

func (c *client) say(text string) {
	c.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// next returns the next frame, whatever it is.
func (c *client) next() (frame, error) {
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, text, err := c.ReadMessage()
	if err != nil {
		return frame{}, err
	}
	f := frame{raw: string(text)}
	return f, json.Unmarshal(text, &f)
}

// want returns the next frame of a type; others before it are skipped.
func (c *client) want(kind string) frame {
	c.t.Helper()
	for {
		f, err := c.next()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", kind, err)
		}
		if f.T == kind {
			return f
		}
	}
}

// wantClose reads until the server closes, and checks how.
func (c *client) wantClose(code int) {
	c.t.Helper()
	for {
		_, err := c.next()
		var closed *websocket.CloseError
		var timeout net.Error
		switch {
		case err == nil:
		case errors.As(err, &closed) && closed.Code == code:
			return
		case errors.As(err, &timeout) && timeout.Timeout():
			c.t.Fatalf("not closed, want %d", code)
		default:
			c.t.Fatalf("closed: %v, want %d", err, code)
		}
	}
}

func put(seq, id string) string {
	return `{"t":"op","seq":` + seq + `,"ops":[{"k":"put","id":"` + id +
		`","annotation":{"label":"a","x":0,"y":0,"width":0.5,"height":0.5}}]}`
}

const (
	idA = "0000000000000000000000000000000a"
	idB = "0000000000000000000000000000000b"
)

// watch rechecks keys quickly until the test ends.
func (s *stage) watch(t *testing.T, verdict func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Rooms.Watch(ctx, 10*time.Millisecond, func(_ context.Context, who easel.Principal) (easel.Principal, error) {
			return who, verdict()
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}
