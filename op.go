package easel

// Kinds of op.
const (
	OpPut    OpKind = "put"
	OpPatch  OpKind = "patch"
	OpDelete OpKind = "del"
)

// OpKind says what an op does, as "k" on the wire.
type OpKind string

// Op is one change that a client asks for. Ops of a batch apply all or none.
type Op struct {
	Kind  OpKind `json:"k"`
	ID    ID     `json:"id,omitempty"`         // "" in a put: the server chooses
	Draft *Draft `json:"annotation,omitempty"` // put
	Set   *Patch `json:"set,omitempty"`        // patch
	Base  int64  `json:"base,omitempty"`       // patch, del: apply only at this rev; 0: at any
}

// Result tells what one op did.
type Result struct {
	ID  ID    `json:"id"`
	Rev int64 `json:"rev"` // the annotation's rev now; for a del, the rev it had
}

// Effect is one op as everyone is shown it: the whole annotation after a put or
// a patch, none after a del.
type Effect struct {
	Kind       OpKind      `json:"k"`
	ID         ID          `json:"id"`
	Annotation *Annotation `json:"annotation,omitempty"`
}

// Batch is one accepted change of an image, in version order without gap.
type Batch struct {
	Ver  int64    `json:"ver"`
	By   string   `json:"by"`
	Conn string   `json:"conn,omitempty"` // the writer's connection; "" for REST
	Seq  int64    `json:"seq,omitempty"`
	At   Time     `json:"at"`
	Ops  []Effect `json:"ops"`
}

// Message is one line of an image's chat.
type Message struct {
	ID   ID     `json:"id"`
	By   string `json:"by"`
	At   Time   `json:"at"`
	Text string `json:"text"` // 1 to MaxMessage code points
}

// MaxMessage is the longest chat message, in Unicode code points.
const MaxMessage = 4000
