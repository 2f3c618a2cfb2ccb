package sqlite

import (
	"errors"
	"fmt"
)

// Errors that callers branch on.
var (
	ErrNoRows = errors.New("sqlite: no rows")
	// ErrNewer: the file was written by a newer binary; it is left untouched.
	ErrNewer = errors.New("sqlite: file has a newer schema than this binary")
	// ErrUnclean: the file was not closed after its last use (its WAL is still
	// there). It may hold what was never durable: remove and restore it.
	ErrUnclean = errors.New("sqlite: file was not closed cleanly")
	// ErrNotCaptured: the WAL is not what this handle wrote, so changes would be
	// lost. It is final for the handle: remove the file and restore it.
	ErrNotCaptured = errors.New("sqlite: changes cannot be captured")
	// ErrClosed: the handle was closed.
	ErrClosed = errors.New("sqlite: closed")
	// ErrTxDone: the transaction has ended, or SQLite has rolled it back after
	// an error such as a full disk.
	ErrTxDone = errors.New("sqlite: transaction is over")
)

// Primary result codes, https://www.sqlite.org/rescode.html.
const (
	codeNoMem      = 7
	codeCorrupt    = 11
	codeFull       = 13
	codeConstraint = 19
	codeNotADB     = 26
)

// Error is what SQLite answered.
type Error struct {
	Code    int    // extended result code, https://www.sqlite.org/rescode.html
	Message string // SQLite's own text; it may quote names in the schema, never values
}

// Error returns the text and the code.
func (e *Error) Error() string { return fmt.Sprintf("sqlite: %s (%d)", e.Message, e.Code) }

// IsFull reports whether err says that the disk, or the file's page limit, is
// full. The transaction is rolled back by then.
func IsFull(err error) bool { return hasCode(err, codeFull) }

// IsConstraint reports whether err says that a statement broke a constraint of
// the schema. The statement had no effect, the transaction goes on.
func IsConstraint(err error) bool { return hasCode(err, codeConstraint) }

// IsCorrupt reports whether err says that the file is damaged or is no database.
func IsCorrupt(err error) bool { return hasCode(err, codeCorrupt) || hasCode(err, codeNotADB) }

func hasCode(err error, primary int) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code&0xff == primary
}
