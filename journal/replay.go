package journal

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
)

// replay reads the live segments into the index and begins a new one. What it
// must decide, and how, is in DESIGN.md, "Replay".
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
	n.nextLSN, n.nextSegment = 1, 1
	p := player{node: n}
	for i, seq := range seqs {
		n.nextSegment = seq + 1
		if i > 0 && seq != seqs[i-1]+1 {
			p.lose(0, 2, fmt.Sprintf("segments %d to %d are missing", seqs[i-1]+1, seq-1))
		}
		last := i == len(seqs)-1
		next := begin{}
		if !last {
			next, last, err = p.peek(seqs[i+1], i+1 == len(seqs)-1)
			if err != nil {
				return err
			}
		}
		if err := p.play(seq, next, last); err != nil {
			return err
		}
		if last {
			break
		}
	}
	n.nextLSN = max(p.expect, 1)
	n.lastOwner = p.lastOwner
	return n.roll()
}

// player carries what replay knows from one segment to the next.
type player struct {
	node      *Node
	seg       *segment
	expect    uint64 // lsn of the next record; 0 before the first segment
	lastOwner uint32
	buf       []byte // of the segment being played
}

// peek reads the header of the segment that follows the one being played. If it
// is the last one and was never begun, the one being played is the last.
func (p *player) peek(seq uint64, last bool) (next begin, drop bool, err error) {
	f, err := p.node.fs.Open(segmentPath(p.node.dir, seq))
	if err != nil {
		return begin{}, false, err
	}
	defer f.Close()
	var b [segmentHeader]byte
	if _, err := f.ReadAt(b[:], 0); err == nil {
		if next, ok := parseSegmentHeader(b[:], seq); ok {
			return next, false, nil
		}
	}
	if !last {
		return begin{}, false, nil
	}
	whole, err := readSound(f, nil)
	if err != nil {
		return begin{}, false, err
	}
	if next, ok := parseSegmentHeader(whole, seq); ok || !neverBegun(whole) {
		return next, false, nil
	}
	// The new segment's file will replace it.
	p.node.nextSegment = seq
	return begin{}, true, nil
}

// neverBegun reports whether a segment without a sound header is one whose
// header was not durable before a crash. Records are written only after it is.
func neverBegun(b []byte) bool {
	return len(b) < segmentHeader || len(bytes.Trim(b, "\x00")) == 0
}

// play reads one segment. Of the last one, next is zero.
func (p *player) play(seq uint64, next begin, last bool) error {
	n := p.node
	f, err := n.fs.Open(segmentPath(n.dir, seq))
	if err != nil {
		return err
	}
	b, err := readSound(f, p.buf)
	p.buf = b
	if err != nil {
		f.Close()
		return fmt.Errorf("read segment %d: %w", seq, err)
	}
	h, ok := parseSegmentHeader(b, seq)
	if !ok && last && neverBegun(b) {
		n.nextSegment = seq
		return f.Close()
	}
	seg := &segment{begin: h, seq: seq, file: f, size: int64(len(b))}
	n.segments = append(n.segments, seg)
	p.seg = seg
	n.liveBytes += seg.size
	if !ok {
		// Neither where its records begin nor their salt is known.
		p.lose(0, 2, fmt.Sprintf("segment %d has no sound header", seq))
		p.expect, p.lastOwner = next.first, 0
		if last {
			p.expect = 1 << 62 // above all that it can hold
		}
		return nil
	}
	if p.expect != 0 && h.first > p.expect {
		p.lose(h.prevOwner, h.first-p.expect, fmt.Sprintf("records %d to %d are missing before segment %d", p.expect, h.first-1, seq))
	}
	p.expect, p.lastOwner = h.first, 0
	records := scanRecords(b, h.salt)
	if !last {
		p.playWhole(seg, records, next)
		return nil
	}
	return p.playLast(seg, b, records)
}

// playWhole reads a segment that a later one ends. All of it up to there was
// durable: what cannot be read is damage.
func (p *player) playWhole(seg *segment, records []found, next begin) {
	for _, r := range records {
		if !r.header {
			continue // the next sound header tells what is missing
		}
		if next.first != 0 && r.rec.lsn >= next.first {
			break // written by a group that failed, and cut
		}
		p.take(seg, r)
	}
	if next.first > p.expect {
		p.lose(next.prevOwner, next.first-p.expect, fmt.Sprintf("records %d to %d are missing at the end of segment %d", p.expect, next.first-1, seg.seq))
		p.expect = next.first
	}
}

