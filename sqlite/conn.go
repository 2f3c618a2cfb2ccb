package sqlite

import (
	"fmt"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// conn is the raw connection. It calls the C API of modernc.org/sqlite/lib
// itself: the database/sql driver around it turns an empty blob into NULL,
// copies all column names at every query and offers no WAL hook.
type conn struct {
	tls *libc.TLS
	db  uintptr // *sqlite3

	// cell is C memory: the commit hook leaves the number of frames in the WAL in
	// it and counts commits, and it takes output parameters.
	cell uintptr
	main uintptr // C string "main"
}

const cellSize = 32

func openConn(path string, flags int32) (*conn, error) {
	c := &conn{tls: libc.NewTLS()}
	if err := c.open(path, flags); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, joinClose(err, c.close()))
	}
	return c, nil
}

func (c *conn) open(path string, flags int32) error {
	if c.cell = libc.Xcalloc(c.tls, 1, cellSize); c.cell == 0 {
		return errNoMem
	}
	var err error
	if c.main, err = libc.CString("main"); err != nil {
		return errNoMem
	}
	name, err := libc.CString(path)
	if err != nil {
		return errNoMem
	}
	defer libc.Xfree(c.tls, name)

	// One goroutine at a time uses the handle, so SQLite need not lock it.
	rc := lib.Xsqlite3_open_v2(c.tls, name, c.out(), flags|lib.SQLITE_OPEN_NOMUTEX|lib.SQLITE_OPEN_EXRESCODE, 0)
	c.db = *(*uintptr)(at(c.out()))
	return c.check(rc)
}

// close lets go of the handle and its memory. Statements must be finalized.
func (c *conn) close() error {
	var err error
	if c.db != 0 {
		err = c.check(lib.Xsqlite3_close_v2(c.tls, c.db))
		c.db = 0
	}
	libc.Xfree(c.tls, c.cell)
	libc.Xfree(c.tls, c.main)
	c.cell, c.main = 0, 0
	c.tls.Close()
	return err
}

// exec runs a script of statements without parameters and drops their rows.
func (c *conn) exec(script string) error {
	p, err := libc.CString(script)
	if err != nil {
		return errNoMem
	}
	defer libc.Xfree(c.tls, p)
	return c.check(lib.Xsqlite3_exec(c.tls, c.db, p, 0, 0, 0))
}

// checkpoint moves the WAL into the file and truncates the WAL to nothing.
func (c *conn) checkpoint() error {
	return c.check(lib.Xsqlite3_wal_checkpoint_v2(c.tls, c.db, c.main, lib.SQLITE_CHECKPOINT_TRUNCATE, 0, 0))
}

// hookCommits makes every commit that wrote something leave its traces in the
// cell. Setting a hook also ends SQLite's own automatic checkpoints.
func (c *conn) hookCommits() {
	hook := struct {
		f func(*libc.TLS, uintptr, uintptr, uintptr, int32) int32
	}{noteCommit}
	lib.Xsqlite3_wal_hook(c.tls, c.db, *(*uintptr)(unsafe.Pointer(&hook)), c.cell)
}

func noteCommit(_ *libc.TLS, cell, _, _ uintptr, frames int32) int32 {
	c := (*commits)(at(cell))
	c.frames = uint32(frames)
	c.count++
	return 0
}

// commits is what the hook knows. It lies at the start of the cell.
type commits struct {
	frames uint32 // committed ones in the WAL after the last commit
	_      uint32
	count  uint64 // since the handle was opened
}

func (c *conn) commits() commits { return *(*commits)(at(c.cell)) }

// out is a word of C memory for an output parameter.
func (c *conn) out() uintptr { return c.cell + 16 }

// inTx reports whether SQLite is inside a transaction.
func (c *conn) inTx() bool { return lib.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// readWAL reads n bytes of the WAL at off through SQLite's own descriptor, so
// that no further one is needed.
//
// It makes the buffer itself and is never inlined, so that the buffer is on the
// heap: a stack may move while SQLite, which knows its address only, fills it.
//
//go:noinline
func (c *conn) readWAL(n int, off int64) ([]byte, error) {
	if rc := lib.Xsqlite3_file_control(c.tls, c.db, c.main, lib.SQLITE_FCNTL_JOURNAL_POINTER, c.out()); rc != 0 {
		return nil, c.check(rc)
	}
	file := *(*uintptr)(at(c.out()))
	methods := (*lib.Tsqlite3_file)(at(file)).FpMethods
	if methods == 0 {
		return nil, fmt.Errorf("%w: no WAL is open", ErrNotCaptured)
	}
	b := make([]byte, n)
	read := struct{ p uintptr }{(*lib.Tsqlite3_io_methods)(at(methods)).FxRead}
	rc := (*(*func(*libc.TLS, uintptr, uintptr, int32, int64) int32)(unsafe.Pointer(&read)))(
		c.tls, file, uintptr(unsafe.Pointer(unsafe.SliceData(b))), int32(n), off)
	if rc == lib.SQLITE_IOERR_SHORT_READ {
		return nil, fmt.Errorf("%w: WAL ends before byte %d", ErrNotCaptured, off+int64(n))
	}
	if rc != 0 {
		return nil, &Error{Code: int(rc), Message: "read WAL"}
	}
	return b, nil
}

// status returns the current value of a counter of sqlite3_db_status.
func (c *conn) status(op int32) int64 {
	if lib.Xsqlite3_db_status(c.tls, c.db, op, c.out(), c.out()+8, 0) != 0 {
		return 0
	}
	return int64(*(*int32)(at(c.out())))
}

func (c *conn) check(rc int32) error {
	if rc == lib.SQLITE_OK || rc == lib.SQLITE_ROW || rc == lib.SQLITE_DONE {
		return nil
	}
	text := libc.GoString(lib.Xsqlite3_errstr(c.tls, rc))
	if c.db != 0 {
		if last := lib.Xsqlite3_extended_errcode(c.tls, c.db); last&0xff == rc&0xff {
			rc, text = last, libc.GoString(lib.Xsqlite3_errmsg(c.tls, c.db))
		}
	}
	return &Error{Code: int(rc), Message: text}
}

var errNoMem = &Error{Code: codeNoMem, Message: "out of memory"}

// joinClose keeps the first error: what went wrong, not what followed from it.
func joinClose(err, closing error) error {
	if err != nil {
		return err
	}
	return closing
}

// at turns an address in C memory, which the Go collector neither moves nor
// frees, into a pointer.
func at(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// bytesAt views n bytes of C memory; it is valid until SQLite changes them.
func bytesAt(p uintptr, n int) []byte { return unsafe.Slice((*byte)(at(p)), n) }
