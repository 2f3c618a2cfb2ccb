package journal

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"path/filepath"
)

// rollIfWanted begins a new segment for the compactor.
func (n *Node) rollIfWanted() {
	n.mu.Lock()
	wanted := n.rollWanted && n.broken == nil
	n.rollWanted = false
	n.mu.Unlock()
	if !wanted {
		return
	}
	if err := n.roll(); err != nil {
		n.fail(nil, err)
		return
	}
	n.wakeCompactor()
}

// roll begins a new segment. Once its header is durable, the segment before
// ends for ever before the first lsn of the new one, whatever else it holds.
func (n *Node) roll() error {
	seg, err := n.createSegment(n.nextSegment, begin{first: n.nextLSN, salt: newSalt(), prevOwner: n.lastOwner})
	if err != nil {
		return err
	}
	n.nextSegment++
	n.lastOwner = 0
	n.marked = true
	n.mu.Lock()
	defer n.mu.Unlock()
	n.active = seg
	n.segments = append(n.segments, seg)
	n.metrics.segments.Set(float64(len(n.segments)))
	return nil
}

func (n *Node) createSegment(seq uint64, h begin) (*segment, error) {
	f, err := n.fs.Create(segmentPath(n.dir, seq))
	if err != nil {
		return nil, fmt.Errorf("create segment %d: %w", seq, err)
	}
	err = func() error {
		if _, err := f.WriteAt(appendSegmentHeader(nil, seq, h), 0); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		return n.syncDir(filepath.Join(n.dir, "log"))
	}()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("begin segment %d: %w", seq, err)
	}
	return &segment{begin: h, seq: seq, file: f, size: segmentHeader}, nil
}

// newSalt returns a random number; see record.
func newSalt() uint32 {
	var b [4]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint32(b[:])
}
