// Package wire is what the nodes of a cluster say to each other: the envelope in
// which a message for an actor travels, its answer, the parts of bodies that are
// too large for one message, and what a node tells of itself in its gossip.
//
// The envelope is protobuf (wire.proto; `go generate ./wire` after a change, which
// needs protoc). The bodies are the JSON of the actors' own messages under their
// names, so that an old node and a new one understand each other field by field.
//
// Check is called on everything that arrives before it is looked at: what passes
// has its names, its bounds and a version that this build understands. Whatever
// bytes a peer sends, neither Check nor an Assembly panics or grows beyond its
// limit.
//
// The package knows no network, no clock and no goroutine.
package wire
