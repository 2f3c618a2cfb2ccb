// Package journal keeps what actors did: a fenced, durable log for each actor
// in the durable home.
//
// One ownership of an actor is a Term. Whoever holds the newest term of an
// actor is its owner; an owner that has been superseded can append nothing
// more, whatever it believes. Terms never leave this package and the actor
// runtime: clients know only versions and epochs, which live in the actor's
// own file.
//
// There are two kinds of log with one contract (journaltest.Run):
//
//   - Node: the log of a folder home, which one process holds under flock.
//     Batches of all actors are appended to one segment file that is synced
//     once for all who wait.
//   - Bucket: a log for each actor in an S3-like home that many processes may
//     share, of immutable objects, with a register that says who owns it.
//
// # Concurrency
//
// A Journal and its terms may be used by many goroutines at once, but one term
// is appended to by one goroutine at a time. Callbacks of one term are called
// in the order of its appends, one at a time, never from within Append itself,
// and must not block.
package journal
