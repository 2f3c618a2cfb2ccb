package actors_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// parrot is the tests' ephemeral kind: it repeats, asks a counter, and waits.
type parrot struct {
	c       *actors.Context
	heard   []string
	crashed *bool
	done    bool
	cancel  func()
}

type (
	say     struct{ Text string }
	fetch   struct{ Counter string } // asks a counter for its value and says it
	order   struct{ Counter string } // asks a counter to add 1, until it is cancelled
	cancel  struct{}
	later   struct{ In time.Duration }
	said    struct{ Texts []string }
	recite  struct{}
	finish  struct{}
	stumble struct{}
)

func (say) MessageName() string     { return "test.say" }
func (fetch) MessageName() string   { return "test.fetch" }
func (order) MessageName() string   { return "test.order" }
func (cancel) MessageName() string  { return "test.cancel" }
func (later) MessageName() string   { return "test.later" }
func (said) MessageName() string    { return "test.said" }
func (recite) MessageName() string  { return "test.recite" }
func (finish) MessageName() string  { return "test.finish" }
func (stumble) MessageName() string { return "test.stumble" }

func (p *parrot) Done() bool { return p.done }
func (p *parrot) Crashed()   { *p.crashed = true }

func (p *parrot) Receive(c *actors.Context, m actors.Message) (actors.Message, error) {
	hear := func(s string) { p.heard = append(p.heard, s) }
	switch m := m.(type) {
	case say:
		hear(m.Text)
	case fetch:
		c.Ask(actors.Request{To: key(m.Counter), Message: value{}}, 5*time.Second, func(m actors.Message, err error) {
			if err != nil {
				hear(string(easel.CodeOf(err)))
				return
			}
			hear(time.Duration(m.(total).N).String())
		})
	case order:
		p.cancel = c.Ask(actors.Request{To: key(m.Counter), Message: add{1}}, 5*time.Second, func(actors.Message, error) { hear("never") })
	case cancel:
		p.cancel()
	case later:
		stop := c.After(m.In, func() { hear("never") })
		stop()
		c.After(m.In, func() { hear("later") })
	case recite:
		return said{slices.Clone(p.heard)}, nil
	case finish:
		p.done = true
	case stumble:
		panic("as asked")
	}
	return nil, nil
}

func withParrots(crashed *bool) option {
	return func(c *actors.Config) {
		c.Ephemerals = []*actors.EphemeralKind{{
			Name: "parrot",
			New:  func(c *actors.Context, _ actors.Key) actors.Ephemeral { return &parrot{c: c, crashed: crashed} },
		}}
	}
}

func (w *world) parrot(t *testing.T, m actors.Message) actors.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got, err := w.Ask(ctx, actors.Request{To: actors.Key{Kind: "parrot", ID: "p"}, Message: m})
	if err != nil {
		t.Fatalf("%s: %v", m.MessageName(), err)
	}
	return got
}

func (w *world) recited(t *testing.T) []string {
	t.Helper()
	return w.parrot(t, recite{}).(said).Texts
}

func TestEphemeralAsksAndWaitsOnItsOwnGoroutine(t *testing.T) {
	w := start(t, t.TempDir(), withParrots(new(bool)))
	w.want(t, "a", add{7}, 7)
	w.parrot(t, say{"hello"})
	w.parrot(t, fetch{"a"})
	w.parrot(t, fetch{"unborn"})
	w.parrot(t, later{time.Millisecond})
	until(t, "all is heard", func() bool { return len(w.recited(t)) == 4 })
	got := w.recited(t)
	slices.Sort(got)
	if want := []string{"7ns", "hello", "later", "not_found"}; !slices.Equal(got, want) {
		t.Fatalf("heard %q, want %q", got, want)
	}
}

func TestWithdrawnRequestIsNotHandled(t *testing.T) {
	w := start(t, t.TempDir(), withParrots(new(bool)))
	w.want(t, "a", add{7}, 7)
	until := make(chan struct{})
	w.Tell(actors.Request{To: key("a"), Message: stall{until}})
	w.parrot(t, order{"a"})
	w.parrot(t, cancel{})
	close(until)
	w.want(t, "a", value{}, 7)
	if got := w.recited(t); len(got) != 0 {
		t.Errorf("the asker was told: %q", got)
	}
}

func TestEphemeralThatIsDoneIsGone(t *testing.T) {
	w := start(t, t.TempDir(), withParrots(new(bool)))
	w.parrot(t, say{"hello"})
	if got := w.Running(); got != 1 {
		t.Fatalf("running = %d, want 1", got)
	}
	w.parrot(t, finish{})
	until(t, "it is gone", func() bool { return w.Running() == 0 })
	if got := w.recited(t); len(got) != 0 {
		t.Fatalf("a new one remembers %q", got)
	}
}

func TestEphemeralThatPanicsLetsGoAndStartsAnew(t *testing.T) {
	crashed := false
	w := start(t, t.TempDir(), withParrots(&crashed))
	w.parrot(t, say{"hello"})
	_, err := w.Ask(t.Context(), actors.Request{To: actors.Key{Kind: "parrot", ID: "p"}, Message: stumble{}})
	if easel.CodeOf(err) != easel.CodeInternal || !crashed {
		t.Fatalf("stumble: %v, crashed %v", err, crashed)
	}
	if got := w.recited(t); len(got) != 0 {
		t.Fatalf("a new one remembers %q", got)
	}
}
