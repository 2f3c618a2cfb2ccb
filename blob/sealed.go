package blob

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Sealed objects have their own sums in front of their content, for what no row
// names: 4 bytes "esum", 8 bytes for the size of the content, 4 bytes for the
// length of the sums, the sums, and 4 bytes CRC-32C of all these.
const (
	sealMagic = "esum"
	sealFixed = len(sealMagic) + 8 + 4 // bytes before the sums
)

// SealFront is how many bytes of a sealed object ReadSeal needs at most.
const SealFront = sealFixed + 1 + 4*mostBlocks + 4

// Seal returns a sealed object with that content.
func Seal(content []byte) []byte {
	var w Summing
	_, _ = w.Write(content) // it never fails
	sums := w.Sums().Encode()
	b := make([]byte, 0, sealFixed+len(sums)+4+len(content))
	b = append(b, sealMagic...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(content)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(sums)))
	b = append(b, sums...)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return append(b, content...)
}

// ReadSeal reads the beginning of a sealed object: SealFront bytes, or the whole if
// it is shorter. front is where the content begins. ErrDamaged.
func ReadSeal(head []byte) (sums *Sums, front int64, err error) {
	if len(head) < sealFixed || string(head[:len(sealMagic)]) != sealMagic {
		return nil, 0, fmt.Errorf("%w: it is not sealed", ErrDamaged)
	}
	size := binary.BigEndian.Uint64(head[len(sealMagic):])
	end := sealFixed + int(min(binary.BigEndian.Uint32(head[sealFixed-4:]), uint32(SealFront)))
	if len(head) < end+4 || crc32.Checksum(head[:end], castagnoli) != binary.BigEndian.Uint32(head[end:]) {
		return nil, 0, fmt.Errorf("%w: its seal is broken", ErrDamaged)
	}
	sums, err = DecodeSums(head[sealFixed:end], int64(size&(1<<63-1)))
	if err != nil {
		return nil, 0, fmt.Errorf("%w: its seal makes no sense", ErrDamaged)
	}
	return sums, int64(end + 4), nil
}
