package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/easelhq/easel/blob"
)

// taken says that a key which was to be made holds something else.
type taken struct {
	key     string
	body    []byte
	version blob.Version
}

func (t *taken) Error() string { return "object " + t.key + " exists and is another" }

// definite reports whether asking the store again cannot change the answer.
func definite(err error) bool {
	if err == nil || errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrExists) ||
		errors.Is(err, ErrFenced) || errors.Is(err, ErrCorrupt) {
		return true
	}
	_, ok := errors.AsType[*taken](err)
	return ok
}

// try calls until the answer is definite, stop is closed or the deadline is
// over. Each call gets half of the deadline, so that one that hangs is not the
// last, and more for size bytes.
func (b *Bucket) try(ctx context.Context, stop <-chan struct{}, size int, call func(context.Context) error) error {
	slow := time.Duration(size) * time.Second >> 20 // 1 MiB/s
	ctx, cancel := context.WithTimeout(ctx, b.deadline+slow)
	defer cancel()
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := b.attempt(ctx, b.deadline/2+slow, call)
		if definite(err) {
			return err
		}
		timer := time.NewTimer(wait/2 + b.hooks.jitter(wait))
		select {
		case <-timer.C:
			b.metrics.retries.Inc()
		case <-stop:
			timer.Stop()
			return unavailable("the term has ended", err)
		case <-ctx.Done():
			timer.Stop()
			return unavailable("ask the store", err)
		}
	}
}

func (b *Bucket) attempt(ctx context.Context, d time.Duration, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return call(ctx)
}

// read returns an object that is whole: what the store sent of it has the length
// that the store says it has.
func (b *Bucket) read(ctx context.Context, key string) ([]byte, blob.Version, error) {
	r, info, err := b.store.Get(ctx, key, blob.All)
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, "", err
	}
	if int64(len(body)) != info.Size {
		return nil, "", fmt.Errorf("%d of %d bytes of %s", len(body), info.Size, key)
	}
	return body, info.Version, nil
}

// get is read until it answers. It returns blob.ErrNotFound or ErrUnavailable.
func (b *Bucket) get(ctx context.Context, key string) (body []byte, v blob.Version, err error) {
	err = b.try(ctx, nil, 0, func(ctx context.Context) (err error) {
		body, v, err = b.read(ctx, key)
		return err
	})
	return body, v, err
}

// putOnce makes an object that never changes. It returns nil if the object is
// there with these bytes, whoever was told so when, and *taken if it has others.
func (b *Bucket) putOnce(ctx context.Context, stop <-chan struct{}, key string, body []byte) error {
	first := true
	return b.try(ctx, stop, len(body), func(ctx context.Context) error {
		_, err := b.store.PutIfAbsent(ctx, key, body)
		retry := !first
		first = false
		if !errors.Is(err, blob.ErrExists) {
			return err
		}
		if retry && b.hooks.trustConflict {
			return nil
		}
		// It may be our own, of an attempt whose answer was lost.
		there, v, err := b.read(ctx, key)
		switch {
		case errors.Is(err, blob.ErrNotFound):
			return &taken{key: key} // and gone again: somebody else is at work here
		case err != nil:
			return err
		case bytes.Equal(there, body):
			return nil
		default:
			return &taken{key: key, body: there, version: v}
		}
	})
}

// list returns the keys below prefix after the key after, without the prefix.
func (b *Bucket) list(ctx context.Context, prefix, after string) ([]string, error) {
	const page = 1000
	var names []string
	for {
		var infos []blob.Info
		err := b.try(ctx, nil, 0, func(ctx context.Context) (err error) {
			infos, err = b.store.List(ctx, prefix, after, page)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, info := range infos {
			names = append(names, info.Key[len(prefix):])
			after = info.Key
		}
		if len(infos) < page {
			return names, nil
		}
	}
}

// remove deletes objects that nobody needs any more. What fails stays: it costs
// space only, and goes with the actor's erasure.
func (b *Bucket) remove(ctx context.Context, keys []string) error {
	errs := make([]error, len(keys))
	parallel(len(keys), func(i int) {
		errs[i] = b.attempt(ctx, b.deadline/2, func(ctx context.Context) error { return b.store.Delete(ctx, keys[i]) })
	})
	return errors.Join(errs...)
}

// removeAll is remove that asks again, as far as the deadline.
func (b *Bucket) removeAll(ctx context.Context, keys []string) error {
	errs := make([]error, len(keys))
	parallel(len(keys), func(i int) {
		errs[i] = b.try(ctx, nil, 0, func(ctx context.Context) error { return b.store.Delete(ctx, keys[i]) })
	})
	return errors.Join(errs...)
}

// parallel calls f for 0 to n-1, fetchers at once, and waits for all.
func parallel(n int, f func(i int)) {
	if n == 1 {
		f(0)
		return
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(n, fetchers) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// errMoved: a head is no longer what it was when it was read.
type errMoved struct {
	body    []byte
	version blob.Version
}

func (*errMoved) Error() string { return "head was changed by another" }

// readHead returns blob.ErrNotFound if there is none.
func (b *Bucket) readHead(ctx context.Context, name Name) (bucketHead, blob.Version, error) {
	body, v, err := b.get(ctx, b.headKey(name))
	if err != nil {
		return bucketHead{}, "", err
	}
	h, err := decodeBucketHead(body)
	if err == nil && h.Name != name {
		err = fmt.Errorf("it is of %s", h.Name)
	}
	if err != nil {
		return bucketHead{}, v, b.corrupt(name, fmt.Errorf("head: %w", err))
	}
	return h, v, nil
}

// casHead makes h the head that follows version v, or the first one if v is "".
// Every head differs from all before it, so that its bytes tell whether a write
// without an answer took place. It returns *errMoved if another came first.
func (b *Bucket) casHead(ctx context.Context, stop <-chan struct{}, h bucketHead, v blob.Version) (blob.Version, error) {
	body, err := encodeBucketHead(h)
	if err != nil {
		return "", err
	}
	key := b.headKey(h.Name)
	moved := (*errMoved)(nil)
	err = b.try(ctx, stop, 0, func(ctx context.Context) error {
		var at blob.Version
		var err error
		if v == "" {
			at, err = b.store.PutIfAbsent(ctx, key, body)
		} else {
			at, err = b.store.PutIfMatch(ctx, key, body, v)
		}
		if errors.Is(err, blob.ErrExists) {
			var there []byte
			if there, at, err = b.read(ctx, key); err == nil && !bytes.Equal(there, body) {
				moved = &errMoved{body: there, version: at}
			}
		}
		if err == nil {
			v = at
		}
		return err
	})
	if moved != nil {
		return "", moved
	}
	return v, err
}

// corrupt notes that what is kept of an actor cannot be trusted.
func (b *Bucket) corrupt(name Name, cause error) error {
	b.metrics.corrupt.Inc()
	b.log.Error("actor is corrupt", "actor", name, "err", cause)
	return fmt.Errorf("%w: %s: %w", ErrCorrupt, name, cause)
}
