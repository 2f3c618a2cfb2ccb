package journal

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"time"

	"github.com/easelhq/easel/pages"
)

const (
	// mergeBytes bounds how much of one actor's log is merged at once.
	mergeBytes = 8 << 20
	// maxMerges is how many l1 files a restore reads at most.
	maxMerges = 16
	// maxSegments is how many live segments there may be, however small: each
	// start and each failed write begins one.
	maxSegments = 64
	// purgeAfter is how long erased data may stay in the log.
	purgeAfter = 10 * time.Minute
)

func (n *Node) wakeCompactor() {
	select {
	case n.compact <- struct{}{}:
	default: // it has been told already
	}
}

// compactor is the goroutine that turns batches in segments into files of
// their actors, and then removes the segments.
func (n *Node) compactor() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n.done.Go(func() {
		<-n.quit
		cancel()
	})
	purge := time.NewTicker(purgeAfter)
	defer purge.Stop()
	tidy := time.NewTicker(n.tidyAfter)
	defer tidy.Stop()
	seen := uint64(0)
	for {
		select {
		case <-n.quit:
			return
		case <-n.compact:
		case <-purge.C:
			n.requestPurge()
		case <-tidy.C:
			seen = n.requestTidy(seen)
		}
		if err := n.compactOnce(ctx); err != nil && ctx.Err() == nil {
			n.log.Warn("compaction stopped early", "err", err)
		}
	}
}

// requestPurge has the writer begin a new segment if the active one holds
// batches of erased actors, so that they can be compacted away.
func (n *Node) requestPurge() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.segments {
		if s.erased {
			n.purging = true
		}
	}
	if n.purging && n.active.erased {
		n.rollWanted = true
		n.wake()
	}
}

