package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal/fencing"
)

func sumsTo(body []byte, id string) bool {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]) == id
}

// keepTemplate makes t durable, once.
func (b *Bucket) keepTemplate(ctx context.Context, t Template) error {
	if b.template(t.ID) != nil {
		return nil
	}
	if id, err := hex.DecodeString(t.ID); err != nil || len(id) != 32 || !sumsTo(t.Bytes, t.ID) {
		return fmt.Errorf("journal: template %q is not what its id says", t.ID)
	}
	key := b.templateKey(t.ID)
	err := b.putOnce(ctx, nil, key, t.Bytes)
	if other, ok := errors.AsType[*fencing.Other](err); ok && other.Version != "" {
		// Torn or damaged. Its name says what it must be, so that anyone may mend it.
		err = b.try(ctx, nil, len(t.Bytes), func(ctx context.Context) error {
			_, err := b.store.PutIfMatch(ctx, key, t.Bytes, blob.Version(other.Version))
			return err
		})
		if errors.Is(err, blob.ErrExists) {
			err = unavailable("keep template", err) // mended by another; the next birth sees it
		}
	}
	if err != nil {
		return err
	}
	b.learn(t.ID, t.Bytes)
	return nil
}

func (b *Bucket) template(id string) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.templates[id]
}

func (b *Bucket) learn(id string, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.templates[id] = body
}

// readTemplate returns a template that an actor starts from. There are only as
// many as there were schemas, so that they stay in memory.
func (b *Bucket) readTemplate(ctx context.Context, name Name, id string) ([]byte, error) {
	if body := b.template(id); body != nil {
		return body, nil
	}
	body, _, err := b.get(ctx, b.templateKey(id))
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return nil, b.corrupt(name, fmt.Errorf("template %s is missing", id))
	case err != nil:
		return nil, err
	case !sumsTo(body, id):
		return nil, b.corrupt(name, fmt.Errorf("template %s is damaged", id))
	}
	b.learn(id, body)
	return body, nil
}
