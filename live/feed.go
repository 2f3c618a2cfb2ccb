package live

import (
	"slices"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// Leases between a feed and its rooms.
const (
	beatEvery = 5 * time.Second             // a room attaches again
	leaseFor  = 3*beatEvery + 1*time.Second // a feed forgets a room it has not heard of
)

// Bounds of a feed's memory and messages.
const (
	feedBatches  = 1024      // batches in the ring
	feedBytes    = 2 << 20   // about their size
	attachBytes  = 192 << 10 // about the size of the batches in an answer
	bytesPerOp   = 400       // about the size of one op with its annotation
	bytesOfBatch = 100
)

// feedCore is the state of a Feed.
type feedCore struct {
	node  string         // where it is
	born  int64          // names the feed: when the first room came, in nanoseconds
	rooms []attachedRoom // in order of arrival; few
	ring  []easel.Batch  // without gap, newest last
	bytes int
	ver   int64 // of the newest batch published; 0: none yet
	out   []effect
}

type attachedRoom struct {
	ref  actors.Ref
	life int64
	seen time.Time
}

func (f *feedCore) done() []effect {
	out := f.out
	f.out = nil
	return out
}

func (f *feedCore) find(ref actors.Ref) int {
	return slices.IndexFunc(f.rooms, func(r attachedRoom) bool { return r.ref == ref })
}

// attach registers a room or renews its lease.
func (f *feedCore) attach(now time.Time, m Attach) (Attached, []effect) {
	if f.born == 0 {
		f.born = now.UnixNano()
	}
	if i := f.find(m.Room); i >= 0 {
		f.rooms[i].seen, f.rooms[i].life = now, max(f.rooms[i].life, m.Life)
	} else {
		f.rooms = append(f.rooms, attachedRoom{m.Room, m.Life, now})
		if len(f.rooms) > 1 {
			f.census(nil)
		}
	}
	f.expire(now)
	return Attached{
		Feed: f.born, Ver: f.ver, Batches: f.missed(m.Ver), Others: len(f.rooms) - 1, Node: f.node,
	}, f.done()
}

// missed returns all batches after ver, or none if they are not all here or are
// too many for one message.
func (f *feedCore) missed(ver int64) []easel.Batch {
	if ver < 0 || ver >= f.ver || len(f.ring) == 0 || ver < f.ring[0].Ver-1 {
		return nil
	}
	missed := f.ring[ver-f.ring[0].Ver+1:]
	size := 0
	for _, b := range missed {
		if size += sizeOf(b); size > attachBytes {
			return nil
		}
	}
	return slices.Clone(missed)
}

func sizeOf(b easel.Batch) int { return bytesOfBatch + bytesPerOp*len(b.Ops) }

// detach forgets a room.
func (f *feedCore) detach(now time.Time, m Detach) []effect {
	f.drop(func(r attachedRoom) bool { return r.ref == m.Room && r.life <= m.Life })
	f.expire(now)
	return f.done()
}

// lapse forgets the rooms whose leases have run out.
func (f *feedCore) lapse(now time.Time) []effect {
	f.expire(now)
	return f.done()
}

func (f *feedCore) expire(now time.Time) {
	f.drop(func(r attachedRoom) bool { return now.Sub(r.seen) > leaseFor })
}

func (f *feedCore) drop(match func(attachedRoom) bool) {
	var lost []actors.Ref
	f.rooms = slices.DeleteFunc(f.rooms, func(r attachedRoom) bool {
		if match(r) {
			lost = append(lost, r.ref)
			return true
		}
		return false
	})
	if len(lost) > 0 {
		f.census(lost)
	}
}

func (f *feedCore) census(lost []actors.Ref) {
	for _, r := range f.rooms {
		f.tell(r.ref, Census{Others: len(f.rooms) - 1, Gone: lost})
	}
}

// relay passes on what one room tells the others.
func (f *feedCore) relay(from actors.Ref, m actors.Message) []effect {
	for _, r := range f.rooms {
		if r.ref != from {
			f.tell(r.ref, m)
		}
	}
	return f.done()
}

// leave sends all rooms to wherever the image will be next.
func (f *feedCore) leave() []effect {
	for _, r := range f.rooms {
		f.tell(r.ref, Moved{Feed: f.born})
	}
	return f.done()
}

// published passes on what the image published.
func (f *feedCore) published(now time.Time, m actors.Message) []effect {
	if a, ok := m.(canvas.Accepted); ok {
		f.keep(a.Batch)
	}
	f.expire(now)
	for _, r := range f.rooms {
		f.tell(r.ref, m)
	}
	return f.done()
}

func (f *feedCore) keep(b easel.Batch) {
	if len(f.ring) > 0 && b.Ver != f.ver+1 {
		// A new feed beside an old ring cannot happen; a hole must not be served.
		f.ring, f.bytes = nil, 0
	}
	f.ring, f.ver = append(f.ring, b), b.Ver
	f.bytes += sizeOf(b)
	for len(f.ring) > feedBatches || f.bytes > feedBytes && len(f.ring) > 1 {
		f.bytes -= sizeOf(f.ring[0])
		f.ring[0] = easel.Batch{}
		f.ring = f.ring[1:]
	}
}

func (f *feedCore) tell(to actors.Ref, m actors.Message) {
	f.out = append(f.out, tellEffect{to: to.Key, node: to.Node, message: m})
}

// attached reports whether a room holds the image.
func (f *feedCore) attached() bool { return len(f.rooms) > 0 }
