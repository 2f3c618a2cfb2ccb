// Package canvas is the state machine of one image: its annotations, its op
// log, its chat and its jobs, in one SQLite file.
//
// A turn takes one message, checks it, writes SQLite, and says what is to be
// answered, published and told. What it says leaves the actor only when the
// turn is durable; that is the runtime's gate, not canvas' work.
//
// # Guarantees
//
//   - A batch of ops is applied as a whole or not at all, and each accepted
//     batch advances the image's version by exactly one.
//   - A client's seq takes effect at most once, also across crashes.
//   - Ids are never reused: a deleted annotation stays known as deleted, and only
//     a revert brings it back, with a rev that it never had.
//   - Every state within the retention can be had back, at a cost that does not
//     grow with the history.
//   - The time of batches and messages never goes back.
//
// # Concurrency
//
// A State is used by one goroutine at a time. There is no lock, no goroutine and
// no network here; work outside the turn is given to Turn.Go.
//
// # What it does not do
//
// It knows no socket, no room and no other node. Presence belongs to package
// live. It trusts the Author of a message: who that is was decided at the edge.
package canvas
