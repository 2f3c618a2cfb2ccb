package actors

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/easelhq/easel"
)

// Weighty is a message that keeps more memory than others while it waits for its
// turn, or for its turn to be durable: one that carries many ops.
type Weighty interface {
	Message
	// Weight is about how many ops the message carries, in units of about 1 KB.
	Weight() int
}

// load bounds the weight of what waits on a node. Without it a store that hangs
// would fill the memory: each mailbox is bounded, their number is not.
type load struct {
	most int64
	now  atomic.Int64
}

// admit counts m until the returned reply is called or ctx ends. It returns an
// error, and counts nothing, if too much is waiting already; one alone is always
// let through. Messages that nobody waits for are not counted: they are part of
// what was admitted before.
func (l *load) admit(ctx context.Context, m Message, reply func(Message, error)) (func(Message, error), error) {
	w, ok := m.(Weighty)
	if !ok || reply == nil {
		return reply, nil
	}
	n := int64(max(w.Weight(), 1))
	if sum := l.now.Add(n); sum > l.most && sum > n {
		l.now.Add(-n)
		return nil, &easel.Error{Code: easel.CodeOverloaded, Message: "too much is waiting on this node", RetryAfter: time.Second}
	}
	var done atomic.Bool
	release := func() {
		if !done.Swap(true) {
			l.now.Add(-n)
		}
	}
	// A message may be lost with its actor, but whoever asks has an end.
	stop := context.AfterFunc(ctx, release)
	return func(m Message, err error) {
		stop()
		release()
		reply(m, err)
	}, nil
}
