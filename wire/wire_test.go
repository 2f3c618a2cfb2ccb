package wire_test

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/easelhq/easel/wire"
)

func request() *wire.Request {
	return &wire.Request{
		Version: 1, Id: 7, Origin: &wire.Origin{Node: "a", Incarnation: "i", Address: "127.0.0.1:1"},
		To: &wire.Actor{Kind: "image", Id: "t/1"}, Payload: &wire.Payload{Name: "canvas.apply", Body: []byte("{}"), Size: 2},
	}
}

func answer() *wire.Answer {
	return &wire.Answer{
		Version: 1, Id: 7, Origin: &wire.Origin{Node: "a", Incarnation: "i", Address: "127.0.0.1:1"},
		Outcome: wire.Outcome_OUTCOME_MESSAGE, Payload: &wire.Payload{Name: "canvas.applied", Body: []byte("{}"), Size: 2},
	}
}

func TestSpeakTheHighestThatBothDo(t *testing.T) {
	for _, c := range []struct {
		name            string
		lowest, highest uint32
		want            uint32
	}{
		{"the same", wire.MinVersion, wire.Version, wire.Version},
		{"a newer node that still speaks ours", wire.Version, wire.Version + 1, wire.Version},
		{"a newer node that does not", wire.Version + 1, wire.Version + 2, 0},
		{"a node that says nothing", 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := wire.Speak(wire.MinVersion, wire.Version, c.lowest, c.highest); got != c.want {
				t.Errorf("version %d, want %d", got, c.want)
			}
		})
	}
}

func TestCheckRefusesRequests(t *testing.T) {
	if err := request().Check(); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", wire.FieldBytes+1)
	for _, c := range []struct {
		name  string
		spoil func(*wire.Request)
	}{
		{"another version", func(q *wire.Request) { q.Version = wire.Version + 1 }},
		{"no version", func(q *wire.Request) { q.Version = 0 }},
		{"no id", func(q *wire.Request) { q.Id = 0 }},
		{"no origin", func(q *wire.Request) { q.Origin = nil }},
		{"an origin without an address", func(q *wire.Request) { q.Origin.Address = "" }},
		{"nobody", func(q *wire.Request) { q.To = nil }},
		{"no kind", func(q *wire.Request) { q.To.Kind = "" }},
		{"no payload", func(q *wire.Request) { q.Payload = nil }},
		{"no message", func(q *wire.Request) { q.Payload.Name = "" }},
		{"a long name", func(q *wire.Request) { q.OnceId = long }},
		{"a long actor", func(q *wire.Request) { q.To.Id = long }},
		{"a body larger than it says", func(q *wire.Request) { q.Payload.Size = 1 }},
		{"too much in one piece", func(q *wire.Request) {
			q.Payload.Body = make([]byte, wire.WholeBytes+1)
			q.Payload.Size = wire.WholeBytes + 1
		}},
		{"parts without a name", func(q *wire.Request) { q.Payload.Size = 3 }},
		{"parts without the first", func(q *wire.Request) { q.Payload.Body, q.Payload.Transfer = nil, 1 }},
		{"more than any node takes", func(q *wire.Request) { q.Payload.Size, q.Payload.Transfer = wire.BodyBytes+1, 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := request()
			c.spoil(q)
			if err := q.Check(); err == nil {
				t.Error("it passes")
			}
		})
	}
	q := request()
	q.Version = wire.Version + 1
	if err := q.Check(); !errors.Is(err, wire.ErrVersion) {
		t.Errorf("another version is %v", err)
	}
}

func TestCheckRefusesAnswers(t *testing.T) {
	for _, c := range []struct {
		name  string
		ok    bool
		spoil func(*wire.Answer)
	}{
		{"a message", true, func(*wire.Answer) {}},
		{"moved", true, func(a *wire.Answer) { a.Outcome, a.Payload = wire.Outcome_OUTCOME_MOVED, nil }},
		{"an error", true, func(a *wire.Answer) { a.Outcome = wire.Outcome_OUTCOME_ERROR }},
		{"no id", false, func(a *wire.Answer) { a.Id = 0 }},
		{"no origin", false, func(a *wire.Answer) { a.Origin = nil }},
		{"no outcome", false, func(a *wire.Answer) { a.Outcome = 0 }},
		{"an outcome of the future", false, func(a *wire.Answer) { a.Outcome = 9 }},
		{"a message without a name", false, func(a *wire.Answer) { a.Payload.Name = "" }},
		{"no message", false, func(a *wire.Answer) { a.Payload = nil }},
		{"an error without a body", false, func(a *wire.Answer) { a.Outcome, a.Payload = wire.Outcome_OUTCOME_ERROR, nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := answer()
			c.spoil(a)
			if err := a.Check(); (err == nil) != c.ok {
				t.Errorf("it is checked as %v", err)
			}
		})
	}
}

// TestOldFieldsStayReadable: these bytes were written by version 1. A node of any
// version must read them as long as MinVersion is 1.
func TestOldFieldsStayReadable(t *testing.T) {
	q := request()
	q.From = &wire.Actor{Kind: "room", Id: "t/1", Node: "a"}
	q.OnceId, q.OnceHash, q.BudgetMs, q.Traceparent, q.Tell = "o", "h", 1500, "00-", true
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	const want = "\b\x01\x10\a\x18\x01\"\x13\n\x01a\x12\x01i\x1a\v127.0.0.1:1*\f\n\x05image\x12\x03t/12\x0e\n\x04room\x12\x03t/1\x1a\x01a" +
		":\x01oB\x01hH\xdc\vR\x0300-b\x14\n\fcanvas.apply\x12\x02{}\x18\x02"
	if string(b) != want {
		t.Errorf("request is %q, was %q", b, want)
	}
}

func FuzzCheck(f *testing.F) {
	for _, m := range []proto.Message{
		request(), answer(),
		&wire.Part{Version: 1, Transfer: &wire.Transfer{Incarnation: "i", Id: 1}, Body: []byte("x")},
		&wire.Credit{Version: 1, Transfer: &wire.Transfer{Incarnation: "i", Id: 1}, Received: 5},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var q wire.Request
		if proto.Unmarshal(b, &q) == nil && q.Check() == nil && (q.Origin == nil || q.To == nil || q.Payload == nil) {
			t.Error("a request passes without what is needed")
		}
		var a wire.Answer
		if proto.Unmarshal(b, &a) == nil && a.Check() == nil && a.Outcome != wire.Outcome_OUTCOME_MOVED && a.Payload == nil {
			t.Error("an answer passes without what is needed")
		}
		var p wire.Part
		if proto.Unmarshal(b, &p) == nil && p.Check() == nil && (p.Transfer == nil || len(p.Body) == 0) {
			t.Error("a part passes without what is needed")
		}
		var c wire.Credit
		if proto.Unmarshal(b, &c) == nil && c.Check() == nil && c.Transfer == nil {
			t.Error("a credit passes without what is needed")
		}
	})
}
