package live_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/live"
)

// simClient is a client as the protocol asks for it: it keeps its copy of the
// image over connections, and sends again what it has no verdict for.
type simClient struct {
	t       fataler
	name    string
	room    *live.Room
	session *live.Session
	conns   int

	epoch   string
	ver     int64
	boxes   map[easel.ID]int64 // id to rev
	partial bool               // in the middle of a snapshot
	started bool               // welcome received on this connection

	seq     int64
	unacked []simOp
	acked   map[int64]bool // seqs with a verdict

	seen func(ver int64, ops []easel.Effect) // nil: nobody listens
}

// fataler is what ends a simulation that went wrong.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

type simOp struct {
	seq  int64
	text string
}

// serverFrame is any frame of the server.
type serverFrame struct {
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
	Peers       []live.Peer        `json:"peers"`
	User        string             `json:"user"`
	Name        string             `json:"name"`
	State       json.RawMessage    `json:"state"`
	By          string             `json:"by"`
	Text        string             `json:"text"`
	Reason      string             `json:"reason"`
	Results     []easel.Result     `json:"results"`
	LastMessage *easel.ID          `json:"last_message"`
	Limits      live.Limits        `json:"limits"`
}

func (c *simClient) connect(room *live.Room) {
	c.conns++
	conn := fmt.Sprintf("%s/%d", c.name, c.conns)
	s, err := room.Enter(conn, easel.Principal{User: "u", Role: easel.Annotator}, live.Queues{Chunk: 300})
	if err != nil {
		c.t.Fatalf("enter: %v", err)
	}
	c.room, c.session, c.started, c.partial = room, s, false, false
	hello := map[string]any{"t": "hello", "client": c.name}
	if c.epoch != "" {
		hello["since"] = map[string]any{"epoch": c.epoch, "ver": c.ver}
	}
	text, _ := json.Marshal(hello)
	c.say(string(text))
}

func (c *simClient) say(text string) {
	in, ok := live.Parse([]byte(text))
	if !ok || in.Bad != nil {
		c.t.Fatalf("own frame %s: %v", text, in.Bad)
	}
	_ = c.room.Say(c.session.Conn(), in)
}

func (c *simClient) disconnect() {
	if c.session == nil {
		return
	}
	c.room.Leave(c.session.Conn())
	c.lost()
}

// lost forgets the connection; half a snapshot is worth nothing.
func (c *simClient) lost() {
	if c.partial {
		c.epoch = ""
	}
	c.session, c.started = nil, false
}

func (c *simClient) op(op string) {
	if c.session == nil || !c.started || len(c.unacked) >= 20 {
		return
	}
	c.seq++
	o := simOp{c.seq, fmt.Sprintf(`{"t":"op","seq":%d,"ops":[%s]}`, c.seq, op)}
	c.unacked = append(c.unacked, o)
	c.say(o.text)
}

// read takes what is queued, at most n bytes of it.
func (c *simClient) read(n int) {
	for c.session != nil && n > 0 {
		items, _, end := c.session.Take(nil, 1)
		for _, it := range items {
			n -= it.Frame.Len()
			var f serverFrame
			if err := json.Unmarshal(it.Frame.JSON(), &f); err != nil {
				c.t.Fatalf("frame %s: %v", it.Frame.JSON(), err)
			}
			c.frame(f)
		}
		if end != nil {
			if !end.Retry() && *end != live.CloseReplaced {
				c.t.Fatalf("closed: %v", end)
			}
			c.lost()
			return
		}
		if len(items) == 0 {
			return
		}
	}
}

func (c *simClient) frame(f serverFrame) {
	switch f.T {
	case "welcome":
		c.welcome(f)
	case "snap":
		if (f.I == 0) == c.partial {
			c.t.Fatalf("%s: chunk %d out of turn", c.name, f.I)
		}
		if f.I == 0 {
			c.boxes, c.partial = map[easel.ID]int64{}, true
		}
		for _, a := range f.Annotations {
			c.boxes[a.ID] = a.Rev
		}
		if f.Last {
			c.partial, c.ver = false, f.Ver
		}
	case "ops":
		if !c.started || c.partial || f.Ver != c.ver+1 {
			c.t.Fatalf("%s: ops %d at version %d (partial %t)", c.name, f.Ver, c.ver, c.partial)
		}
		c.ver = f.Ver
		if c.seen != nil {
			c.seen(f.Ver, f.Ops)
		}
		for _, e := range f.Ops {
			if e.Kind == easel.OpDelete {
				delete(c.boxes, e.ID)
			} else {
				c.boxes[e.ID] = e.Annotation.Rev
			}
		}
	case "ack":
		c.verdict(f.Seq)
	case "rej":
		if !f.Temporary {
			c.verdict(f.Seq)
			return
		}
		if f.Code != string(easel.CodeUnavailable) && f.Code != string(easel.CodeBadSeq) {
			c.t.Fatalf("%s: rej %+v", c.name, f)
		}
		// Come back: the welcome tells what has to be sent again.
		c.disconnect()
	}
}

