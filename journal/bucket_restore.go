package journal

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"sync"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal/fencing"
	"github.com/easelhq/easel/pages"
)

// Restore implements Term. It reads all objects at once, up to fetchers of them,
// and holds them in memory.
func (t *bucketTerm) Restore(ctx context.Context, path string) (err error) {
	if err := t.b.enter(); err != nil {
		return err
	}
	defer t.b.left()
	leave, err := t.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	t.mu.Lock()
	refs, ended := slices.Clone(t.refs), t.line.Err()
	t.mu.Unlock()
	if ended != nil {
		return ended
	}
	t.fetch(ctx, refs)
	base, sets, err := t.load(ctx, t.hold.Head, refs)
	if err != nil {
		return t.lost(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("restore %s: %w", t.name, err)
	}
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("restore %s: %w", t.name, cerr)
		}
		if err != nil {
			os.Remove(path)
		}
	}()
	for _, s := range append([]pages.Set{base}, sets...) {
		if err := s.ApplyTo(f); err != nil {
			return fmt.Errorf("restore %s: %w", t.name, err)
		}
	}
	return nil
}

// fetch reads the slots that are not in memory, which the next compaction needs again.
// What cannot be read is left to whoever needs it.
func (t *bucketTerm) fetch(ctx context.Context, refs []fencing.Ref) {
	parallel(len(refs), func(i int) {
		if refs[i].Body == nil {
			refs[i].Body, _, _ = t.b.get(ctx, refs[i].Key(t.hold.Dir)) // see above
			refs[i].Size = len(refs[i].Body)
		}
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.line.Err() != nil {
		return
	}
	for i, r := range refs {
		if t.refs[i].Body == nil && r.Body != nil {
			t.refs[i] = t.b.retain(r)
		}
	}
}

// lost ends the term if err is final, and returns it.
func (t *bucketTerm) lost(err error) error {
	if errors.Is(err, ErrFenced) || errors.Is(err, ErrCorrupt) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.endLocked(err)
	}
	return err
}

// load returns what an actor's history starts from and what came after it, the
// batches merged.
func (t *bucketTerm) load(ctx context.Context, h fencing.Head, refs []fencing.Ref) (base pages.Set, after []pages.Set, err error) {
	var files []pages.Set
	var unread error
	var reading sync.WaitGroup
	reading.Go(func() { files, unread = t.readFiles(ctx, h.Files()) })
	batches, template, err := t.batches(ctx, h, refs)
	reading.Wait()
	if err = cmp.Or(err, unread); err != nil {
		return pages.Set{}, nil, err
	}
	if h.Snap != nil {
		base, files = files[0], files[1:]
	} else if base, err = t.readBase(ctx, template); err != nil {
		return pages.Set{}, nil, err
	}
	merged, err := pages.Merge(batches...)
	if err != nil {
		return pages.Set{}, nil, t.damaged(ctx, err)
	}
	for _, s := range files {
		if !s.Empty() && s.PageSize != base.PageSize {
			return pages.Set{}, nil, t.damaged(ctx, fmt.Errorf("page size %d after %d", s.PageSize, base.PageSize))
		}
	}
	if !merged.Empty() && merged.PageSize != base.PageSize {
		return pages.Set{}, nil, t.damaged(ctx, fmt.Errorf("page size %d after %d", merged.PageSize, base.PageSize))
	}
	return base, append(files, merged), nil
}

// readBase returns the pages of a template.
func (t *bucketTerm) readBase(ctx context.Context, template string) (pages.Set, error) {
	body, err := t.b.readTemplate(ctx, t.name, template)
	if err != nil {
		return pages.Set{}, err
	}
	s, err := pages.FromDatabase(body)
	if err != nil {
		return pages.Set{}, t.damaged(ctx, fmt.Errorf("template %s: %w", template, err))
	}
	return s, nil
}

// batches returns what refs hold, and the template of the history.
func (t *bucketTerm) batches(ctx context.Context, h fencing.Head, refs []fencing.Ref) ([]pages.Set, string, error) {
	sets, errs := make([]pages.Set, len(refs)), make([]error, len(refs))
	template := h.Template
	if template == "" {
		template = t.template
	}
	parallel(len(refs), func(i int) {
		first := i == 0 && h.Last == 0
		var born string
		sets[i], born, errs[i] = t.readBatch(ctx, refs[i], first)
		if first {
			template = born
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, "", firstOf(errs)
	}
	return sets, template, nil
}

func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// readBatch returns the set of a slot and, if it is the first of a history, its
// template.
func (t *bucketTerm) readBatch(ctx context.Context, r fencing.Ref, first bool) (pages.Set, string, error) {
	body := r.Body
	if body == nil {
		var err error
		body, _, err = t.b.get(ctx, r.Key(t.hold.Dir))
		if errors.Is(err, blob.ErrNotFound) {
			return pages.Set{}, "", t.damaged(ctx, fmt.Errorf("slot %d of term %d is missing", r.Seq, r.Term))
		}
		if err != nil {
			return pages.Set{}, "", err
		}
	}
	bad := func(err error) (pages.Set, string, error) {
		return pages.Set{}, "", t.damaged(ctx, fmt.Errorf("slot %d of term %d: %w", r.Seq, r.Term, err))
	}
	f, payload, _, err := fencing.DecodeSlot(body)
	if err != nil {
		return bad(err)
	}
	want := fencing.Data
	if first {
		want = fencing.Birth
	}
	if f.Kind != want || f.Term != r.Term || f.Nonce != r.Nonce || f.Seq != r.Seq {
		return bad(errors.New("it holds another"))
	}
	template := ""
	if first {
		template, payload = hex.EncodeToString(payload[:32]), payload[32:]
	}
	s, err := pages.Decode(payload)
	if err != nil {
		return bad(err)
	}
	return s, template, nil
}

// readFiles reads merges and snapshots and checks them against the head.
func (t *bucketTerm) readFiles(ctx context.Context, files []headFile) ([]pages.Set, error) {
	sets, errs := make([]pages.Set, len(files)), make([]error, len(files))
	parallel(len(files), func(i int) { sets[i], errs[i] = t.readFile(ctx, files[i]) })
	return sets, firstOf(errs)
}

func (t *bucketTerm) readFile(ctx context.Context, hf headFile) (pages.Set, error) {
	if hf.File == "" {
		return pages.Set{}, nil
	}
	var body []byte
	err := t.b.try(ctx, nil, int(hf.Size), func(ctx context.Context) (err error) {
		body, _, err = t.b.read(ctx, t.b.fileKey(t.name, hf.File))
		return err
	})
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return pages.Set{}, t.damaged(ctx, fmt.Errorf("file %s is missing", hf.File))
	case err != nil:
		return pages.Set{}, err
	case int64(len(body)) != hf.Size || crc32.Checksum(body, castagnoli) != hf.CRC:
		return pages.Set{}, t.damaged(ctx, fmt.Errorf("file %s is damaged", hf.File))
	}
	s, _, err := pages.DecodeLTX(body)
	if err != nil {
		return pages.Set{}, t.damaged(ctx, fmt.Errorf("file %s: %w", hf.File, err))
	}
	return s, nil
}

func templateBytes(id string) []byte {
	b, _ := hex.DecodeString(id) // checked by keepTemplate
	return b
}
