package journal

import (
	"encoding/hex"
	"fmt"
	"path/filepath"

	"github.com/easelhq/easel/pages"
)

// snapshotDue reports whether a full snapshot restores cheaper than the merges.
func (n *Node) snapshotDue(h head, merge headFile) bool {
	total, limit := merge.Size, int64(1<<20)
	for _, f := range h.L1 {
		total += f.Size
	}
	if h.Snap != nil {
		limit = max(limit, h.Snap.Size)
	}
	return total > limit || len(h.L1) >= n.maxMerges
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
