package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/easelhq/easel/journal/fencing"
	"github.com/easelhq/easel/pages"
)

const (
	// snapBytes is how much merges may hold together, whatever the snapshot's size.
	snapBytes = 1 << 20
	// smallBytes is up to which size a released actor is one snapshot.
	smallBytes = 256 << 10
)

// compactLater is the goroutine that merges what an actor has appended, off its
// turn.
func (t *bucketTerm) compactLater() {
	err := t.compactSome(t.b.life)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.compacting = false
	t.compactAt = t.b.hooks.compactSlots
	if err != nil {
		t.compactAt = len(t.refs) + max(1, t.b.hooks.compactSlots/4) // not at once again
	}
	if errors.Is(err, ErrFenced) || errors.Is(err, ErrCorrupt) {
		t.endLocked(err)
		return
	}
	if err != nil && t.line.Err() == nil && t.b.life.Err() == nil {
		t.b.log.Warn("compaction failed", "actor", t.name, "err", err)
	}
}

func (t *bucketTerm) compactSome(ctx context.Context) error {
	select {
	case t.b.compacting <- struct{}{}:
		defer func() { <-t.b.compacting }()
	case <-ctx.Done():
		return ctx.Err()
	case <-t.stop:
		return ErrClosed
	}
	leave, err := t.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if _, err = t.compact(ctx, t.snapshotDue); err == nil {
		t.tidyOnce(ctx)
	}
	return err
}

// compact covers with files what the log holds, up to mergeBytes of it, leaves out
// terms that are over, and reports whether something is left. The caller holds
// busy.
func (t *bucketTerm) compact(ctx context.Context, due func(h fencing.Head, merge headFile) bool) (more bool, err error) {
	refs, more := t.some()
	h, made := t.hold.Head, ""
	if len(refs) > 0 {
		if h, made, err = t.extend(ctx, refs, due); err != nil {
			return false, err
		}
	}
	h.Chain = h.Trim(refs)
	if len(refs) == 0 && len(h.Chain) == len(t.hold.Head.Chain) {
		return false, nil
	}
	if err := t.put(ctx, h, made); err != nil {
		return false, err
	}
	return more, nil
}

// some returns the oldest batches that files do not cover.
func (t *bucketTerm) some() (refs []fencing.Ref, more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, bytes := 0, 0
	for n < len(t.refs) && (n == 0 || bytes+t.refs[n].Size <= mergeBytes) {
		bytes += t.refs[n].Size
		n++
	}
	return t.refs[:n:n], n < len(t.refs)
}

// extend makes a file of refs and returns the head that names it. Only the head
// makes it part of the history.
func (t *bucketTerm) extend(ctx context.Context, refs []fencing.Ref, due func(fencing.Head, headFile) bool) (h fencing.Head, made string, err error) {
	h = t.hold.Head
	sets, template, err := t.batches(ctx, h, refs)
	if err != nil {
		return fencing.Head{}, "", err
	}
	set, err := pages.Merge(sets...)
	if err != nil {
		return fencing.Head{}, "", t.damaged(ctx, err)
	}
	merge := headFile{From: h.Last + 1, To: h.Last + uint64(len(refs))}
	h.Template, h.Last = template, merge.To
	var body []byte
	if !set.Empty() {
		if body, err = pages.EncodeLTX(set, pages.Span{From: merge.From, To: merge.To}); err != nil {
			return fencing.Head{}, "", t.damaged(ctx, err)
		}
		merge.Size = int64(len(body))
	}
	if due(t.hold.Head, merge) {
		snap := headFile{To: merge.To}
		if body, err = t.snapshot(ctx, template, set, merge.To); err != nil {
			return fencing.Head{}, "", err
		}
		snap, err = t.keep(ctx, "snap", snap, body)
		h.Snap, h.L1 = &snap, nil
		return h, snap.File, err
	}
	if body != nil {
		if merge, err = t.keep(ctx, "l1", merge, body); err != nil {
			return fencing.Head{}, "", err
		}
	}
	h.L1 = append(h.L1[:len(h.L1):len(h.L1)], merge)
	return h, merge.File, nil
}

