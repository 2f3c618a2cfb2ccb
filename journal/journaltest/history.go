// Package journaltest tests implementations of journal.Journal: with the
// contract test that all of them pass, and with a file system in memory that
// loses its power.
package journaltest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/pages"
)

// PageSize is the page size of the histories made here, in bytes.
const PageSize = 512

// Template returns the file that all histories start from.
func Template() journal.Template {
	b := make([]byte, 4*PageSize)
	copy(b, "SQLite format 3\x00")
	binary.BigEndian.PutUint16(b[16:], PageSize)
	for i := 100; i < len(b); i += 7 {
		b[i] = byte(i)
	}
	sum := sha256.Sum256(b)
	return journal.Template{ID: hex.EncodeToString(sum[:]), Bytes: b}
}

// Batch returns the i-th batch, from 1, of an actor's history. It depends on
// nothing else. Some grow the file, some cut it.
func Batch(name journal.Name, i int) pages.Set {
	size := uint32(4 + (i*7)%11)
	s := pages.Set{PageSize: PageSize, Size: size}
	prev := uint32(4 + ((i-1)*7)%11)
	if i == 1 {
		prev = 4
	}
	for no := uint32(1); no <= size; no++ {
		if no > prev || no == 1 || no == 1+uint32(i)%size {
			s.Pages = append(s.Pages, page(name, i, no))
		}
	}
	return s
}

func page(name journal.Name, i int, no uint32) pages.Page {
	b := make([]byte, PageSize)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", name, i, no))
	for at := 0; at < len(b); at += 2 * len(sum) {
		copy(b[at:], sum[:])
	}
	return pages.Page{No: no, Data: b}
}

// State returns the file as of the i-th batch; 0 is the template.
func State(name journal.Name, i int) []byte {
	m := &memFile{b: bytes.Clone(Template().Bytes)}
	for j := 1; j <= i; j++ {
		if err := Batch(name, j).ApplyTo(m); err != nil {
			panic(err) // the batches above break the rules of pages
		}
	}
	return m.b
}

type memFile struct{ b []byte }

func (m *memFile) WriteAt(b []byte, off int64) (int, error) {
	m.b = writeAt(m.b, b, off)
	return len(b), nil
}

func (m *memFile) Truncate(size int64) error {
	if size <= int64(len(m.b)) {
		m.b = m.b[:size]
		return nil
	}
	m.b = append(m.b, make([]byte, size-int64(len(m.b)))...)
	return nil
}

// Restored returns what a term restores. It makes a file in dir and removes it.
func Restored(ctx context.Context, t journal.Term, dir string) ([]byte, error) {
	path := filepath.Join(dir, "restored")
	if err := t.Restore(ctx, path); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	return b, errors.Join(err, os.Remove(path))
}

// Find returns which of the states from to up to to b is, the newest first.
func Find(name journal.Name, b []byte, from, to int) (int, bool) {
	for i := to; i >= from; i-- {
		if bytes.Equal(b, State(name, i)) {
			return i, true
		}
	}
	return 0, false
}

// Append appends and waits for the answer.
func Append(t journal.Term, s pages.Set) error {
	done := make(chan error, 1)
	t.Append(s, func(err error) { done <- err })
	return <-done
}
