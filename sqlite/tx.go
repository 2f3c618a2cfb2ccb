package sqlite

import (
	"fmt"
	"strconv"

	lib "modernc.org/sqlite/lib"
)

// Tx is the open transaction. SQL text is the key of the statement cache: use constants.
type Tx struct {
	d     *DB // nil after Commit and Rollback
	depth int // open savepoints
}

// Exec runs one statement. Arguments are int, int64, float64, bool, string, []byte, nil
// and types whose underlying type is one of those (easel.ID, easel.Time), or pointers to
// them; a nil slice or pointer is NULL, an empty slice is an empty blob. It returns how
// many rows an INSERT, UPDATE or DELETE changed by itself.
func (t *Tx) Exec(query string, args ...any) (changed int64, err error) {
	s, err := t.start(query, args)
	if err != nil {
		return 0, err
	}
	c := t.d.c
	before := lib.Xsqlite3_total_changes64(c.tls, c.db)
	for row := true; row && err == nil; {
		row, err = s.step() // to the end: a RETURNING clause yields rows
	}
	t.d.stmts.put(s)
	if err != nil {
		return 0, t.failed(err)
	}
	if lib.Xsqlite3_total_changes64(c.tls, c.db) == before {
		return 0, nil // changes64 would tell of an earlier statement
	}
	return lib.Xsqlite3_changes64(c.tls, c.db), nil
}

// Query runs a query. The caller closes the rows; the end of the transaction does too.
func (t *Tx) Query(query string, args ...any) (*Rows, error) {
	s, err := t.start(query, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	r := &Rows{t: t, s: s}
	t.d.open = append(t.d.open, r)
	return r, nil
}

// Row runs a query and scans its first row into dest; ErrNoRows if there is none.
func (t *Tx) Row(query string, args []any, dest ...any) error {
	s, err := t.start(query, args)
	if err != nil {
		return err
	}
	row, err := s.step()
	switch {
	case err != nil:
		err = t.failed(err)
	case !row:
		err = ErrNoRows
	default:
		err = s.scan(dest)
	}
	t.d.stmts.put(s)
	return err
}

// Savepoint marks a state to which RollbackTo returns. Savepoints nest: RollbackTo and
// Release end the newest one.
func (t *Tx) Savepoint() error {
	if err := t.run("SAVEPOINT s", t.depth+1); err != nil {
		return err
	}
	t.depth++
	return nil
}

// RollbackTo undoes what came after the last Savepoint, and ends it. Rows that are
// still open end with an error.
func (t *Tx) RollbackTo() error {
	if t.depth == 0 {
		return fmt.Errorf("sqlite: no savepoint")
	}
	if err := t.run("ROLLBACK TO s", t.depth); err != nil {
		return err
	}
	return t.Release()
}

// Release ends the last Savepoint and keeps what came after it.
func (t *Tx) Release() error {
	if t.depth == 0 {
		return fmt.Errorf("sqlite: no savepoint")
	}
	if err := t.run("RELEASE s", t.depth); err != nil {
		return err
	}
	t.depth--
	return nil
}

func (t *Tx) run(verb string, depth int) error {
	_, err := t.Exec(verb + strconv.Itoa(depth))
	return err
}

// start returns the statement, bound and ready to step.
func (t *Tx) start(query string, args []any) (*stmt, error) {
	if t.d == nil {
		return nil, ErrTxDone
	}
	if !t.d.c.inTx() {
		return nil, ErrTxDone // SQLite has rolled back: nothing may run outside
	}
	s, err := t.d.stmts.get(t.d.c, query)
	if err != nil {
		return nil, err
	}
	if err := s.bind(args); err != nil {
		t.d.stmts.put(s)
		return nil, err
	}
	return s, nil
}

// failed tells the caller of a statement whether the whole transaction is gone.
func (t *Tx) failed(err error) error {
	if !t.d.c.inTx() {
		return fmt.Errorf("%w: %w", ErrTxDone, err)
	}
	return err
}

// Rows is a result being read.
type Rows struct {
	t   *Tx
	s   *stmt // nil when closed
	row bool
	err error
}

// Next advances; false at the end or at an error (see Close).
func (r *Rows) Next() bool {
	if r.s == nil || r.err != nil {
		return false
	}
	row, err := r.s.step()
	r.row = row
	if err != nil {
		r.err = r.t.failed(err)
	}
	if !row {
		r.free()
	}
	return row
}

// Scan copies the current row: pointers to int, int64, float64, bool, string, []byte,
// named types over those, and pointers to those for columns that may be NULL (**float64).
// NULL in a []byte is nil; in any other plain type it is an error.
func (r *Rows) Scan(dest ...any) error {
	if r.s == nil || !r.row {
		return fmt.Errorf("sqlite: scan without a row")
	}
	return r.s.scan(dest)
}

// Close ends the reading and returns the first error met.
func (r *Rows) Close() error {
	r.free()
	return r.err
}

func (r *Rows) free() {
	if r.s == nil {
		return
	}
	d := r.t.d
	for i, o := range d.open {
		if o == r {
			last := len(d.open) - 1
			d.open[i], d.open[last] = d.open[last], nil
			d.open = d.open[:last]
			break
		}
	}
	d.stmts.put(r.s)
	r.s, r.row = nil, false
}

func (s *stmt) scan(dest []any) error {
	if cols := int(lib.Xsqlite3_column_count(s.c.tls, s.p)); len(dest) != cols {
		return fmt.Errorf("sqlite: %d destinations for %d columns", len(dest), cols)
	}
	for i, d := range dest {
		if err := s.column(int32(i), d); err != nil {
			return err
		}
	}
	return nil
}
