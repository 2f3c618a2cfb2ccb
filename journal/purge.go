package journal

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal/fencing"
)

// Purge returns when nothing of erased actors is left in the log's files: it has
// segments that hold some of it compacted and removed at once, instead of within
// purgeAfter. A segment that is damaged is evidence and stays: then Purge fails.
func (n *Node) Purge(ctx context.Context) error {
	if err := n.forgetErased(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		dirty, err := n.dirty()
		if err != nil || dirty == 0 {
			return err
		}
		n.requestPurge()
		n.wakeCompactor()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d segments of the log still hold erased data: %w", dirty, ctx.Err())
		}
	}
}

// dirty returns how many segments hold data of erased actors.
func (n *Node) dirty() (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopping {
		return 0, ErrClosed
	}
	count := 0
	for _, s := range n.segments {
		if s.erased {
			count++
		}
	}
	return count, nil
}

// forgetErased takes erased actors out of the index: a start puts them back, as it
// reads no heads.
func (n *Node) forgetErased(ctx context.Context) error {
	n.mu.Lock()
	var names []Name
	for name := range n.index {
		if n.terms[name] == nil {
			names = append(names, name)
		}
	}
	n.mu.Unlock()
	for _, name := range names {
		leave, err := n.enter(ctx, name)
		if err != nil {
			return err
		}
		if h, ok, err := n.readHead(name); err == nil && ok && h.Erased {
			n.mu.Lock()
			n.forgetLocked(name)
			n.mu.Unlock()
		}
		leave()
	}
	return nil
}

// Tombstones calls each for every erased actor below prefix, until it returns
// false: what arrived after an erasure is removed by erasing again.
func (b *Bucket) Tombstones(ctx context.Context, prefix Name, each func(Name) bool) error {
	if err := prefix.Check(); err != nil {
		return err
	}
	if err := b.enter(); err != nil {
		return err
	}
	defer b.left()
	const page = 1000
	root := b.actorsKey() + strings.ReplaceAll(string(prefix), "/", ".")
	for after := ""; ; {
		var infos []blob.Info
		err := b.try(ctx, nil, 0, func(ctx context.Context) (err error) {
			infos, err = b.store.List(ctx, root, after, page)
			return err
		})
		if err != nil {
			return err
		}
		for _, info := range infos {
			after = info.Key
			segment, head := strings.CutSuffix(info.Key[len(b.actorsKey()):], "/head")
			name, known := nameOf(segment)
			if !head || !known || !name.Below(prefix) {
				continue
			}
			if h, _, err := b.readHead(ctx, name); err == nil && h.State == fencing.Erased && !each(name) {
				return nil
			}
		}
		if len(infos) < page {
			return nil
		}
	}
}
