package linear_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/e2e/linear"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/pages"
)

// TestCheckCatchesPlantedBugs: a check that finds nothing is worth what it would
// find.
func TestCheckCatchesPlantedBugs(t *testing.T) {
	tests := []struct {
		name string
		fail int // one append in so many fails
		bugs func() bugs
	}{
		{"acknowledged before durable", 0, func() bugs {
			return bugs{journal: func(j journal.Journal) journal.Journal { return hasty{j} }}
		}},
		{"reads not held back by the gate", 4, func() bugs { return bugs{behavior: leaky(readOnly)} }},
		{"acks not held back by the gate", 4, func() bugs { return bugs{behavior: leaky(writeOnly)} }},
		{"lists answered from an old listing", 0, func() bugs {
			return bugs{asker: func(a actors.Asker) actors.Asker { return &stale{Asker: a} }}
		}},
		{"verdicts of keys forgotten", 0, func() bugs {
			return bugs{asker: around(func(n int64, r *actors.Request) {
				if r.Once.ID != "" {
					r.Once.ID += "/" + strconv.FormatInt(n, 10)
				}
			})}
		}},
		{"seqs of clients forgotten", 0, func() bugs {
			return bugs{asker: around(func(n int64, r *actors.Request) {
				if m, ok := r.Message.(canvas.Apply); ok && m.Client != "" {
					m.Client, m.Seq = m.Client+"/"+strconv.FormatInt(n, 10), 1
					r.Message = m
				}
			})}
		}},
		{"compare-and-set that does not compare", 0, func() bugs {
			return bugs{asker: around(func(n int64, r *actors.Request) {
				if m, ok := r.Message.(canvas.Apply); ok {
					m.Ops = append(m.Ops[:0:0], m.Ops...)
					for i := range m.Ops {
						m.Ops[i].Base = 0
					}
					r.Message = m
				}
			})}
		}},
		{"writes acknowledged and dropped", 0, func() bugs {
			return bugs{asker: func(a actors.Asker) actors.Asker { return &lossy{Asker: a} }}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			first := seed(t)
			// A bug that shows by chance gets several chances.
			for n := range uint64(20) {
				err := episode(t, first+n*1000, tt.fail, 300, tt.bugs()).Check(10 * time.Second)
				if err != nil && !errors.Is(err, linear.ErrUndecided) {
					t.Logf("found in episode %d: %.2000v", n, err)
					return
				}
			}
			t.Error("not found")
		})
	}
}

// hasty is a journal that says that an append is durable and writes it later.
type hasty struct{ journal.Journal }

func (h hasty) Claim(ctx context.Context, name journal.Name) (journal.Term, error) {
	t, err := h.Journal.Claim(ctx, name)
	return hastyTerm{t}, err
}

func (h hasty) Birth(ctx context.Context, name journal.Name, template journal.Template) (journal.Term, error) {
	t, err := h.Journal.Birth(ctx, name, template)
	return hastyTerm{t}, err
}

type hastyTerm struct{ journal.Term }

func (h hastyTerm) Append(s pages.Set, done func(error)) {
	var once sync.Once
	h.Term.Append(s, func(err error) {
		if err == nil {
			once.Do(func() { done(nil) })
		}
	})
	once.Do(func() { done(nil) })
}

// leaky lets answers to some messages leave before what they show is durable.
func leaky(which func(actors.Message) bool) func(actors.Behavior) actors.Behavior {
	return func(b actors.Behavior) actors.Behavior { return leak{b, which} }
}

type leak struct {
	actors.Behavior
	which func(actors.Message) bool
}

func (l leak) Receive(t *actors.Turn, m actors.Message) (actors.Message, error) {
	answer, err := l.Behavior.Receive(t, m)
	if err == nil && l.which(m) {
		t.Ungated()
	}
	return answer, err
}

func readOnly(m actors.Message) bool {
	switch m.(type) {
	case canvas.One, canvas.Look:
		return true
	default:
		return false
	}
}

func writeOnly(m actors.Message) bool {
	_, ok := m.(canvas.Apply)
	return ok
}

// around changes every request before it is sent; n counts them.
func around(change func(n int64, r *actors.Request)) func(actors.Asker) actors.Asker {
	return func(a actors.Asker) actors.Asker { return &changer{Asker: a, change: change} }
}

type changer struct {
	actors.Asker
	change func(n int64, r *actors.Request)
	n      atomic.Int64
}

func (c *changer) Ask(ctx context.Context, r actors.Request) (actors.Message, error) {
	c.change(c.n.Add(1), &r)
	return c.Asker.Ask(ctx, r)
}

// stale answers every other list with the one before.
type stale struct {
	actors.Asker
	mu  sync.Mutex
	old actors.Message
}

func (s *stale) Ask(ctx context.Context, r actors.Request) (actors.Message, error) {
	list, ok := r.Message.(canvas.List)
	if !ok || list.Label != nil {
		return s.Asker.Ask(ctx, r)
	}
	s.mu.Lock()
	old := s.old
	s.old = nil
	s.mu.Unlock()
	if old != nil {
		return old, nil
	}
	m, err := s.Asker.Ask(ctx, r)
	if err == nil {
		s.mu.Lock()
		s.old = m
		s.mu.Unlock()
	}
	return m, err
}

// lossy answers a deletion as if it had been made, now and then.
type lossy struct {
	actors.Asker
	n atomic.Int64
}

func (l *lossy) Ask(ctx context.Context, r actors.Request) (actors.Message, error) {
	if m, ok := r.Message.(canvas.Apply); ok && len(m.Ops) == 1 && m.Client == "" && l.n.Add(1)%20 == 0 {
		return canvas.Applied{}, nil
	}
	return l.Asker.Ask(ctx, r)
}
