package ws_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/live"
	"github.com/easelhq/easel/transport/ws"
)

// raw makes one frame as a client would: first byte, payload, masked.
func raw(first byte, payload string) []byte {
	mask := [4]byte{1, 2, 3, 4}
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = append(b, 0x80|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, 0x80|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return b
}

func closeFrame(code uint16, reason string) []byte {
	return raw(0x88, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}

// dialRaw makes the handshake by hand and returns the bare connection.
func (s *stage) dialRaw(t *testing.T, key actors.Key) (net.Conn, *bufio.Reader) {
	t.Helper()
	u := strings.TrimPrefix(s.url, "ws://")
	c, err := net.Dial("tcp", u[:len(u)-1])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = io.WriteString(c, "GET /"+imageID(key)+" HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Protocol: easel.v1, bearer.ann_annotator\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v, %v", resp, err)
	}
	return c, r
}

// closing reads frames until a close frame and returns its code; 0 if the
// connection ended without one.
func closing(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	for {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
				return 0
			}
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				t.Fatal("the server does not close")
			}
			return 0
		}
		n := int64(head[1])
		switch n {
		case 126:
			var b [2]byte
			_, _ = io.ReadFull(r, b[:])
			n = int64(binary.BigEndian.Uint16(b[:]))
		case 127:
			var b [8]byte
			_, _ = io.ReadFull(r, b[:])
			n = int64(binary.BigEndian.Uint64(b[:]))
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(r, payload); err != nil {
			t.Fatalf("frame of %d bytes: %v", n, err)
		}
		if head[0] == 0x88 {
			if n < 2 {
				return 1005
			}
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}

func TestHostileFrames(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	hello := `{"t":"hello","client":"raw"}`
	unmasked := append([]byte{0x81, byte(len(hello))}, hello...)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	tests := []struct {
		name string
		send []byte
		code int // 0: the connection just ends
	}{
		{"unmasked", unmasked, 1002},
		{"RSV1", raw(0xc1, hello), 1002},
		{"RSV2", raw(0xa1, hello), 1002},
		{"RSV3", raw(0x91, hello), 1002},
		{"reserved opcode 3", raw(0x83, hello), 1002},
		{"reserved opcode 11", raw(0x8b, ""), 1002},
		{"fragmented ping", raw(0x09, "x"), 1002},
		{"long ping", raw(0x89, strings.Repeat("x", 126)), 1002},
		{"continuation of nothing", raw(0x80, "x"), 1002},
		{"text within a fragmented text", join(raw(0x01, "{"), raw(0x81, "}")), 1002},
		{"length with the top bit", join([]byte{0x81, 0xff}, bytes.Repeat([]byte{0xff}, 8), []byte{1, 2, 3, 4}), 1009},
		{"length bomb", join([]byte{0x81, 0xff, 0x7f}, bytes.Repeat([]byte{0xff}, 7), []byte{1, 2, 3, 4}), 1009},
		{"fragments beyond the limit", join(raw(0x01, strings.Repeat("x", 40<<10)), raw(0x80, strings.Repeat("x", 40<<10))), 1009},
		{"not UTF-8 over fragments", join(raw(0x01, "{\"a\":\"\xe2\x82"), raw(0x80, "\x28\"}")), 4400},
		{"cut rune", raw(0x81, "\"\xe2\x82"), 4400},
		{"surrogate", raw(0x81, "{\"t\":\"\xed\xa0\x80\"}"), 4400},
		{"binary", raw(0x82, hello), 4400},
		{"close", closeFrame(1000, "bye"), 1000},
		{"close without status", raw(0x88, ""), 1005},
		{"close of an application", closeFrame(4000, ""), 4000},
		{"close of one byte", raw(0x88, "x"), 1005},
		{"close 999", closeFrame(999, ""), 1002},
		{"close 1005", closeFrame(1005, ""), 1002},
		{"close 1006", closeFrame(1006, ""), 1002},
		{"close 1015", closeFrame(1015, ""), 1002},
		{"close 5000", closeFrame(5000, ""), 1002},
		{"close with bad UTF-8", closeFrame(1000, "\xff"), 1002},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, r := s.dialRaw(t, key)
			if _, err := c.Write(tt.send); err != nil {
				t.Fatal(err)
			}
			if got := closing(t, r); got != tt.code {
				t.Errorf("closed with %d, want %d", got, tt.code)
			}
		})
	}
}

func TestFragmentsAndInterleavedPings(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	c, r := s.dialRaw(t, s.Image())
	// The euro sign is cut in two; a ping comes in between.
	parts := [][]byte{
		raw(0x01, "{\"t\":\"hello\",\"client\":\"r\xe2\x82"), raw(0x89, "p1"), raw(0x00, "\xac"), raw(0x80, "\"}"),
	}
	for _, p := range parts {
		for _, b := range p { // byte by byte
			if _, err := c.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
	}
	pong := make([]byte, 4)
	if _, err := io.ReadFull(r, pong); err != nil || string(pong) != "\x8a\x02p1" {
		t.Fatalf("pong = %q, %v", pong, err)
	}
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil || head[0] != 0x81 || head[1] != 126 {
		t.Fatalf("welcome = %q, %v", head, err)
	}
}

func TestPingFloodIsBounded(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	c, r := s.dialRaw(t, s.Image())
	flood := bytes.Repeat(raw(0x89, strings.Repeat("x", 125)), 2000)
	go func() {
		_, _ = c.Write(flood)
		_, _ = c.Write(closeFrame(1000, ""))
	}()
	if got := closing(t, r); got != 1000 {
		t.Errorf("closed with %d", got)
	}
}

func TestFloodOfFramesIsReadSlowly(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{FrameRate: 100})
	key := s.Image()
	for name, frame := range map[string][]byte{
		"unknown frames": raw(0x81, `{"t":"x"}`),
		"chat":           raw(0x81, `{"t":"chat","text":"hi"}`),
		"pings":          raw(0x89, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, r := s.dialRaw(t, key)
			began := time.Now()
			go func() {
				_, _ = c.Write(bytes.Repeat(frame, 299)) // a burst of 200 is let through
				_, _ = c.Write(closeFrame(1000, ""))
			}()
			if got := closing(t, r); got != 1000 {
				t.Errorf("closed with %d", got)
			}
			if took := time.Since(began); took < 900*time.Millisecond {
				t.Errorf("299 frames were read in %v", took)
			}
		})
	}
}
