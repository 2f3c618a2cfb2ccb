package actors

import "context"

type host struct{}

// System runs the actors of one node.
type System struct{}

// Ask implements Asker.
func (s *System) Ask(ctx context.Context, r Request) (Message, error) { panic("todo") }

// Tell sends r without an answer; what goes wrong is counted and dropped.
func (s *System) Tell(r Request) { panic("todo") }

// Ask sends r and returns the answer as an R. An answer of another type is a
// broken invariant and comes back as an internal error.
func Ask[R Message](ctx context.Context, a Asker, r Request) (R, error) { panic("todo") }
