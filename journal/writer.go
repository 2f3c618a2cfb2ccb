package journal

import (
	"fmt"
	"hash/crc32"
	"time"

	"github.com/easelhq/easel/pages"
)

const (
	// groupBytes bounds what one sync makes durable, and with it the buffer
	// that a group is put together in.
	groupBytes = 8 << 20
	// markAfter is how long the log rests before a mark is written, which makes
	// damage to the last record distinguishable from a write that was cut off.
	markAfter = 50 * time.Millisecond
	repairMin = 20 * time.Millisecond
	repairMax = time.Second
)

// pending is one append on its way.
type pending struct {
	term    *term
	kind    kind
	seq     uint64
	payload []byte
	crc     uint32
	done    func(error)
	begun   time.Time
	err     error
	lsn     uint64
	off     int64 // of the payload
}

// append queues p. It returns at once.
func (n *Node) append(t *term, s pages.Set, done func(error)) {
	p := &pending{term: t, done: done, begun: n.now()}
	err := p.encode(t, s)
	n.mu.Lock()
	if n.stopped {
		n.mu.Unlock()
		n.refuse(p, ErrClosed)
		return
	}
	switch {
	case t.err != nil:
		err = t.err
	case n.stopping:
		err = ErrClosed
	case n.broken != nil:
		err = fmt.Errorf("%w: %w", ErrUnavailable, n.broken)
	case err == nil && n.held+int64(len(p.payload)) > n.maxHeld:
		err = fmt.Errorf("%w: %d bytes wait to be written", ErrUnavailable, n.held)
	}
	if err != nil {
		p.err, p.payload = err, nil
		if t.err == nil {
			t.err = err
		}
	} else {
		p.seq = t.next
		t.next++
	}
	t.pending++
	n.held += int64(len(p.payload))
	n.queue = append(n.queue, p)
	n.mu.Unlock()
	n.wake()
}

// encode runs on the caller's goroutine: compression is most of an append's
// work and must not be the writer's.
func (p *pending) encode(t *term, s pages.Set) error {
	p.kind = kindBatch
	var prefix []byte
	if t.unborn {
		p.kind = kindBirth
		prefix = t.template[:]
	}
	e, ok := t.node.encoders.Get().(*pages.Encoder)
	if !ok {
		e = new(pages.Encoder)
	}
	b, err := e.Encode(prefix, s)
	t.node.encoders.Put(e)
	if err != nil {
		return err
	}
	if len(b) > maxPayload {
		return fmt.Errorf("journal: batch of %d bytes", len(b))
	}
	t.unborn = false
	p.payload = b
	p.crc = bodyCRC(t.name, b)
	return nil
}

// refuse answers an append after the journal was closed, when no goroutine of
// its own is left to do it.
func (n *Node) refuse(p *pending, err error) {
	go func() {
		n.late.Lock()
		defer n.late.Unlock()
		p.done(err)
	}()
}

func (n *Node) wake() {
	select {
	case n.wakeup <- struct{}{}:
	default: // the writer has been told already
	}
}

// write is the writer goroutine: the only one that writes to segments.
func (n *Node) write() {
	defer close(n.answers)
	repair := repairMin
	timer := time.NewTimer(markAfter)
	defer timer.Stop()
	for {
		select {
		case <-n.wakeup:
		case <-timer.C:
			n.rest(&repair)
		}
		for {
			group, stopping := n.take()
			if len(group) == 0 {
				if stopping {
					n.mark()
					return
				}
				break
			}
			n.commit(group)
			n.answers <- group
		}
		n.rollIfWanted()
		switch {
		case n.isBroken():
			timer.Reset(repair)
		case !n.marked:
			repair = repairMin
			timer.Reset(markAfter)
		}
	}
}

// rest is called when nothing was appended for a while: it repairs a broken
// log, or guards the tail of a sound one.
func (n *Node) rest(repair *time.Duration) {
	if !n.isBroken() {
		n.mark()
		return
	}
	if err := n.roll(); err != nil {
		*repair = min(*repair*2, repairMax)
		n.log.Warn("the log cannot be written", "err", err)
		return
	}
	n.mu.Lock()
	n.broken = nil
	n.mu.Unlock()
	n.log.Info("the log can be written again")
}

func (n *Node) isBroken() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.broken != nil
}

// take returns the next group, in order. Appends of terms that ended in the
// meantime are in it with their error set and are not written.
func (n *Node) take() (group []*pending, stopping bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	bytes := 0
	i := 0
	for ; i < len(n.queue) && bytes < groupBytes; i++ {
		p := n.queue[i]
		switch {
		case p.err != nil:
		case p.term.cut != nil:
			p.err = p.term.cut
		case n.broken != nil:
			p.err = fmt.Errorf("%w: %w", ErrUnavailable, n.broken)
			p.term.endLocked(p.err)
		default:
			bytes += len(p.payload)
		}
	}
	group = n.queue[:i:i]
	n.queue = n.queue[i:]
	if len(n.queue) == 0 {
		n.queue = nil
	}
	if len(group) == 0 && n.stopping {
		n.stopped = true
	}
	return group, n.stopped
}

