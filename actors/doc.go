// Package actors is a runtime for durable and ephemeral actors, on protoactor-go.
// It knows nothing of what they are about: examples/chatroom is a whole other
// program on it.
//
// A durable actor has an identity (Key), a SQLite file of its own, and a Behavior
// that is called in turns. A turn takes the messages that wait in the mailbox,
// applies them in one transaction, and gives the pages that changed to the
// journal. What the turn wants to say, to askers, to other actors, to its
// Companion, waits at the gate until the journal says that it is durable.
// Several commits of an actor may be on their way at once (Config.InFlight); what
// they say leaves in their order. DESIGN.md says how and why.
//
// An actor is, from cold to hot: absent (its history is in the journal only),
// owned (this node holds its term and a working copy of the file), open (the
// file is open and the behavior is in memory). Idle actors go back down the
// same way, and leave nothing behind: no goroutine, timer, handle or descriptor.
//
// An ephemeral actor lives in memory on one node and is gone when it is done.
//
// A System with a Network is one node of a cluster: any node takes any request, and
// carries it to the node that its actor belongs on. Requests follow an actor that
// moves, and have one effect however often they had to be repeated.
//
// # Concurrency
//
//  1. All methods of one actor's behavior and companion, and all functions it
//     gave to be called back, run one at a time, each after the other.
//  2. Messages of one sender to one actor are handled in the order sent, unless
//     the actor was released or moved in between, or the network lost one.
//  3. An answer, a publication or a told message is seen by nobody before the
//     turn it comes from is durable, except for answers marked Ungated.
//  4. A mailbox that is full refuses at once (CodeOverloaded); no sender and no
//     other actor ever waits for it.
//
// The package gives neither single activation across processes (the journal
// fences instead) nor delivery of told messages (an alarm repeats what must
// arrive).
package actors
