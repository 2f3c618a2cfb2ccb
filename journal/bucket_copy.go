package journal

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"time"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal/fencing"
	"github.com/easelhq/easel/pages"
)

// copyTries is how often a copy is begun of an actor that is compacted all the time.
// With the pauses between them that is a few seconds.
const copyTries = 100

// Copy implements Reader. Files are applied one after the other, so that memory
// holds one of them at a time. If the actor's owner compacts meanwhile, the copy
// begins anew.
func (b *Bucket) Copy(ctx context.Context, name Name, path string) (last uint64, err error) {
	if err := name.Check(); err != nil {
		return 0, err
	}
	if err := b.enter(); err != nil {
		return 0, err
	}
	defer b.left()
	for try := range copyTries {
		last, err = b.copyOnce(ctx, name, path)
		switch {
		case !errors.Is(err, errChanged) && !errors.Is(err, errUnsealed):
			return last, err
		case errors.Is(err, errUnsealed) && try >= claimTries:
			return 0, b.corrupt(name, err)
		}
		if err := rest(ctx, b.hooks.jitter(50*time.Millisecond)); err != nil {
			return 0, err
		}
	}
	return 0, unavailable("copy "+string(name), err)
}

// errUnsealed: a later term has batches although the one before has no end, so
// that its owner may have appended more since it was read. Read again, it has.
var errUnsealed = errors.New("a term that is over has no seal")

func (b *Bucket) copyOnce(ctx context.Context, name Name, path string) (last uint64, err error) {
	h, v, err := b.readHead(ctx, name)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return 0, ErrNotFound
	case err != nil:
		return 0, err
	case h.State == fencing.Erased:
		return 0, ErrErased
	}
	last = h.Last
	err = intoFile(name, path, func(f *os.File) error {
		n, err := b.copyTo(ctx, h, f)
		last += n
		return err
	})
	// What was missing may have been covered by the owner, or was found only because
	// the head was old: only under an unchanged head it means something.
	now, is, herr := b.readHead(ctx, name)
	switch {
	case herr == nil && is == v:
	case herr == nil && now.State == fencing.Erased:
		err = ErrErased
	case herr == nil:
		err = errChanged
	case err == nil:
		err = herr
	}
	if err != nil {
		_ = os.Remove(path)
		if damage, ok := errors.AsType[*damagedObject](err); ok {
			err = b.corrupt(name, damage)
		}
		return 0, err
	}
	return last, nil
}

// damagedObject says that something that a head stands on is missing or bad.
type damagedObject struct{ err error }

func (d *damagedObject) Error() string { return d.err.Error() }
func (d *damagedObject) Unwrap() error { return d.err }

func damagedf(format string, args ...any) error { return &damagedObject{fmt.Errorf(format, args...)} }

// copyTo writes the file that h describes, and returns how many batches came
// after its files. ErrNotFound if there is no history.
func (b *Bucket) copyTo(ctx context.Context, h fencing.Head, f *os.File) (uint64, error) {
	var slots []logSlot
	open := false // a term so far has no end
	for _, c := range h.Chain {
		log, err := b.readLog(ctx, Name(h.Name), c)
		if err != nil {
			return 0, err
		}
		if open && len(log.slots) > 0 {
			return 0, errUnsealed
		}
		open = open || c.End == nil && !log.sealed
		slots = append(slots, log.slots...)
	}
	if h.Last == 0 && len(slots) == 0 {
		return 0, ErrNotFound
	}
	sets := make([]pages.Set, len(slots))
	template := h.Template
	for i, s := range slots {
		payload := s.payload
		if first := i == 0 && h.Last == 0; first != (s.facts.Kind == fencing.Birth) {
			return 0, damagedf("slot %d of term %d is of kind %d", s.facts.Seq, s.facts.Term, s.facts.Kind)
		} else if first {
			template, payload = hex.EncodeToString(payload[:32]), payload[32:]
		}
		var err error
		if sets[i], err = pages.Decode(payload); err != nil {
			return 0, damagedf("slot %d of term %d: %w", s.facts.Seq, s.facts.Term, err)
		}
	}
	if err := b.copyBase(ctx, h, template, f); err != nil {
		return 0, err
	}
	merged, err := pages.Merge(sets...)
	if err != nil {
		return 0, damagedf("batches after %d: %w", h.Last, err)
	}
	if err := merged.ApplyTo(f); err != nil {
		return 0, fmt.Errorf("copy %s: %w", h.Name, err)
	}
	return uint64(len(slots)), nil
}

