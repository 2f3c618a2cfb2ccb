package journal

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/easelhq/easel/pages"
)

// Reader reads the histories of a home without owning any actor of it, and
// without changing anything: for downloads, exports and checks. Node and Bucket
// are Readers.
type Reader interface {
	// Names is Journal.Names.
	Names(ctx context.Context, prefix Name, each func(Name) bool) error

	// Copy writes an actor's file to path, which must not exist, and returns the
	// number of the newest batch in it: two copies with the same number hold the
	// same bytes. The copy shows everything that was durable when Copy was called,
	// and nothing that is not part of the history for ever. It takes no turn of the
	// actor. ErrNotFound, ErrErased, ErrCorrupt, ErrUnavailable.
	Copy(ctx context.Context, name Name, path string) (last uint64, err error)
}

var (
	_ Reader = (*Node)(nil)
	_ Reader = (*Bucket)(nil)
)

// Copy implements Reader. Appends to the actor go on meanwhile; claims and the
// compaction of it wait.
func (n *Node) Copy(ctx context.Context, name Name, path string) (last uint64, err error) {
	if err := name.Check(); err != nil {
		return 0, err
	}
	leave, err := n.enter(ctx, name)
	if err != nil {
		return 0, err
	}
	defer leave()
	h, sleeping, err := n.readHead(name)
	if err != nil {
		return 0, err
	}
	if h.Erased {
		return 0, ErrErased
	}
	n.mu.Lock()
	stopping, damaged := n.stopping, n.damaged.check(name, h.Last)
	n.mu.Unlock()
	switch {
	case stopping:
		return 0, ErrClosed
	case damaged != nil:
		return 0, damaged
	}
	refs := n.refsAfter(name, h.Last)
	if !sleeping && len(refs) == 0 {
		return 0, ErrNotFound
	}
	last = h.Last
	if len(refs) > 0 {
		last = refs[len(refs)-1].seq
	}
	return last, intoFile(name, path, func(f *os.File) error {
		if err := n.writeBase(ctx, &term{node: n, name: name}, h, refs, f); err != nil {
			return err
		}
		return n.writeBatches(ctx, name, h.Last, refs, f)
	})
}

// intoFile makes the file at path and lets write fill it; after an error there is
// none.
func intoFile(name Name, path string, write func(*os.File) error) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("copy %s: %w", name, cerr)
		}
		if err != nil {
			_ = os.Remove(path) // the error says more
		}
	}()
	return write(f)
}

// applyLTX writes the pages of an LTX file that must cover a span of batches.
func applyLTX(f pages.File, hf headFile, body []byte) error {
	h, err := pages.EachLTX(body, func(p pages.Page) error {
		_, err := f.WriteAt(p.Data, int64(p.No-1)*int64(len(p.Data)))
		return err
	})
	if err != nil {
		return err
	}
	if want := (pages.Span{From: hf.From, To: hf.To}); h.Span != want {
		return fmt.Errorf("it covers batches %d to %d, not %d to %d", h.Span.From, h.Span.To, want.From, want.To)
	}
	return f.Truncate(int64(h.Size) * int64(h.PageSize))
}

// errChanged: the head moved while what it names was read.
var errChanged = errors.New("the head was changed meanwhile")
