package live

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/opcodec"
)

// maxHeader is the longest header of an unmasked WebSocket frame.
const maxHeader = 10

// Frame is one encoded server frame. It is made once and shared by everyone it
// is sent to, so nobody may write to its bytes. The zero Frame holds nothing.
type Frame struct {
	wire []byte // a complete, unmasked WebSocket text frame
	head int    // length of the WebSocket header in wire
}

// JSON returns the frame's text.
func (f Frame) JSON() []byte { return f.wire[f.head:] }

// WebSocket returns the text as a complete WebSocket frame, as servers send it.
func (f Frame) WebSocket() []byte { return f.wire }

// Len returns the bytes of the frame on a socket.
func (f Frame) Len() int { return len(f.wire) }

// frameText makes a frame of buf, whose first maxHeader bytes are room for the
// header and whose rest is the text.
func frameText(buf []byte) Frame {
	const finText = 0x81
	n := len(buf) - maxHeader
	switch {
	case n < 126:
		wire := buf[maxHeader-2:]
		wire[0], wire[1] = finText, byte(n)
		return Frame{wire: wire, head: 2}
	case n < 1<<16:
		wire := buf[maxHeader-4:]
		wire[0], wire[1] = finText, 126
		binary.BigEndian.PutUint16(wire[2:], uint16(n))
		return Frame{wire: wire, head: 4}
	default:
		buf[0], buf[1] = finText, 127
		binary.BigEndian.PutUint64(buf[2:], uint64(n))
		return Frame{wire: buf, head: maxHeader}
	}
}

// encode makes a frame of a value that always encodes.
func encode(v any) Frame {
	text, err := json.Marshal(v)
	if err != nil {
		panic("live: encode frame: " + err.Error())
	}
	buf := make([]byte, maxHeader, maxHeader+len(text))
	return frameText(append(buf, text...))
}

// Peer is somebody who is present on an image.
type Peer struct {
	Conn  string          `json:"conn"`
	User  string          `json:"user"`
	Name  string          `json:"name"`
	State json.RawMessage `json:"state"` // a JSON object
}

// Limits are what a welcome tells a client of the limits it meets. Those of the
// tenant's images and bytes and of REST bodies are kept by others, and only told here.
type Limits struct {
	ClientOps   int `json:"ops_per_second"`
	ClientBurst int `json:"ops_burst"`
	Presence    int `json:"presence_per_second"`
	ImageOps    int `json:"image_ops_per_second"`
	Sockets     int `json:"image_sockets"`
	Annotations int `json:"image_annotations"`
	FrameBytes  int `json:"frame_bytes"`
	OpsPerFrame int `json:"ops_per_frame"`
	Unanswered  int `json:"unanswered_frames"`

	// Of one tenant; its ops a second and its sockets are counted on this node.
	TenantOps     int   `json:"tenant_ops_per_second"`
	TenantSockets int   `json:"tenant_sockets"`
	TenantImages  int   `json:"tenant_images,omitempty"`
	TenantBytes   int64 `json:"tenant_bytes,omitempty"`

	BodyBytes int64 `json:"body_bytes,omitempty"`
}

type welcomeFrame struct {
	T           string      `json:"t"`
	Conn        string      `json:"conn"`
	Epoch       string      `json:"epoch"`
	Ver         int64       `json:"ver"`
	Recovered   bool        `json:"recovered"`
	Known       bool        `json:"known"`
	Role        easel.Role  `json:"role"`
	LastSeq     int64       `json:"last_seq"`
	Image       easel.Image `json:"image"`
	LastMessage *easel.ID   `json:"last_message"` // null: no message yet
	Peers       []Peer      `json:"peers"`
	Limits      Limits      `json:"limits"`
}

// opsFrame shows a batch to everyone. encoded is the batch as a JSON object, or
// nil to encode it here.
func opsFrame(b easel.Batch, encoded json.RawMessage) Frame {
	if len(encoded) < 2 {
		encoded = opcodec.AppendBatch(nil, &b) // the same bytes as the image makes
	}
	const prefix = `{"t":"ops",`
	buf := make([]byte, maxHeader, maxHeader+len(prefix)+len(encoded))
	buf = append(buf, prefix...)
	return frameText(append(buf, encoded[1:]...))
}

type ackFrame struct {
	T       string         `json:"t"`
	Seq     int64          `json:"seq"`
	Ver     int64          `json:"ver"`
	Results []easel.Result `json:"results"`
}

func ack(a canvas.Applied) Frame {
	if a.Results == nil {
		a.Results = []easel.Result{}
	}
	return encode(ackFrame{T: "ack", Seq: a.Seq, Ver: a.Ver, Results: a.Results})
}

type rejFrame struct {
	T          string          `json:"t"`
	Seq        int64           `json:"seq"`
	Code       easel.Code      `json:"code"`
	Message    string          `json:"message"`
	Temporary  bool            `json:"temporary"`
	Expected   int64           `json:"expected,omitempty"`
	Current    json.RawMessage `json:"current,omitempty"`
	Details    []easel.Detail  `json:"details,omitempty"`
	RetryAfter int64           `json:"retry_after_ms,omitempty"`
}

func rej(seq int64, e *easel.Error) Frame {
	return encode(rejFrame{
		T: "rej", Seq: seq, Code: e.Code, Message: e.Message, Temporary: e.Code.Temporary(),
		Expected: e.Expected, Current: e.Current, Details: e.Details, RetryAfter: millis(e.RetryAfter),
	})
}

type errFrame struct {
	T          string         `json:"t"`
	Code       easel.Code     `json:"code"`
	Message    string         `json:"message"`
	RetryAfter int64          `json:"retry_after_ms,omitempty"`
	Temporary  bool           `json:"temporary"`
	Details    []easel.Detail `json:"details,omitempty"`
}

func errorFrame(e *easel.Error) Frame {
	return encode(errFrame{
		T: "err", Code: e.Code, Message: e.Message, RetryAfter: millis(e.RetryAfter),
		Temporary: e.Code.Temporary(), Details: e.Details,
	})
}

// millis rounds up, so that who waits that long is not early.
func millis(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

func presence(p Peer) Frame {
	return encode(struct {
		T string `json:"t"`
		Peer
	}{"pres", p})
}

func left(conn string) Frame {
	return encode(struct {
		T    string `json:"t"`
		Conn string `json:"conn"`
	}{"left", conn})
}

func chat(m easel.Message) Frame {
	return encode(struct {
		T string `json:"t"`
		easel.Message
	}{"chat", m})
}

func imageFrame(i easel.Image) Frame {
	return encode(struct {
		T     string      `json:"t"`
		Image easel.Image `json:"image"`
	}{"image", i})
}

func pong(ver int64) Frame {
	return encode(struct {
		T   string `json:"t"`
		Ver int64  `json:"ver"`
	}{"pong", ver})
}

func bye(reason string, after time.Duration) Frame {
	return encode(struct {
		T      string `json:"t"`
		Reason string `json:"reason"`
		After  int64  `json:"after_ms"`
	}{"bye", reason, millis(after)})
}
