package journal

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/easelhq/easel/pages"
)

const (
	maxTemplate = 64 << 20
	maxSnapshot = 1 << 40
)

// Restore implements Term.
func (t *term) Restore(ctx context.Context, path string) (err error) {
	n := t.node
	leave, err := n.enter(ctx, t.name)
	if err != nil {
		return err
	}
	defer leave()
	if err := t.Validate(ctx); err != nil {
		return err
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
	h, _, err := n.readHead(t.name)
	if err != nil {
		return err
	}
	refs := n.refsAfter(t.name, h.Last)
	if err := n.writeBase(ctx, t, h, refs, f); err != nil {
		return err
	}
	return n.writeBatches(ctx, t.name, h.Last, refs, f)
}

// refsAfter returns what live segments hold of an actor after batch last.
func (n *Node) refsAfter(name Name, last uint64) []ref {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.index[name]
	if c == nil {
		return nil
	}
	i := 0
	for i < len(c.refs) && c.refs[i].seq <= last {
		i++
	}
	return c.refs[i:len(c.refs):len(c.refs)]
}

// writeBase writes what the head names, or the template of an actor without one.
func (n *Node) writeBase(ctx context.Context, t *term, h head, refs []ref, f pages.File) error {
	if h.Snap == nil {
		id := h.Template
		switch {
		case id != "":
		case len(refs) > 0:
			b, err := n.readPayload(t.name, refs[0])
			if err != nil {
				return err
			}
			if refs[0].kind != kindBirth || len(b) < 32 {
				return n.corruptActor(t.name, fmt.Errorf("batch %d names no template", refs[0].seq))
			}
			id = hex.EncodeToString(b[:32])
		default:
			id = hex.EncodeToString(t.template[:])
		}
		b, err := n.readTemplate(t.name, id)
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(b, 0); err != nil {
			return fmt.Errorf("restore %s: %w", t.name, err)
		}
	}
	files := h.L1
	if h.Snap != nil {
		files = append([]headFile{*h.Snap}, h.L1...)
	}
	for _, hf := range files {
		if hf.File == "" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := n.applyFile(t.name, hf, f); err != nil {
			return err
		}
	}
	return nil
}

// readLTX reads a file that a head names and checks it against the head.
func (n *Node) readLTX(name Name, hf headFile) ([]byte, error) {
	b, err := readFile(n.fs, filepath.Join(n.actorDir(name), hf.File), maxSnapshot)
	switch {
	case isNotExist(err):
		return nil, n.corruptActor(name, fmt.Errorf("file %s is missing", hf.File))
	case err != nil:
		return nil, unavailable("read "+hf.File, err)
	case int64(len(b)) != hf.Size || crc32.Checksum(b, castagnoli) != hf.CRC:
		return nil, n.corruptActor(name, fmt.Errorf("file %s is damaged", hf.File))
	}
	return b, nil
}

func (n *Node) applyFile(name Name, hf headFile, f pages.File) error {
	b, err := n.readLTX(name, hf)
	if err != nil {
		return err
	}
	size, pageSize := uint32(0), uint32(0)
	h, err := pages.EachLTX(b, func(p pages.Page) error {
		pageSize = uint32(len(p.Data))
		_, err := f.WriteAt(p.Data, int64(p.No-1)*int64(len(p.Data)))
		return err
	})
	if errors.Is(err, pages.ErrMalformed) {
		return n.corruptActor(name, fmt.Errorf("file %s: %w", hf.File, err))
	}
	if err != nil {
		return fmt.Errorf("restore %s: %w", name, err)
	}
	size, pageSize = h.Size, h.PageSize
	if err := f.Truncate(int64(size) * int64(pageSize)); err != nil {
		return fmt.Errorf("restore %s: %w", name, err)
	}
	return nil
}

// writeBatches applies the batches of live segments, which must follow last
// without a gap.
func (n *Node) writeBatches(ctx context.Context, name Name, last uint64, refs []ref, f pages.File) error {
	for len(refs) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		some := refs[:min(len(refs), mergeBatches)]
		refs = refs[len(some):]
		sets := make([]pages.Set, len(some))
		for i, r := range some {
			if r.seq != last+1 {
				return n.corruptActor(name, fmt.Errorf("batches %d to %d are missing", last+1, r.seq-1))
			}
			last = r.seq
			var err error
			if sets[i], _, err = n.readSet(name, r); err != nil {
				return err
			}
		}
		s, err := pages.Merge(sets...)
		if err != nil {
			return n.corruptActor(name, err)
		}
		if err := s.ApplyTo(f); err != nil {
			return fmt.Errorf("restore %s: %w", name, err)
		}
	}
	return nil
}

// mergeBatches is how many batches are read before they are written: a page that
// all of them changed is then written once.
const mergeBatches = 128

// readSet returns a batch and, if it is an actor's first, its template.
func (n *Node) readSet(name Name, r ref) (s pages.Set, template string, err error) {
	b, err := n.readPayload(name, r)
	if err != nil {
		return pages.Set{}, "", err
	}
	if r.kind == kindBirth {
		if len(b) < 32 {
			return pages.Set{}, "", n.corruptActor(name, fmt.Errorf("batch %d names no template", r.seq))
		}
		template = hex.EncodeToString(b[:32])
		b = b[32:]
	}
	if s, err = pages.Decode(b); err != nil {
		return pages.Set{}, "", n.corruptActor(name, fmt.Errorf("batch %d: %w", r.seq, err))
	}
	return s, template, nil
}

// readPayload reads a batch again, and checks it again: what was sound when it
// was written or replayed may not be now.
func (n *Node) readPayload(name Name, r ref) ([]byte, error) {
	b := make([]byte, r.len)
	if _, err := r.seg.file.ReadAt(b, r.off); err != nil {
		return nil, unavailable("read batch", err)
	}
	if bodyCRC(name, b) != r.crc {
		return nil, n.corruptActor(name, fmt.Errorf("batch %d is damaged", r.seq))
	}
	return b, nil
}
