// Package live shows one image to many people at once: who is there, what they
// point at, and every change as soon as it is durable.
//
// A Feed sits beside an image's canvas on the node that owns it and knows which
// rooms are attached. A Room is the view of the image on one node: it has a copy
// of the image at a known version, and a stream, in version order and without
// gap, that all its sessions read. A Session is one reader, a cursor into that
// stream; a Seat is what a connection holds of it. Rooms are the way in.
//
//	canvas → Feed → (any node) Room → stream → Session → socket or SSE
//	socket → Seat → Room → (any node) canvas
//
// # Concurrency
//
// The cores of Feed and Room are state machines without goroutine, lock or
// clock: an event goes in, effects come out, and a thin actor carries them out.
//
//  1. A room never waits for a session. What it sends is put into a list that
//     sessions read without a lock; each frame is encoded once.
//  2. A session holds a bounded queue. Presence is dropped from it first; one
//     that is too slow even so is closed with CloseSlow and resumes when it
//     comes back.
//  3. Messages between room and feed may be lost, repeated or late. Rooms order
//     batches by version and pull what is missing from the image.
//
// # What it does not do
//
// It decides nothing about ops: the image's actor does, and a room only carries
// frames there, in order, and again if the outcome is unknown, which the seq
// makes harmless. It stores nothing. It does not know HTTP or WebSocket, but for
// the header that a shared frame is given once.
package live
