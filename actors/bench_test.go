package actors_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
)

func benchWorld(b *testing.B) *actors.System {
	b.Helper()
	node, err := journal.OpenNode(journal.NodeOptions{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	schema, err := actors.NewSchema("counter", []string{`CREATE TABLE entry (n INTEGER NOT NULL) STRICT;`})
	if err != nil {
		b.Fatal(err)
	}
	s, err := actors.New(actors.Config{
		Node: "n1", Dir: b.TempDir(), Journal: node, OpenBytes: 4 << 30,
		Kinds: []*actors.Kind{{
			Name: "counter", Schema: schema,
			New:    func(actors.Key) actors.Behavior { return &counter{} },
			Births: func(actors.Message) bool { return true },
		}},
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Stop(context.WithoutCancel(b.Context())); err != nil {
			b.Error(err)
		}
		_ = node.Close()
	})
	return s
}

// BenchmarkTurnWithoutIO is one question to an actor that is open.
func BenchmarkTurnWithoutIO(b *testing.B) {
	s := benchWorld(b)
	ask := func() {
		if _, err := s.Ask(b.Context(), actors.Request{To: key("a"), Message: peek{}}); err != nil {
			b.Error(err)
		}
	}
	if _, err := s.Ask(b.Context(), actors.Request{To: key("a"), Message: add{1}}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		ask()
	}
}

// BenchmarkDurableTurn is one write, acknowledged when durable, from as many
// askers as named, over as many actors.
func BenchmarkDurableTurn(b *testing.B) {
	for _, c := range []struct{ actors, askers int }{{1, 1}, {1, 16}, {64, 64}} {
		b.Run(fmt.Sprintf("actors=%d/askers=%d", c.actors, c.askers), func(b *testing.B) {
			s := benchWorld(b)
			for i := range c.actors {
				if _, err := s.Ask(b.Context(), actors.Request{To: key(fmt.Sprint("a", i)), Message: add{1}}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.SetParallelism(max(c.askers/2, 1))
			b.ResetTimer()
			next := make(chan int, c.askers*4)
			for i := range cap(next) {
				next <- i % c.actors
			}
			b.RunParallel(func(p *testing.PB) {
				i := <-next
				for p.Next() {
					if _, err := s.Ask(b.Context(), actors.Request{To: key(fmt.Sprint("a", i)), Message: add{1}}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