// commit writes and syncs a group and enters it into the index.
func (n *Node) commit(group []*pending) {
	todo := 0
	for _, p := range group {
		if p.err == nil {
			todo++
		}
	}
	if todo == 0 {
		return
	}
	if n.active.size >= n.segmentBytes {
		if err := n.roll(); err != nil {
			n.fail(group, err)
			return
		}
	}
	if n.hooks.ackBeforeSync {
		n.answerEarly(group)
	}
	buf, lsn := n.buf[:0], n.nextLSN
	owner := n.lastOwner
	for _, p := range group {
		if p.err != nil {
			continue
		}
		p.lsn = lsn
		lsn++
		buf = appendRecordHeader(buf, record{
			kind: p.kind, nameLen: uint16(len(p.term.name)), payloadLen: uint32(len(p.payload)),
			bodyCRC: p.crc, lsn: p.lsn, synced: n.nextLSN, owner: p.term.owner,
			seq: p.seq, term: p.term.number, prevOwner: owner,
		}, n.active.salt)
		owner = uint32(p.term.owner)
		buf = append(buf, p.term.name...)
		p.off = n.active.size + int64(len(buf))
		buf = append(buf, p.payload...)
	}
	n.keepBuffer(buf)
	begun := n.now()
	if err := n.persist(buf); err != nil {
		n.fail(group, err)
		return
	}
	n.metrics.sync(n.now().Sub(begun), todo, len(buf))
	n.lastOwner = owner
	n.nextLSN = lsn
	n.marked = false

	n.mu.Lock()
	defer n.mu.Unlock()
	n.active.size += int64(len(buf))
	for _, p := range group {
		if p.err == nil {
			n.enterLocked(p.term.name, ref{
				seg: n.active, off: p.off, len: uint32(len(p.payload)),
				crc: p.crc, kind: p.kind, seq: p.seq, term: p.term.number,
			})
		}
	}
	n.liveBytes += int64(len(buf))
	n.batches += uint64(todo)
	if n.liveBytes > n.compactAt || len(n.segments) > n.segmentsAt {
		n.wakeCompactor()
	}
}

// persist appends buf to the active segment and syncs it.
func (n *Node) persist(buf []byte) error {
	if _, err := n.active.file.WriteAt(buf, n.active.size); err != nil {
		return fmt.Errorf("write segment %d: %w", n.active.seq, err)
	}
	if err := n.active.file.Sync(); err != nil {
		return fmt.Errorf("sync segment %d: %w", n.active.seq, err)
	}
	return nil
}

// keepBuffer keeps a group's buffer for the next one unless it is large.
func (n *Node) keepBuffer(buf []byte) {
	if cap(buf) <= 1<<20 {
		n.buf = buf
	} else {
		n.buf = nil
	}
}

// fail answers a group whose outcome is unknown. After a failed sync the
// system may have dropped the data and forgotten the failure, so nothing is ever
// again written to that segment: the log is broken until a new one, whose
// header says where the old one ends, is durable.
func (n *Node) fail(group []*pending, err error) {
	n.metrics.failures.Inc()
	n.log.Error("log write failed", "segment", n.active.seq, "err", err)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.broken = err
	for _, p := range group {
		if p.err == nil {
			p.err = fmt.Errorf("%w: %w", ErrUnavailable, err)
			p.term.endLocked(p.err)
		}
	}
}

// mark writes a record that says only that all before it is durable. Damage to
// an acknowledged record is then never taken for a write that was cut off.
func (n *Node) mark() {
	if n.marked || n.isBroken() || n.active == nil {
		return
	}
	buf := appendRecordHeader(nil, record{
		kind: kindMark, lsn: n.nextLSN, synced: n.nextLSN,
		prevOwner: n.lastOwner, bodyCRC: crc32.Checksum(nil, castagnoli),
	}, n.active.salt)
	if err := n.persist(buf); err != nil {
		n.fail(nil, err)
		return
	}
	n.nextLSN++
	n.lastOwner = 0
	n.marked = true
	n.mu.Lock()
	defer n.mu.Unlock()
	n.active.size += int64(len(buf))
	n.liveBytes += int64(len(buf))
}

// answer is the goroutine that calls back, apart from the writer so that the
// next group is on its way meanwhile.
func (n *Node) answer() {
	for group := range n.answers {
		end := n.now()
		for _, p := range group {
			if p.done != nil {
				p.done(p.err)
			}
			if p.err == nil {
				n.metrics.appends.Observe(end.Sub(p.begun).Seconds())
			}
		}
		n.mu.Lock()
		for _, p := range group {
			n.held -= int64(len(p.payload))
			p.term.pending--
			if p.term.pending == 0 && p.term.idle != nil {
				close(p.term.idle)
				p.term.idle = nil
			}
		}
		n.mu.Unlock()
	}
}

// answerEarly is the planted fault that tests must notice.
func (n *Node) answerEarly(group []*pending) {
	for _, p := range group {
		if p.err == nil {
			p.done(nil)
			p.done = nil
		}
	}
}
