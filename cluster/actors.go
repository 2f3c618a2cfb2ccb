package cluster

import (
	"fmt"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/wire"
)

// The actors of a node that take messages of others. Requests come in by the hash
// of the actor they are for, and answers by their ids: what goes one way stays in
// order, and decoding uses all processors.
const (
	actorPrefix = "easel/"
	requestWays = 16
	answerWays  = 8
	creditActor = actorPrefix + "credit"
)

func requestWay(key actors.Key) string {
	return fmt.Sprintf("%srequests/%d", actorPrefix, hashKey(key)%requestWays)
}

func answerWay(id uint64) string { return fmt.Sprintf("%sanswers/%d", actorPrefix, id%answerWays) }

// receive starts them.
func (n *Node) receive() error {
	names := []string{creditActor}
	for i := range requestWays {
		names = append(names, fmt.Sprintf("%srequests/%d", actorPrefix, i))
	}
	for i := range answerWays {
		names = append(names, answerWay(uint64(i)))
	}
	props := actor.PropsFromFunc(func(c actor.Context) {
		if a, ok := c.Message().(*arrival); ok {
			n.take(a)
		}
	})
	ways := make(map[string]*actor.PID, len(names))
	for _, name := range names {
		pid, err := n.proto.Root.SpawnNamed(props, name)
		if err != nil {
			return fmt.Errorf("start actor %s: %w", name, err)
		}
		ways[name] = pid
	}
	n.ways.Store(&ways)
	return nil
}

// pass gives a to the actor called to, if it is one that takes messages of others.
func (n *Node) pass(to string, a *arrival) bool {
	ways := n.ways.Load()
	if ways == nil || (*ways)[to] == nil {
		return false
	}
	n.proto.Root.Send((*ways)[to], a)
	return true
}

// take acts on one message of another node. Whatever it is, the actor lives on.
func (n *Node) take(a *arrival) {
	defer a.done()
	defer func() {
		if p := recover(); p != nil {
			n.metrics.malformed.Inc()
			n.log.Error("message of a peer caused a panic", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	if err := n.act(a.message); err != nil {
		n.metrics.malformed.Inc()
		n.log.Warn("message of a peer is dropped", "err", err)
	}
}

func (n *Node) act(m proto.Message) error {
	switch m := m.(type) {
	case *wire.Request:
		return n.takeRequest(m)
	case *wire.Answer:
		return n.takeAnswer(m)
	case *wire.Part:
		return n.takePart(m)
	case *wire.Credit:
		return n.takeCredit(m)
	default:
		return nil
	}
}
