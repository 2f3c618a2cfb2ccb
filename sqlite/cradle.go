package sqlite

import (
	"bytes"
	"errors"
	"os"

	lib "modernc.org/sqlite/lib"

	"github.com/easelhq/easel/pages"
)

// Cradle is an open file that stays as its schema's template is, on which many files
// that begin as that template have their first transaction, one after the other: its
// changes are taken, and undone. So a new file costs neither opening nor preparing
// statements, and is written when somebody needs it.
type Cradle struct {
	db       *DB
	path     string
	template []byte
}

// OpenCradle makes the file at path, which must not exist, and opens it.
func OpenCradle(path string, s *Schema) (*Cradle, error) {
	t, err := s.Template()
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	c := &Cradle{path: path, template: t.Bytes}
	_, err = f.Write(t.Bytes)
	if err = joinClose(err, f.Close()); err == nil {
		c.db, err = Open(path, s)
	}
	if err == nil {
		err = c.db.c.exec("PRAGMA cache_size=-1024") // all of it, since Take reads all of it
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// DB returns the open file. Its transactions end with Take or Rollback: Commit and
// Capture would leave in the file what is not the next one's.
func (c *Cradle) DB() *DB { return c.db }

// Wrote reports whether the open transaction has changed the file.
func (c *Cradle) Wrote() bool {
	return lib.Xsqlite3_txn_state(c.db.c.tls, c.db.c.db, c.db.c.main) == lib.SQLITE_TXN_WRITE
}

// Take undoes the transaction and returns the pages that make a file with it out of
// the template; empty if it changed nothing. The set's memory belongs to the caller.
// After an error nothing is known of the transaction; see Sound.
func (c *Cradle) Take() (pages.Set, error) {
	d := c.db
	if d.tx == nil {
		return pages.Set{}, ErrTxDone
	}
	d.closeRows()
	if !d.c.inTx() {
		d.end()
		return pages.Set{}, ErrTxDone
	}
	set, err := c.changes()
	return set, joinClose(err, d.Rollback())
}

// changes compares the file, as the transaction sees it, with the template.
func (c *Cradle) changes() (pages.Set, error) {
	if !c.Wrote() {
		return pages.Set{}, nil
	}
	d := c.db
	p := lib.Xsqlite3_serialize(d.c.tls, d.c.db, d.c.main, d.c.out(), 0)
	if p == 0 {
		return pages.Set{}, errNoMem
	}
	defer lib.Xsqlite3_free(d.c.tls, p)
	file := bytesAt(p, int(*(*int64)(at(d.c.out()))))
	size := int(PageSizeOf(c.template))
	set := pages.Set{PageSize: uint32(size), Size: uint32(len(file) / size)}
	for no := range len(file) / size {
		page := file[no*size : (no+1)*size]
		if end := (no + 1) * size; end > len(c.template) || !bytes.Equal(page, c.template[no*size:end]) {
			set.Pages = append(set.Pages, pages.Page{No: uint32(no + 1), Data: bytes.Clone(page)})
		}
	}
	if len(set.Pages) == 0 && len(file) == len(c.template) {
		return pages.Set{}, nil
	}
	return set, nil
}

// Sound reports whether the file is as the template is. If it is not, the cradle must
// be closed.
func (c *Cradle) Sound() bool { return c.db.tx == nil && !c.db.c.inTx() && c.db.c.commits().count == 0 }

// Close closes the file and removes it.
func (c *Cradle) Close() error {
	var err error
	if c.db != nil {
		err = c.db.Close()
	}
	return errors.Join(err, Remove(c.path))
}
