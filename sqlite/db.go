package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	lib "modernc.org/sqlite/lib"
)

// DB is one open file.
type DB struct {
	c     *conn
	stmts cache
	tx    *Tx
	open  []*Rows
	wal   cursor

	schema int64 // bytes of memory that the parsed schema takes
	closed bool
}

// The file is in WAL mode already (see Template), so that none of these writes.
// locking_mode must come before the first access: then the index of the WAL is
// kept on the heap, and there is no -shm file. cache_spill, in pages, lets a
// transaction exceed the cache, which shrinks again after it: a page that is
// spilled is written, captured and checksummed twice.
const pragmas = `
PRAGMA locking_mode=EXCLUSIVE;
PRAGMA journal_mode=WAL;
PRAGMA synchronous=OFF;
PRAGMA cache_size=-128;
PRAGMA cache_spill=2048;
PRAGMA foreign_keys=ON;
PRAGMA trusted_schema=OFF;
PRAGMA cell_size_check=ON;
PRAGMA temp_store=MEMORY;
PRAGMA mmap_size=0;
`

// Open opens the file at path, which exists, and brings it to the schema's last
// version in one transaction. What a migration changed shows in the next Capture.
// It returns fs.ErrNotExist, ErrNewer or ErrUnclean, and then changes nothing.
func Open(path string, s *Schema) (*DB, error) {
	version, err := inspect(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if version > len(s.migrations) {
		return nil, fmt.Errorf("open %s: version %d of at most %d: %w", path, version, len(s.migrations), ErrNewer)
	}
	c, err := openConn(path, lib.SQLITE_OPEN_READWRITE)
	if err != nil {
		return nil, err
	}
	d := &DB{c: c, stmts: cache{byText: make(map[string]*stmt)}}
	c.hookCommits()
	err = d.setUp()
	if err == nil {
		err = s.migrate(c, version)
	}
	d.stmts.clear()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, joinClose(err, c.close()))
	}
	// It stays as it is, and SQLite walks all of it to tell.
	d.schema = c.status(lib.SQLITE_DBSTATUS_SCHEMA_USED)
	return d, nil
}

// setUp sets the pragmas, and checks the one that nothing works without: changes
// that do not go through the WAL cannot be captured.
func (d *DB) setUp() error {
	if err := d.c.exec(pragmas); err != nil {
		return err
	}
	s, err := d.stmts.get(d.c, "PRAGMA journal_mode")
	if err != nil {
		return err
	}
	defer d.stmts.put(s)
	var mode string
	if _, err = s.step(); err == nil {
		err = s.scan([]any{&mode})
	}
	if err == nil && mode != "wal" {
		err = fmt.Errorf("%w: journal mode is %s", ErrNotCaptured, mode)
	}
	return err
}

// inspect reads the version from the file's header, before SQLite touches it.
func inspect(path string) (version int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	var h [100]byte
	_, err = io.ReadFull(f, h[:])
	if err = joinClose(err, f.Close()); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = &Error{Code: codeNotADB, Message: "file is not a database"}
		}
		return 0, err
	}
	if string(h[:16]) != "SQLite format 3\x00" {
		return 0, &Error{Code: codeNotADB, Message: "file is not a database"}
	}
	if h[18] != 2 || h[19] != 2 {
		return 0, errors.New("file is not in WAL mode, as every template is")
	}
	switch info, err := os.Stat(path + "-wal"); {
	case err == nil && info.Size() > 0:
		return 0, ErrUnclean
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return 0, err
	}
	return int(binary.BigEndian.Uint32(h[60:])), nil
}

// Remove deletes the file at path and what SQLite keeps beside it. It must not be open.
func Remove(path string) error {
	var first error
	for _, suffix := range []string{"-wal", "-journal", "-shm", ""} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) && first == nil {
			first = err
		}
	}
	return first
}

// Begin starts the transaction; there is at most one. Tx is valid until Commit or Rollback.
func (d *DB) Begin() (*Tx, error) {
	if d.closed {
		return nil, ErrClosed
	}
	if d.tx != nil {
		return nil, errors.New("sqlite: a transaction is open")
	}
	t := &Tx{d: d}
	if err := d.control("BEGIN"); err != nil {
		return nil, err
	}
	d.tx = t
	return t, nil
}

// Commit ends the transaction. If it returns an error nothing was committed, and
// the transaction is rolled back.
func (d *DB) Commit() error {
	if d.tx == nil {
		return ErrTxDone
	}
	if !d.c.inTx() {
		d.end()
		return ErrTxDone
	}
	d.closeRows()
	if err := d.control("COMMIT"); err != nil {
		return errors.Join(err, d.Rollback())
	}
	d.end()
	return nil
}

// Rollback undoes the transaction. Without one it does nothing.
func (d *DB) Rollback() error {
	if d.tx == nil {
		return nil
	}
	d.closeRows()
	var err error
	if d.c.inTx() { // else SQLite has rolled back by itself
		err = d.control("ROLLBACK")
	}
	d.end()
	return err
}

func (d *DB) end() {
	d.closeRows()
	d.tx.d = nil
	d.tx = nil
}

// closeRows ends what is still being read: an open reader would keep the
// transaction from ending, and the WAL from being checkpointed.
func (d *DB) closeRows() {
	for len(d.open) > 0 {
		d.open[len(d.open)-1].free()
	}
}

// control runs a cached statement without parameters or rows.
func (d *DB) control(query string) error {
	s, err := d.stmts.get(d.c, query)
	if err != nil {
		return err
	}
	_, err = s.step()
	d.stmts.put(s)
	return err
}

// Close rolls back what is open and closes; the file stays, checkpointed, a single
// plain database, and can be opened again. After an error it must be removed. A
// second Close does nothing.
func (d *DB) Close() error {
	if d.closed {
		return nil
	}
	err := d.Rollback()
	d.closed = true
	if d.wal.broken == nil {
		err = joinClose(err, d.c.checkpoint())
	}
	d.stmts.clear()
	return joinClose(err, d.c.close())
}

// Memory returns about how many bytes of memory the open handle costs: 130 KB for
// a new one, to 400 KB when its page cache is full.
func (d *DB) Memory() int64 {
	if d.closed {
		return 0
	}
	const (
		fixed     = 130 << 10 // connection, lookaside, index of the WAL
		statement = 4 << 10
	)
	// The allocator rounds up to powers of two, which hits pages and their
	// headers hardest: what the process grows by was measured.
	return fixed + d.c.status(lib.SQLITE_DBSTATUS_CACHE_USED)*7/4 + d.schema + int64(len(d.stmts.byText))*statement
}
