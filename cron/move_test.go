package cron_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/cron"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// town is two nodes on one home; all actors belong on the owner.
type town struct {
	owner atomic.Pointer[string]
	nodes map[string]*actors.System
}

// resident is the network of one of them.
type resident struct{ town *town }

func (r resident) Owner(actors.Key) string { return *r.town.owner.Load() }

func (r resident) Carry(ctx context.Context, node string, q actors.Request, reply func(actors.Message, error)) {
	if reply == nil {
		reply = func(actors.Message, error) {}
	}
	go r.town.nodes[node].Deliver(context.WithoutCancel(ctx), q, reply)
}

// newTown starts the nodes "a" and "b", of which "a" owns everything, with a job that
// is due at each minute.
func newTown(t *testing.T, work func(ctx context.Context, node string) error) *town {
	t.Helper()
	w := &town{nodes: map[string]*actors.System{}}
	w.move("a")
	store := journaltest.NewStore()
	for _, name := range []string{"a", "b"} {
		home, err := journal.OpenBucket(journal.BucketOptions{Store: store, Owner: name, Deadline: 3 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		late := &lateAsker{}
		kind, err := cron.Kind(late, cron.Job{Name: "tidy", Run: func(ctx context.Context) error { return work(ctx, name) }})
		if err != nil {
			t.Fatal(err)
		}
		s, err := actors.New(actors.Config{
			Node: name, Dir: filepath.Join(t.TempDir(), name), Journal: home, Network: resident{w},
			Kinds: []*actors.Kind{kind}, Messages: cron.Prototypes(),
		})
		if err != nil {
			t.Fatal(err)
		}
		late.System, w.nodes[name] = s, s
		t.Cleanup(func() { _ = home.Close() })
	}
	for _, s := range w.nodes {
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := cron.Start(t.Context(), w.nodes["b"], "tidy", "@every 1m"); err != nil {
		t.Fatal(err)
	}
	return w
}

// move gives all actors to a node.
func (w *town) move(to string) {
	w.owner.Store(&to)
	for _, s := range w.nodes {
		s.OwnersChanged()
	}
}

func (w *town) stop(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := w.nodes[name].Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
}

func (w *town) state(t *testing.T) cron.State {
	t.Helper()
	s, err := actors.Ask[cron.State](t.Context(), w.nodes["b"], actors.Request{To: cron.Key("tidy"), Message: cron.Look{}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRunGoesOnWhereItWasBegun moves the actor of a job again and again while a run
// takes many times longer than a lease.
func TestRunGoesOnWhereItWasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun, ended atomic.Int64
		w := newTown(t, func(ctx context.Context, _ string) error {
			begun.Add(1)
			select {
			case <-time.After(10 * time.Minute):
				ended.Add(1)
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		time.Sleep(90 * time.Second)
		if begun.Load() != 1 {
			t.Fatalf("it was begun %d times", begun.Load())
		}
		for i := range 8 {
			w.move([]string{"b", "a"}[i%2])
			time.Sleep(time.Minute)
		}
		w.move("b")
		time.Sleep(2 * time.Minute)
		if s := w.state(t); begun.Load() != 1 || ended.Load() != 1 || s.Run != 1 || s.Ended < s.Began {
			t.Errorf("it was begun %d times and ended %d times, the job knows %+v", begun.Load(), ended.Load(), s)
		}
		w.stop(t, "a", "b")
	})
}

// TestRunThatItsNodeCutsOffIsBegunElsewhereAtOnce stops a node in peace.
func TestRunThatItsNodeCutsOffIsBegunElsewhereAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		where := make(chan string, 4)
		w := newTown(t, func(ctx context.Context, node string) error {
			where <- node
			<-ctx.Done()
			return ctx.Err()
		})
		if node := <-where; node != "a" {
			t.Fatalf("it was begun on %s", node)
		}
		w.move("b")
		time.Sleep(time.Second)
		began := time.Now()
		w.stop(t, "a")
		if node := <-where; node != "b" || time.Since(began) > 5*time.Second {
			t.Errorf("it was begun again on %s after %s", node, time.Since(began))
		}
		w.stop(t, "b")
	})
}
