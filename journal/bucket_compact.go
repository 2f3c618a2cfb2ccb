package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/easelhq/easel/blob"
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
	if err != nil && t.err == nil && t.b.life.Err() == nil {
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
func (t *bucketTerm) compact(ctx context.Context, due func(h bucketHead, merge headFile) bool) (more bool, err error) {
	refs, more := t.some()
	h, made := t.head, ""
	if len(refs) > 0 {
		if h, made, err = t.extend(ctx, refs, due); err != nil {
			return false, err
		}
	}
	h.Chain = trim(h.Chain, refs)
	if len(refs) == 0 && len(h.Chain) == len(t.head.Chain) {
		return false, nil
	}
	if err := t.put(ctx, h, made); err != nil {
		return false, err
	}
	return more, nil
}

// some returns the oldest batches that files do not cover.
func (t *bucketTerm) some() (refs []slotRef, more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, bytes := 0, 0
	for n < len(t.refs) && (n == 0 || bytes+t.refs[n].size <= mergeBytes) {
		bytes += t.refs[n].size
		n++
	}
	return t.refs[:n:n], n < len(t.refs)
}

// trim returns the chain without what refs cover. Terms that are over and have
// nothing more are left out; their seals stay.
func trim(chain []logTerm, refs []slotRef) []logTerm {
	out := slices.Clone(chain)
	for _, r := range refs {
		for i := range out {
			if out[i].Nonce == r.nonce {
				out[i].From = r.seq + 1
			}
		}
	}
	return slices.DeleteFunc(out, func(c logTerm) bool { return c.End != nil && c.From >= *c.End })
}

// extend makes a file of refs and returns the head that names it. Only the head
// makes it part of the history.
func (t *bucketTerm) extend(ctx context.Context, refs []slotRef, due func(bucketHead, headFile) bool) (h bucketHead, made string, err error) {
	h = t.head
	sets, template, err := t.batches(ctx, h, refs)
	if err != nil {
		return bucketHead{}, "", err
	}
	set, err := pages.Merge(sets...)
	if err != nil {
		return bucketHead{}, "", t.damaged(ctx, err)
	}
	merge := headFile{From: h.Last + 1, To: h.Last + uint64(len(refs))}
	h.Template, h.Last = template, merge.To
	var body []byte
	if !set.Empty() {
		if body, err = pages.EncodeLTX(set, pages.Span{From: merge.From, To: merge.To}); err != nil {
			return bucketHead{}, "", t.damaged(ctx, err)
		}
		merge.Size = int64(len(body))
	}
	if due(t.head, merge) {
		snap := headFile{To: merge.To}
		if body, err = t.snapshot(ctx, template, set, merge.To); err != nil {
			return bucketHead{}, "", err
		}
		snap, err = t.keep(ctx, "snap", snap, body)
		h.Snap, h.L1 = &snap, nil
		return h, snap.File, err
	}
	if body != nil {
		if merge, err = t.keep(ctx, "l1", merge, body); err != nil {
			return bucketHead{}, "", err
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
		f.File = fmt.Sprintf("%s-%016x-%016x-%s-%d", kind, f.From, f.To, t.nonce, t.files)
		err := t.b.putOnce(ctx, nil, t.b.fileKey(t.name, f.File), body)
		if _, torn := errors.AsType[*taken](err); torn {
			// Only this term writes here: an upload was cut off and stored.
			_ = t.b.remove(ctx, []string{t.b.fileKey(t.name, f.File)})
			continue
		}
		return f, err
	}
	return f, unavailable("keep "+f.File, errTorn)
}

// snapshotDue reports whether a full snapshot is due: when the merges weigh more
// than it.
func (t *bucketTerm) snapshotDue(h bucketHead, merge headFile) bool {
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
func (t *bucketTerm) cheaper(h bucketHead, merge headFile) bool {
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
	h := t.head
	files, err := t.readFiles(ctx, h.files())
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

// errAdopted: the head was an own one whose write had no answer. It counts now;
// what was to be written has to be made again.
var errAdopted = errors.New("an earlier head of this term was found")

// put makes h the head and deletes what it supersedes. made is the file that it
// names and the old one does not.
func (t *bucketTerm) put(ctx context.Context, h bucketHead, made string) error {
	v, err := t.b.casHead(ctx, nil, h, t.version)
	moved, ok := errors.AsType[*errMoved](err)
	if !ok && err != nil {
		return err
	}
	if ok {
		other, err := decodeBucketHead(moved.body)
		if err != nil {
			return t.b.corrupt(t.name, fmt.Errorf("head: %w", err))
		}
		if made != "" && !names(other, made) {
			// The head that would have named it can no longer be written.
			_ = t.b.remove(ctx, []string{t.b.fileKey(t.name, made)}) // what fails goes with the actor's erasure
		}
		if other.Nonce != t.nonce || other.State != stateLive {
			return ErrFenced
		}
		t.apply(ctx, other, moved.version)
		return errAdopted
	}
	t.apply(ctx, h, v)
	return nil
}

func names(h bucketHead, file string) bool {
	return slices.ContainsFunc(h.files(), func(f headFile) bool { return f.File == file })
}

// apply follows a head that is in the store, and deletes what it supersedes.
func (t *bucketTerm) apply(ctx context.Context, h bucketHead, v blob.Version) {
	old := t.head
	t.version = v
	t.mu.Lock()
	t.head = h
	n := int(h.Last - old.Last)
	covered := t.refs[:min(n, len(t.refs))]
	keys := make([]string, 0, n+4)
	for _, r := range covered {
		t.b.release(r)
		keys = append(keys, t.b.logKey(t.name, r.term, r.nonce)+slotName(r.seq))
	}
	t.refs = append([]slotRef(nil), t.refs[len(covered):]...)
	t.mu.Unlock()
	for _, f := range old.files() {
		if f.File != "" && !names(h, f.File) {
			keys = append(keys, t.b.fileKey(t.name, f.File))
		}
	}
	for _, f := range t.fences {
		if f.torn && t.b.hooks.deleteTorn || !f.torn && t.b.hooks.deleteSeals {
			keys = append(keys, f.key)
		}
	}
	t.b.metrics.compactions.Inc()
	if err := t.b.remove(ctx, keys); err != nil {
		t.untidy = true
		t.b.log.DebugContext(ctx, "superseded objects were not all deleted", "actor", t.name, "err", err)
	}
}
