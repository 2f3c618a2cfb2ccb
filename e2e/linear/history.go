package linear

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// History is what clients of one image asked and were told, and when.
type History struct {
	start time.Time

	mu    sync.Mutex // guards what follows
	calls []porcupine.Operation
	open  []int // calls with an unknown outcome that may still take effect
	lives int   // of the process, so far
	names map[string]string
	ids   map[string]string
	wrong []string
}

// NewHistory returns an empty history of an image that is empty.
func NewHistory() *History {
	return &History{start: time.Now(), names: map[string]string{}, ids: map[string]string{}}
}

// Span is a call that has begun.
type Span struct {
	client int
	begin  int64
	life   int
}

// Begin notes that a client makes a call.
func (h *History) Begin(client int) Span {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Span{client, h.now(), h.lives}
}

func (h *History) now() int64 { return int64(time.Since(h.start)) }

// End notes how the call was answered.
func (h *History) End(s Span, c Call, a Answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.Unknown && s.life == h.lives {
		h.open = append(h.open, len(h.calls))
	}
	h.calls = append(h.calls, porcupine.Operation{ClientId: s.client, Input: c, Call: s.begin, Output: a, Return: h.now()})
}

// Saw notes that a client was shown a version just now.
func (h *History) Saw(client int, ver int64) {
	h.End(h.Begin(client), Call{Kind: Seen}, Answer{Ver: ver})
}

// Crashed notes that the process has ended: what it had not done yet, it will
// never do.
func (h *History) Crashed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.close()
	h.lives++
}

func (h *History) close() {
	now := h.now()
	for _, i := range h.open {
		h.calls[i].Return = now
	}
	h.open = nil
}

// Is notes that the annotation with this id was shown under this name.
func (h *History) Is(id, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if other, ok := h.names[id]; ok && other != name {
		h.wrongf("id %s is %s and %s", id, other, name)
	}
	if other, ok := h.ids[name]; ok && other != id {
		h.wrongf("%s has the ids %s and %s", name, other, id)
	}
	h.names[id], h.ids[name] = name, id
}

// ID returns the id that was shown under this name; "": none yet.
func (h *History) ID(name string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ids[name]
}

// Wrong notes an answer that no order of calls could explain.
func (h *History) Wrong(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrongf(format, args...)
}

func (h *History) wrongf(format string, args ...any) {
	if len(h.wrong) < 20 {
		h.wrong = append(h.wrong, fmt.Sprintf(format, args...))
	}
}

// Len is the number of calls so far.
func (h *History) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.calls)
}

// Unknown is the number of calls so far whose outcome nobody knows.
func (h *History) Unknown() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.calls {
		if h.calls[i].Output.(Answer).Unknown { //nolint:forcetypeassert // End's own
			n++
		}
	}
	return n
}

// ErrUndecided is the error of a check that was given up.
var ErrUndecided = errors.New("linear: not checked in time")

// explainFor bounds how long an error is made more helpful.
const explainFor = 5 * time.Second

// Check returns nil if there is an order of the calls that explains all answers,
// and otherwise an error that shows where every order ends. After timeout it
// gives up with ErrUndecided. Nothing may be added meanwhile.
func (h *History) Check(timeout time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.close()
	if len(h.wrong) > 0 {
		return fmt.Errorf("linear: impossible answers:\n%s", strings.Join(h.wrong, "\n"))
	}
	switch porcupine.CheckOperationsTimeout(Model(), h.calls, timeout) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return fmt.Errorf("%w: %d calls, %v", ErrUndecided, len(h.calls), timeout)
	default:
		return fmt.Errorf("linear: no order explains these %d calls:\n%s", len(h.calls), h.explain())
	}
}

// explain describes where the longest order that could be found ends.
func (h *History) explain() string {
	_, info := porcupine.CheckOperationsVerbose(Model(), h.calls, explainFor)
	var longest []porcupine.Operation
	for _, partition := range info.PartialLinearizationsOperations() {
		for _, order := range partition {
			if len(order) > len(longest) {
				longest = order
			}
		}
	}
	placed := map[string]int{}
	describe := func(o porcupine.Operation) string {
		return fmt.Sprintf("%12v %12v client %d %+v -> %+v", time.Duration(o.Call), time.Duration(o.Return), o.ClientId, o.Input, o.Output)
	}
	for _, o := range longest {
		placed[describe(o)]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "an order of %d, which ends\n", len(longest))
	for _, o := range longest[max(0, len(longest)-5):] {
		fmt.Fprintf(&b, "  %.400s\n", describe(o))
	}
	b.WriteString("and cannot go on with any of\n")
	rest := slices.Clone(h.calls)
	slices.SortFunc(rest, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	n := 0
	for _, o := range rest {
		s := describe(o)
		if placed[s] > 0 {
			placed[s]--
			continue
		}
		fmt.Fprintf(&b, "  %.400s\n", s)
		if n++; n == 10 {
			break
		}
	}
	return b.String()
}
