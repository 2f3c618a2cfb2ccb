package sqlite

import (
	"errors"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/pages"
)

// Errors that callers branch on.
var (
	ErrNoRows = errors.New("sqlite: no rows")
	// ErrNewer: the file was written by a newer binary; it is left untouched.
	ErrNewer = errors.New("sqlite: file has a newer schema than this binary")
)

// Schema is the life of one kind of file: its migrations, oldest first. The
// number of the last one is the file's user_version.
type Schema struct{}

// NewSchema makes a Schema of SQL scripts, oldest first. Each is one migration.
func NewSchema(name string, migrations []string) (*Schema, error) { panic("todo") }

// Template returns the pre-migrated empty file, the same bytes in every process
// of this binary.
func (s *Schema) Template() (journal.Template, error) { panic("todo") }

// DB is one open file.
type DB struct{}

// Open opens the file at path, which exists, and brings it to the schema's last
// version in one transaction. What a migration changed shows in the next Capture.
func Open(path string, s *Schema) (*DB, error) { panic("todo") }

// Begin starts the transaction; there is at most one. Tx is valid until Commit or Rollback.
func (d *DB) Begin() (*Tx, error) { panic("todo") }

// Commit ends the transaction.
func (d *DB) Commit() error { panic("todo") }

// Rollback undoes the transaction.
func (d *DB) Rollback() error { panic("todo") }

// Capture returns the pages that commits since the last Capture changed; empty if none.
func (d *DB) Capture() (pages.Set, error) { panic("todo") }

// Close closes; the file stays, checkpointed, and can be opened again.
func (d *DB) Close() error { panic("todo") }

// Memory returns about how many bytes of memory the open handle costs.
func (d *DB) Memory() int64 { panic("todo") }

// Tx is the open transaction. SQL text is the key of the statement cache: use constants.
type Tx struct{}

// Exec runs one statement. Arguments are int, int64, float64, bool, string, []byte, nil
// and types whose underlying type is one of those (easel.ID, easel.Time).
func (t *Tx) Exec(query string, args ...any) (changed int64, err error) { panic("todo") }

// Query runs a query; the caller closes the rows before the next use of the same SQL text.
func (t *Tx) Query(query string, args ...any) (*Rows, error) { panic("todo") }

// Row runs a query and scans its first row into dest; ErrNoRows if there is none.
func (t *Tx) Row(query string, args []any, dest ...any) error { panic("todo") }

// Savepoint marks a state to which RollbackTo returns. Savepoints nest by name order.
func (t *Tx) Savepoint() error { panic("todo") }

// RollbackTo undoes what came after the last Savepoint, and ends it.
func (t *Tx) RollbackTo() error { panic("todo") }

// Release ends the last Savepoint and keeps what came after it.
func (t *Tx) Release() error { panic("todo") }

// Rows is a result being read.
type Rows struct{}

// Next advances; false at the end or at an error (see Close).
func (r *Rows) Next() bool { panic("todo") }

// Scan copies the current row: pointers to int, int64, float64, bool, string, []byte,
// named types over those, and pointers to those for columns that may be NULL (**float64).
func (r *Rows) Scan(dest ...any) error { panic("todo") }

// Close ends the reading and returns the first error met.
func (r *Rows) Close() error { panic("todo") }
