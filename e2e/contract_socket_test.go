package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// dialQuery opens a socket with a query and says nothing yet.
func (a *api) dialQuery(t *testing.T, image, query string, header ...string) (socket, error) {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"easel.v1"}, HandshakeTimeout: patience}
	h := http.Header{}
	if a.token != "" {
		h.Set("Authorization", "Bearer "+a.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Sec-WebSocket-Protocol" {
			d.Subprotocols = strings.Split(header[i+1], ", ")
			continue
		}
		h.Set(header[i], header[i+1])
	}
	c, res, err := d.DialContext(t.Context(), strings.Replace(a.base, "http", "ws", 1)+"/api/images/"+image+"/live"+query, h)
	if err != nil {
		if res != nil {
			return socket{}, fmt.Errorf("%w: %d", err, res.StatusCode)
		}
		return socket{}, err
	}
	t.Cleanup(func() { c.Close() })
	if res.Header.Get("X-Request-Id") == "" {
		return socket{}, fmt.Errorf("the handshake was answered without X-Request-Id: %v", res.Header)
	}
	return socket{c}, nil
}

// open opens a socket or fails.
func (a *api) open(t *testing.T, image string) socket {
	t.Helper()
	s, err := a.dialQuery(t, image, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// join opens a socket as client and reads to the end of the greeting.
func (a *api) join(t *testing.T, image, client string) (socket, json.RawMessage) {
	t.Helper()
	s := a.open(t, image)
	s.say(t, `{"t":"hello","client":"`+client+`"}`)
	welcome := s.want(t, "welcome")
	for {
		snap := s.want(t, "snap")
		if string(member(t, snap, "last")) == "true" {
			return s, welcome
		}
	}
}

// say sends a frame as it stands.
func (s socket) say(t *testing.T, text string) {
	t.Helper()
	if err := s.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// hear returns the next frame.
func (s socket) hear(t *testing.T) (kind string, raw json.RawMessage, err error) {
	t.Helper()
	if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, b, err := s.ReadMessage()
	if err != nil {
		return "", nil, err
	}
	var f struct{ T string }
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return f.T, b, nil
}

// want reads until a frame of a kind.
func (s socket) want(t *testing.T, kind string) json.RawMessage {
	t.Helper()
	for {
		got, b, err := s.hear(t)
		if err != nil {
			t.Fatalf("waiting for %s: %v", kind, err)
		}
		if got == kind {
			return b
		}
		if kind == "ack" && got == "rej" || kind == "rej" && got == "ack" || kind != "err" && got == "err" {
			t.Fatalf("waiting for %s: %s", kind, b)
		}
	}
}

// closed reads until the socket is closed and returns the code.
func (s socket) closed(t *testing.T) int {
	t.Helper()
	for {
		if _, _, err := s.hear(t); err != nil {
			if code := closeCode(err); code != 0 {
				return code
			}
			t.Fatal(err)
		}
	}
}

// slow opens a socket through a small receive buffer, greets, and then reads
// nothing more until it is told to.
func (a *api) slow(t *testing.T, image string) socket {
	t.Helper()
	d := websocket.Dialer{
		Subprotocols: []string{"easel.v1"}, HandshakeTimeout: patience,
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if err == nil {
				err = c.(*net.TCPConn).SetReadBuffer(4096)
			}
			return c, err
		},
	}
	c, _, err := d.DialContext(t.Context(), strings.Replace(a.base, "http", "ws", 1)+"/api/images/"+image+"/live", http.Header{"Authorization": {"Bearer " + a.token}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	s := socket{c}
	s.say(t, `{"t":"hello","client":"slow"}`)
	s.want(t, "welcome")
	s.want(t, "snap")
	return s
}
