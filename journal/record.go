package journal

import (
	"encoding/binary"
	"hash/crc32"
)

// castagnoli is the table of CRC-32C, for which processors have an instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// kind says what a record means.
type kind uint8

const (
	// kindBatch: the payload is an encoded set.
	kindBatch kind = 1
	// kindBirth: the payload is the 32 bytes of a template's id and the encoded
	// first set of the actor.
	kindBirth kind = 2
	// kindMark: no actor, no payload; it only carries the watermark on.
	kindMark kind = 3
)

const (
	recordMagic  = 0x5ee1a57e
	recordHeader = 64
	maxPayload   = 1 << 30
)

// record is one entry of a segment. On disk, little-endian:
//
//	0  u32 magic
//	4  u8  kind, u8 0, u16 length of the name
//	8  u32 length of the payload
//	12 u32 CRC-32C of name and payload
//	16 u64 lsn: number of the record in the node's log, from 1, without a gap
//	24 u64 synced: every record below this lsn was durable before this was written
//	32 u64 owner: hash of the name
//	40 u64 seq: number of the batch in the actor's history, from 1
//	48 u64 term
//	56 u32 low half of the owner of the record before this one in the segment
//	60 u32 CRC-32C of the 60 bytes before, begun with the segment's salt
//	64 name, payload
//
// The header has a checksum of its own, so that a damaged payload has a known
// owner and length, and what follows it can still be read. The salt is random:
// no tenant can write data that a search for records takes for one.
type record struct {
	kind       kind
	nameLen    uint16
	payloadLen uint32
	bodyCRC    uint32
	lsn        uint64
	synced     uint64
	owner      uint64
	seq        uint64
	term       uint64
	prevOwner  uint32
}

func (r record) size() int64 {
	return recordHeader + int64(r.nameLen) + int64(r.payloadLen)
}

func appendRecordHeader(dst []byte, r record, salt uint32) []byte {
	at := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, recordMagic)
	dst = append(dst, byte(r.kind), 0)
	dst = binary.LittleEndian.AppendUint16(dst, r.nameLen)
	dst = binary.LittleEndian.AppendUint32(dst, r.payloadLen)
	dst = binary.LittleEndian.AppendUint32(dst, r.bodyCRC)
	dst = binary.LittleEndian.AppendUint64(dst, r.lsn)
	dst = binary.LittleEndian.AppendUint64(dst, r.synced)
	dst = binary.LittleEndian.AppendUint64(dst, r.owner)
	dst = binary.LittleEndian.AppendUint64(dst, r.seq)
	dst = binary.LittleEndian.AppendUint64(dst, r.term)
	dst = binary.LittleEndian.AppendUint32(dst, r.prevOwner)
	return binary.LittleEndian.AppendUint32(dst, crc32.Update(salt, castagnoli, dst[at:]))
}

// parseRecordHeader reads a header; ok is false if b does not begin with one.
func parseRecordHeader(b []byte, salt uint32) (r record, ok bool) {
	if len(b) < recordHeader || binary.LittleEndian.Uint32(b) != recordMagic {
		return record{}, false
	}
	if crc32.Update(salt, castagnoli, b[:60]) != binary.LittleEndian.Uint32(b[60:]) {
		return record{}, false
	}
	r = record{
		kind:       kind(b[4]),
		nameLen:    binary.LittleEndian.Uint16(b[6:]),
		payloadLen: binary.LittleEndian.Uint32(b[8:]),
		bodyCRC:    binary.LittleEndian.Uint32(b[12:]),
		lsn:        binary.LittleEndian.Uint64(b[16:]),
		synced:     binary.LittleEndian.Uint64(b[24:]),
		owner:      binary.LittleEndian.Uint64(b[32:]),
		seq:        binary.LittleEndian.Uint64(b[40:]),
		term:       binary.LittleEndian.Uint64(b[48:]),
		prevOwner:  binary.LittleEndian.Uint32(b[56:]),
	}
	if r.nameLen > maxName || r.payloadLen > maxPayload || r.lsn == 0 || r.synced > r.lsn {
		return record{}, false
	}
	switch r.kind {
	case kindBatch, kindBirth:
		return r, r.seq > 0 && r.nameLen > 0
	case kindMark:
		return r, r.nameLen == 0 && r.payloadLen == 0
	default:
		return record{}, false
	}
}

// bodyCRC is the checksum of a record's name and payload.
func bodyCRC(name Name, payload []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(name), castagnoli), castagnoli, payload)
}