func (b *Bucket) copyBase(ctx context.Context, h fencing.Head, template string, f *os.File) error {
	if h.Snap == nil {
		body, err := b.readTemplate(ctx, Name(h.Name), template)
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(body, 0); err != nil {
			return fmt.Errorf("copy %s: %w", h.Name, err)
		}
	}
	for _, hf := range h.Files() {
		if hf.File == "" {
			continue
		}
		body, err := b.loadFile(ctx, Name(h.Name), hf)
		if err != nil {
			return err
		}
		err = applyLTX(f, hf, body)
		if _, disk := errors.AsType[*os.PathError](err); err != nil && !disk {
			return damagedf("file %s: %w", hf.File, err)
		}
		if err != nil {
			return fmt.Errorf("copy %s: %w", h.Name, err)
		}
	}
	return nil
}

// loadFile reads a merge or a snapshot and checks it against the head.
func (b *Bucket) loadFile(ctx context.Context, name Name, hf headFile) ([]byte, error) {
	body, _, err := b.get(ctx, b.fileKey(name, hf.File))
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return nil, damagedf("file %s is missing", hf.File)
	case err != nil:
		return nil, err
	case int64(len(body)) != hf.Size || crc32.Checksum(body, castagnoli) != hf.CRC:
		return nil, damagedf("file %s is damaged", hf.File)
	}
	return body, nil
}

// logSlot is one batch in a log.
type logSlot struct {
	facts   fencing.Slot
	payload []byte
	size    int64
}

// logRead is what one term of a chain holds.
type logRead struct {
	slots  []logSlot
	sealed bool // it ends in a seal or a torn slot
	torn   bool
	beyond []string // slots after its end, which nobody reads
	bytes  int64
}

// readLog reads the batches of one term, without sealing it. What contradicts
// itself is a *damagedObject.
func (b *Bucket) readLog(ctx context.Context, name Name, c fencing.LogTerm) (logRead, error) {
	var out logRead
	prefix := b.logKey(name, c.Term, c.Nonce)
	after := ""
	if c.From > 0 {
		after = prefix + fencing.SlotName(c.From-1)
	}
	names, err := b.list(ctx, prefix, after)
	if err != nil {
		return out, err
	}
	bodies, errs := make([][]byte, len(names)), make([]error, len(names))
	parallel(len(names), func(i int) { bodies[i], _, errs[i] = b.get(ctx, prefix+names[i]) })
	next, prev, watermark := c.From, uint32(0), uint64(0)
	for i, n := range names {
		seq, ok := fencing.SlotSeq(n)
		switch {
		case !ok:
			return out, damagedf("object %q in the log of term %d", n, c.Term)
		case errors.Is(errs[i], blob.ErrNotFound):
			continue // covered and deleted since it was listed: the head tells
		case errs[i] != nil:
			return out, errs[i]
		}
		f, payload, sum, err := fencing.DecodeSlot(bodies[i])
		if err == nil && (f.Term != c.Term || f.Nonce != c.Nonce || f.Seq != seq) {
			err = errors.New("it holds another")
		}
		torn := errors.Is(err, fencing.ErrTorn)
		if err != nil && !torn {
			return out, damagedf("slot %d of term %d: %w", seq, c.Term, err)
		}
		if !torn {
			watermark = max(watermark, f.Watermark)
		}
		out.bytes += int64(len(bodies[i]))
		switch {
		case out.sealed || seq != next || c.End != nil && seq >= *c.End && f.Kind != fencing.Seal && !torn:
			out.beyond = append(out.beyond, strings.TrimPrefix(prefix, b.actorKey(name))+n)
		case torn:
			out.sealed, out.torn = true, true
		case f.Kind == fencing.Seal:
			out.sealed = true
		case next > c.From && f.Prev != prev:
			return out, damagedf("slot %d of term %d does not follow the one before", seq, c.Term)
		default:
			out.slots = append(out.slots, logSlot{facts: f, payload: payload, size: int64(len(bodies[i]))})
			next, prev = seq+1, sum
		}
	}
	switch {
	case watermark > next:
		return out, damagedf("slot %d of term %d is missing, a later one vouches for it", next, c.Term)
	case c.End != nil && next != *c.End:
		return out, damagedf("term %d ends at slot %d, not at %d", c.Term, next, *c.End)
	}
	return out, nil
}