// keep stores a file under a name that nobody else uses.
func (t *bucketTerm) keep(ctx context.Context, kind string, f headFile, body []byte) (headFile, error) {
	f.Size, f.CRC = int64(len(body)), crc32.Checksum(body, castagnoli)
	for range claimTries {
		t.files++
		f.File = fmt.Sprintf("%s-%016x-%016x-%s-%d", kind, f.From, f.To, t.hold.Nonce, t.files)
		err := t.b.putOnce(ctx, nil, t.b.fileKey(t.name, f.File), body)
		if _, torn := errors.AsType[*fencing.Other](err); torn {
			// Only this term writes here: an upload was cut off and stored.
			_ = t.b.remove(ctx, []string{t.b.fileKey(t.name, f.File)})
			continue
		}
		return f, err
	}
	return f, unavailable("keep "+f.File, fencing.ErrTorn)
}

// snapshotDue reports whether a full snapshot is due: when the merges weigh more
// than it.
func (t *bucketTerm) snapshotDue(h fencing.Head, merge headFile) bool {
	total, limit := merge.Size, int64(snapBytes)
	for _, f := range h.L1 {
		total += f.Size
	}
	if h.Snap != nil {
		limit = max(limit, h.Snap.Size)
	}
	return total > limit || len(h.L1) >= maxMerges
}

// cheaper reports whether a released actor is restored cheaper from one file.
func (t *bucketTerm) cheaper(h fencing.Head, merge headFile) bool {
	total := merge.Size
	for _, f := range h.L1 {
		total += f.Size
	}
	base := int64(len(t.b.template(h.Template)))
	if h.Snap != nil {
		base = h.Snap.Size
	}
	return base+total <= smallBytes || total > base/2 || t.snapshotDue(h, merge)
}

// snapshot returns the whole file, with set on top, as one LTX file.
func (t *bucketTerm) snapshot(ctx context.Context, template string, set pages.Set, last uint64) ([]byte, error) {
	h := t.hold.Head
	files, err := t.readFiles(ctx, h.Files())
	if err != nil {
		return nil, err
	}
	if h.Snap == nil {
		base, err := t.readBase(ctx, template)
		if err != nil {
			return nil, err
		}
		files = append([]pages.Set{base}, files...)
	}
	// The base has all pages up to its size, so that the merge of all has all of
	// its own but those that were cut off and came back unwritten.
	all, err := pages.Merge(append(files, set)...)
	if err != nil {
		return nil, t.damaged(ctx, err)
	}
	var out bytes.Buffer
	w, err := pages.NewLTX(&out, all.PageSize, all.Size, pages.Span{To: last})
	if err != nil {
		return nil, err
	}
	rest, zero := all.Pages, make([]byte, all.PageSize)
	for no := uint32(1); no <= all.Size; no++ {
		p := pages.Page{No: no, Data: zero}
		if len(rest) > 0 && rest[0].No == no {
			p, rest = rest[0], rest[1:]
		}
		if err := w.Write(p); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// put makes h the head and deletes what it supersedes. made is the file that it
// names and the old one does not. The caller holds busy.
func (t *bucketTerm) put(ctx context.Context, h fencing.Head, made string) error {
	w, err := t.hold.Write(h)
	if err != nil {
		return err
	}
	a := t.b.perform(ctx, w)
	t.mu.Lock()
	done := t.hold.Wrote(h, made, t.refs, a)
	for _, r := range t.refs[:done.Covered] {
		t.b.release(r)
	}
	t.refs = append([]fencing.Ref(nil), t.refs[done.Covered:]...)
	t.mu.Unlock()
	if done.Err == nil || errors.Is(done.Err, fencing.ErrAdopted) {
		t.b.metrics.compactions.Inc()
	}
	if t.hasty {
		t.b.removeLater(t.name, done.Debris)
	} else if err := t.b.remove(ctx, done.Debris); err != nil {
		t.untidy = true
		t.b.log.DebugContext(ctx, "superseded objects were not all deleted", "actor", t.name, "err", err)
	}
	return t.b.judged(t.name, done.Err)
}
