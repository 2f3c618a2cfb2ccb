package canvas

import "github.com/easelhq/easel"

// Moment is a point in an image's history: a version, or with At a time, which
// stands for what there was when its millisecond ended.
type Moment struct {
	Ver int64
	At  easel.Time
}

// Chunk is a row of consecutive batches that left the log for objects of history,
// which are named below the image.
type Chunk struct {
	First, Last  int64      // versions
	Began, Ended easel.Time // of First and of Last
	Bytes        int64      // of the batches as JSON
	Ops          string     // name of the object with the batches
	// Keyframe names the object with the annotations just before First; "": there
	// is none, or First is 1 and there was nothing.
	Keyframe string
}

// Locate asks where a moment's state is found. A moment that is over for longer
// than Options.History is CodeGone, one that has not come CodeInvalid, one before
// the image's birth CodeNotFound. With Since, a time before the birth is the
// birth. Answer: Located.
type Locate struct {
	Moment
	Since bool
	Row   bool // answer the image's own row too; CodeGone if it is not known
}

// Located says how to make the state of a moment: of the first chunk's keyframe,
// if it has one, then of the batches of the chunks in order, then of those of the
// log, up to version Found.
type Located struct {
	Epoch string
	Ver   int64 // the newest
	// Found is the version of the moment; -1 if only the last chunk can tell: it is
	// the newest one there that is not younger than the moment's time.
	Found  int64
	Chunks []Chunk
	// Image is the row at the moment, with Row. Version and AnnotationCount are
	// right only if Counted.
	Image   easel.Image
	Counted bool
	// Cutoff is the time up to which nothing is answered: with a version that the
	// last chunk holds, but not as its last, the asker looks there when the next one
	// was made, and if that was not after Cutoff, the answer is CodeGone.
	Cutoff easel.Time
}

// Change is one annotation's part of a revert: what it was in the state that was
// looked at, and what it shall be again. Nil: not there.
type Change struct {
	ID   easel.ID
	From *easel.Draft
	To   *easel.Draft
	// Made is who made it and when, and a rev that it has had, to bring it back
	// with. Only if From is nil.
	Made *Made
}

// Made is what comes back of a deleted annotation besides its content.
type Made struct {
	By  string
	At  easel.Time
	Rev int64
}

// BeginRevert asks for leave to revert, and which version that starts from: the
// plan of a revert is made of it, so that a repeat of the same request plans the
// same. CodeForbidden; CodeNotFound if Annotation, unless "", never was. Answer:
// RevertBegun.
type BeginRevert struct {
	By         Author
	Annotation easel.ID
}

// RevertBegun is where a revert starts.
type RevertBegun struct {
	Epoch string
	Ver   int64
	// Of the annotation: when it was last changed or, if it is deleted, the version
	// that deleted it; both 0 if that is not known.
	UpdatedAt easel.Time
	Deleted   int64
}

// Revert undoes changes, at most easel.MaxOps, as one batch of ops: all or none.
// Each register (the geometry, the label, the confidence, each attribute) that
// still is what From says becomes what To says; others stay, and so does an
// annotation that is there although From is nil. One that goes must be as From
// says in everything. What is brought back has its old id and a higher rev.
// Answer: Applied, with results of what changed only; without effect there is no
// batch.
type Revert struct {
	By      Author
	Changes []Change
}

// Archived is the result of the job that puts a chunk's objects, sent by the
// actor to itself.
type Archived struct{ Chunk Chunk }

// Forgotten is the result of the job that deletes the objects of chunks before a
// version, sent by the actor to itself.
type Forgotten struct{ Before int64 }

// MessageName implements actors.Message.
func (Locate) MessageName() string { return "canvas.locate" }

// MessageName implements actors.Message.
func (Located) MessageName() string { return "canvas.located" }

// MessageName implements actors.Message.
func (BeginRevert) MessageName() string { return "canvas.begin_revert" }

// MessageName implements actors.Message.
func (RevertBegun) MessageName() string { return "canvas.revert_begun" }

// MessageName implements actors.Message.
func (Revert) MessageName() string { return "canvas.revert" }

// MessageName implements actors.Message.
func (Archived) MessageName() string { return "canvas.archived" }

// MessageName implements actors.Message.
func (Forgotten) MessageName() string { return "canvas.forgotten" }
