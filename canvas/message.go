package canvas

import (
	"bytes"
	"encoding/json"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// KindName is the actor kind of images. Names are never reused.
const KindName = "image"

// Key returns the key of the actor that is the image of tenant. An id that is
// not Valid must be answered CodeNotFound before it comes here.
func Key(tenant easel.TenantID, image easel.ID) actors.Key {
	return actors.Key{Kind: KindName, ID: string(tenant) + "/" + string(image)}
}

// ErrReplaced is the error of an Apply whose Conn is no longer its client's
// current connection: nothing was applied and no seq was consumed. Test for it
// with errors.Is.
var ErrReplaced error = &easel.Error{Code: easel.CodeConflict, Message: "replaced by a newer connection of this client"}

// Author is who asks for a change.
type Author struct {
	User string     // the token's sub
	Name string     // display name, for others to see
	Role easel.Role // at the moment of asking
}

// Empty is the answer of messages that have nothing to tell but that they are
// durable.
type Empty struct{}

// Birth brings an image to life; it is the only message that may. A repeat with
// the same Image.ID answers the image as it is now. Version, AnnotationCount,
// Width and Height of Image are ignored: the image starts at version 0, and if its
// dimensions are not beside it, a job reads them. Answer: ImageReply.
type Birth struct {
	Image  easel.Image
	Sums   []byte `json:",omitempty"` // of the blocks of its file, see blob.Sums; empty: not known
	Width  int    `json:",omitempty"` // pixels, after EXIF orientation; 0: not known, as Height then is
	Height int    `json:",omitempty"`
}

// Look asks for the image's own row. Answer: ImageReply; CodeGone for a
// soft-deleted image unless Deleted is set.
type Look struct {
	Deleted bool
	Sums    bool `json:",omitempty"` // answer ImageReply.Sums too
}

// ImageReply is the image's own row, the name of its history and its version.
type ImageReply struct {
	Image easel.Image
	Epoch string
	Ver   int64
	Seq   int64 // of the row, as in tenant.Row
	// Message is the newest chat message; "" if none.
	Message easel.ID `json:",omitempty"`
	// Sums are those of Birth. Only with Look.Sums.
	Sums []byte `json:",omitempty"`
}

// Tag is that of Published, if the image is published as it is now.
func (r ImageReply) Tag() string { return tag(r.Epoch, r.Ver, r.Seq-r.Ver, r.Message) }

// Amend renames the image or replaces its metadata; nil fields stay. It does
// not advance the version. Annotators may amend their own image, admins any.
// Answer: ImageReply.
type Amend struct {
	By       Author
	Filename *string
	Metadata json.RawMessage `json:",omitempty"` // a JSON object
}

// SoftDelete hides the image: from then on everything but Look{Deleted: true},
// SoftDelete, Restore, Decide and Purge is CodeGone. A repeat changes nothing.
// Rights as for Amend. Answer: Empty.
type SoftDelete struct {
	By Author
}

// Restore ends a soft delete; on an image that is not deleted it changes
// nothing, and on one that was deleted longer than Options.Retention ago it is
// CodeGone. Rights as for Amend. Answer: ImageReply.
type Restore struct {
	By Author
}

// Apply asks for one batch of ops, at most easel.MaxOps, all or none. Answer:
// Applied.
//
// With a Client the batch takes effect exactly once by (By.User, Client, Seq):
// an accepted batch and a permanent rejection consume the seq, are stored for a
// repeat, and come as Applied. What consumes nothing is a Go error: temporary
// codes, CodeBadSeq (with Expected) for a seq that skips, CodeConflict for a
// consumed seq with another Hash, CodeGone for a seq older than the stored
// verdicts, and ErrReplaced.
//
// Without a Client (a plain REST write) a rejection is a Go error too, and if
// there is just one op, paths of its details start at the fields of that op's
// annotation or set, not at "ops[0]".
type Apply struct {
	By     Author
	Client string // "" for a plain REST write
	Seq    int64  // from 1; with Client
	Conn   string // the socket's connection; "" for REST, which is not bound to one
	Hash   string // of the frame's content; with Client
	Ops    []easel.Op
	Full   bool // answer the annotations too
	// Refused, with a Client, is the edge's verdict on a frame that has a seq but
	// whose ops do not parse or break a rule: it consumes the seq and comes back
	// as Applied.Rejected. Ops is then ignored.
	Refused *easel.Error
}

// Applied is the verdict of an Apply.
type Applied struct {
	Seq     int64
	Ver     int64 // of the batch; of the image, if the batch was without effect
	Results []easel.Result
	// Annotations are the annotations after each op, in the order of the ops,
	// deleted ones as they were last. Only with Apply.Full, and not with a
	// stored verdict.
	Annotations []easel.Annotation
	Epoch       string
	// Rejected is set instead of Results if the batch was permanently refused.
	Rejected *easel.Error
}

// Hello introduces a connection and makes it its client's current one, so that
// what earlier connections of the client still send is ErrReplaced; the feed is
// told by Replaced. A viewer cannot write, so its hello is answered without
// being recorded. Answer: HelloReply.
type Hello struct {
	By     Author
	Client string
	Conn   string // unique
}

// HelloReply is what a welcome needs to know of the image.
type HelloReply struct {
	Epoch       string
	Ver         int64
	Known       bool  // the client is remembered
	LastSeq     int64 // the last consumed seq; 0 if unknown
	Image       easel.Image
	LastMessage easel.ID // newest chat message; "" if none
}

// List asks for all annotations, newest first, or those that match. Answer:
// Listing.
type List struct {
	Label         *string  // exactly this label
	MinConfidence *float64 // at least this; annotations without a confidence do not match
}

// Listing is {"annotations":[...],"version":V}. Body is shared: it must not be
// written to.
type Listing struct {
	Body  json.RawMessage
	Epoch string
	Ver   int64
}

// One asks for one annotation. Answer: OneReply; CodeGone if it is deleted,
// CodeNotFound if it never was.
type One struct {
	ID easel.ID
}

// OneReply is one annotation at version Ver.
type OneReply struct {
	Annotation easel.Annotation
	Epoch      string
	Ver        int64
}

// Log asks for accepted batches after version Since, oldest first. Answer:
// LogReply.
type Log struct {
	Since int64
	Limit int // batches; 0: as many as fit
	// Archived says that the asker reads objects of history: if the batch after
	// Since has left the log, the answer is the Chunk that holds it, or CodeGone if
	// it is forgotten. Else the answer starts with the oldest batch that the log has.
	Archived bool
}

// LogReply holds at most about 256 KB of batches but at least one, if there are
// any. Next is the Since of the next page; 0 at the end.
type LogReply struct {
	Batches []easel.Batch
	Chunk   *Chunk // with Log.Archived
	Next    int64
	Epoch   string
	Ver     int64
}

// Page asks for annotations by ascending id, after After, for a snapshot made
// of several replies. The image may change in between: who applies all batches
// after the first page's Ver, each annotation only if its rev is newer, ends
// with the image as it is, because ids are never reused and what a revert brings
// back has a newer rev.
// Answer: PageReply.
type Page struct {
	After easel.ID
	Limit int // 0: as many as fit
}

// PageReply holds at most about 200 KB of annotations.
type PageReply struct {
	Annotations []easel.Annotation
	// Places has, for each of them, the version that created it and its place in
	// that batch: the order of lists. A node of an older version sends none.
	Places [][2]int64 `json:",omitempty"`
	More   bool
	Epoch  string
	Ver    int64
}

// Say stores a chat message; annotators and up may. It does not advance the
// version. Answer: Said.
type Say struct {
	By   Author
	Text string
}

// Said is the stored message.
type Said struct {
	Message easel.Message
}

// Messages asks for the last 100 chat messages that are newer than After ("":
// all). Answer: MessagesReply.
type Messages struct {
	After easel.ID
}

// MessagesReply holds messages by time, newest first.
type MessagesReply struct {
	Messages []easel.Message
}

// Prepare is the first half of a bulk over several images: the image promises
// that a Decide to commit cannot fail, and stores the promise. It blocks no
// other turn. A repeat changes nothing, and after the decision it is an Empty
// if that was to commit and CodeConflict if not. Answer: Empty, or the error of
// an equal Apply.
type Prepare struct {
	Bulk        easel.ID
	By          Author
	Drafts      []easel.Draft // valid
	IDs         []easel.ID    // one for each draft, fresh
	Coordinator actors.Key    // who knows the outcome
}

// Decide is the second half: it makes the intent one batch, or drops it. It may
// come repeatedly, and before the Prepare: then only an abort is possible, and
// a commit of an unknown bulk is CodeNotFound. Answer: Empty.
type Decide struct {
	Bulk   easel.ID
	Commit bool
}

// Probed is the result of the dimension job, sent by the actor to itself.
// Failed is why the file will never have dimensions; "" if it has.
type Probed struct {
	Width  int // pixels after EXIF orientation
	Height int
	Failed string
}

// WantTiles has the image cut into tiles if it is large, unless that is on its way;
// it does not wait. Answer: Empty. CodeNotFound, CodeGone.
type WantTiles struct{}

// Tiled is the end of the job that makes tiles, sent by the actor to itself: they are
// there, or never will be.
type Tiled struct{}

// Synced is the tenant's receipt for the outbox up to Seq.
type Synced struct {
	Seq int64
}

// Purge removes what the image holds, for good: it must be soft-deleted, and
// without undecided bulks (CodeUnavailable: later). Afterwards the image was
// never there: CodeNotFound. A repeat changes nothing. Answer: Empty.
type Purge struct {
	// Before is when it must have been deleted, else CodeConflict: it may have been
	// restored and deleted again since somebody looked. 0: at any time.
	Before easel.Time
}

// Accepted is published for every accepted batch, in version order without gap.
type Accepted struct {
	Batch easel.Batch
	// Encoded is Batch as a JSON object, as the op log keeps it. It is shared:
	// it must not be written to.
	Encoded json.RawMessage
}

// MarshalJSON encodes the batch once, not twice.
func (a Accepted) MarshalJSON() ([]byte, error) {
	if a.Encoded != nil {
		return a.Encoded, nil
	}
	return json.Marshal(a.Batch)
}

// UnmarshalJSON is the inverse of MarshalJSON. Encoded keeps the bytes.
func (a *Accepted) UnmarshalJSON(b []byte) error {
	a.Encoded = bytes.Clone(b)
	return json.Unmarshal(b, &a.Batch)
}

// ImageChanged is published when the image's own row changed: its dimensions,
// name, metadata, or deletion.
type ImageChanged struct {
	Image easel.Image
}

// Chatted is published for every chat message.
type Chatted struct {
	Message easel.Message
}

// Replaced is published when a client's current connection became By instead of
// Conn: nothing more of Conn will be applied.
type Replaced struct {
	User   string
	Client string
	Conn   string // the old connection
	By     string // the new one
}

// MessageName implements actors.Message.
func (Empty) MessageName() string { return "canvas.empty" }

// MessageName implements actors.Message.
func (Birth) MessageName() string { return "canvas.birth" }

// MessageName implements actors.Message.
func (Look) MessageName() string { return "canvas.look" }

// MessageName implements actors.Message.
func (ImageReply) MessageName() string { return "canvas.image_reply" }

// MessageName implements actors.Message.
func (Amend) MessageName() string { return "canvas.amend" }

// MessageName implements actors.Message.
func (SoftDelete) MessageName() string { return "canvas.soft_delete" }

// MessageName implements actors.Message.
func (Restore) MessageName() string { return "canvas.restore" }

// MessageName implements actors.Message.
func (Apply) MessageName() string { return "canvas.apply" }

// MessageName implements actors.Message.
func (Applied) MessageName() string { return "canvas.applied" }

// MessageName implements actors.Message.
func (Hello) MessageName() string { return "canvas.hello" }

// MessageName implements actors.Message.
func (HelloReply) MessageName() string { return "canvas.hello_reply" }

// MessageName implements actors.Message.
func (List) MessageName() string { return "canvas.list" }

// MessageName implements actors.Message.
func (Listing) MessageName() string { return "canvas.listing" }

// MessageName implements actors.Message.
func (One) MessageName() string { return "canvas.one" }

// MessageName implements actors.Message.
func (OneReply) MessageName() string { return "canvas.one_reply" }

// MessageName implements actors.Message.
func (Log) MessageName() string { return "canvas.log" }

// MessageName implements actors.Message.
func (LogReply) MessageName() string { return "canvas.log_reply" }

// MessageName implements actors.Message.
func (Page) MessageName() string { return "canvas.page" }

// MessageName implements actors.Message.
func (PageReply) MessageName() string { return "canvas.page_reply" }

// MessageName implements actors.Message.
func (Say) MessageName() string { return "canvas.say" }

// MessageName implements actors.Message.
func (Said) MessageName() string { return "canvas.said" }

// MessageName implements actors.Message.
func (Messages) MessageName() string { return "canvas.messages" }

// MessageName implements actors.Message.
func (MessagesReply) MessageName() string { return "canvas.messages_reply" }

// MessageName implements actors.Message.
func (Prepare) MessageName() string { return "canvas.prepare" }

// MessageName implements actors.Message.
func (Decide) MessageName() string { return "canvas.decide" }

// MessageName implements actors.Message.
func (Probed) MessageName() string { return "canvas.probed" }

// MessageName implements actors.Message.
func (WantTiles) MessageName() string { return "canvas.want_tiles" }

// MessageName implements actors.Message.
func (Tiled) MessageName() string { return "canvas.tiled" }

// MessageName implements actors.Message.
func (Synced) MessageName() string { return "canvas.synced" }

// MessageName implements actors.Message.
func (Purge) MessageName() string { return "canvas.purge" }

// MessageName implements actors.Message.
func (Accepted) MessageName() string { return "canvas.accepted" }

// MessageName implements actors.Message.
func (ImageChanged) MessageName() string { return "canvas.image_changed" }

// MessageName implements actors.Message.
func (Chatted) MessageName() string { return "canvas.chatted" }

// MessageName implements actors.Message.
func (Replaced) MessageName() string { return "canvas.replaced" }
