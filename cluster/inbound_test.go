package cluster_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/easelhq/easel/cluster"
	"github.com/easelhq/easel/wire"
)

// stubborn is a stream on which a peer never stops sending.
type stubborn struct {
	grpc.ServerStream
	ctx  context.Context //nolint:containedctx // the stream's
	one  *remote.RemoteMessage
	sent atomic.Int64 // messages that were read
}

func (f *stubborn) Context() context.Context { return f.ctx }

func (f *stubborn) RecvMsg(m any) error {
	f.sent.Add(1)
	*m.(*remote.RemoteMessage) = remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: &remote.MessageBatch{
		TypeNames: f.one.GetMessageBatch().TypeNames, Targets: f.one.GetMessageBatch().Targets, Envelopes: f.one.GetMessageBatch().Envelopes,
	}}}
	return nil
}

// TestStreamIsReadNoFasterThanItsMessagesAreTaken: a peer that sends more than this
// node gets done cannot fill its memory.
func TestStreamIsReadNoFasterThanItsMessagesAreTaken(t *testing.T) {
	const size = 256 << 10
	data, err := proto.Marshal(&wire.Part{Body: make([]byte, size)})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := &stubborn{ctx: ctx, one: batch(&remote.MessageBatch{
			TypeNames: []string{"easel.wire.v1.Part"}, Targets: []string{"easel/requests/0"}, Envelopes: []*remote.MessageEnvelope{{MessageData: data}},
		})}
		read, take := cluster.Reading(f)
		go func() {
			for f.sent.Load() < 1000 && read(&remote.RemoteMessage{}) == nil {
			}
		}()
		for round := range int64(3) {
			synctest.Wait()
			const most = 8<<20/size + 1
			if got := f.sent.Load(); got > most*(round+1) || got <= (most-1)*round {
				t.Fatalf("%d messages were read when those of %d rounds were taken", got, round)
			}
			take()
		}
		cancel()
	})
}
