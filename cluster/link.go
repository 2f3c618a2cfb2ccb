package cluster

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
)

// links watches the streams that protoactor opens to other nodes, one for each
// address. protoactor's own handling of a stream that fails is slow (it sleeps for
// two seconds, and then ends whatever link the address has by that time), so it
// never sees one fail: links tells of the end itself, at once, and has protoactor
// forget the stream when nothing can follow it out of turn.
type links struct {
	ended   func(address string) // what was sent to address may be lost
	forget  func(address string) // has protoactor drop its endpoint
	metrics *metrics
	done    chan struct{} // closed by close

	mu        sync.Mutex // guards what follows
	byAddress map[string]*link
	closed    bool
}

// link is the stream to one address, or the lack of it.
type link struct {
	address  string
	queued   atomic.Int64 // bytes given to protoactor that are not written yet
	cancel   context.CancelFunc
	failures int       // in a row, before this one
	opened   bool      // protoactor has a stream for it, or is about to
	gone     bool      // nobody is at the address any more
	over     bool      // it has ended
	released bool      // and protoactor knows
	retry    time.Time // before this no new one is tried; set when it is over
}

const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = time.Second
)

func newLinks(m *metrics, ended, forget func(address string)) *links {
	return &links{ended: ended, forget: forget, metrics: m, done: make(chan struct{}), byAddress: map[string]*link{}}
}

// to returns the link to address for sending; nil while there is no point in it.
func (l *links) to(address string) *link {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.byAddress[address]
	switch {
	case l.closed:
		return nil
	case k == nil:
		k = &link{address: address, cancel: func() {}}
	case !k.over:
		return k
	case !k.released || time.Now().Before(k.retry):
		return nil
	default:
		k = &link{address: address, cancel: func() {}, failures: k.failures}
	}
	l.byAddress[address] = k
	return k
}

// open is the client's stream interceptor. It never fails: the stream of a link
// that cannot be made swallows what it is given until protoactor forgets it.
func (l *links) open(
	ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	address := cc.Target()
	dead := &stream{ctx: ctx, links: l, link: &link{address: address, cancel: func() {}, over: true}}
	k := l.to(address)
	if k == nil {
		return dead, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	l.mu.Lock()
	k.cancel, k.opened = cancel, true
	over := k.over
	l.mu.Unlock()
	if over {
		cancel()
		return dead, nil
	}
	s, err := streamer(ctx, desc, cc, method, opts...)
	if err != nil {
		l.end(k)
		return dead, nil //nolint:nilerr // its end has been told, and the stream swallows
	}
	return &stream{ctx: ctx, ClientStream: s, links: l, link: k}, nil
}

// drop ends the link to address, where nobody is any more. A new one may follow as
// soon as it is released.
func (l *links) drop(address string) {
	l.mu.Lock()
	k := l.byAddress[address]
	if k != nil {
		k.gone = true
		if k.released {
			delete(l.byAddress, address)
		}
	}
	l.mu.Unlock()
	if k != nil {
		l.end(k)
	}
}

// close ends all links for good.
func (l *links) close() {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.closed = true
	close(l.done)
	all := make([]*link, 0, len(l.byAddress))
	for _, k := range l.byAddress {
		all = append(all, k)
	}
	l.mu.Unlock()
	for _, k := range all {
		l.end(k)
		l.forget(k.address)
	}
}

// end marks k as over and tells, if that is news.
func (l *links) end(k *link) {
	l.mu.Lock()
	cancel, news := k.cancel, !k.over
	if news {
		k.over = true
		k.retry = time.Now().Add(min(firstRetry<<min(k.failures, 8), lastRetry))
		k.failures++
		if !k.opened && l.byAddress[k.address] == k {
			delete(l.byAddress, k.address) // there is nothing to release
		}
	}
	l.mu.Unlock()
	cancel()
	if news {
		l.metrics.links.WithLabelValues("ended").Inc()
		l.ended(k.address)
	}
}

// release has protoactor forget the stream of an address. What it was given until
// now is lost.
func (l *links) release(address string) {
	l.forget(address)
	l.mu.Lock()
	if k := l.byAddress[address]; k != nil && k.over {
		k.released = true
		if k.gone {
			delete(l.byAddress, address)
		}
	}
	l.mu.Unlock()
	l.ended(address)
}

// made notes that k works.
func (l *links) made(k *link) {
	l.mu.Lock()
	k.failures = 0
	l.mu.Unlock()
	l.metrics.links.WithLabelValues("made").Inc()
}

// stream is what protoactor writes to. One without a ClientStream swallows.
type stream struct {
	grpc.ClientStream
	ctx   context.Context //nolint:containedctx // a stream has one, and a swallowing one needs it
	links *links
	link  *link
	met   bool // protoactor has its greeting
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) CloseSend() error {
	if s.ClientStream == nil {
		return nil
	}
	err := s.ClientStream.CloseSend()
	s.links.end(s.link)
	return err
}

func (s *stream) SendMsg(m any) error {
	if s.ClientStream == nil {
		return nil
	}
	err := s.ClientStream.SendMsg(m)
	if batch, ok := m.(*remote.RemoteMessage); ok {
		n := 0
		for _, e := range batch.GetMessageBatch().GetEnvelopes() {
			n += len(e.GetMessageData())
		}
		s.link.queued.Add(-int64(n))
		s.links.metrics.sent.Add(float64(n))
	}
	if err != nil {
		s.links.end(s.link)
	}
	return nil
}

// RecvMsg reads what the other end says, which is nothing but a greeting and that
// it stops. The end of a stream is shown as an orderly one: protoactor would
// answer any other with an event about the address, not about the stream.
func (s *stream) RecvMsg(m any) error {
	greeting, ok := m.(*remote.RemoteMessage)
	if !ok {
		return io.EOF
	}
	var err error
	if s.ClientStream == nil {
		err = io.EOF
	} else {
		err = s.ClientStream.RecvMsg(m)
	}
	if err == nil && !s.met && greeting.GetConnectResponse() == nil {
		err = io.EOF
	}
	switch {
	case err == nil && !s.met:
		s.met = true
		s.links.made(s.link)
		return nil
	case err == nil:
		s.links.end(s.link) // the other end stops
		return nil
	case !s.met:
		// Without a greeting protoactor would sleep. What it does after one must be
		// over before it may forget the stream, so that waits.
		s.met, s.ClientStream = true, nil
		s.links.end(s.link)
		greeting.MessageType = &remote.RemoteMessage_ConnectResponse{ConnectResponse: &remote.ConnectResponse{}}
		return nil
	case s.ClientStream == nil:
		pause := time.NewTimer(firstRetry)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-s.links.done:
		}
	}
	s.links.end(s.link)
	s.links.release(s.link.address)
	return io.EOF
}