// compactOnce compacts all segments but the active one if there is reason to.
func (n *Node) compactOnce(ctx context.Context) error {
	select {
	case n.compacting <- struct{}{}:
		defer func() { <-n.compacting }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := n.dropSegments(); err != nil {
		return err
	}
	sealed, need := n.sealed()
	if len(sealed) == 0 {
		return nil
	}
	if !need {
		return n.tidy(ctx, sealed[len(sealed)-1].seq)
	}
	upto := sealed[len(sealed)-1].seq
	for _, s := range sealed {
		seen := map[Name]bool{}
		for _, name := range s.names {
			if seen[name] {
				continue
			}
			seen[name] = true
			begun := n.now()
			if err := n.compactActor(ctx, name, upto); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if !errors.Is(err, ErrCorrupt) {
					return err
				}
			}
			if err := n.throttle(ctx, n.now().Sub(begun)); err != nil {
				return err
			}
		}
		if err := n.dropSegments(); err != nil {
			return err
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.purging, n.tidying = false, false
	// What damaged actors keep alive must not make every append compact again.
	n.compactAt = max(n.compactBytes, n.liveBytes+n.compactBytes/2)
	n.segmentsAt = max(maxSegments, len(n.segments)+maxSegments/2)
	return nil
}

// sealed returns the segments before the active one, and whether they are to be
// compacted.
func (n *Node) sealed() ([]*segment, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []*segment
	for _, s := range n.segments {
		if s != n.active {
			out = append(out, s)
		}
	}
	return out, n.liveBytes > n.compactAt || len(n.segments) > n.segmentsAt || n.purging
}

// throttle rests for as long as the last actor took, so that compaction takes
// at most half of the disk, unless the log grows faster than it shrinks.
func (n *Node) throttle(ctx context.Context, d time.Duration) error {
	n.mu.Lock()
	behind := n.liveBytes > 2*n.compactBytes
	n.mu.Unlock()
	if behind {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// compactActor covers with the actor's own files what segments up to upto hold
// of it, and takes it out of the index. A crash between any two steps leaves the
// old head with all it names, or the new one.
func (n *Node) compactActor(ctx context.Context, name Name, upto uint64) error {
	leave, err := n.enter(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	refs := n.refsUpTo(name, upto)
	if len(refs) == 0 {
		return nil
	}
	h, exists, err := n.readHead(name)
	if err != nil {
		return err
	}
	n.mu.Lock()
	err = n.damaged.check(name, h.Last)
	n.mu.Unlock()
	if err != nil {
		return err
	}
	if !exists {
		h = head{Name: name}
	}
	last := refs[len(refs)-1].seq
	for !h.Erased && h.Last < last {
		if h, err = n.extend(ctx, h, refs); err != nil {
			return err
		}
	}
	// Also if nothing had to be added: the head may have been renamed just before
	// a crash or a failed sync, and not be durable.
	if err := n.putHead(h); err != nil {
		return err
	}
	n.cover(name, len(refs))
	n.metrics.compactions.Inc()
	return n.sweep(h)
}

func (n *Node) refsUpTo(name Name, upto uint64) []ref {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.index[name]
	if c == nil {
		return nil
	}
	i := 0
	for i < len(c.refs) && c.refs[i].seg.seq <= upto {
		i++
	}
	return c.refs[:i:i]
}

// cover takes the first count batches of an actor out of the index.
func (n *Node) cover(name Name, count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.index[name]
	if c == nil {
		return
	}
	for _, r := range c.refs[:count] {
		r.seg.live--
	}
	if count == len(c.refs) {
		n.dropChainLocked(name)
		return
	}
	c.refs = append([]ref(nil), c.refs[count:]...)
}

// extend returns a head that covers more of refs than h does; its files are
// durable, it is not.
func (n *Node) extend(ctx context.Context, h head, refs []ref) (head, error) {
	var sets []pages.Set
	from, bytes := h.Last+1, 0
	for _, r := range refs {
		if r.seq <= h.Last {
			continue
		}
		if bytes > mergeBytes {
			break
		}
		if err := ctx.Err(); err != nil {
			return head{}, err
		}
		if r.seq != h.Last+1 {
			return head{}, n.corruptActor(h.Name, fmt.Errorf("batches %d to %d are missing", h.Last+1, r.seq-1))
		}
		s, template, err := n.readSet(h.Name, r)
		if err != nil {
			return head{}, err
		}
		if r.seq == 1 {
			h.Template = template
		}
		sets = append(sets, s)
		bytes += int(r.len)
		h.Last, h.Term = r.seq, max(h.Term, r.term)
	}
	set, err := pages.Merge(sets...)
	if err != nil {
		return head{}, n.corruptActor(h.Name, err)
	}
	if err := n.makeActorDir(h.Name); err != nil {
		return head{}, unavailable("make directory", err)
	}
	merge := headFile{From: from, To: h.Last}
	if !set.Empty() {
		b, err := pages.EncodeLTX(set, pages.Span{From: from, To: h.Last})
		if err != nil {
			return head{}, n.corruptActor(h.Name, err)
		}
		merge.File = fmt.Sprintf("l1-%016x-%016x", from, h.Last)
		merge.Size, merge.CRC = int64(len(b)), crc32.Checksum(b, castagnoli)
		if !n.snapshotDue(h, merge) {
			if err := n.writeActorFile(h.Name, merge.File, b); err != nil {
				return head{}, err
			}
		}
	}
	if n.snapshotDue(h, merge) {
		return n.snapshot(h, set)
	}
	h.L1 = append(h.L1[:len(h.L1):len(h.L1)], merge)
	return h, n.syncActorDir(h.Name)
}

// dropSegments removes the oldest segments in which everything is covered. The
// folder is synced after each, so that what is left after a crash has no gap.
func (n *Node) dropSegments() error {
	for {
		n.mu.Lock()
		if len(n.segments) < 2 || n.segments[0] == n.active || n.segments[0].live > 0 {
			n.mu.Unlock()
			return nil
		}
		s := n.segments[0]
		n.mu.Unlock()
		if err := n.fs.Remove(segmentPath(n.dir, s.seq)); err != nil && !isNotExist(err) {
			return fmt.Errorf("remove segment %d: %w", s.seq, err)
		}
		if err := n.syncDir(filepath.Join(n.dir, "log")); err != nil {
			return fmt.Errorf("remove segment %d: %w", s.seq, err)
		}
		n.mu.Lock()
		n.segments = n.segments[1:]
		n.liveBytes -= s.size
		n.metrics.segments.Set(float64(len(n.segments)))
		n.mu.Unlock()
		if err := s.file.Close(); err != nil {
			return fmt.Errorf("close segment %d: %w", s.seq, err)
		}
	}
}