// playLast reads the segment that was written to when the process ended. Only
// the last group can have been interrupted: the ones before were synced before
// the next was written, and its records say so.
func (p *player) playLast(seg *segment, b []byte, records []found) error {
	synced := seg.first
	for _, r := range records {
		if r.header {
			synced = max(synced, r.rec.synced)
		}
	}
	end, group := int64(segmentHeader), int64(-1)
	for _, r := range records {
		open := p.expect >= synced
		if r.header && r.rec.lsn == p.expect && r.body {
			if open && group < 0 {
				group = r.off
			}
			p.take(seg, r)
			end = r.off + r.size
			continue
		}
		if open && (!r.header || !r.body) && (cutOff(b, r.off, r.off+r.size) || !r.header && r.size < recordHeader) {
			p.node.log.Info("the log ends with a write that was cut off", "segment", seg.seq, "at", r.off)
			if !p.node.hooks.replayPastTorn {
				break
			}
			p.expect++
			continue
		}
		if r.header {
			p.take(seg, r)
			end = r.off + r.size
			continue
		}
		if open && r.off+r.size == int64(len(b)) {
			p.lose(0, 2, fmt.Sprintf("the end of segment %d is damaged", seg.seq))
			// The gap in the numbers tells every later start.
			p.expect += 2
		}
	}
	seg.size = min(end, int64(len(b)))
	return p.node.settle(seg, b, group)
}

// settle makes durable what was found in the last segment. The process may have
// died between a write and its sync, or after a sync that failed and made the
// system forget what it had not written: so the header and the last group are
// written again, with the same bytes, before anything is built on them.
func (n *Node) settle(seg *segment, b []byte, group int64) error {
	if _, err := seg.file.WriteAt(appendSegmentHeader(nil, seg.seq, seg.begin), 0); err != nil {
		return err
	}
	if group >= 0 && seg.size > group {
		if _, err := seg.file.WriteAt(b[group:seg.size], group); err != nil {
			return err
		}
	}
	if err := seg.file.Sync(); err != nil {
		return err
	}
	return n.syncDir(filepath.Join(n.dir, "log"))
}

// take enters a record with a sound header into the index.
func (p *player) take(seg *segment, r found) {
	n := p.node
	if r.rec.lsn < p.expect {
		p.lose(0, 2, fmt.Sprintf("record %d comes after record %d", r.rec.lsn, p.expect-1))
		return
	}
	if r.rec.lsn > p.expect {
		p.lose(r.rec.prevOwner, r.rec.lsn-p.expect, fmt.Sprintf("records %d to %d are missing", p.expect, r.rec.lsn-1))
	}
	p.expect = r.rec.lsn + 1
	p.lastOwner = uint32(r.rec.owner)
	if r.rec.kind == kindMark {
		p.lastOwner = 0
		return
	}
	if !r.body {
		if n.overcome(r.name, r.rec) {
			return
		}
		n.damaged.lostOwner(r.rec.owner, r.rec.seq, seg)
		n.metrics.corrupt.Inc()
		n.log.Error("a record in the log is damaged", "segment", seg.seq, "at", r.off, "actor", string(r.name), "batch", r.rec.seq)
		return
	}
	if c := n.index[r.name]; c != nil {
		if last := c.refs[len(c.refs)-1].seq; r.rec.seq <= last {
			_ = n.corruptLocked(r.name, fmt.Errorf("batch %d follows batch %d in the log", r.rec.seq, last))
			return
		}
	}
	n.damaged.prove(r.name)
	n.enterLocked(r.name, ref{
		seg: seg, off: r.off + recordHeader + int64(r.rec.nameLen), len: r.rec.payloadLen,
		crc: r.rec.bodyCRC, kind: r.rec.kind, seq: r.rec.seq, term: r.rec.term,
	})
}

// lose notes that count records are missing. Of the last of them, half is the
// low half of the owner, or 0 if it was a mark or is not known.
func (p *player) lose(half uint32, count uint64, what string) {
	if count == 1 && half == 0 {
		return // a mark: it belonged to nobody
	}
	n := p.node
	n.damaged.lose(half, count)
	if p.seg != nil {
		p.seg.live++
	}
	n.metrics.corrupt.Inc()
	n.log.Error("the log is damaged", "what", what, "records", count)
}

// readSound reads a segment, into buf if it is large enough. Blocks that the disk
// cannot read any more come as bytes that are no record, so that the rest of the
// segment can be used.
func readSound(f File, buf []byte) ([]byte, error) {
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	b := buf
	if int64(cap(b)) < size {
		b = make([]byte, size)
	}
	b = b[:size]
	if size == 0 {
		return b, nil
	}
	if _, err := f.ReadAt(b, 0); err == nil {
		return b, nil
	}
	const block = 4096
	for at := int64(0); at < size; at += block {
		part := b[at:min(at+block, size)]
		if _, err := f.ReadAt(part, at); err != nil {
			for i := range part {
				part[i] = 0xff
			}
		}
	}
	return b, nil
}
