package live

import (
	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// KindName is the actor kind of rooms. A room has the key ID of its image.
const KindName = "room"

// Key returns the key of the room of an image, on whichever node.
func Key(image actors.Key) actors.Key { return actors.Key{Kind: KindName, ID: image.ID} }

// imageKey is the inverse of Key.
func imageKey(room actors.Key) actors.Key { return actors.Key{Kind: canvas.KindName, ID: room.ID} }

// What follows crosses nodes: between a room and the feed beside its image.

// Attach asks the feed to send the image's events to a room. A room repeats it
// while it lives, as a lease. Answer: Attached.
type Attach struct {
	Room  actors.Ref
	Life  int64 // of the room: later rooms at the same place have larger ones
	Epoch string
	Ver   int64 // the room's version; -1: it has none
}

// Attached says what the feed knows.
type Attached struct {
	// Feed names this feed. A new one knows nothing of what was published before
	// it, so a room that meets it asks the image once.
	Feed int64
	Ver  int64 // newest version published since the feed began; 0: none
	// Batches are all batches after the room's version, if the feed still has
	// them and they are not too many. A room that is further behind asks the
	// image.
	Batches []easel.Batch
	Others  int    // other rooms of the image
	Node    string // where the feed is
}

// Detach tells the feed that a room is gone: this one, and those before it at the
// same place. A later one stays, even if it came first.
type Detach struct {
	Room actors.Ref
	Life int64
}

// Moved tells a room that its image is, or may be, on another node now. It then
// attaches there at once.
type Moved struct {
	Feed  int64  // the feed that has ended; 0: the room's, whichever it is
	Owner string // where the image belongs now; "" if that is not known
}

// Census tells a room that other rooms came or went. Each room then tells the
// others whom it has.
type Census struct {
	Others int
	Gone   []actors.Ref // rooms whose people have left
}

// People tells the other rooms, through the feed, who is present in Room.
type People struct {
	Room actors.Ref
	Full bool // Peers is everyone there
	// Peers came or changed their state. Left went.
	Peers []Peer
	Left  []string
}

// Arrival tells the other rooms, through the feed, that a client has come back in
// Room: its older connections end, wherever they are.
type Arrival struct {
	Room   actors.Ref
	User   string
	Client string
	Conn   string // the new connection
}

// What follows never leaves a node: between a room and its sessions.

// enter brings a session into the room.
type enter struct {
	session *Session
	who     easel.Principal
	listen  bool      // SSE: no hello, no presence of its own
	since   *Position // with listen
}

// entered is its answer.
type entered struct{}

// said is one frame of a session's client.
type said struct {
	conn  string
	frame Inbound
}

// renewed changes who a session speaks for.
type renewed struct {
	conn string
	who  easel.Principal
}

// gone takes a session out of the room.
type gone struct{ conn string }

// MessageName implements actors.Message.
func (Attach) MessageName() string { return "live.attach" }

// MessageName implements actors.Message.
func (Attached) MessageName() string { return "live.attached" }

// MessageName implements actors.Message.
func (Detach) MessageName() string { return "live.detach" }

// MessageName implements actors.Message.
func (Census) MessageName() string { return "live.census" }

// MessageName implements actors.Message.
func (People) MessageName() string { return "live.people" }

// MessageName implements actors.Message.
func (Moved) MessageName() string { return "live.moved" }

// MessageName implements actors.Message.
func (Arrival) MessageName() string { return "live.arrival" }

// MessageName implements actors.Message.
func (enter) MessageName() string { return "live.enter" }

// MessageName implements actors.Message.
func (entered) MessageName() string { return "live.entered" }

// MessageName implements actors.Message.
func (said) MessageName() string { return "live.said" }

// MessageName implements actors.Message.
func (renewed) MessageName() string { return "live.renewed" }

// MessageName implements actors.Message.
func (gone) MessageName() string { return "live.gone" }

// Prototypes returns one value of every message type that crosses nodes.
func Prototypes() []actors.Message {
	return []actors.Message{Attach{}, Attached{}, Detach{}, Moved{}, Census{}, People{}, Arrival{}}
}
