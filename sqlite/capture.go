package sqlite

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/easelhq/easel/pages"
)

// The WAL's format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
const (
	walHeader   = 32
	frameHeader = 24
	walMagic    = 0x377f0682 // with the last bit set, checksums read big-endian words
)

// checkpointOver is the size of the WAL, in bytes, over which Capture moves it
// into the file: about 80 one-op commits apart, a few microseconds each.
const checkpointOver = 1 << 20

// cursor is how far the WAL has been captured. The commit hook says how many
// frames there are; what is read must continue the chain of checksums from the
// last captured frame to exactly there, and end with a commit. So frames of a
// transaction that was rolled back, and a WAL that somebody else has restarted,
// cannot be taken for changes, and no change can be missed.
type cursor struct {
	commits  uint64 // captured, since the handle was opened
	frames   uint32 // captured, of the WAL as it is now
	pageSize uint32
	salt     [8]byte
	sum      checksum // after the last captured frame
	order    binary.ByteOrder
	broken   error
}

// Capture returns the pages that commits since the last Capture changed; empty if
// none. No transaction may be open. The set's memory belongs to the caller. After
// an error the handle is of no more use.
func (d *DB) Capture() (pages.Set, error) {
	if d.closed {
		return pages.Set{}, ErrClosed
	}
	if d.wal.broken != nil {
		return pages.Set{}, d.wal.broken
	}
	if d.tx != nil {
		return pages.Set{}, fmt.Errorf("sqlite: capture within a transaction")
	}
	set, err := d.capture()
	if err != nil {
		d.wal.broken = fmt.Errorf("capture: %w", err)
		return pages.Set{}, d.wal.broken
	}
	return set, nil
}

func (d *DB) capture() (pages.Set, error) {
	now := d.c.commits()
	if now.count == d.wal.commits {
		return pages.Set{}, nil
	}
	total := now.frames
	if total <= d.wal.frames {
		return pages.Set{}, fmt.Errorf("%w: WAL went from %d to %d frames", ErrNotCaptured, d.wal.frames, total)
	}
	if d.wal.frames == 0 {
		if err := d.readHeader(); err != nil {
			return pages.Set{}, err
		}
	}
	frame := frameHeader + int64(d.wal.pageSize)
	size := int64(total-d.wal.frames) * frame
	if size > math.MaxInt32 {
		return pages.Set{}, fmt.Errorf("%w: %d bytes at once", ErrNotCaptured, size)
	}
	buf, err := d.c.readWAL(int(size), walHeader+int64(d.wal.frames)*frame)
	if err != nil {
		return pages.Set{}, err
	}
	set, err := d.wal.take(buf)
	if err != nil {
		return pages.Set{}, err
	}
	d.wal.commits = now.count
	// A checkpoint that fails is tried again next time. Should SQLite restart the
	// WAL after a half-done one, the next capture fails: nothing is missed.
	if int64(total)*frame > checkpointOver && d.c.checkpoint() == nil {
		d.wal = cursor{commits: now.count}
	}
	return set, nil
}

// readHeader starts the cursor at a new WAL. Every frame repeats its salt, so
// that a WAL that was restarted later is noticed without reading it again.
func (d *DB) readHeader() error {
	h, err := d.c.readWAL(walHeader, 0)
	if err != nil {
		return err
	}
	w := &d.wal
	magic := binary.BigEndian.Uint32(h)
	if magic&^1 != walMagic {
		return fmt.Errorf("%w: bad magic in WAL", ErrNotCaptured)
	}
	w.order = binary.LittleEndian
	if magic&1 != 0 {
		w.order = binary.BigEndian
	}
	w.sum = checksum{}.add(w.order, h[:24])
	if !w.sum.is(h[24:]) {
		return fmt.Errorf("%w: bad checksum in WAL header", ErrNotCaptured)
	}
	w.pageSize = binary.BigEndian.Uint32(h[8:])
	w.salt = [8]byte(h[16:24])
	return nil
}

// take turns whole frames, the last of which is a commit, into a set.
func (w *cursor) take(buf []byte) (pages.Set, error) {
	frame := frameHeader + int(w.pageSize)
	set := pages.Set{PageSize: w.pageSize, Pages: make([]pages.Page, 0, len(buf)/frame)}
	size := uint32(0)
	for ; len(buf) > 0; buf = buf[frame:] {
		h, data := buf[:frameHeader], buf[frameHeader:frame:frame]
		if [8]byte(h[8:16]) != w.salt {
			return pages.Set{}, fmt.Errorf("%w: frame %d is of another WAL", ErrNotCaptured, w.frames+1)
		}
		w.sum = w.sum.add(w.order, h[:8]).add(w.order, data)
		if !w.sum.is(h[16:]) {
			return pages.Set{}, fmt.Errorf("%w: bad checksum in frame %d", ErrNotCaptured, w.frames+1)
		}
		set.Pages = append(set.Pages, pages.Page{No: binary.BigEndian.Uint32(h), Data: data})
		size = binary.BigEndian.Uint32(h[4:])
		w.frames++
	}
	if size == 0 {
		return pages.Set{}, fmt.Errorf("%w: frame %d is no commit", ErrNotCaptured, w.frames)
	}
	set.Size = size
	set.Pages = newest(set.Pages, size)
	return set, nil
}

// newest sorts by page number and keeps the last of each, none past size: a
// commit that shrinks the file leaves frames of pages that are no more.
func newest(all []pages.Page, size uint32) []pages.Page {
	slices.SortStableFunc(all, func(a, b pages.Page) int { return int(int64(a.No) - int64(b.No)) })
	kept := all[:0]
	for i, p := range all {
		if p.No <= size && (i+1 == len(all) || all[i+1].No != p.No) {
			kept = append(kept, p)
		}
	}
	return kept
}

// checksum is the WAL's running sum: two words, over pairs of words.
type checksum [2]uint32

func (c checksum) add(order binary.ByteOrder, b []byte) checksum {
	s0, s1 := c[0], c[1]
	if order == binary.LittleEndian { // known at compile time below: four times as fast
		for ; len(b) >= 8; b = b[8:] {
			s0 += binary.LittleEndian.Uint32(b) + s1
			s1 += binary.LittleEndian.Uint32(b[4:]) + s0
		}
		return checksum{s0, s1}
	}
	for ; len(b) >= 8; b = b[8:] {
		s0 += binary.BigEndian.Uint32(b) + s1
		s1 += binary.BigEndian.Uint32(b[4:]) + s0
	}
	return checksum{s0, s1}
}

// is compares with the stored form, which is big-endian in either case.
func (c checksum) is(b []byte) bool {
	return binary.BigEndian.Uint32(b) == c[0] && binary.BigEndian.Uint32(b[4:]) == c[1]
}
