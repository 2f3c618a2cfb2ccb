package journal

import (
	"context"
	"fmt"

	"github.com/easelhq/easel/journal/fencing"
	"github.com/easelhq/easel/pages"
)

// Errors that callers branch on.
var (
	// ErrNotFound: the actor was never born (or, see ErrErased, lives no more).
	ErrNotFound = fencing.ErrNotFound
	// ErrErased: the actor was erased; its name is never used again.
	ErrErased = fencing.ErrErased
	// ErrFenced: another owner has claimed the actor. It is final for the term:
	// drop every held output and the working copy.
	ErrFenced = fencing.ErrFenced
	// ErrCorrupt: what is kept of the actor cannot be trusted. The actor stays
	// closed until an operator has looked; never take it for the end of the log.
	ErrCorrupt = fencing.ErrCorrupt
	// ErrUnavailable: the durable home cannot be reached, or holds too much
	// that waits: the outcome of an append is unknown.
	ErrUnavailable = fencing.ErrUnavailable
	// ErrClosed: the journal or the term is closed.
	ErrClosed = fencing.ErrClosed
)

func unavailable(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, what, err)
}

// Name names an actor in the durable home, such as "image/<tenant>/<id>". It
// consists of segments of [a-z0-9_-], 1 to 64 bytes each, joined by "/", at most
// 4 segments. It holds hashes and ids only, never what a user typed.
type Name string

// Template is the file that an actor's history starts from: a pre-migrated,
// empty database, so that a birth writes only the pages that differ. A journal
// keeps each template it has seen for as long as it has actors, under its ID, so
// that any later binary can restore them.
type Template struct {
	ID    string // hex of the SHA-256 of the file, [a-f0-9]{64}
	Bytes []byte // the whole SQLite file; len is a multiple of its page size
}

// Journal is the durable home of actors' histories.
type Journal interface {
	// Claim makes the caller the owner of an actor that was born, and fences any
	// earlier owner. It returns ErrNotFound, and writes nothing, if it was not.
	Claim(ctx context.Context, name Name) (Term, error)

	// Birth makes the caller the owner of an actor that starts from t, or, if it
	// was already born, claims it like Claim. The actor exists for Claim from
	// the first durable append on, not before.
	Birth(ctx context.Context, name Name, t Template) (Term, error)

	// AskFirst has ask called by every Claim that would fence another process of
	// this home: with that process's owner name, before anything is written. ask
	// may get it to release the actor, which saves both of them work; what it
	// returns ends the claim, unless it is nil. It is given once, before the first
	// Claim. A home that is not Shared never calls it.
	AskFirst(ask AskFirst)

	// Erase removes all data of an actor for ever; what stays are hashes. A
	// held term of it is fenced. Erasing what does not exist is no error.
	Erase(ctx context.Context, name Name) error

	// Names calls each for every actor below prefix (whole segments, such as
	// "timer"), in no order, until it returns false. It reads the durable home
	// page by page and is for chores, not for requests.
	Names(ctx context.Context, prefix Name, each func(Name) bool) error

	// Shared reports whether other processes may claim actors of this home. Only
	// then does a Validate tell more than the term itself knows.
	Shared() bool

	// Close waits for what is under way and lets go of the home. Terms that
	// were not released are simply lost, as in a crash: nothing acknowledged is.
	Close() error
}

// AskFirst is called before an owner is fenced that has not released the actor.
// Nothing about safety rests on it: who does not answer is fenced.
type AskFirst func(ctx context.Context, name Name, owner string) error

// Term is one ownership of one actor.
type Term interface {
	// Fresh reports whether the actor has no history yet: it was made by Birth
	// and nothing was appended.
	Fresh() bool

	// Restore writes the actor's file as of its last durable append to path,
	// which must not exist, and syncs nothing: it is a cache.
	Restore(ctx context.Context, path string) error

	// Append makes s the next part of the history. It returns at once; done is
	// called once with nil when s and all before it are durable, or with an
	// error: ErrFenced and ErrCorrupt are final, ErrUnavailable means that the
	// outcome is unknown and that the term is of no more use: claim again. After
	// an error every later append of the term fails too. The set's memory belongs
	// to the journal from here on.
	Append(s pages.Set, done func(error))

	// Validate returns nil if no one had claimed the actor when the call began.
	Validate(ctx context.Context) error

	// Release gives the ownership up after all appends have been answered. The
	// term is of no more use, whatever it returns.
	Release(ctx context.Context) error

	// HandOver is Release for an actor that another process takes at once: it does
	// nothing to make the next claim cheap that would keep that process waiting.
	HandOver(ctx context.Context) error
}
