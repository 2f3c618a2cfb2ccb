package easel

import (
	"encoding/hex"
	"hash/fnv"
)

// regionTagLength is how many characters at the end of an ID tell of a region.
const regionTagLength = 4

// NewIDIn returns a fresh ID of something that is at home in a region. It ends with
// the region's tag, so that every node can tell from the ID alone where it belongs.
func NewIDIn(region string) ID {
	return NewID()[:IDLength-regionTagLength] + ID(RegionTag(region))
}

// RegionTag returns the four hex characters that stand for a region. Two regions may
// share one, which places things worse and breaks nothing.
func RegionTag(region string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(region)) // never fails
	sum := h.Sum32()
	sum ^= sum >> 16
	return hex.EncodeToString([]byte{byte(sum >> 8), byte(sum)})
}

// AtHome reports whether id may be that of something at home in a region: it ends
// with the region's tag. One that was made without a region does so by chance, once
// in 65,536.
func (id ID) AtHome(tag string) bool {
	return len(id) == IDLength && string(id[IDLength-regionTagLength:]) == tag
}
