package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strconv"
)

const (
	segmentMagic  = "EASELSEG"
	segmentFormat = 1
	// segmentCopy is the size of one copy of the segment's header; there are two,
	// so that one damaged byte does not cost the knowledge of where the segment
	// before this one ends.
	segmentCopy   = 64
	segmentHeader = 2 * segmentCopy
)

// begin is what the header of a segment says.
type begin struct {
	first     uint64 // lsn of the first record: the segment before ends there
	salt      uint32 // begins the checksums of record headers
	prevOwner uint32 // low half of the owner of the last record of the segment before
}

// segment is one live file of the node's log.
type segment struct {
	begin
	seq  uint64 // number of the file, from 1, without a gap
	file File
	size int64 // end of the last record that is known to be durable
	// live counts the batches that no head covers yet, and what is damaged: a
	// segment with damage is evidence and is never removed.
	live   int
	names  []Name // of the actors of its batches, with repeats
	erased bool   // it holds batches of an actor that was erased
}

func segmentPath(dir string, seq uint64) string {
	return filepath.Join(dir, "log", fmt.Sprintf("%016x", seq))
}

// segmentSeq undoes segmentPath's file name.
func segmentSeq(name string) (uint64, bool) {
	if len(name) != 16 {
		return 0, false
	}
	seq, err := strconv.ParseUint(name, 16, 64)
	return seq, err == nil && seq > 0 && fmt.Sprintf("%016x", seq) == name
}

// appendSegmentHeader appends both copies. On disk, little-endian: 8 bytes of
// magic, u32 format, u32 salt, u64 seq, u64 first lsn, u32 previous owner,
// zeros, and at 60 the CRC-32C of what is before.
func appendSegmentHeader(dst []byte, seq uint64, h begin) []byte {
	var c [segmentCopy]byte
	copy(c[:], segmentMagic)
	binary.LittleEndian.PutUint32(c[8:], segmentFormat)
	binary.LittleEndian.PutUint32(c[12:], h.salt)
	binary.LittleEndian.PutUint64(c[16:], seq)
	binary.LittleEndian.PutUint64(c[24:], h.first)
	binary.LittleEndian.PutUint32(c[32:], h.prevOwner)
	binary.LittleEndian.PutUint32(c[60:], crc32.Checksum(c[:60], castagnoli))
	return append(append(dst, c[:]...), c[:]...)
}

// parseSegmentHeader returns what either copy says.
func parseSegmentHeader(b []byte, seq uint64) (h begin, ok bool) {
	for i := range 2 {
		if len(b) < (i+1)*segmentCopy {
			return begin{}, false
		}
		c := b[i*segmentCopy : (i+1)*segmentCopy]
		if string(c[:8]) == segmentMagic &&
			crc32.Checksum(c[:60], castagnoli) == binary.LittleEndian.Uint32(c[60:]) &&
			binary.LittleEndian.Uint32(c[8:]) == segmentFormat &&
			binary.LittleEndian.Uint64(c[16:]) == seq {
			h = begin{
				first: binary.LittleEndian.Uint64(c[24:]), salt: binary.LittleEndian.Uint32(c[12:]),
				prevOwner: binary.LittleEndian.Uint32(c[32:]),
			}
			return h, h.first > 0
		}
	}
	return begin{}, false
}

// found is one readable record header in a segment, or a stretch of bytes that
// holds none.
type found struct {
	off  int64
	size int64
	rec  record
	name Name
	// header: the fixed header is sound. body: name and payload are too.
	header, body bool
}

// scanRecords finds the records in the bytes of a segment, from its header on.
// It goes by the lengths in sound headers; where there is none it searches for
// the next sound one. What lies between is reported with header false.
func scanRecords(b []byte, salt uint32) []found {
	var out []found
	at := int64(segmentHeader)
	for at < int64(len(b)) {
		if r, ok := parseRecordHeader(b[at:], salt); ok {
			f := found{off: at, size: r.size(), rec: r, header: true}
			if end := at + f.size; end <= int64(len(b)) {
				body := b[at+recordHeader : end]
				f.name = Name(body[:r.nameLen])
				f.body = crc32.Checksum(body, castagnoli) == r.bodyCRC &&
					(r.kind == kindMark || ownerOf(f.name) == r.owner)
				at = end
			} else {
				at = int64(len(b))
			}
			out = append(out, f)
			continue
		}
		next := nextRecord(b, at+1, salt)
		out = append(out, found{off: at, size: next - at})
		at = next
	}
	return out
}

// nextRecord returns where the next sound header begins, or the end of b.
func nextRecord(b []byte, at int64, salt uint32) int64 {
	var magic [4]byte
	binary.LittleEndian.PutUint32(magic[:], recordMagic)
	for {
		if at >= int64(len(b)) {
			return int64(len(b))
		}
		i := bytes.Index(b[at:], magic[:])
		if i < 0 {
			return int64(len(b))
		}
		at += int64(i)
		if _, ok := parseRecordHeader(b[at:], salt); ok {
			return at
		}
		at++
	}
}

// cutOff reports whether the bytes from off to end can be a write that a crash
// interrupted: they go past the end of the file, or a sector of theirs was never
// written. Sectors are written whole, and one that was not holds zeros where the
// file grew.
func cutOff(b []byte, off, end int64) bool {
	if end > int64(len(b)) {
		return true
	}
	for at := off; at < end; {
		stop := min(end, at/sector*sector+sector)
		if len(bytes.Trim(b[at:stop], "\x00")) == 0 {
			return true
		}
		at = stop
	}
	return false
}

// sector is the least that a disk writes as a whole.
const sector = 512
