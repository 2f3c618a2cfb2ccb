package linear_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/e2e/linear"
	"github.com/easelhq/easel/journal"
)

// bugs are what a test plants between the clients and what they are promised.
type bugs struct {
	journal  func(journal.Journal) journal.Journal // around the journal that fails
	behavior func(actors.Behavior) actors.Behavior
	asker    func(actors.Asker) actors.Asker
}

// stage is one image on a node in this process that is stopped and started like
// a process that is killed: what its actors hold is lost, what its journal was
// told is kept.
type stage struct {
	t       *testing.T
	key     actors.Key
	node    journal.Journal
	bugs    bugs
	history *linear.History
	seed    uint64
	fail    int  // one append in so many fails; 0: none
	shared  bool // the home has other owners, and faults of its own

	mu     sync.RWMutex // held for writing while the node is away; guards what follows
	system *actors.System
	asker  actors.Asker
	faults *faults
}

func newStage(t *testing.T, seed uint64, fail int, b bugs) *stage {
	t.Helper()
	node, err := journal.OpenNode(journal.NodeOptions{Dir: filepath.Join(t.TempDir(), "store"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, node: node, bugs: b, seed: seed, fail: fail, history: linear.NewHistory()}
	s.birth(easel.NewID())
	return s
}

// birth starts the stage on an image that is new, or that another stage on the same
// home has made.
func (s *stage) birth(image easel.ID) {
	t, node := s.t, s.node
	t.Helper()
	s.key = canvas.Key("00000000000000000000000000000001", image)
	s.start()
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stop()
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	birth := canvas.Birth{Image: easel.Image{ID: image, Filename: "a.png", ContentType: "image/png", Size: 1, UploadedBy: "user0", CreatedAt: 1}}
	for {
		_, err := s.system.Ask(t.Context(), actors.Request{To: s.key, Message: birth})
		if err == nil {
			return
		}
		if !easel.CodeOf(err).Temporary() {
			t.Fatal(err)
		}
	}
}

// start starts a node on the journal. s.mu is held, or nobody else is there.
func (s *stage) start() {
	s.t.Helper()
	kind, err := canvas.Kind(canvas.Options{}, func(actors.Key) actors.Companion { return watcher{s.history} })
	if err != nil {
		s.t.Fatal(err)
	}
	if wrap := s.bugs.behavior; wrap != nil {
		inner := kind.New
		kind.New = func(k actors.Key) actors.Behavior { return wrap(inner(k)) }
	}
	s.seed++
	s.faults = newFaults(s.node, s.seed, s.fail)
	var home journal.Journal = s.faults
	if s.shared {
		home = s.node
	}
	if s.bugs.journal != nil {
		home = s.bugs.journal(home)
	}
	s.system, err = actors.New(actors.Config{
		Node: "n1", Dir: filepath.Join(s.t.TempDir(), "work"), Journal: home, Kinds: []*actors.Kind{&kind}, Messages: canvas.Prototypes(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.system.Start(context.Background()); err != nil { //nolint:usetesting // it outlives the test's own context
		s.t.Fatal(err)
	}
	s.asker = s.system
	if s.bugs.asker != nil {
		s.asker = s.bugs.asker(s.system)
	}
}

// stop ends the node after the journal has taken its last append.
func (s *stage) stop() {
	s.faults.die()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_ = s.system.Stop(ctx) // it complains of the dead journal
}

// crash ends the node and starts another on what the journal has.
func (s *stage) crash() {
	s.faults.die()
	s.mu.Lock() // every request has an answer by now
	defer s.mu.Unlock()
	s.stop()
	s.history.Crashed()
	s.start()
}

// Try implements linear.Target.
func (s *stage) Try(ctx context.Context, a linear.Attempt) (answer linear.Answer, ok, done bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	m, err := s.asker.Ask(ctx, s.request(a))
	if err == nil {
		if out, is := m.(canvas.Applied); is && out.Rejected != nil {
			err = out.Rejected
		}
	}
	if err != nil {
		code := easel.CodeOf(err)
		if code.Temporary() && code != easel.CodeBadSeq { // who counts its seqs right never meets that
			return linear.Answer{}, false, code == easel.CodeUnavailable || code == easel.CodeInternal
		}
		answer.Code = string(code)
		if e, is := errors.AsType[*easel.Error](err); is && len(e.Current) > 0 {
			var current struct{ Rev int64 }
			if err := json.Unmarshal(e.Current, &current); err != nil {
				s.history.Wrong("current: %v", err)
			}
			answer.Current = current.Rev
		}
		return answer, true, true
	}
	switch m := m.(type) {
	case canvas.Applied:
		answer.Ver = m.Ver
		for i, r := range m.Results {
			s.history.Is(string(r.ID), a.Changes[i].Name)
			answer.Revs = append(answer.Revs, r.Rev)
		}
	case canvas.Listing:
		answer.Ver, answer.Boxes = m.Ver, s.boxes(m.Body)
	case canvas.OneReply:
		answer.Ver, answer.Boxes = m.Ver, []linear.Box{s.box(m.Annotation)}
	case canvas.ImageReply:
		answer.Ver, answer.Count = m.Ver, m.Image.AnnotationCount
	default:
		s.history.Wrong("an answer of type %T", m)
	}
	return answer, true, true
}

func (s *stage) request(a linear.Attempt) actors.Request {
	r := actors.Request{To: s.key}
	switch a.Kind {
	case linear.List:
		list := canvas.List{}
		if a.Name != "" {
			list.Label = &a.Name
		}
		r.Message = list
	case linear.One:
		r.Message = canvas.One{ID: easel.ID(a.ID)}
	case linear.Count:
		r.Message = canvas.Look{}
	default:
		apply := canvas.Apply{By: canvas.Author{User: a.By, Role: easel.Annotator}}
		for _, c := range a.Changes {
			op := easel.Op{Kind: easel.OpKind(c.Kind), ID: easel.ID(c.ID), Base: c.Base}
			switch c.Kind {
			case linear.Put:
				op.Draft = &easel.Draft{Label: c.Name, X: c.X, Width: 0.25, Height: 0.25}
			case linear.Patch:
				op.Set = &easel.Patch{X: &c.X}
			}
			apply.Ops = append(apply.Ops, op)
		}
		switch a.Style {
		case linear.Keyed:
			r.Once = actors.Once{ID: a.Key, Hash: a.Key}
		case linear.Sequenced:
			apply.Client, apply.Seq, apply.Hash = fmt.Sprint("client", a.Client), a.Seq, a.Key
		}
		r.Message = apply
	}
	return r
}

func (s *stage) boxes(body []byte) []linear.Box {
	var list struct{ Annotations []easel.Annotation }
	if err := json.Unmarshal(body, &list); err != nil {
		s.history.Wrong("a list: %v", err)
	}
	var out []linear.Box
	for _, a := range list.Annotations {
		out = append(out, s.box(a))
	}
	return out
}

func (s *stage) box(a easel.Annotation) linear.Box {
	s.history.Is(string(a.ID), a.Label)
	return linear.Box{Name: a.Label, By: a.CreatedBy, X: a.X, Rev: a.Rev}
}

// watcher is shown what the image publishes.
type watcher struct{ history *linear.History }

var _ actors.Companion = watcher{}

func (w watcher) Receive(*actors.Context, actors.Message) (actors.Message, bool, error) {
	return nil, false, nil
}

func (w watcher) Published(_ *actors.Context, m actors.Message) {
	if a, ok := m.(canvas.Accepted); ok {
		w.history.Saw(-1, a.Batch.Ver)
	}
}

func (w watcher) Attached() bool { return false }
