package journal

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal/fencing"
)

// AuditBucket reads everything that a bucket's actor logs hold and checks it. It
// changes nothing, and nodes may work on the bucket: an actor that changes while it
// is read is read again. An error means that the walk could not go on; what is
// wrong with the home comes to a.
func AuditBucket(ctx context.Context, opts BucketOptions, a Auditor) error {
	b, err := ViewBucket(opts)
	if err != nil {
		return err
	}
	w := &bucketAudit{audit: audit{a}, b: b}
	err = w.walk(ctx)
	if cerr := b.Close(); err == nil {
		err = cerr
	}
	return err
}

type bucketAudit struct {
	audit
	b *Bucket
}

func (w *bucketAudit) walk(ctx context.Context) error {
	ids, err := w.b.list(ctx, w.b.prefix+"templates/", "")
	if err != nil {
		return err
	}
	for _, id := range ids {
		body, _, err := w.b.get(ctx, w.b.templateKey(id))
		if err != nil {
			return err
		}
		w.template("templates/"+id, id, body)
	}
	// Objects come in the order of keys, so that an actor's lie together.
	const page = 1000
	segment, names := "", []string(nil)
	for after := ""; ; {
		var infos []blob.Info
		err := w.b.try(ctx, nil, 0, func(ctx context.Context) (err error) {
			infos, err = w.b.store.List(ctx, w.b.actorsKey(), after, page)
			return err
		})
		if err != nil {
			return err
		}
		for _, info := range infos {
			after = info.Key
			s, name, ok := strings.Cut(info.Key[len(w.b.actorsKey()):], "/")
			if !ok {
				w.found(Foreign, "actors/"+s, "", "no actor's object")
				continue
			}
			if s != segment {
				if err := w.actor(ctx, segment, names); err != nil {
					return err
				}
				segment, names = s, nil
			}
			names = append(names, name)
		}
		if len(infos) < page {
			return w.actor(ctx, segment, names)
		}
	}
}

// held keeps what is found of an actor until it is known that its head stayed.
type held struct {
	counts []heldCount
	finds  []Finding
}

type heldCount struct {
	kind  ObjectKind
	bytes int64
}

func (h *held) Checked(kind ObjectKind, bytes int64) {
	h.counts = append(h.counts, heldCount{kind, bytes})
}
func (h *held) Found(f Finding) { h.finds = append(h.finds, f) }

// actor checks one actor, again as long as it changes meanwhile.
func (w *bucketAudit) actor(ctx context.Context, segment string, names []string) error {
	if segment == "" {
		return nil
	}
	for range claimTries {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := &held{}
		stayed, err := (&bucketAudit{audit: audit{h}, b: w.b}).actorOnce(ctx, segment, names)
		if err != nil {
			return err
		}
		if stayed || len(h.finds) == 0 {
			for _, c := range h.counts {
				w.to.Checked(c.kind, c.bytes)
			}
			for _, f := range h.finds {
				w.to.Found(f)
			}
			return nil
		}
		if names, err = w.b.list(ctx, w.b.actorsKey()+segment+"/", ""); err != nil {
			return err
		}
	}
	return unavailable("check "+segment, errChanged)
}

// actorOnce reports whether the head was the same before and after.
func (w *bucketAudit) actorOnce(ctx context.Context, segment string, names []string) (stayed bool, err error) {
	object := "actors/" + segment + "/"
	prefix := w.b.actorsKey() + segment + "/"
	body, v, err := w.b.get(ctx, prefix+"head")
	if errors.Is(err, blob.ErrNotFound) {
		name, _ := nameOf(segment)
		w.found(HeadMissing, object+"head", name, "objects: %d", len(names))
		return true, nil
	}
	if err != nil {
		return false, err
	}
	h, err := decodeBucketHead(body)
	if err == nil && Name(h.Name).keyName() != segment {
		err = fmt.Errorf("it is of %s", h.Name)
	}
	if err != nil {
		name, _ := nameOf(segment)
		w.to.Checked(ObjectHead, int64(len(body)))
		w.found(HeadDamaged, object+"head", name, "%v", err)
	} else {
		rest := map[string]bool{}
		for _, n := range names {
			rest[n] = n != "head"
		}
		delete(rest, "head")
		kind := ObjectHead
		if h.State == fencing.Erased {
			kind = ObjectTombstone
		}
		w.to.Checked(kind, int64(len(body)))
		if err := w.history(ctx, object, h, rest); err != nil {
			return false, err
		}
	}
	_, now, err := w.b.get(ctx, prefix+"head")
	if errors.Is(err, blob.ErrNotFound) {
		return false, nil
	}
	return now == v, err
}

