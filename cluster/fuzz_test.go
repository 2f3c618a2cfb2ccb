package cluster_test

import (
	"context"
	"testing"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/cluster"
	"github.com/easelhq/easel/wire"
)

// FuzzAdmit: no message of a stream makes its reader panic, and protoactor gets
// nothing of it to decode.
func FuzzAdmit(f *testing.F) {
	seed := func(e *remote.MessageEnvelope, types, targets []string) {
		b, err := proto.Marshal(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: &remote.MessageBatch{
			TypeNames: types, Targets: targets, Envelopes: []*remote.MessageEnvelope{e},
		}}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	seed(&remote.MessageEnvelope{}, []string{"easel.wire.v1.Request"}, []string{"easel/requests/0"})
	seed(&remote.MessageEnvelope{TypeId: 5}, []string{"easel.wire.v1.Request"}, []string{"easel/requests/0"})
	seed(&remote.MessageEnvelope{Target: -1, Sender: 3}, []string{"actor.Stop"}, []string{"activator"})
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &remote.RemoteMessage{}
		if proto.Unmarshal(b, m) != nil {
			return
		}
		sent := len(m.GetMessageBatch().GetEnvelopes())
		handed, err := cluster.Admit(m)
		if left := len(m.GetMessageBatch().GetEnvelopes()); err == nil && (handed != sent || left != 0) {
			t.Errorf("of %d messages %d are handed on and %d are left", sent, handed, left)
		}
	})
}

// mute takes everything and answers everything.
type mute struct{ codec *actors.Codec }

func (m mute) Codec() *actors.Codec { return m.codec }
func (mute) OwnersChanged()         {}
func (mute) Deliver(_ context.Context, r actors.Request, reply func(actors.Message, error)) {
	reply(r.Message, nil)
}

// FuzzTake: no message of a peer makes a node panic, or keep more than its bound.
func FuzzTake(f *testing.F) {
	codec, err := actors.NewCodec(echo{})
	if err != nil {
		f.Fatal(err)
	}
	origin := &wire.Origin{Node: "p", Incarnation: "p", Address: "127.0.0.1:1"}
	for i, m := range []proto.Message{
		&wire.Request{
			Version: 1, Id: 1, Origin: origin, To: &wire.Actor{Kind: "test", Id: "x"}, BudgetMs: 1 << 63,
			Payload: &wire.Payload{Name: "test.echo", Body: []byte(`{"Text":"x"}`), Size: 12},
		},
		&wire.Answer{
			Version: 1, Id: 1, Origin: origin, Outcome: wire.Outcome_OUTCOME_ERROR, Cause: "c",
			Payload: &wire.Payload{Body: []byte(`{"code":"gone"}`), Size: 99, Transfer: 3},
		},
		&wire.Part{Version: 1, Transfer: &wire.Transfer{Incarnation: "p", Id: 3}, Offset: 15, Body: []byte("x")},
		&wire.Credit{Version: 1, Transfer: &wire.Transfer{Incarnation: "i", Id: 1}, Received: 1 << 63},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), b, []byte{})
		f.Add(uint8(i), b, b)
	}
	f.Fuzz(func(t *testing.T, which uint8, first, second []byte) {
		n := cluster.Deaf(mute{codec})
		for i, b := range [][]byte{first, second} {
			m := []proto.Message{&wire.Request{}, &wire.Answer{}, &wire.Part{}, &wire.Credit{}}[(int(which)+i)%4]
			if proto.Unmarshal(b, m) == nil {
				_ = cluster.Act(n, m)
			}
		}
		if r := cluster.Reserved(n); r < 0 || r > 64<<20 {
			t.Errorf("%d bytes are reserved", r)
		}
	})
}
