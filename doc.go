// Package easel holds the nouns of live, multi-user image annotation: ids,
// annotations, ops, images, roles and error codes. It imports nothing but the
// standard library, so that every other package can speak in the same words.
//
// # Mental model
//
// Every image and every tenant is a virtual actor with its own SQLite file.
// An actor works in turns: one turn takes the messages that wait for it,
// applies them in one SQLite transaction, and hands its output to the gate,
// which holds it until the transaction is durable in the journal. Nobody is
// ever shown what could still be lost.
//
//   - actors: the runtime: turns, mailboxes, group commit, gate, alarms.
//   - sqlite, pages, journal, blob: one actor's file, what a commit changed
//     in it, and the durable home in which that is kept.
//   - canvas: one image's turn. tenant: one tenant's turn.
//   - live: the feed beside an image's actor and the rooms on each node from
//     which sockets are served.
//   - gallery: work that spans actors and blobs: upload, bulk, purge, files.
//   - cluster, wire: the other nodes: who is there, who owns an actor, and
//     carrying requests to it.
//   - cron: jobs by a schedule. archive: homes as files: export, import, verify.
//   - imaging: what an image file is, thumbnails, tiles.
//   - auth, transport, transport/ws, transport/sse, web: the edge.
//   - client: the other side, for programs in Go.
//   - cmd/easel: the one binary that wires all of it.
package easel
