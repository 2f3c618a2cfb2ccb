package linear

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strconv"

	"github.com/anishathalye/porcupine"
)

// Kinds of call.
const (
	Write = "write" // one batch
	List  = "list"  // by-image; with a Name, the list filtered by that label
	One   = "one"   // a single annotation
	Count = "count" // the image's own row
	Seen  = "seen"  // a broadcast came in: its version was there at that instant
)

// Kinds of change.
const (
	Put    = "put"
	Patch  = "patch"
	Delete = "del"
)

// Change is one op of a batch. An annotation is named by its label, which is
// unique and never changes, because the id that a server chose for a request
// without answer is not known.
type Change struct {
	Kind string
	Name string
	ID   string // as sent; "" in a put: the server chooses
	X    float64
	Base int64
}

// Call is what was asked.
type Call struct {
	Kind    string
	By      string // who writes
	Changes []Change
	Name    string // of List and One
	ID      string // of One
}

// Box is one annotation as a client is shown it, as far as the model looks.
type Box struct {
	Name string
	By   string // its creator
	X    float64
	Rev  int64
}

// Answer is what was told. Of a Write, Revs are those after each change (for a
// deletion the one it had, 0: not told).
type Answer struct {
	Unknown bool   // no answer came: of a Write that nobody repeats
	Code    string // of an error
	Ver     int64  // 0: not told
	Revs    []int64
	Current int64 // with conflict: the rev that was met; 0: not told
	Boxes   []Box // of a List, newest first, and of a One
	Count   int64
}

// state is an image. It is never changed: a step makes a new one.
type state struct {
	ver  int64
	live []Box // oldest first
	dead *tomb
	sum  uint64 // of what is live and dead, whatever the order it came about
}

type tomb struct {
	name string
	next *tomb
}

func (s *state) find(name string) int {
	return slices.IndexFunc(s.live, func(b Box) bool { return b.Name == name })
}

func (s *state) buried(name string) bool {
	for d := s.dead; d != nil; d = d.next {
		if d.name == name {
			return true
		}
	}
	return false
}

func (b Box) sum() uint64 {
	h := fnv.New64a()
	h.Write([]byte(b.Name + "\x00" + b.By + "\x00" + strconv.FormatUint(math.Float64bits(b.X), 16) + "\x00" + strconv.FormatInt(b.Rev, 10)))
	return h.Sum64()
}

func tombSum(name string) uint64 { return Box{Name: name, Rev: -1}.sum() }

// refusal is why a batch is not applied.
type refusal struct {
	code    string
	current int64
}

// apply returns the image after a batch and the revs of its changes.
func (s *state) apply(by string, changes []Change) (*state, []int64, *refusal) {
	next := &state{ver: s.ver, live: slices.Clone(s.live), dead: s.dead, sum: s.sum}
	revs := make([]int64, len(changes))
	effect := false
	for i, c := range changes {
		at := next.find(c.Name)
		switch {
		case at < 0 && next.buried(c.Name):
			return nil, nil, &refusal{code: "gone"}
		case at < 0 && c.Kind != Put:
			return nil, nil, &refusal{code: "not_found"}
		case at < 0:
			b := Box{c.Name, by, c.X, 1}
			next.live = append(next.live, b)
			next.sum += b.sum()
			revs[i], effect = 1, true
			continue
		}
		b := next.live[at]
		revs[i] = b.Rev
		switch {
		case c.Kind == Put:
			if b.By != by || b.X != c.X {
				return nil, nil, &refusal{"conflict", b.Rev}
			}
			continue
		case c.Base != 0 && c.Base != b.Rev:
			return nil, nil, &refusal{"conflict", b.Rev}
		}
		effect = true
		next.sum -= b.sum()
		if c.Kind == Delete {
			next.live = slices.Delete(next.live, at, at+1)
			next.dead = &tomb{c.Name, next.dead}
			next.sum += tombSum(c.Name)
			continue
		}
		b.X = c.X
		b.Rev++
		next.live[at], revs[i] = b, b.Rev
		next.sum += b.sum()
	}
	if !effect {
		return s, revs, nil
	}
	next.ver++
	return next, revs, nil
}

// step returns the states in which an image that was s can be after c was
// answered by a; none if it cannot have been answered so.
func (s *state) step(c Call, a Answer) []*state {
	same := []*state{s}
	if c.Kind != Write {
		if s.answers(c, a) {
			return same
		}
		return nil
	}
	next, revs, no := s.apply(c.By, c.Changes)
	switch {
	case a.Unknown && (no != nil || next == s):
		return same
	case a.Unknown:
		return []*state{s, next}
	case no != nil:
		// A batch is shown what it met before it began, one change what it met.
		if a.Code == no.code && (a.Current == 0 || len(c.Changes) > 1 || a.Current == no.current) {
			return same
		}
		return nil
	case a.Code != "" || a.Ver != 0 && a.Ver != next.ver || len(a.Revs) > 0 && len(a.Revs) != len(revs):
		return nil
	}
	for i, r := range a.Revs {
		if r != 0 && r != revs[i] {
			return nil
		}
	}
	return []*state{next}
}

// answers reports whether a read of s may be answered so.
func (s *state) answers(c Call, a Answer) bool {
	if c.Kind == Seen {
		return s.ver >= a.Ver
	}
	if a.Ver != 0 && a.Ver != s.ver {
		return false
	}
	switch c.Kind {
	case Count:
		return a.Code == "" && a.Count == int64(len(s.live))
	case One:
		at := s.find(c.Name)
		switch {
		case at >= 0:
			return a.Code == "" && len(a.Boxes) == 1 && a.Boxes[0] == s.live[at]
		case s.buried(c.Name):
			return a.Code == "gone"
		default:
			return a.Code == "not_found"
		}
	default:
		n := 0
		for i := len(s.live) - 1; i >= 0; i-- {
			if c.Name != "" && s.live[i].Name != c.Name {
				continue
			}
			if n >= len(a.Boxes) || a.Boxes[n] != s.live[i] {
				return false
			}
			n++
		}
		return a.Code == "" && n == len(a.Boxes)
	}
}

// Model is the sequential specification of one image that starts empty. Calls
// are Call, answers Answer.
func Model() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{&state{}} },
		Step: func(from, in, out any) []any {
			next := from.(*state).step(in.(Call), out.(Answer)) //nolint:forcetypeassert // the history's own
			all := make([]any, len(next))
			for i := range next {
				all[i] = next[i]
			}
			return all
		},
		Equal: func(a, b any) bool {
			x, y := a.(*state), b.(*state) //nolint:forcetypeassert // made above
			return x == y || x.ver == y.ver && x.sum == y.sum && slices.Equal(x.live, y.live)
		},
		Hash: func(a any) uint64 {
			s := a.(*state) //nolint:forcetypeassert // made above
			return s.sum ^ uint64(s.ver)*0x9e3779b97f4a7c15
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
		DescribeState: func(a any) string {
			s := a.(*state) //nolint:forcetypeassert // made above
			return fmt.Sprintf("version %d: %+v", s.ver, s.live)
		},
	}
	return m.ToModel()
}
