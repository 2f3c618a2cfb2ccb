package live

import "sync/atomic"

// Kind says how an item of a stream is treated.
type Kind uint8

// The kinds of item.
const (
	KindPrivate  Kind = iota // for one session: welcome, ack, rej, err, pong
	KindOps                  // a batch: never dropped, replayed to who missed it
	KindSnap                 // a chunk of a snapshot that more chunks follow
	KindSnapEnd              // the last chunk of a snapshot
	KindNotice               // left, chat, image: never dropped, not replayed
	KindPresence             // newest per peer, first to be dropped
	KindBye                  // the last frame before a close
)

// Item is one frame of a session's stream.
type Item struct {
	Frame Frame
	Kind  Kind
	Ver   int64 // of the image when the item was made
}

// node is one link of a stream. Everything but next is constant.
type node struct {
	Item
	index uint64 // position in the stream
	end   int64  // bytes of the stream up to and with this node
	next  atomic.Pointer[node]
}

// stream is what a room sends to everyone, in order: a linked list that the
// room appends to and that sessions read by a cursor, without a lock between
// them. A node is kept as long as the room's ring or a cursor before it is.
// Only the room's goroutine calls its methods.
type stream struct {
	head  *node // the ring starts behind it
	tail  *node
	floor int64 // the ring holds every batch after this version
	nodes int
	limit ring
}

// ring bounds what a stream keeps for those who come back.
type ring struct {
	Nodes int
	Bytes int64
}

func newStream(ver int64, limit ring) *stream {
	n := &node{Item: Item{Ver: ver}}
	return &stream{head: n, tail: n, floor: ver, limit: limit}
}

// append adds an item for everyone.
func (s *stream) append(it Item) {
	n := &node{Item: it, index: s.tail.index + 1, end: s.tail.end + int64(it.Frame.Len())}
	s.tail.next.Store(n)
	s.tail = n
	s.nodes++
	for s.nodes > s.limit.Nodes || s.tail.end-s.head.end > s.limit.Bytes {
		s.head = s.head.next.Load()
		s.nodes--
		if s.head.Kind == KindOps {
			s.floor = s.head.Ver
		}
	}
}

// after returns the node behind which every batch after ver follows, or nil if
// the ring no longer has them all.
func (s *stream) after(ver int64) *node {
	if ver < s.floor {
		return nil
	}
	n := s.head
	for next := n.next.Load(); next != nil; next = n.next.Load() {
		if next.Kind == KindOps && next.Ver > ver {
			break
		}
		n = next
	}
	return n
}
