package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
)

// described is a frame with every field it can have, and what it is for.
type described struct {
	text  string
	least string // the same with the fields it always has; "" for client frames
	about string
}

// clientFrames are what Parse takes, in the order in which clients meet them.
func clientFrames() []described {
	const id = `"0123456789abcdef0123456789abcdef"`
	list := [][2]string{
		{`{"t":"hello","client":"tab-1","since":{"epoch":"e","ver":1},"name":"Ada"}`, "The first frame, within 10 s. `client` names this tab or program, `since` what it has."},
		{`{"t":"op","seq":1,"ops":[{"k":"del","id":` + id + `}]}`, "One batch of ops, all or none. `seq` counts up by one per client."},
		{`{"t":"pres","state":{"cursor":[0.5,0.5]}}`, "Where this person is. `state` is an object with `cursor` [x, y], `selection` (ids), `draft`, `view` and whatever else the clients agree on, at most 16 KiB."},
		{`{"t":"chat","text":"hi"}`, "A line for the image's chat, 1 to 4,000 characters. It is answered by the `chat` frame that everyone gets."},
		{`{"t":"auth","token":"…"}`, "A new token for the same user and tenant: extends the socket."},
		{`{"t":"ping"}`, "Answered by `pong` without waking the image."},
	}
	out := make([]described, len(list))
	for i, l := range list {
		out[i] = described{text: l[0], about: l[1]}
	}
	return out
}

// serverFrames are made by the functions that make them for clients.
func serverFrames() []described {
	const id = easel.ID("0123456789abcdef0123456789abcdef")
	note := &easel.Annotation{ID: id, ImageID: id}
	failure := &easel.Error{
		Code: easel.CodeConflict, Message: "…", Expected: 1, Current: json.RawMessage(`{}`),
		Details: []easel.Detail{{}}, RetryAfter: time.Second,
	}
	last := id
	batch := easel.Batch{Ver: 1, By: "ada", Conn: "c", Seq: 1, At: 1, Ops: []easel.Effect{{Kind: easel.OpPut, ID: id, Annotation: note}}}
	snap, _ := newSnapshot(1, []*easel.Annotation{note}).chunk(0, 1<<16)
	refusal := &easel.Error{Code: easel.CodeGone, Message: "…"}
	plain := easel.Batch{Ver: 1, By: "ada", At: 1, Ops: []easel.Effect{}}
	list := []struct {
		frame Frame
		least Frame // zero: the same
		about string
	}{
		{encode(welcomeFrame{T: "welcome", LastMessage: &last}), Frame{}, "Answers `hello`. `recovered`: the missed batches follow as `ops`; else a snapshot follows. `last_seq`: the newest seq of this client that was consumed; `known`: whether the server remembers the client."},
		{snap.Frame, Frame{}, "A part of the snapshot at `ver`, at most 256 KiB; `last` is the end."},
		{ack(canvas.Applied{}), Frame{}, "The batch is durable. One result for each op."},
		{rej(1, failure), rej(1, refusal), "The batch was refused. `temporary`: it consumed nothing, send it again; else the seq is consumed. `expected` with `bad_seq`, `current` with `conflict`."},
		{opsFrame(batch, nil), opsFrame(plain, nil), "An accepted batch, to everyone, in version order without gaps. `conn` and `seq` are the writer's; none for REST. `annotation` is whole, and absent for `del`."},
		{presence(Peer{}), Frame{}, "A peer's newest state."},
		{left("c"), Frame{}, "A peer has left."},
		{chat(easel.Message{}), Frame{}, "A line of the chat."},
		{imageFrame(easel.Image{}), Frame{}, "The image's own row has changed."},
		{pong(1), Frame{}, "Answers `ping`."},
		{errorFrame(failure), errorFrame(refusal), "Answers a frame that is no op, or an op without a usable seq. The socket stays."},
		{bye("draining", time.Second), Frame{}, "Please reconnect after `after_ms`; the socket is about to be closed."},
	}
	out := make([]described, len(list))
	for i, l := range list {
		if l.least.Len() == 0 {
			l.least = l.frame
		}
		out[i] = described{string(l.frame.JSON()), string(l.least.JSON()), l.about}
	}
	return out
}

// closes are all ways to end a socket, but the client's own.
func closes() []Close {
	return []Close{
		CloseTooLarge, CloseBadFrame, CloseUnauthorized, CloseForbidden, CloseNoImage, CloseReplaced, CloseTooOld,
		CloseQuota, CloseInternal, CloseDraining, CloseSlow, CloseNoHello, CloseNoPong,
	}
}

// FramesTable returns docs/frames.md: every frame and every close code, as the
// code makes and takes them.
func FramesTable() []byte {
	var b bytes.Buffer
	b.WriteString("# Frames\n\nMade from package `live` by `make docs`. What they mean together is in [protocol](protocol.md).\nFields in parentheses may be missing.\n\n")
	b.WriteString("## From clients\n\n| frame | fields | meaning |\n|---|---|---|\n")
	for _, d := range clientFrames() {
		name, fields := d.fields()
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, fields, d.about)
	}
	b.WriteString("\n## From the server\n\n| frame | fields | meaning |\n|---|---|---|\n")
	for _, d := range serverFrames() {
		name, fields := d.fields()
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, fields, d.about)
	}
	b.WriteString("\n## Close codes\n\n| code | reason | reconnect |\n|---|---|---|\n")
	for _, c := range closes() {
		retry := "no, not unchanged"
		if c.Retry() {
			retry = "yes, with backoff"
		}
		fmt.Fprintf(&b, "| %d | %s | %s |\n", c.Code, c.Name, retry)
	}
	return b.Bytes()
}

// accepted reports whether Parse finds nothing wrong with a frame.
func accepted(text string) bool {
	in, ok := Parse([]byte(text))
	return ok && in.Bad == nil && (in.Op == nil || in.Op.Refused == nil)
}

// fields returns the frame's type and its other keys in order, those that may be
// missing in parentheses.
func (d described) fields() (name, list string) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal([]byte(d.text), &values); err != nil {
		panic("live: describe frame: " + err.Error())
	}
	var parts []string
	dec := json.NewDecoder(strings.NewReader(d.text))
	_, _ = dec.Token() // the brace: Unmarshal has read the text already
	for dec.More() {
		token, _ := dec.Token()
		var value json.RawMessage
		_ = dec.Decode(&value)
		switch key, _ := token.(string); {
		case key == "t":
			_ = json.Unmarshal(value, &name)
		case d.optional(key, values):
			parts = append(parts, "(`"+key+"`)")
		default:
			parts = append(parts, "`"+key+"`")
		}
	}
	return name, strings.Join(parts, " ")
}

// optional asks the code: whether it takes a client's frame without the key, or
// makes a server's frame without it.
func (d described) optional(key string, values map[string]json.RawMessage) bool {
	if d.least != "" {
		var least map[string]json.RawMessage
		_ = json.Unmarshal([]byte(d.least), &least) // the code's own JSON
		return least[key] == nil
	}
	rest := maps.Clone(values)
	delete(rest, key)
	without, _ := json.Marshal(rest)
	return accepted(string(without))
}
