package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Check has SQLite look at the whole file and returns what it finds wrong; nothing
// if the file is sound. No transaction may be open.
func (d *DB) Check() (wrong []string, err error) {
	if d.closed {
		return nil, ErrClosed
	}
	if d.tx != nil {
		return nil, errors.New("sqlite: check within a transaction")
	}
	s, err := d.stmts.get(d.c, "PRAGMA integrity_check(20)")
	if err != nil {
		return nil, err
	}
	defer d.stmts.put(s)
	for {
		row, err := s.step()
		if IsCorrupt(err) {
			return append(wrong, err.Error()), nil
		}
		if err != nil || !row {
			return wrong, err
		}
		var line string
		if err := s.scan([]any{&line}); err != nil {
			return nil, err
		}
		if line != "ok" {
			wrong = append(wrong, line)
		}
	}
}

// Export writes what the file holds to path, which must not exist, as a compact
// plain database: no page of it was ever used for anything else, and any SQLite
// opens it, also from a folder that it may not write. No transaction may be open.
func (d *DB) Export(path string) error {
	if d.closed {
		return ErrClosed
	}
	if d.tx != nil {
		return errors.New("sqlite: export within a transaction")
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("export to %s: %w", path, fs.ErrExist)
	}
	if err := d.c.exec("VACUUM INTO '" + strings.ReplaceAll(path, "'", "''") + "'"); err != nil {
		return fmt.Errorf("export to %s: %w", path, err)
	}
	return SetMode(path, Plain)
}

// Mode is what a file's header says of how it is written.
type Mode byte

// The modes of files.
const (
	Plain Mode = 1 // a rollback journal: what programs expect of a file that is handed over
	WAL   Mode = 2 // what Open needs
)

// SetMode changes the mode in the header of a file that nobody has open and beside
// which there is no WAL.
func SetMode(path string, m Mode) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = joinClose(err, f.Close()) }()
	_, err = f.WriteAt([]byte{byte(m), byte(m)}, 18) // https://www.sqlite.org/fileformat2.html
	return err
}

// Version returns the schema version in the header of a file: how many migrations
// it has. Nothing is opened.
func Version(path string) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var h [100]byte
	if _, err := io.ReadFull(f, h[:]); err != nil || string(h[:16]) != "SQLite format 3\x00" {
		return 0, &Error{Code: codeNotADB, Message: "file is not a database"}
	}
	return int(binary.BigEndian.Uint32(h[60:])), nil
}

// PageSizeOf returns the page size in the header of a file, in bytes.
func PageSizeOf(header []byte) uint32 {
	if n := binary.BigEndian.Uint16(header[16:18]); n != 1 {
		return uint32(n)
	}
	return 65536
}
