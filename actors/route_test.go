package actors_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// scripted is a network in which another node owns everything; what comes back of
// each attempt is written down. The last line is repeated.
type scripted struct {
	mu     sync.Mutex // guards what follows
	owner  string
	lines  []string
	asked  []actors.Request
	begin  time.Time
	pauses []time.Duration // from the start to each attempt
}

func (s *scripted) Owner(actors.Key) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owner
}

func (s *scripted) Carry(_ context.Context, _ string, r actors.Request, reply func(actors.Message, error)) {
	s.mu.Lock()
	line := s.lines[min(len(s.asked), len(s.lines)-1)]
	s.asked = append(s.asked, r)
	s.pauses = append(s.pauses, time.Since(s.begin))
	s.mu.Unlock()
	if reply == nil {
		return
	}
	switch line {
	case "ok":
		reply(total{7}, nil)
	case "moved":
		reply(nil, actors.ErrMoved)
	case "lost":
		reply(nil, actors.ErrLost)
	case "gone": // as Deliver says it
		reply(nil, &easel.Error{Code: easel.CodeUnavailable, Message: "the actor went away; the outcome is unknown"})
	case "silence":
	default:
		reply(nil, easel.Errorf(easel.Code(line), "as written"))
	}
}

func scriptedNode(t *testing.T, n actors.Network, change ...func(*actors.Config)) *actors.System {
	t.Helper()
	home, err := journal.OpenBucket(journal.BucketOptions{Store: journaltest.NewStore()})
	if err != nil {
		t.Fatal(err)
	}
	config := tally(t)("n1")
	config.Node, config.Dir, config.Journal, config.Network = "n1", t.TempDir(), home, n
	for _, f := range change {
		f(&config)
	}
	s, err := actors.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAttempts(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name     string
		lines    []string
		message  actors.Message
		code     easel.Code
		attempts int // 0: many
		most     time.Duration
	}{
		{"an answer", []string{"ok"}, add{1}, "", 1, 0},
		{"a refusal", []string{"conflict"}, add{1}, easel.CodeConflict, 1, 0},
		{"a full mailbox", []string{"overloaded"}, add{1}, easel.CodeOverloaded, 1, 0},
		{"a home that is away", []string{"unavailable"}, add{1}, easel.CodeUnavailable, 1, 0},
		{"the wrong node", []string{"moved", "moved", "ok"}, add{1}, "", 3, 40 * ms},
		{"a broken link", []string{"lost", "ok"}, add{1}, "", 2, 20 * ms},
		{"an actor that was dropped", []string{"gone", "ok"}, add{1}, "", 2, 20 * ms},
		{"a lost frame", []string{"silence", "ok"}, add{1}, "", 2, 2001 * ms},
		{"lost, then full: the first may have taken effect", []string{"lost", "overloaded", "ok"}, add{1}, "", 3, 40 * ms},
		{"lost, then full for good", []string{"lost", "overloaded"}, add{1}, easel.CodeUnavailable, 0, 5001 * ms},
		{"a read: nothing to be in doubt about", []string{"lost", "overloaded"}, value{}, easel.CodeOverloaded, 2, 20 * ms},
		{"nobody for long", []string{"moved"}, value{}, easel.CodeUnavailable, 0, 5001 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &scripted{owner: "n2", lines: tt.lines, begin: time.Now()}
				s := scriptedNode(t, n)
				if err := s.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				_, err := s.Ask(t.Context(), actors.Request{To: key("a"), Message: tt.message})
				if code := easel.CodeOf(err); code != tt.code {
					t.Errorf("answer %v, want %q", err, tt.code)
				}
				if errors.Is(err, actors.ErrMoved) || errors.Is(err, actors.ErrLost) {
					t.Errorf("the asker sees %v", err)
				}
				if took := time.Since(n.begin); took > tt.most {
					t.Errorf("it took %v, want at most %v", took, tt.most)
				}
				if tt.attempts > 0 && len(n.asked) != tt.attempts || tt.attempts == 0 && len(n.asked) < 20 {
					t.Errorf("%d attempts, want %d", len(n.asked), tt.attempts)
				}
				for _, r := range n.asked {
					if _, read := tt.message.(value); r.Once != n.asked[0].Once || read != (r.Once.ID == "") {
						t.Errorf("an attempt under %q, the first under %q", r.Once.ID, n.asked[0].Once.ID)
					}
				}
				_ = s.Stop(t.Context())
			})
		})
	}
}

func TestTellsAreTriedOnceMore(t *testing.T) {
	for _, tt := range []struct {
		lines    []string
		attempts int
	}{{[]string{"ok"}, 1}, {[]string{"moved", "ok"}, 2}, {[]string{"moved"}, 2}, {[]string{"lost"}, 1}, {[]string{"silence"}, 1}} {
		synctest.Test(t, func(t *testing.T) {
			n := &scripted{owner: "n2", lines: tt.lines, begin: time.Now()}
			s := scriptedNode(t, n)
			if err := s.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.Tell(actors.Request{To: key("a"), Message: add{1}})
			time.Sleep(time.Minute)
			n.mu.Lock()
			attempts := len(n.asked)
			n.mu.Unlock()
			if attempts != tt.attempts {
				t.Errorf("%v: %d attempts, want %d", tt.lines, attempts, tt.attempts)
			}
			_ = s.Stop(t.Context())
		})
	}
}

// TestWaitingAskTakesTheFirstChance changes the owner while an ask pauses.
func TestWaitingAskTakesTheFirstChance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &scripted{owner: "", lines: []string{"ok"}, begin: time.Now()}
		s := scriptedNode(t, n)
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(999*time.Millisecond, func() {
			n.mu.Lock()
			n.owner = "n2"
			n.mu.Unlock()
			s.OwnersChanged()
		})
		if _, err := s.Ask(t.Context(), actors.Request{To: key("a"), Message: value{}}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(n.begin); took != 999*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		_ = s.Stop(t.Context())
	})
}

func TestDeliveryToANodeThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scriptedNode(t, &scripted{owner: "n1", lines: []string{"ok"}})
		deliver := func() error {
			answered := make(chan error, 1)
			s.Deliver(t.Context(), actors.Request{To: key("a"), Message: add{1}}, func(_ actors.Message, err error) { answered <- err })
			return <-answered
		}
		if err := deliver(); !errors.Is(err, actors.ErrMoved) {
			t.Errorf("before Start: %v", err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := deliver(); err != nil {
			t.Errorf("started: %v", err)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := deliver(); !errors.Is(err, actors.ErrMoved) {
			t.Errorf("after Stop: %v", err)
		}
		began := time.Now()
		if _, err := s.Ask(t.Context(), actors.Request{To: key("a"), Message: add{1}}); easel.CodeOf(err) != easel.CodeUnavailable || time.Since(began) > 0 {
			t.Errorf("an ask after Stop took %v: %v", time.Since(began), err)
		}
	})
}

func TestProtoactorOfOthersIsLeftRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet := func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
		proto := actor.NewActorSystem(actor.WithLoggerFactory(quiet))
		s := scriptedNode(t, nil, func(c *actors.Config) { c.Proto = proto })
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Ask(t.Context(), actors.Request{To: key("a"), Message: add{1}}); err != nil {
			t.Error(err)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if proto.IsStopped() {
			t.Error("it was shut down")
		}
		proto.Shutdown()
	})
}
