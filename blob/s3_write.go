package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
)

// Put streams r into an object: at once if it fits one part, else part by part,
// of which one is in memory. Nothing shows before the last is there.
func (s *S3) Put(ctx context.Context, key string, r io.Reader) (Info, error) {
	if err := s.check(ctx, key); err != nil {
		return Info{}, err
	}
	src := &source{ctx: ctx, r: r}
	part, last, err := s.readPart(src, nil)
	if err != nil {
		return Info{}, err
	}
	info := Info{Key: key}
	if last {
		info.Size = int64(len(part))
		err = again(ctx, ErrUnavailable, func() (err error) {
			info.Version, err = s.putBytes(ctx, key, part, minio.PutObjectOptions{})
			return err
		})
	} else {
		info.Size, info.Version, err = s.putParts(ctx, key, src, part)
	}
	if src.err != nil {
		return Info{}, src.err
	}
	if err != nil {
		return Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	info.Modified = time.Now() // the store's own clock says so within moments
	return info, nil
}

// readPart fills a part, reusing the memory of buf; last means that nothing follows.
func (s *S3) readPart(r io.Reader, buf []byte) (part []byte, last bool, err error) {
	b := bytes.NewBuffer(buf[:0])
	n, err := io.CopyN(b, r, int64(s.partSize))
	if errors.Is(err, io.EOF) {
		return b.Bytes(), true, nil
	}
	return b.Bytes()[:n], false, err
}

func (s *S3) putParts(ctx context.Context, key string, r io.Reader, part []byte) (size int64, v Version, err error) {
	id, err := s.core.NewMultipartUpload(ctx, s.bucket, s.prefix+key, minio.PutObjectOptions{})
	if err != nil {
		return 0, "", answer(err)
	}
	defer func() {
		if err == nil {
			return
		}
		// The caller's context may be what ended the upload.
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if e := s.core.AbortMultipartUpload(after, s.bucket, s.prefix+key, id); e != nil {
			err = errors.Join(err, e)
		}
	}()
	var parts []minio.CompletePart
	for last := false; len(part) > 0; {
		n := len(parts) + 1
		var put minio.ObjectPart
		sum := sha256.Sum256(part)
		err = again(ctx, ErrUnavailable, func() (err error) {
			put, err = s.core.PutObjectPart(ctx, s.bucket, s.prefix+key, id, n, bytes.NewReader(part), int64(len(part)),
				minio.PutObjectPartOptions{Sha256Hex: hex.EncodeToString(sum[:]), DisableContentSha256: true})
			return answer(err)
		})
		if err != nil {
			return 0, "", err
		}
		parts = append(parts, minio.CompletePart{PartNumber: n, ETag: put.ETag})
		size += int64(len(part))
		if last {
			break
		}
		if part, last, err = s.readPart(r, part); err != nil {
			return 0, "", err
		}
	}
	done, err := s.core.CompleteMultipartUpload(ctx, s.bucket, s.prefix+key, id, parts, minio.PutObjectOptions{})
	if err != nil {
		return 0, "", answer(err)
	}
	return size, Version(done.ETag), nil
}

// putBytes is one PUT of a known size with a signed payload, so that a store
// takes it whole or not at all.
func (s *S3) putBytes(ctx context.Context, key string, b []byte, opts minio.PutObjectOptions) (Version, error) {
	opts.DisableMultipart = true
	opts.DisableContentSha256 = true // of chunks: the whole payload is signed below
	sum := sha256.Sum256(b)
	info, err := s.core.PutObject(ctx, s.bucket, s.prefix+key, bytes.NewReader(b), int64(len(b)), "", hex.EncodeToString(sum[:]), opts)
	if err != nil {
		return "", answer(err)
	}
	return Version(info.ETag), nil
}

// PutIfAbsent writes b if the key has no object.
func (s *S3) PutIfAbsent(ctx context.Context, key string, b []byte) (Version, error) {
	var opts minio.PutObjectOptions
	opts.SetMatchETagExcept("*")
	return s.putIf(ctx, key, b, opts)
}

// PutIfMatch replaces the object if it has version v.
func (s *S3) PutIfMatch(ctx context.Context, key string, b []byte, v Version) (Version, error) {
	if v == "" {
		return "", errors.Join(s.check(ctx, key), ErrExists)
	}
	var opts minio.PutObjectOptions
	opts.SetMatchETag(string(v))
	return s.putIf(ctx, key, b, opts)
}

func (s *S3) putIf(ctx context.Context, key string, b []byte, opts minio.PutObjectOptions) (Version, error) {
	if err := s.check(ctx, key); err != nil {
		return "", err
	}
	var v Version
	err := again(ctx, errConflict, func() (err error) {
		v, err = s.putBytes(ctx, key, b, opts)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		err = ErrExists // there is no object that could match
	}
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	return v, nil
}

// Delete removes an object.
func (s *S3) Delete(ctx context.Context, key string) error {
	if err := s.check(ctx, key); err != nil {
		return err
	}
	err := again(ctx, ErrUnavailable, func() error {
		return answer(s.core.RemoveObject(ctx, s.bucket, s.prefix+key, minio.RemoveObjectOptions{}))
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// Probe writes and removes an object below "probe/" and returns ErrUnconditional
// if the store lets a conditional write pass that it must refuse.
func (s *S3) Probe(ctx context.Context) (err error) {
	key := "probe/" + rand.Text()
	defer func() {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, s.Delete(after, key))
	}()
	if _, err = s.PutIfMatch(ctx, key, []byte("0"), "00000000000000000000000000000000"); !errors.Is(err, ErrExists) {
		return unconditional("If-Match on nothing", err)
	}
	if err = s.probeRace(ctx, key); err != nil {
		return err
	}
	info, err := s.Stat(ctx, key)
	if err != nil {
		return err
	}
	if _, err := s.PutIfMatch(ctx, key, []byte("second"), info.Version); err != nil {
		return fmt.Errorf("probe If-Match: %w", err)
	}
	if _, err := s.PutIfMatch(ctx, key, []byte("third"), info.Version); !errors.Is(err, ErrExists) {
		return unconditional("If-Match of an old version", err)
	}
	return nil
}

// probeRace lets several create one object at once; one must win.
func (s *S3) probeRace(ctx context.Context, key string) error {
	const racers = 8
	var (
		wg   sync.WaitGroup
		wins atomic.Int32
		errs [racers]error
	)
	for i := range racers {
		wg.Go(func() {
			_, err := s.PutIfAbsent(ctx, key, fmt.Appendf(nil, "racer %d", i))
			if err == nil {
				wins.Add(1)
			} else if !errors.Is(err, ErrExists) {
				errs[i] = err
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return fmt.Errorf("probe If-None-Match: %w", err)
	}
	if n := wins.Load(); n != 1 {
		return fmt.Errorf("%w: %d of %d creations at once succeeded", ErrUnconditional, n, racers)
	}
	return nil
}

func unconditional(what string, err error) error {
	if err == nil {
		return fmt.Errorf("%w: %s succeeded", ErrUnconditional, what)
	}
	return fmt.Errorf("probe %s: %w", what, err)
}
