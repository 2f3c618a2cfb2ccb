package journal

import (
	"context"
	"encoding/hex"
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
	for {
		select {
		case <-n.quit:
			return
		case <-n.compact:
		case <-purge.C:
			n.requestPurge()
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
	if !need || len(sealed) == 0 {
		return nil
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
	n.purging = false
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
		delete(n.index, name)
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

// snapshotDue reports whether a full snapshot restores cheaper than the merges.
func (n *Node) snapshotDue(h head, merge headFile) bool {
	total, limit := merge.Size, int64(1<<20)
	for _, f := range h.L1 {
		total += f.Size
	}
	if h.Snap != nil {
		limit = max(limit, h.Snap.Size)
	}
	return total > limit || len(h.L1) >= maxMerges
}

// snapshot returns a head whose only file is a full snapshot of h with set on
// top.
func (n *Node) snapshot(h head, set pages.Set) (head, error) {
	sets := make([]pages.Set, 0, len(h.L1)+1)
	for _, f := range h.L1 {
		if f.File == "" {
			continue
		}
		b, err := n.readLTX(h.Name, f)
		if err != nil {
			return head{}, err
		}
		s, _, err := pages.DecodeLTX(b)
		if err != nil {
			return head{}, n.corruptActor(h.Name, fmt.Errorf("file %s: %w", f.File, err))
		}
		sets = append(sets, s)
	}
	top, err := pages.Merge(append(sets, set)...)
	if err != nil {
		return head{}, n.corruptActor(h.Name, err)
	}
	file := headFile{File: fmt.Sprintf("snap-%016x", h.Last), To: h.Last}
	f, err := n.fs.Create(filepath.Join(n.actorDir(h.Name), file.File))
	if err != nil {
		return head{}, unavailable("create snapshot", err)
	}
	w := &fileWriter{file: f}
	err = n.writeSnapshot(w, h, top)
	if err == nil {
		err = w.finish(!n.hooks.headBeforeSnap)
	}
	if cerr := f.Close(); err == nil && cerr != nil {
		err = unavailable("close snapshot", cerr)
	}
	if err != nil {
		return head{}, err
	}
	file.Size, file.CRC = w.size, w.crc
	h.Snap, h.L1 = &file, nil
	return h, n.syncActorDir(h.Name)
}

// writeSnapshot writes all pages of the base of h with top on them.
func (n *Node) writeSnapshot(w *fileWriter, h head, top pages.Set) error {
	base, err := n.readBase(h)
	if err != nil {
		return err
	}
	if top.Empty() {
		top.PageSize, top.Size = base.PageSize, base.Size
	}
	if base.PageSize != top.PageSize {
		return n.corruptActor(h.Name, fmt.Errorf("page size %d after %d", top.PageSize, base.PageSize))
	}
	lw, err := pages.NewLTX(w, top.PageSize, top.Size, pages.Span{To: h.Last})
	if err != nil {
		return unavailable("write snapshot", err)
	}
	zero := make([]byte, top.PageSize)
	old, fresh := base.Pages, top.Pages
	for no := uint32(1); no <= top.Size; no++ {
		p := pages.Page{No: no, Data: zero}
		if len(old) > 0 && old[0].No == no {
			p, old = old[0], old[1:]
		}
		if len(fresh) > 0 && fresh[0].No == no {
			p, fresh = fresh[0], fresh[1:]
		}
		if err := lw.Write(p); err != nil {
			return unavailable("write snapshot", err)
		}
	}
	if err := lw.Close(); err != nil {
		return unavailable("write snapshot", err)
	}
	return nil
}

// readBase returns the pages that the merges of h are applied to.
func (n *Node) readBase(h head) (pages.Set, error) {
	if h.Snap != nil {
		b, err := n.readLTX(h.Name, *h.Snap)
		if err != nil {
			return pages.Set{}, err
		}
		s, _, err := pages.DecodeLTX(b)
		if err != nil {
			return pages.Set{}, n.corruptActor(h.Name, fmt.Errorf("file %s: %w", h.Snap.File, err))
		}
		return s, nil
	}
	if id, err := hex.DecodeString(h.Template); err != nil || len(id) != 32 {
		return pages.Set{}, n.corruptActor(h.Name, fmt.Errorf("template %q", h.Template))
	}
	b, err := n.readTemplate(h.Name, h.Template)
	if err != nil {
		return pages.Set{}, err
	}
	s, err := pages.FromDatabase(b)
	if err != nil {
		return pages.Set{}, n.corruptActor(h.Name, fmt.Errorf("template %s: %w", h.Template, err))
	}
	return s, nil
}

func (n *Node) writeActorFile(name Name, file string, b []byte) error {
	path := filepath.Join(n.actorDir(name), file)
	f, err := n.fs.Create(path)
	if err != nil {
		return unavailable("create "+file, err)
	}
	w := &fileWriter{file: f}
	_, err = w.Write(b)
	if err == nil {
		err = w.finish(!n.hooks.headBeforeSnap)
	}
	if cerr := f.Close(); err == nil && cerr != nil {
		err = cerr
	}
	if err != nil {
		return unavailable("write "+file, err)
	}
	return nil
}

func (n *Node) syncActorDir(name Name) error {
	if err := n.syncDir(n.actorDir(name)); err != nil {
		return unavailable("sync directory", err)
	}
	return nil
}

// fileWriter writes a File from its start and counts what it wrote. Small
// writes are gathered.
type fileWriter struct {
	file File
	buf  []byte
	size int64 // written and gathered
	crc  uint32
}

// Write implements io.Writer.
func (w *fileWriter) Write(b []byte) (int, error) {
	w.crc = crc32.Update(w.crc, castagnoli, b)
	w.size += int64(len(b))
	w.buf = append(w.buf, b...)
	if len(w.buf) < 1<<18 {
		return len(b), nil
	}
	return len(b), w.flush()
}

func (w *fileWriter) flush() error {
	_, err := w.file.WriteAt(w.buf, w.size-int64(len(w.buf)))
	w.buf = w.buf[:0]
	return err
}

// finish writes what is left and, but for the planted fault, syncs.
func (w *fileWriter) finish(sync bool) error {
	if err := w.flush(); err != nil {
		return unavailable("write file", err)
	}
	if !sync {
		return nil
	}
	if err := w.file.Sync(); err != nil {
		return unavailable("sync file", err)
	}
	return nil
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
