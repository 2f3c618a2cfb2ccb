// Package cluster makes one process a node among others: it knows who the members
// are, says which of them owns an actor, and carries requests to it.
//
// A program uses it around its actors.System, which it hands its protoactor
// system and itself as the network:
//
//	node, err := cluster.New(cluster.Config{Name: "n1", Bind: "10.0.0.1:7946", Join: seeds, Key: key, …})
//	sys, err := actors.New(actors.Config{Node: "n1", Proto: node.ActorSystem(), Network: node, …})
//	err = sys.Start(ctx)
//	err = node.Start(ctx, sys) // from here on it owns actors, and others may ask it
//	…
//	err = node.Drain(ctx) // it owns nothing any more, and the others know
//	…                     // release all actors, tell the clients
//	err = node.Leave(ctx) // after this nothing is carried either way
//
// New listens for gRPC, so that an address in use is known before anything has
// started; Close undoes it, and is right at any time and more than once. While the
// program runs it watches Failed, and stops when that says so.
//
// What holds:
//
//   - Owner answers from an immutable table, without a lock and without asking
//     anybody; "" before Start and when no member may own anything. The nodes'
//     tables differ for a moment after each change, and for as long as a partition
//     lasts: two nodes may both believe that they own an actor. Ownership that is
//     safe comes from the journal's fence, never from here.
//   - Local.OwnersChanged is called after each change, once Owner knows of it,
//     never concurrently with itself.
//   - Carry never blocks. reply is called exactly once: with the answer, with an
//     *easel.Error, with actors.ErrMoved (nothing was done) or actors.ErrLost (the
//     node left, the link to it or from it ended, or ctx ended: nobody knows).
//     Nothing is repeated here.
//   - Requests that one goroutine carries for one actor arrive in that order,
//     whatever their size.
//   - What waits is bounded for each other node, by number and by bytes, and beyond
//     that refused as overloaded. Bodies to 64 MiB are carried, in parts that are
//     sent as the receiver takes them; no message between nodes exceeds 256 KiB.
//   - With a key, who does not have it neither joins, nor is answered, nor learns
//     a name. Without one a node listens on loopback addresses only.
//   - Whatever bytes a peer sends, the node lives on.
//
// All methods may be called by any goroutine. DESIGN.md says why protoactor's own
// placement and membership are replaced and how.
package cluster
