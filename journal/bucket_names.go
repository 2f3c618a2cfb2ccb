package journal

import (
	"context"
	"errors"
	"strings"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal/fencing"
)

// Names implements Journal. It costs a listing request for each thousand objects
// below prefix and a read for each actor.
func (b *Bucket) Names(ctx context.Context, prefix Name, each func(Name) bool) error {
	if err := b.enter(); err != nil {
		return err
	}
	defer b.left()
	roots := []string{b.actorsKey()}
	if prefix != "" {
		if err := prefix.Check(); err != nil {
			return err
		}
		// The actor itself, those below it, and those whose names are hashed.
		dir := strings.ReplaceAll(string(prefix), "/", ".")
		roots = []string{b.actorsKey() + dir + "/", b.actorsKey() + dir + ".", b.actorsKey() + "="}
	}
	for _, root := range roots {
		more, err := b.namesBelow(ctx, root, prefix, each)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func (b *Bucket) namesBelow(ctx context.Context, root string, prefix Name, each func(Name) bool) (more bool, err error) {
	const page = 1000
	after := ""
	for {
		var infos []blob.Info
		err := b.try(ctx, nil, 0, func(ctx context.Context) (err error) {
			infos, err = b.store.List(ctx, root, after, page)
			return err
		})
		if err != nil {
			return false, err
		}
		var heads []string
		for _, info := range infos {
			after = info.Key
			if actor, ok := strings.CutSuffix(info.Key, "/head"); ok {
				heads = append(heads, actor[len(b.actorsKey()):])
			}
		}
		if more, err := b.living(ctx, heads, prefix, each); err != nil || !more {
			return false, err
		}
		if len(infos) < page {
			return true, nil
		}
		// An actor's objects lie together and its head is the first of them.
		rest := after[len(b.actorsKey()):]
		after = b.actorsKey() + rest[:strings.IndexByte(rest, '/')] + "0" // "0" comes after "/"
	}
}

// living tells each of those actors that are born and were not erased.
func (b *Bucket) living(ctx context.Context, heads []string, prefix Name, each func(Name) bool) (more bool, err error) {
	names, errs := make([]Name, len(heads)), make([]error, len(heads))
	parallel(len(heads), func(i int) { names[i], errs[i] = b.alive(ctx, heads[i], prefix) })
	if err := firstOf(errs); err != nil {
		return false, err
	}
	for _, name := range names {
		if name != "" && !each(name) {
			return false, nil
		}
	}
	return true, nil
}

// alive returns the name of the actor behind a key segment, or "".
func (b *Bucket) alive(ctx context.Context, segment string, prefix Name) (Name, error) {
	body, _, err := b.get(ctx, b.actorsKey()+segment+"/head")
	if errors.Is(err, blob.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	h, err := decodeBucketHead(body)
	if err != nil {
		name, known := nameOf(segment)
		if !known || !name.Below(prefix) {
			return "", nil
		}
		return name, nil // corrupt is not gone
	}
	if h.State == fencing.Erased || !Name(h.Name).Below(prefix) {
		return "", nil
	}
	born, err := b.born(ctx, h)
	if err != nil || !born {
		return "", err
	}
	return Name(h.Name), nil
}
