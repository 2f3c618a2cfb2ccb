package wire_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/easelhq/easel/wire"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// large returns a request whose body comes in parts.
func large(from string, transfer, size uint64, first []byte) *wire.Request {
	q := request()
	q.Origin.Incarnation = from
	q.Payload = &wire.Payload{Name: "x", Body: first, Size: size, Transfer: transfer}
	return q
}

func part(from string, transfer, offset uint64, b []byte) *wire.Part {
	return &wire.Part{Version: 1, Transfer: &wire.Transfer{Incarnation: from, Id: transfer}, Offset: offset, Body: b}
}

func TestAssemblyPutsBodiesTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := wire.NewAssembly(1<<20, 1<<20)
		type body struct {
			from string
			id   uint64
			all  []byte
			sent int
		}
		var bodies []*body
		for i := range rapid.IntRange(1, 5).Draw(t, "bodies") {
			b := &body{
				from: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "from"), id: uint64(i + 1),
				all: rapid.SliceOfN(rapid.Byte(), 2, 300).Draw(t, "body"),
			}
			b.sent = rapid.IntRange(1, len(b.all)-1).Draw(t, "first")
			if err := a.BeginRequest(large(b.from, b.id, uint64(len(b.all)), bytes.Clone(b.all[:b.sent])), noon); err != nil {
				t.Fatal(err)
			}
			bodies = append(bodies, b)
		}
		for len(bodies) > 0 {
			i := rapid.IntRange(0, len(bodies)-1).Draw(t, "next")
			b := bodies[i]
			to := rapid.IntRange(b.sent+1, len(b.all)).Draw(t, "to")
			whole, have, err := a.Add(part(b.from, b.id, uint64(b.sent), bytes.Clone(b.all[b.sent:to])), noon)
			if err != nil || have != uint64(to) {
				t.Fatalf("%d of %d are here: %v", have, to, err)
			}
			b.sent = to
			if (whole != nil) != (to == len(b.all)) {
				t.Fatalf("whole %v after %d of %d", whole, to, len(b.all))
			}
			if whole != nil {
				if !bytes.Equal(whole.Body, b.all) || whole.Request.Payload.Transfer != b.id {
					t.Fatal("the body is another")
				}
				bodies = append(bodies[:i], bodies[i+1:]...)
			}
		}
		if n := a.Reserved(); n != 0 {
			t.Fatalf("%d bytes stay reserved", n)
		}
	})
}

func TestAssemblyIsBounded(t *testing.T) {
	a := wire.NewAssembly(100, 150)
	first := []byte("0123456789")
	if err := a.BeginRequest(large("a", 1, 100, first), noon); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		q    *wire.Request
	}{
		{"of one node", large("a", 2, 11, first)},
		{"together", large("b", 1, 51, first)},
	} {
		if err := a.BeginRequest(c.q, noon); !errors.Is(err, wire.ErrFull) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := a.BeginRequest(large("b", 1, 50, first), noon); err != nil {
		t.Errorf("what fits is refused: %v", err)
	}
	a.Forget("a")
	if n := a.Reserved(); n != 50 {
		t.Errorf("%d bytes are reserved for the other node", n)
	}
}

func TestAssemblyDropsWhatBreaksTheRules(t *testing.T) {
	for _, c := range []struct {
		name string
		part *wire.Part
	}{
		{"a gap", part("a", 1, 12, []byte("x"))},
		{"a repeat", part("a", 1, 0, []byte("x"))},
		{"more than was said", part("a", 1, 10, make([]byte, 11))},
		{"nothing", part("a", 1, 10, nil)},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := wire.NewAssembly(100, 100)
			if err := a.BeginRequest(large("a", 1, 20, []byte("0123456789")), noon); err != nil {
				t.Fatal(err)
			}
			if _, _, err := a.Add(c.part, noon); err == nil || errors.Is(err, wire.ErrUnknown) {
				t.Errorf("it is taken: %v", err)
			}
			if n := a.Reserved(); n != 0 {
				t.Errorf("%d bytes stay reserved", n)
			}
		})
	}
}

func TestAssemblyKnowsWhoSends(t *testing.T) {
	a := wire.NewAssembly(100, 100)
	if err := a.BeginRequest(large("a", 1, 20, []byte("0123456789")), noon); err != nil {
		t.Fatal(err)
	}
	if err := a.BeginRequest(large("a", 1, 20, []byte("0123456789")), noon); err == nil {
		t.Error("a body begins twice")
	}
	if _, _, err := a.Add(part("b", 1, 10, []byte("x")), noon); !errors.Is(err, wire.ErrUnknown) {
		t.Errorf("another node's part is %v", err)
	}
}

func TestAssemblyForgetsWhatStands(t *testing.T) {
	a := wire.NewAssembly(100, 100)
	for id := range uint64(2) {
		if err := a.BeginRequest(large("a", id+1, 20, []byte("0123456789")), noon); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := a.Add(part("a", 2, 10, []byte("x")), noon.Add(5*time.Second)); err != nil {
		t.Fatal(err)
	}
	if n := a.Expire(noon.Add(time.Second)); n != 1 || a.Reserved() != 20 {
		t.Errorf("%d are dropped, %d bytes stay reserved", n, a.Reserved())
	}
}

// FuzzAssembly feeds any sequence of first and further parts.
func FuzzAssembly(f *testing.F) {
	f.Add([]byte{0, 1, 10, 3, 1, 1, 3, 7})
	f.Add([]byte{0, 1, 4, 4, 0, 1, 4, 1, 2, 1, 9, 9, 3, 3, 3, 3})
	f.Fuzz(func(t *testing.T, script []byte) {
		const each, all = 300, 500
		a := wire.NewAssembly(each, all)
		now := noon
		for len(script) >= 4 {
			op, id, x, y := script[0], uint64(script[1]%4), uint64(script[2]), script[3]
			script = script[4:]
			from := string(rune('a' + op>>4%3))
			switch op % 4 {
			case 0:
				q := large(from, id, x, make([]byte, y))
				if q.Check() == nil {
					_ = a.BeginRequest(q, now)
				}
			case 1, 2:
				whole, have, err := a.Add(part(from, id, x, make([]byte, y)), now)
				if whole != nil && (err != nil || have != uint64(len(whole.Body)) || whole.Request == nil) {
					t.Fatalf("whole of %d bytes, %d are here: %v", len(whole.Body), have, err)
				}
			case 3:
				a.Expire(now.Add(-time.Duration(x)))
				now = now.Add(time.Duration(y))
			}
			if n := a.Reserved(); n < 0 || n > all {
				t.Fatalf("%d bytes are reserved", n)
			}
		}
		for _, from := range []string{"a", "b", "c", "d"} {
			a.Forget(from)
		}
		a.Expire(now.Add(time.Hour))
		if n := a.Reserved(); n != 0 {
			t.Fatalf("%d bytes stay reserved", n)
		}
	})
}
