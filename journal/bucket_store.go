package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal/fencing"
)

// definite reports whether asking the store again cannot change the answer.
func definite(err error) bool {
	if err == nil || errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrExists) ||
		errors.Is(err, ErrFenced) || errors.Is(err, ErrCorrupt) {
		return true
	}
	_, ok := errors.AsType[*fencing.Other](err)
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
// there with these bytes, whoever was told so when, and *fencing.Other if it has
// others.
func (b *Bucket) putOnce(ctx context.Context, stop <-chan struct{}, key string, body []byte) error {
	_, err := b.write(ctx, stop, fencing.Write{Key: key, Body: body})
	return err
}

// write performs a conditional write until it is known what came of it. It
// returns the object's version, or *fencing.Other if another one is there.
func (b *Bucket) write(ctx context.Context, stop <-chan struct{}, w fencing.Write) (v string, err error) {
	p := fencing.Put{Write: w, Bugs: b.hooks.bugs}
	err = b.try(ctx, stop, len(w.Body), func(ctx context.Context) error {
		for move := fencing.Send; ; {
			reply, silence := b.reply(ctx, w, move)
			switch move = p.Step(reply); move {
			case fencing.Rest:
				return silence
			case fencing.Over:
				v, err = p.Result()
				return err
			}
		}
	})
	return v, err
}

// reply makes one move of a write. The error says why there was no answer.
func (b *Bucket) reply(ctx context.Context, w fencing.Write, move fencing.Move) (fencing.Reply, error) {
	if move == fencing.Look {
		body, v, err := b.read(ctx, w.Key)
		switch {
		case err == nil:
			return fencing.Reply{Kind: fencing.Found, Body: body, Version: string(v)}, nil
		case errors.Is(err, blob.ErrNotFound):
			return fencing.Reply{Kind: fencing.Missing}, nil
		}
		return fencing.Reply{}, err
	}
	var v blob.Version
	var err error
	if w.Over == "" {
		v, err = b.store.PutIfAbsent(ctx, w.Key, w.Body)
	} else {
		v, err = b.store.PutIfMatch(ctx, w.Key, w.Body, blob.Version(w.Over))
	}
	switch {
	case err == nil:
		return fencing.Reply{Kind: fencing.Took, Version: string(v)}, nil
	case errors.Is(err, blob.ErrExists):
		return fencing.Reply{Kind: fencing.Refused}, nil
	}
	return fencing.Reply{}, err
}

// perform does what a machine asks of the store.
func (b *Bucket) perform(ctx context.Context, r fencing.Request) (a fencing.Answer) {
	switch r := r.(type) {
	case fencing.Get:
		var v blob.Version
		a.Body, v, a.Err = b.get(ctx, r.Key)
		a.Version = string(v)
		if errors.Is(a.Err, blob.ErrNotFound) {
			a.Err = fencing.ErrAbsent
		}
	case fencing.Read:
		errs := make([]error, len(r.Keys))
		a.Bodies = make([][]byte, len(r.Keys))
		parallel(len(r.Keys), func(i int) { a.Bodies[i], _, errs[i] = b.get(ctx, r.Keys[i]) })
		for i, err := range errs {
			if err == nil {
				continue
			}
			a.Bodies[i] = nil
			if !errors.Is(err, blob.ErrNotFound) && a.Err == nil {
				a.Err = err
			}
		}
	case fencing.List:
		a.Names, a.Err = b.list(ctx, r.Prefix, r.After)
	case fencing.Write:
		a.Version, a.Err = b.write(ctx, nil, r)
	}
	return a
}

// judged returns what a machine ended with, and tells operators of damage.
func (b *Bucket) judged(name Name, err error) error {
	if d, ok := errors.AsType[*fencing.Damage](err); ok {
		return b.corrupt(name, d.Cause)
	}
	return err
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

// decodeBucketHead reads a head of an actor whose name is not known.
func decodeBucketHead(b []byte) (fencing.Head, error) {
	h, err := fencing.DecodeHead(b)
	if err == nil {
		err = Name(h.Name).Check()
	}
	return h, err
}

// readHead returns blob.ErrNotFound if there is none.
func (b *Bucket) readHead(ctx context.Context, name Name) (fencing.Head, blob.Version, error) {
	body, v, err := b.get(ctx, b.headKey(name))
	if err != nil {
		return fencing.Head{}, "", err
	}
	h, err := fencing.DecodeHead(body)
	if err == nil && h.Name != string(name) {
		err = fmt.Errorf("it is of %s", h.Name)
	}
	if err != nil {
		return fencing.Head{}, v, b.corrupt(name, fmt.Errorf("head: %w", err))
	}
	return h, v, nil
}

// corrupt notes that what is kept of an actor cannot be trusted.
func (b *Bucket) corrupt(name Name, cause error) error {
	b.metrics.corrupt.Inc()
	b.log.Error("actor is corrupt", "actor", name, "err", cause)
	return fmt.Errorf("%w: %s: %w", ErrCorrupt, name, cause)
}
