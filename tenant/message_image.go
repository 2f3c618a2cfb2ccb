package tenant

import (
	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// Reserve holds an id and a place in the quotas for an image that is about to be
// stored; -> Empty, also when repeated. It is cleared by itself, with everything
// that was made under the id, if no Ready follows (see Options.ReserveFor).
// CodeForbidden for viewers; CodeRateLimited at a quota.
type Reserve struct {
	ID       easel.ID `json:"id"`
	By       Author   `json:"by"`
	Filename string   `json:"filename"`
	Size     int64    `json:"size,omitempty"` // bytes, an upper bound; 0: not known yet
}

// MessageName implements actors.Message.
func (Reserve) MessageName() string { return "tenant.reserve" }

// Ready lists a reserved image; -> Empty, also when repeated. CodeGone if the
// reservation is no more; CodeRateLimited if its bytes pass the quota.
type Ready struct {
	Image  easel.Image `json:"image"`
	Settle *Settle     `json:"settle,omitempty"` // in the same turn; nil: none
}

// MessageName implements actors.Message.
func (Ready) MessageName() string { return "tenant.ready" }

// Abandon gives a reservation up at once; -> Abandoned. Unknown ids and listed
// images are left alone.
type Abandon struct {
	ID easel.ID `json:"id"`
}

// MessageName implements actors.Message.
func (Abandon) MessageName() string { return "tenant.abandon" }

// Abandoned answers Abandon.
type Abandoned struct {
	Doomed bool `json:"doomed"` // the image is to be purged, and is never listed
}

// MessageName implements actors.Message.
func (Abandoned) MessageName() string { return "tenant.abandoned" }

// Images lists live images, newest first by (created_at, id); -> ImagesReply.
// Pages are stable: whatever is added meanwhile, no image that was there is
// skipped or repeated. A page may be shorter than Limit and still have a Next.
// CodeInvalid for a cursor or a progress that is not one.
type Images struct {
	UploadedBy string   `json:"uploaded_by,omitempty"` // "": anyone
	Label      *string  `json:"label,omitempty"`       // has at least one annotation with it
	Filename   *string  `json:"filename,omitempty"`    // substring, any case
	Progress   Progress `json:"progress,omitempty"`    // "": any
	Limit      int      `json:"limit"`                 // 1 to 1,000, others are brought into it; 0: 100
	Cursor     string   `json:"cursor,omitempty"`      // ImagesReply.Next
}

// MessageName implements actors.Message.
func (Images) MessageName() string { return "tenant.images" }

// ImagesReply is one page of images.
type ImagesReply struct {
	Images []easel.Image `json:"images"` // never nil
	Next   string        `json:"next"`   // "": the end
}

// MessageName implements actors.Message.
func (ImagesReply) MessageName() string { return "tenant.images_reply" }

// ImageProgress counts live images by progress; -> ImageProgressReply. The filters
// are those of Images.
type ImageProgress struct {
	UploadedBy string  `json:"uploaded_by,omitempty"`
	Label      *string `json:"label,omitempty"`
	Filename   *string `json:"filename,omitempty"`
}

// MessageName implements actors.Message.
func (ImageProgress) MessageName() string { return "tenant.image_progress" }

// ImageProgressReply says how many images there are of each progress.
type ImageProgressReply struct {
	New        int64 `json:"new"`
	InProgress int64 `json:"in_progress"`
	Done       int64 `json:"done"`
	More       bool  `json:"more"` // only the newest were counted
}

// MessageName implements actors.Message.
func (ImageProgressReply) MessageName() string { return "tenant.image_progress_reply" }

// Row tells the tenant of an image's row what who changed it was answered, so that
// lists show that at once and not only when the image's outbox comes; -> Empty. An
// older Seq than the last one seen changes nothing, and labels stay.
type Row struct {
	Image easel.Image `json:"image"`
	Seq   int64       `json:"seq"` // as in Sync
}

// MessageName implements actors.Message.
func (Row) MessageName() string { return "tenant.row" }

// Sync is an image's outbox: its row and labels as of Seq. An older Seq than the
// last one seen changes nothing. Once durable, Synced is told to the sender
// (ReplyTo, or else Turn.From), also for images that the tenant does not know.
type Sync struct {
	Image   easel.Image      `json:"image"`
	Labels  map[string]int64 `json:"labels"` // live annotations by label; all of them
	Seq     int64            `json:"seq"`    // counts up within the image, from 1
	ReplyTo actors.Key       `json:"reply_to"`
}

// MessageName implements actors.Message.
func (Sync) MessageName() string { return "tenant.sync" }

// Synced tells an image that its outbox is durable in the tenant up to Seq.
type Synced struct {
	Seq int64 `json:"seq"`
}

// MessageName implements actors.Message.
func (Synced) MessageName() string { return "tenant.synced" }

// Expired asks for images to purge: those soft-deleted before Before, and those
// whose reservation was cleared; -> ExpiredReply.
type Expired struct {
	Before easel.Time `json:"before"`
	Limit  int        `json:"limit"`           // 1 to 1,000
	After  easel.ID   `json:"after,omitempty"` // the last id of the page before, to pass over those that resist
}

// MessageName implements actors.Message.
func (Expired) MessageName() string { return "tenant.expired" }

// ExpiredReply lists images by ascending id.
type ExpiredReply struct {
	Images []Gone `json:"images"`
}

// Gone is an image to purge.
type Gone struct {
	ID     easel.ID `json:"id"`
	Doomed bool     `json:"doomed"` // it was never listed: its reservation was cleared
}

// MessageName implements actors.Message.
func (ExpiredReply) MessageName() string { return "tenant.expired_reply" }

// Purged tells that nothing is left of an image but its row; the row goes and
// its quota is free again; -> Empty, also when repeated. CodeConflict if the
// image is live.
type Purged struct {
	ID easel.ID `json:"id"`
}

// MessageName implements actors.Message.
func (Purged) MessageName() string { return "tenant.purged" }

// Decide stores the outcome of a bulk over several images before anyone is told;
// -> Decision, which is the stored one if there was one already. A commit is told
// to every image as a Verdict until each has sent Confirm.
type Decide struct {
	Bulk   easel.ID   `json:"bulk"`
	Commit bool       `json:"commit"`
	Images []easel.ID `json:"images"` // participants
	// Settle is done in the same turn if the bulk commits; nil: none. If it
	// cannot be, the bulk does not commit: its error is the answer.
	Settle *Settle `json:"settle,omitempty"`
}

// MessageName implements actors.Message.
func (Decide) MessageName() string { return "tenant.decide" }

// Decision is a bulk's outcome. It never changes.
type Decision struct {
	Commit bool `json:"commit"`
}

// MessageName implements actors.Message.
func (Decision) MessageName() string { return "tenant.decision" }

// Outcome asks how a bulk ended; -> Decision. Of an unknown bulk the answer is
// abort, and is stored, so that no later Decide can commit. An image that sent it
// by Tell (Turn.From) is told a Verdict.
type Outcome struct {
	Bulk easel.ID `json:"bulk"`
}

// MessageName implements actors.Message.
func (Outcome) MessageName() string { return "tenant.outcome" }

// Verdict tells an image how a bulk ended, exactly like canvas.Decide. The image
// tells Confirm to the coordinator once it has acted on it, also if it had
// already, and also if it knows nothing of the bulk.
type Verdict struct {
	Bulk   easel.ID `json:"bulk"`
	Commit bool     `json:"commit"`
}

// MessageName implements actors.Message.
func (Verdict) MessageName() string { return "tenant.verdict" }

// Confirm tells that an image has durably acted on a bulk's outcome; -> Empty,
// also when repeated or unknown.
type Confirm struct {
	Bulk  easel.ID `json:"bulk"`
	Image easel.ID `json:"image"`
}

// MessageName implements actors.Message.
func (Confirm) MessageName() string { return "tenant.confirm" }