// history checks what a head names; rest is the other objects of the actor.
func (w *bucketAudit) history(ctx context.Context, object string, h fencing.Head, rest map[string]bool) error {
	template, batches := h.Template, 0
	if h.State != fencing.Erased {
		if err := w.files(ctx, object, h, rest); err != nil {
			return err
		}
		open := false
		for _, c := range h.Chain {
			log, err := w.b.readLog(ctx, Name(h.Name), c)
			damage, bad := errors.AsType[*damagedObject](err)
			if err != nil && !bad {
				return err
			}
			dir := strings.TrimPrefix(w.b.logKey(Name(h.Name), c.Term, c.Nonce), w.b.actorKey(Name(h.Name)))
			if bad {
				w.found(LogDamaged, object+dir, Name(h.Name), "%v", damage)
			}
			if open && len(log.slots) > 0 {
				w.found(SealMissing, object+dir, Name(h.Name), "%v", errUnsealed)
			}
			open = open || c.End == nil && !log.sealed && !bad
			for _, s := range log.slots {
				w.to.Checked(ObjectBatch, s.size)
				delete(rest, dir+fencing.SlotName(s.facts.Seq))
				if s.facts.Kind == fencing.Birth {
					template = hex.EncodeToString(s.payload[:32])
				}
			}
			if bad { // it names the slot that is wrong
				for n := range rest {
					if strings.HasPrefix(n, dir) {
						delete(rest, n)
					}
				}
			}
			batches += len(log.slots)
		}
		if h.Last == 0 && batches == 0 && len(rest) == 0 {
			w.found(Unborn, object+"head", Name(h.Name), "no batch followed")
		}
		if h.Snap == nil && template != "" {
			if _, _, err := w.b.get(ctx, w.b.templateKey(template)); errors.Is(err, blob.ErrNotFound) {
				w.found(TemplateMissing, "templates/"+template, Name(h.Name), "its history starts from it")
			} else if err != nil {
				return err
			}
		}
	}
	return w.rest(ctx, object, h, rest)
}

func (w *bucketAudit) files(ctx context.Context, object string, h fencing.Head, rest map[string]bool) error {
	for _, hf := range h.Files() {
		if hf.File == "" {
			continue
		}
		name := strings.TrimPrefix(w.b.fileKey(Name(h.Name), hf.File), w.b.actorKey(Name(h.Name)))
		delete(rest, name)
		body, _, err := w.b.get(ctx, w.b.fileKey(Name(h.Name), hf.File))
		switch {
		case errors.Is(err, blob.ErrNotFound):
			w.found(FileMissing, object+name, Name(h.Name), "the head names it")
		case err != nil:
			return err
		default:
			w.file(object+name, Name(h.Name), hf, body)
		}
	}
	return nil
}

// rest judges what no head names: seals, which stay for ever, torn slots, and what
// was superseded and not deleted.
func (w *bucketAudit) rest(ctx context.Context, object string, h fencing.Head, rest map[string]bool) error {
	for n := range rest {
		_, _, slot := fencing.CutSlot(n)
		what := Unreferenced
		if h.State == fencing.Erased {
			what = ErasedRest
		}
		if !slot {
			w.found(what, object+n, Name(h.Name), "the head does not name it")
			continue
		}
		body, _, err := w.b.get(ctx, w.b.actorKey(Name(h.Name))+n)
		if errors.Is(err, blob.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		f, _, _, err := fencing.DecodeSlot(body)
		switch {
		case err == nil && f.Kind == fencing.Seal:
			w.to.Checked(ObjectSeal, int64(len(body)))
		case errors.Is(err, fencing.ErrTorn):
			w.found(what, object+n, Name(h.Name), "a torn upload, which nobody was told of; it ends its term")
		case err != nil:
			// It may have been a seal: nothing else tells whether one was there.
			w.to.Checked(ObjectSeal, int64(len(body)))
			w.found(LogDamaged, object+n, Name(h.Name), "%v", err)
		default:
			w.found(what, object+n, Name(h.Name), "the head has no use for it")
		}
	}
	return nil
}
