package fencing

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// A slot is one object of a term's log:
//
//	 0  magic "EASELLOG"
//	 8  u16 format, 1; u8 kind; u8 0
//	12  u32 CRC-32C that ends the slot before in this term; 0 in the first
//	16  u64 term
//	24  u64 seq, from 0 in every term
//	32  nonce of the claim, 16 bytes
//	48  u64 length of the whole object
//	56  u64 watermark: so many slots of the term were durable, without a gap,
//	    when this one was made
//	64  u32 CRC-32C of the above
//	68  payload
//	..  u32 CRC-32C of all before
const (
	slotMagic  = "EASELLOG"
	slotFormat = 1
	slotHeader = 68
	slotEnd    = 4
	sealSize   = slotHeader + slotEnd
)

// Kind tells slots apart.
type Kind uint8

// The kinds of slots.
const (
	// Data holds an encoded pages.Set.
	Data Kind = 1
	// Birth holds the 32 bytes of a template's id and the first set.
	Birth Kind = 2
	// Seal ends a term for ever.
	Seal Kind = 3
)

// Slot is what a slot's header says.
type Slot struct {
	Kind      Kind
	Prev      uint32 // the checksum that ends the slot before; 0 in the first
	Term      uint64
	Seq       uint64
	Nonce     string
	Watermark uint64
}

// ErrTorn says that an object is shorter than its header says. Whoever wrote it was told
// nothing, or that it failed.
var ErrTorn = errors.New("torn")

// EncodeSlot returns the object and the checksum that ends it.
func EncodeSlot(f Slot, payload []byte) ([]byte, uint32) {
	b := make([]byte, slotHeader, slotHeader+len(payload)+slotEnd)
	copy(b, slotMagic)
	binary.LittleEndian.PutUint16(b[8:], slotFormat)
	b[10] = byte(f.Kind)
	binary.LittleEndian.PutUint32(b[12:], f.Prev)
	binary.LittleEndian.PutUint64(b[16:], f.Term)
	binary.LittleEndian.PutUint64(b[24:], f.Seq)
	_, _ = hex.Decode(b[32:48], []byte(f.Nonce)) // made as one or checked by CheckNonce
	binary.LittleEndian.PutUint64(b[48:], uint64(cap(b)))
	binary.LittleEndian.PutUint64(b[56:], f.Watermark)
	binary.LittleEndian.PutUint32(b[64:], crc32.Checksum(b[:64], castagnoli))
	b = append(b, payload...)
	sum := crc32.Checksum(b, castagnoli)
	return binary.LittleEndian.AppendUint32(b, sum), sum
}

// DecodeSlot undoes EncodeSlot. The payload shares b's memory. The error is
// ErrTorn for a short object, and says what is wrong with any other.
func DecodeSlot(b []byte) (f Slot, payload []byte, sum uint32, err error) {
	if len(b) < slotHeader {
		return Slot{}, nil, 0, ErrTorn
	}
	if string(b[:8]) != slotMagic || crc32.Checksum(b[:64], castagnoli) != binary.LittleEndian.Uint32(b[64:]) {
		return Slot{}, nil, 0, errors.New("bad header")
	}
	if format := binary.LittleEndian.Uint16(b[8:]); format != slotFormat || b[11] != 0 {
		return Slot{}, nil, 0, fmt.Errorf("format %d", format)
	}
	f = Slot{
		Kind: Kind(b[10]), Prev: binary.LittleEndian.Uint32(b[12:]),
		Term: binary.LittleEndian.Uint64(b[16:]), Seq: binary.LittleEndian.Uint64(b[24:]),
		Nonce: hex.EncodeToString(b[32:48]), Watermark: binary.LittleEndian.Uint64(b[56:]),
	}
	if f.Kind < Data || f.Kind > Seal {
		return Slot{}, nil, 0, fmt.Errorf("kind %d", f.Kind)
	}
	total := binary.LittleEndian.Uint64(b[48:])
	switch {
	case total < sealSize || total > math.MaxInt64:
		return Slot{}, nil, 0, fmt.Errorf("length %d", total)
	case uint64(len(b)) < total:
		return f, nil, 0, ErrTorn
	case uint64(len(b)) > total:
		return Slot{}, nil, 0, fmt.Errorf("%d bytes, not %d", len(b), total)
	}
	end := len(b) - slotEnd
	sum = binary.LittleEndian.Uint32(b[end:])
	if crc32.Checksum(b[:end], castagnoli) != sum {
		return Slot{}, nil, 0, errors.New("bad checksum")
	}
	if f.Kind == Birth && end-slotHeader < 32 {
		return Slot{}, nil, 0, errors.New("birth without a template")
	}
	return f, b[slotHeader:end], sum, nil
}
