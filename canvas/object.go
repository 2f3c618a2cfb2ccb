package canvas

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// ErrDamaged is the error of an object of history whose bytes are not those that
// were stored. Nothing of it is served. Test for it with errors.Is.
var ErrDamaged = errors.New("canvas: an object of history is damaged")

// An object is a header and a zstd frame. The header says what the object is, so
// that one under another's name is noticed too:
//
//	"easelhis", format version, kind, 16 bytes of image id, first, last (uvarint),
//	length of what is compressed (uvarint)
//
// Its name ends with the hash of all its bytes.
const (
	objectMagic   = "easelhis"
	objectVersion = 1

	kindOps      = 'o' // batches first to last
	kindKeyframe = 'k' // the annotations at version last; first is last

	hashLen = 16 // bytes of SHA-256 that name an object
	// maxObject bounds what an object may hold, against a forged length.
	maxObject = 1 << 30
)

// record is one batch on its way into a chunk.
type record struct {
	at   easel.Time
	live int64 // annotations after it
	body []byte
}

// encodeOps makes the object of the batches from first on.
func encodeOps(image easel.ID, first int64, records []record) (object []byte) {
	size := 0
	for i := range records {
		size += len(records[i].body) + 16
	}
	raw := make([]byte, 0, size)
	for i := range records {
		r := &records[i]
		raw = binary.AppendUvarint(raw, uint64(r.at))
		raw = binary.AppendUvarint(raw, uint64(r.live))
		raw = binary.AppendUvarint(raw, uint64(len(r.body)))
		raw = append(raw, r.body...)
	}
	return seal(kindOps, image, first, first+int64(len(records))-1, raw)
}

// encodeKeyframe makes the object of the annotations of a scene, in the order of
// their ids, so that the same scene is always the same bytes.
func encodeKeyframe(image easel.ID, s *Scene) (object []byte) {
	ids := make([]easel.ID, 0, len(s.boxes))
	for id := range s.boxes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	raw := make([]byte, 0, 400*len(ids))
	var text []byte
	for _, id := range ids {
		b := s.boxes[id]
		text = opcodec.AppendAnnotation(text[:0], &b.Annotation)
		raw = binary.AppendUvarint(raw, uint64(b.ver))
		raw = binary.AppendUvarint(raw, uint64(b.pos))
		raw = binary.AppendUvarint(raw, uint64(len(text)))
		raw = append(raw, text...)
	}
	return seal(kindKeyframe, image, s.Ver, s.Ver, raw)
}

func seal(kind byte, image easel.ID, first, last int64, raw []byte) []byte {
	head := append(make([]byte, 0, 64+len(raw)/4), objectMagic...)
	head = append(head, objectVersion, kind)
	head = append(head, idBytes(image)...)
	head = binary.AppendUvarint(head, uint64(first))
	head = binary.AppendUvarint(head, uint64(last))
	head = binary.AppendUvarint(head, uint64(len(raw)))
	// One goroutine, so that the same input always gives the same bytes: a repeat
	// after a crash then has the same name.
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(false))
	if err != nil {
		panic("canvas: options of zstd: " + err.Error()) // they are constants
	}
	return w.EncodeAll(raw, head)
}

// hashOf returns what names an object of these bytes.
func hashOf(object []byte) []byte {
	sum := sha256.Sum256(object)
	return sum[:hashLen]
}

// objectName returns the name of an object: its kind, what it covers, its hash.
func objectName(kind byte, first, last int64, hash []byte) string {
	if kind == kindKeyframe {
		return fmt.Sprintf("key-%d-%x", last, hash)
	}
	return fmt.Sprintf("ops-%d-%d-%x", first, last, hash)
}

// open checks an object of this name and returns what it holds.
func open(kind byte, image easel.ID, first, last int64, name string, object []byte) ([]byte, error) {
	damaged := func(why string) error { return fmt.Errorf("%w: %s: %s", ErrDamaged, name, why) }
	if got := hex.EncodeToString(hashOf(object)); got != name[strings.LastIndexByte(name, '-')+1:] {
		return nil, damaged("its bytes have hash " + got)
	}
	rest, ok := bytes.CutPrefix(object, []byte(objectMagic))
	switch {
	case !ok || len(rest) < 2+16:
		return nil, damaged("it has no header")
	case rest[0] != objectVersion:
		return nil, fmt.Errorf("canvas: object %s is of format %d, which this binary does not know", name, rest[0])
	case rest[1] != kind || !bytes.Equal(rest[2:18], idBytes(image)):
		return nil, damaged("it is something else")
	}
	r := reader{rest: rest[18:]}
	if gotFirst, gotLast := int64(r.uvarint()), int64(r.uvarint()); gotFirst != first || gotLast != last {
		return nil, damaged("it covers something else")
	}
	size := r.uvarint()
	if r.bad || size > maxObject {
		return nil, damaged("its header ends early")
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxObject))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	defer d.Close()
	raw, err := d.DecodeAll(r.rest, make([]byte, 0, min(size, 64<<20)))
	if err != nil {
		return nil, damaged(err.Error())
	}
	if uint64(len(raw)) != size {
		return nil, damaged("it is of another length")
	}
	return raw, nil
}

// reader reads numbers and pieces of an object; after a failure bad is set.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) piece() []byte {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	p := r.rest[:n]
	r.rest = r.rest[n:]
	return p
}
