package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// Get opens an object.
func (s *S3) Get(ctx context.Context, key string, r Range) (io.ReadCloser, Info, error) {
	if err := s.check(ctx, key); err != nil {
		return nil, Info{}, err
	}
	if r.Length == 0 || r.Offset < 0 {
		return s.getNothing(ctx, key, r)
	}
	var opts minio.GetObjectOptions
	if r.Offset > 0 || r.Length > 0 {
		opts.Set("Range", byteRange(r))
	}
	var (
		body   io.ReadCloser
		info   minio.ObjectInfo
		header http.Header
	)
	err := again(ctx, ErrUnavailable, func() (err error) {
		body, info, header, err = s.core.GetObject(ctx, s.bucket, s.prefix+key, opts)
		return answer(err)
	})
	if errors.Is(err, ErrRange) && r.Offset == 0 {
		return s.getNothing(ctx, key, r) // an empty object has no first byte
	}
	if err != nil {
		return nil, Info{}, fmt.Errorf("get %s: %w", key, err)
	}
	got := s.describe(info)
	if total := header.Get("Content-Range"); total != "" {
		if got.Size, err = strconv.ParseInt(total[strings.LastIndexByte(total, '/')+1:], 10, 64); err != nil {
			_ = body.Close()
			return nil, Info{}, fmt.Errorf("get %s: %w: bad Content-Range %q", key, ErrUnavailable, total)
		}
	}
	return &download{ReadCloser: body}, got, nil
}

// getNothing answers a range without bytes, which HTTP cannot ask for.
func (s *S3) getNothing(ctx context.Context, key string, r Range) (io.ReadCloser, Info, error) {
	info, err := s.Stat(ctx, key)
	if err != nil {
		return nil, Info{}, err
	}
	if _, _, err := r.span(info.Size); err != nil {
		return nil, Info{}, err
	}
	return io.NopCloser(bytes.NewReader(nil)), info, nil
}

func byteRange(r Range) string {
	if r.Length < 0 {
		return fmt.Sprintf("bytes=%d-", r.Offset)
	}
	return fmt.Sprintf("bytes=%d-%d", r.Offset, r.Offset+r.Length-1)
}

// download is a body whose errors are the store's.
type download struct{ io.ReadCloser }

func (d *download) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = unavailable(err)
	}
	return n, err
}

// Stat describes an object.
func (s *S3) Stat(ctx context.Context, key string) (Info, error) {
	if err := s.check(ctx, key); err != nil {
		return Info{}, err
	}
	var info minio.ObjectInfo
	err := again(ctx, ErrUnavailable, func() (err error) {
		info, err = s.core.StatObject(ctx, s.bucket, s.prefix+key, minio.StatObjectOptions{})
		return answer(err)
	})
	if err != nil {
		return Info{}, fmt.Errorf("stat %s: %w", key, err)
	}
	return s.describe(info), nil
}

// List returns objects in key order.
func (s *S3) List(ctx context.Context, prefix, after string, max int) ([]Info, error) {
	if max <= 0 || !goodPrefix(prefix) || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var found []Info
	err := again(ctx, ErrUnavailable, func() error {
		found = nil
		opts := minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true, MaxKeys: min(max, 1000)}
		if after != "" {
			opts.StartAfter = s.prefix + after
		}
		for info := range s.core.ListObjectsIter(ctx, s.bucket, opts) {
			if info.Err != nil {
				return answer(info.Err)
			}
			got := s.describe(info)
			if CheckKey(got.Key) != nil || got.Key <= after {
				continue // not ours, or a store that knows no StartAfter
			}
			if found = append(found, got); len(found) == max {
				return nil
			}
		}
		if err := ctx.Err(); err != nil { // the iterator just ends
			return unavailable(err)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	return found, nil
}

func (s *S3) describe(info minio.ObjectInfo) Info {
	return Info{
		Key: strings.TrimPrefix(info.Key, s.prefix), Size: info.Size,
		Version: Version(strings.Trim(info.ETag, `"`)), Modified: info.LastModified,
	}
}

// PresignGet returns a URL on the public endpoint. Images open in the browser,
// everything else is offered for download under filename.
func (s *S3) PresignGet(ctx context.Context, key string, ttl time.Duration, contentType, filename string) (string, error) {
	if err := s.check(ctx, key); err != nil {
		return "", err
	}
	query := url.Values{"response-content-type": {contentType}}
	disposition := "attachment"
	if strings.HasPrefix(contentType, "image/") && contentType != "image/svg+xml" {
		disposition = "inline"
	}
	if d := mime.FormatMediaType(disposition, map[string]string{"filename": filename}); d != "" {
		disposition = d
	}
	query.Set("response-content-disposition", disposition)
	u, err := s.public.PresignedGetObject(ctx, s.bucket, s.prefix+key, ttl, query)
	if err != nil {
		return "", fmt.Errorf("presign %s: %w", key, err)
	}
	return u.String(), nil
}
