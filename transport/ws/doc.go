// Package ws serves one image's live stream over WebSocket.
//
// It knows the wire and nothing of images: handshake, limits, UTF-8, pings,
// close codes, and how long a slow reader is waited for. What frames mean is
// package live's.
//
// A connection has two goroutines. The reader gives frames to the room one by
// one and waits until each is taken. The writer is the only one to write: it
// takes what is queued, however many frames, and sends it with one system call;
// it never waits for more. Both end when the connection or the server's context
// does, and Server.Wait waits for them.
//
// A client that offers no easel.v1 is too old (or too new): the handshake
// succeeds without a subprotocol, so that the client can be told by
// live.CloseTooOld why it may not stay.
package ws
