package journal

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
)

// Audit reads everything that a folder's journal holds and checks it. It changes
// nothing. The caller holds ShareDir's lock. An error means that the walk could
// not go on; what is wrong with the home comes to a.
func Audit(ctx context.Context, dir string, a Auditor) error {
	w := &nodeAudit{audit: audit{a}, ctx: ctx}
	n, err := View(NodeOptions{Dir: dir, Logger: slog.New(auditLog{audit: w.audit})})
	if err != nil {
		return err
	}
	w.n = n
	err = w.walk()
	if cerr := n.Close(); err == nil {
		err = cerr
	}
	return err
}

type nodeAudit struct {
	audit
	ctx  context.Context //nolint:containedctx // of the one walk
	n    *Node
	seen map[Name]bool // actors with a head
}

func (w *nodeAudit) walk() error {
	w.seen = map[Name]bool{}
	for _, step := range []func() error{w.templates, w.actors, w.log, w.others} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *nodeAudit) read(object string) ([]byte, error) {
	b, err := readFile(w.n.fs, filepath.Join(w.n.dir, object), maxSnapshot)
	if err != nil && !isNotExist(err) {
		return nil, unavailable("read "+object, err)
	}
	return b, err
}

func (w *nodeAudit) list(object string) ([]string, error) {
	names, err := w.n.fs.ReadDir(filepath.Join(w.n.dir, object))
	if isNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable("list "+object, err)
	}
	slices.Sort(names)
	return names, nil
}

func (w *nodeAudit) templates() error {
	names, err := w.list("templates")
	if err != nil {
		return err
	}
	for _, id := range names {
		object := filepath.Join("templates", id)
		if filepath.Ext(id) == ".tmp" {
			w.found(Unreferenced, object, "", "a write that a crash cut off")
			continue
		}
		b, err := w.read(object)
		if err != nil {
			return err
		}
		w.template(object, id, b)
	}
	return nil
}

func (w *nodeAudit) actors() error {
	fans, err := w.list("actors")
	if err != nil {
		return err
	}
	for _, fan := range fans {
		dirs, err := w.list(filepath.Join("actors", fan))
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			if err := w.ctx.Err(); err != nil {
				return err
			}
			if err := w.actor(filepath.Join("actors", fan, dir), dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// actor checks one actor's directory.
func (w *nodeAudit) actor(object, dir string) error {
	files, err := w.list(object)
	if err != nil {
		return err
	}
	rest := map[string]bool{}
	for _, f := range files {
		rest[f] = true
	}
	name, known := nameOf(dir)
	if !known {
		name = ""
	}
	if !rest["head"] {
		w.headless(object, name, files)
		return nil
	}
	delete(rest, "head")
	b, err := w.read(filepath.Join(object, "head"))
	if err != nil {
		return err
	}
	h, err := decodeHead(b)
	if err == nil {
		if _, want := h.Name.dir(); want != dir {
			err = fmt.Errorf("it is of %s", h.Name)
		}
	}
	if err != nil {
		w.to.Checked(ObjectHead, int64(len(b)))
		w.found(HeadDamaged, filepath.Join(object, "head"), name, "%v", err)
		w.seen[name] = true
		return nil
	}
	w.seen[h.Name] = true
	if h.Erased {
		w.to.Checked(ObjectTombstone, int64(len(b)))
		for f := range rest {
			w.found(ErasedRest, filepath.Join(object, f), h.Name, "the actor was erased")
		}
		return nil
	}
	w.to.Checked(ObjectHead, int64(len(b)))
	return w.history(object, h, rest)
}

// headless judges a directory without a head: a crash before an actor's first
// compaction leaves one, and then all its batches are in the log.
func (w *nodeAudit) headless(object string, name Name, files []string) {
	c := w.n.index[name]
	if c == nil || c.refs[0].seq != 1 {
		if len(files) > 0 || c != nil {
			w.found(HeadMissing, object, name, "files: %d", len(files))
		}
		return
	}
	for _, f := range files {
		w.found(Unreferenced, filepath.Join(object, f), name, "written before a crash")
	}
}

// history checks what a head names; rest is the other files of the directory.
func (w *nodeAudit) history(object string, h head, rest map[string]bool) error {
	named := h.L1
	if h.Snap != nil {
		named = append([]headFile{*h.Snap}, h.L1...)
	}
	for _, hf := range named {
		if hf.File == "" {
			continue
		}
		delete(rest, hf.File)
		path := filepath.Join(object, hf.File)
		b, err := w.read(path)
		switch {
		case isNotExist(err):
			w.found(FileMissing, path, h.Name, "the head names it")
		case err != nil:
			return err
		default:
			w.file(path, h.Name, hf, b)
		}
	}
	if h.Snap == nil {
		w.needTemplate(h.Name, h.Template)
	}
	for f := range rest {
		w.found(Unreferenced, filepath.Join(object, f), h.Name, "the head does not name it")
	}
	w.judge(h.Name, h.Last)
	return nil
}

func (w *nodeAudit) needTemplate(name Name, id string) {
	if _, err := w.read(filepath.Join("templates", id)); isNotExist(err) {
		w.found(TemplateMissing, filepath.Join("templates", id), name, "its history starts from it")
	}
}

// judge checks that the log goes on where an actor's files end.
func (w *nodeAudit) judge(name Name, last uint64) {
	if err := w.n.damaged.check(name, last); err != nil {
		w.found(LogDamaged, "log", name, "%v", err)
	}
	if c := w.n.index[name]; c != nil {
		if err := c.gap(last); err != nil {
			w.found(BatchesMissing, "log", name, "%v", err)
		}
	}
}

// log checks the segments, and the actors that are only in them.
func (w *nodeAudit) log() error {
	for _, s := range w.n.segments {
		if s == w.n.active {
			continue // in memory only
		}
		w.to.Checked(ObjectSegment, s.size)
	}
	for name, c := range w.n.index {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		for _, r := range c.refs {
			w.to.Checked(ObjectBatch, int64(r.len))
			if _, _, err := w.n.readSet(name, r); err != nil {
				continue // told by the log
			}
		}
		if w.seen[name] {
			continue
		}
		w.judge(name, 0)
		if first := c.refs[0]; first.seq == 1 && first.kind == kindBirth {
			if b, err := w.n.readPayload(name, first); err == nil && len(b) >= 32 {
				w.needTemplate(name, hex.EncodeToString(b[:32]))
			}
		}
	}
	return nil
}

// others looks for what is no object of a journal.
func (w *nodeAudit) others() error {
	roots, err := w.list(".")
	if err != nil {
		return err
	}
	for _, r := range roots {
		if r != "log" && r != "actors" && r != "templates" {
			w.found(Foreign, r, "", "no part of a journal")
		}
	}
	segments, err := w.list("log")
	if err != nil {
		return err
	}
	for _, s := range segments {
		if _, ok := segmentSeq(s); !ok {
			w.found(Foreign, filepath.Join("log", s), "", "no segment's name")
		}
	}
	return nil
}
