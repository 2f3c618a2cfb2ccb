package journal

import (
	"fmt"
	"path/filepath"
	"slices"
)

// replay reads the live segments into the index and begins a new one.
func (n *Node) replay() error {
	names, err := n.fs.ReadDir(filepath.Join(n.dir, "log"))
	if err != nil {
		return err
	}
	var seqs []uint64
	for _, name := range names {
		if seq, ok := segmentSeq(name); ok {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	n.nextLSN = 1
	for i, seq := range seqs {
		if err := n.replaySegment(seq, i == len(seqs)-1); err != nil {
			return err
		}
	}
	if len(n.segments) > 0 {
		n.active = n.segments[len(n.segments)-1]
	}
	return n.roll()
}

// replaySegment is the simple core: sound records are taken in order.
func (n *Node) replaySegment(seq uint64, last bool) error {
	f, err := n.fs.Open(segmentPath(n.dir, seq))
	if err != nil {
		return err
	}
	size, err := f.Size()
	if err != nil {
		f.Close()
		return err
	}
	b := make([]byte, size)
	if size > 0 {
		if _, err := f.ReadAt(b, 0); err != nil {
			f.Close()
			return fmt.Errorf("read segment %d: %w", seq, err)
		}
	}
	seg := &segment{seq: seq, file: f, size: segmentHeader, next: n.nextLSN, first: n.nextLSN}
	n.segments = append(n.segments, seg)
	for _, r := range scanRecords(b) {
		if !r.body {
			break
		}
		seg.size = r.off + r.size
		seg.next = r.rec.lsn + 1
		if r.rec.kind != kindMark {
			n.enterLocked(r.name, ref{seg: seg, off: r.off + recordHeader + int64(r.rec.nameLen), len: r.rec.payloadLen,
				crc: r.rec.bodyCRC, kind: r.rec.kind, seq: r.rec.seq, term: r.rec.term})
		}
	}
	n.nextLSN = seg.next
	n.liveBytes += seg.size
	return nil
}
