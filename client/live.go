package client

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// window is how many op frames may be unanswered.
const window = 32

// ErrClosed is what a Live answers after Close.
var ErrClosed = errors.New("client: closed")

// LiveConfig says how a program takes part in an image.
type LiveConfig struct {
	// Client names this program among those of its user; "": a new name. Nobody else
	// may be connected by the same name.
	Client string
	// Name is shown to others; "": the token's.
	Name string
	// OnBatch is called with every batch that is followed, in order, and not for
	// those that a snapshot covers. It must not block, nor call the Live. Nil: nobody
	// is told.
	OnBatch func(easel.Batch)
}

// Live is a place in the room of an image: a copy of its annotations that follows
// every change, and a way to change them. It connects again by itself and sends
// again what has no answer.
type Live struct {
	c      *Client
	config LiveConfig
	image  easel.ID
	cancel context.CancelFunc
	done   chan struct{} // closed at the end
	slots  chan struct{} // one for each frame that may be unanswered

	mu     sync.Mutex // guards what follows
	epoch  string
	ver    int64
	notes  map[easel.ID]easel.Annotation
	seq    int64         // newest given out
	queue  []*frame      // unanswered, in order
	sent   int           // of the queue, on the current connection
	again  *time.Timer   // that will send all again; nil: none
	gone   error         // why it has ended; nil while it lives
	moved  chan struct{} // closed at the next change of what is guarded, for those who wait
	greets int           // connections that were welcomed
}

// frame is a batch that waits for its verdict.
type frame struct {
	seq     int64
	ops     []easel.Op
	verdict chan verdict // of one
}

type verdict struct {
	ack Ack
	err error
}

// Ack says that a batch is durable.
type Ack struct {
	Ver     int64 // of the batch; of the image, if it was without effect
	Results []easel.Result
}

// Live takes a place in an image's room. It returns once the annotations are
// there, or with the error that makes it impossible; while the server cannot be
// reached it goes on trying until ctx ends. Afterwards ctx counts no more: Close
// ends it.
func (c *Client) Live(ctx context.Context, image easel.ID, config LiveConfig) (*Live, error) {
	if config.Client == "" {
		config.Client = "go-" + string(easel.NewID())
	}
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &Live{
		c: c, config: config, image: image, cancel: cancel,
		done: make(chan struct{}), slots: make(chan struct{}, window), moved: make(chan struct{}),
	}
	go l.run(inner)
	if err := l.wait(ctx, func() bool { return l.greets > 0 }); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Close leaves the room. What has no verdict ends with ErrClosed: whether it took
// effect is not known. It may be called more than once.
func (l *Live) Close() {
	l.cancel()
	<-l.done
}

// end makes err the reason of everything that fails from now on.
func (l *Live) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone != nil {
		return
	}
	l.gone = err
	for _, f := range l.queue {
		f.verdict <- verdict{err: err}
	}
	l.queue = nil
	if l.again != nil {
		l.again.Stop()
	}
	l.changedLocked()
}

// changedLocked wakes those who wait.
func (l *Live) changedLocked() {
	close(l.moved)
	l.moved = make(chan struct{})
}

// wait returns once f, which is called with the lock, says so.
func (l *Live) wait(ctx context.Context, f func() bool) error {
	for {
		l.mu.Lock()
		moved, gone, ok := l.moved, l.gone, f()
		l.mu.Unlock()
		switch {
		case ok:
			return nil
		case gone != nil:
			return gone
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Do asks for one batch of 1 to easel.MaxOps ops, all or none, and returns its
// verdict once it is durable: an *easel.Error if it was refused. Batches are
// applied in the order in which Do was called. If ctx ends first, the batch may
// still take effect. Afterwards the copy shows it.
func (l *Live) Do(ctx context.Context, ops ...easel.Op) (Ack, error) {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return Ack{}, context.Cause(ctx)
	case <-l.done:
		return Ack{}, l.reason()
	}
	f := &frame{ops: slices.Clone(ops), verdict: make(chan verdict, 1)}
	if err := l.enqueue(f); err != nil {
		return Ack{}, err
	}
	select {
	case v := <-f.verdict:
		if v.err != nil {
			return Ack{}, v.err
		}
		return v.ack, l.Wait(ctx, v.ack.Ver)
	case <-ctx.Done():
		return Ack{}, context.Cause(ctx)
	}
}

func (l *Live) enqueue(f *frame) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone != nil {
		<-l.slots
		return l.gone
	}
	l.seq++
	f.seq = l.seq
	l.queue = append(l.queue, f)
	l.changedLocked()
	return nil
}

func (l *Live) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gone
}

// Wait returns once the copy shows version ver, or a later one.
func (l *Live) Wait(ctx context.Context, ver int64) error {
	return l.wait(ctx, func() bool { return l.ver >= ver })
}

// Ver returns the version that the copy shows.
func (l *Live) Ver() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ver
}

// Annotation returns an annotation as the copy has it; ok is false if there is
// none.
func (l *Live) Annotation(id easel.ID) (a easel.Annotation, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok = l.notes[id]
	return a, ok
}

// Annotations returns the copy, ordered by id.
func (l *Live) Annotations() []easel.Annotation {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]easel.Annotation, 0, len(l.notes))
	for _, a := range l.notes {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b easel.Annotation) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// Put returns an op that draws d under a new id, so that a repeat cannot draw it
// twice.
func Put(d easel.Draft) easel.Op {
	return easel.Op{Kind: easel.OpPut, ID: easel.NewID(), Draft: &d}
}

// Set returns an op that changes what p names.
func Set(id easel.ID, p easel.Patch) easel.Op {
	return easel.Op{Kind: easel.OpPatch, ID: id, Set: &p}
}

// Delete returns an op that deletes an annotation.
func Delete(id easel.ID) easel.Op { return easel.Op{Kind: easel.OpDelete, ID: id} }

// Shaped returns a Draft of a geometry: its shape and bounding box. It must be
// valid, else the server refuses it.
func Shaped(label string, g easel.Geometry) easel.Draft {
	d := easel.Draft{Label: label}
	d.SetShape(opcodec.Shape(g), g)
	return d
}

// Reshape returns a Patch that replaces the whole geometry by g.
func Reshape(g easel.Geometry) easel.Patch {
	s := opcodec.Shape(g)
	return easel.Patch{Shape: &s}
}