func (c *simClient) welcome(f serverFrame) {
	if c.started {
		c.t.Fatalf("%s: second welcome", c.name)
	}
	c.started = true
	if f.Recovered && (f.Epoch != c.epoch || f.Ver < c.ver) {
		c.t.Fatalf("%s: recovered to %s:%d from %s:%d", c.name, f.Epoch, f.Ver, c.epoch, c.ver)
	}
	c.epoch = f.Epoch
	kept := c.unacked[:0:0]
	for _, o := range c.unacked {
		if o.seq > f.LastSeq {
			kept = append(kept, o)
		} else {
			c.acked[o.seq] = true
		}
	}
	c.unacked = kept
	for _, o := range kept {
		c.say(o.text)
	}
}

func (c *simClient) verdict(seq int64) {
	for i, o := range c.unacked {
		if o.seq == seq {
			c.unacked = append(c.unacked[:i:i], c.unacked[i+1:]...)
			break
		}
	}
	c.acked[seq] = true
}

// TestReplicasAgree lets clients, rooms and an owner live through any order of
// ops, lost and late messages, disconnects and restarts. Every client then has
// the image as the owner has it, having seen each version once and in order, and
// each of its ops had exactly one verdict.
func TestReplicasAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(2, live.Options{RingNodes: rapid.IntRange(2, 40).Draw(t, "ring")})
		var clients []*simClient
		for i := range 3 {
			clients = append(clients, &simClient{
				t: t, name: string(rune('x' + i)), boxes: map[easel.ID]int64{}, acked: map[int64]bool{},
			})
		}
		var ids []string
		fresh := 0
		steps := rapid.IntRange(10, 200).Draw(t, "steps")
		for range steps {
			c := clients[rapid.IntRange(0, len(clients)-1).Draw(t, "client")]
			switch rapid.IntRange(0, 15).Draw(t, "step") {
			case 0, 1:
				if c.session == nil {
					c.connect(w.rooms[rapid.IntRange(0, len(w.rooms)-1).Draw(t, "room")])
				}
			case 2, 3:
				fresh++
				id := fmt.Sprintf("%032x", fresh*7919%1000)
				ids = append(ids, id)
				c.op(`{"k":"put","id":"` + id + `","annotation":{"label":"a","x":0,"y":0,"width":0.5,"height":0.5}}`)
			case 4, 5:
				if len(ids) > 0 {
					c.op(`{"k":"patch","id":"` + rapid.SampledFrom(ids).Draw(t, "id") + `","set":{"label":"b"}}`)
				}
			case 6:
				if len(ids) > 0 {
					c.op(`{"k":"del","id":"` + rapid.SampledFrom(ids).Draw(t, "id") + `"}`)
				}
			case 7:
				if rapid.Bool().Draw(t, "leave") {
					c.disconnect()
				}
			case 8:
				w.tick()
			case 9:
				w.restart()
			case 10:
				c.read(rapid.IntRange(1, 2000).Draw(t, "bytes"))
			default:
				if len(w.net) > 0 {
					// Mostly in order, sometimes not; sometimes lost.
					i := 0
					if rapid.IntRange(0, 3).Draw(t, "overtake") == 0 {
						i = rapid.IntRange(0, len(w.net)-1).Draw(t, "which")
					}
					w.arrive(i, rapid.IntRange(0, 9).Draw(t, "lost") == 0)
				}
			}
		}
		heal(t, w, clients)
		for _, c := range clients {
			want := map[easel.ID]int64{}
			for id, a := range w.owner.boxes {
				want[id] = a.Rev
			}
			if diff := cmp.Diff(want, c.boxes); diff != "" {
				t.Fatalf("%s at %d of %d (-owner +client):\n%s", c.name, c.ver, w.owner.ver, diff)
			}
			last := w.owner.clients[[2]string{"u", c.name}].last
			if last != c.seq || int64(len(c.acked)) != c.seq {
				t.Fatalf("%s: sent %d, consumed %d, verdicts %d", c.name, c.seq, last, len(c.acked))
			}
		}
	})
}

// heal connects everybody, loses nothing more, and waits until nobody has
// anything to wait for.
func heal(t *rapid.T, w *world, clients []*simClient) {
	for range 60 {
		for i, c := range clients {
			if c.session == nil {
				c.connect(w.rooms[i%len(w.rooms)])
			}
			w.run(time.Second)
			c.read(1 << 20)
		}
		settled := true
		for _, c := range clients {
			settled = settled && c.session != nil && c.started && !c.partial &&
				len(c.unacked) == 0 && c.ver == w.owner.ver
		}
		if settled {
			return
		}
	}
	var state []string
	for _, c := range clients {
		state = append(state, fmt.Sprintf("%s: session %t started %t ver %d unacked %d",
			c.name, c.session != nil, c.started, c.ver, len(c.unacked)))
	}
	for _, r := range w.rooms {
		state = append(state, r.State())
	}
	t.Fatalf("did not settle at version %d:\n%s", w.owner.ver, strings.Join(state, "\n"))
}
