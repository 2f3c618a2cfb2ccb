package blob

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// ErrUnconditional means that the store takes conditional writes and ignores the
// condition. It must not be shared by several nodes.
var ErrUnconditional = errors.New("blob: store ignores conditional writes")

// S3Options says where a bucket is.
type S3Options struct {
	Bucket   string
	Prefix   string // of all keys in the bucket, without "/" at either end; may be empty
	Endpoint string // "http://HOST:PORT"; empty: Amazon's own for the region
	Public   string // the endpoint in presigned URLs; empty: Endpoint
	Region   string // empty: "us-east-1"

	AccessKey, SecretKey, SessionToken string

	// Connections that stay open between calls; 0: 64. Set it to at least the
	// number of calls in flight.
	Connections int
	// PartSize of streamed uploads, in bytes; an upload holds up to twice that in
	// memory. Less than 5 MiB, S3's minimum: 5 MiB.
	PartSize int
}

// ParseS3 reads "s3://BUCKET/PREFIX?endpoint=URL&region=R&public=URL". The
// credentials are left to the caller.
func ParseS3(text string) (S3Options, error) {
	u, err := url.Parse(text)
	if err != nil {
		return S3Options{}, fmt.Errorf("parse S3 address: %w", err)
	}
	if u.Scheme != "s3" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return S3Options{}, fmt.Errorf("parse S3 address %q: want s3://BUCKET/PREFIX", u.Redacted())
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return S3Options{}, fmt.Errorf("parse S3 address: %w", err)
	}
	o := S3Options{Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	for key, values := range query {
		field := map[string]*string{"endpoint": &o.Endpoint, "public": &o.Public, "region": &o.Region}[key]
		if field == nil || len(values) != 1 || values[0] == "" {
			return S3Options{}, fmt.Errorf("parse S3 address: bad parameter %q", key)
		}
		*field = values[0]
	}
	return o, o.check()
}

func (o S3Options) check() error {
	if o.Prefix != "" {
		if err := CheckKey(o.Prefix); err != nil {
			return fmt.Errorf("prefix in bucket: %w", err)
		}
	}
	for _, endpoint := range []string{o.Endpoint, o.Public} {
		if endpoint == "" {
			continue
		}
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			return fmt.Errorf("S3 endpoint %q: want http://HOST:PORT or https://HOST", endpoint)
		}
	}
	return nil
}

// S3 is a Store in a bucket of Amazon S3, or of a server that speaks its
// protocol with conditional writes (If-Match and If-None-Match of PutObject).
// A Version is the object's ETag.
//
// Calls that have no effect, or the same one when repeated, are repeated a few
// times when the store fails. A conditional write is not, because its first
// attempt may have landed; only when the store says that it was in conflict with
// another (409), which means that it had no effect, is it.
type S3 struct {
	core     minio.Core
	public   *minio.Client
	bucket   string
	prefix   string // with "/" at the end, or empty
	partSize int
	idle     interface{ CloseIdleConnections() }
}

var (
	_ Store     = (*S3)(nil)
	_ Presigner = (*S3)(nil)
)

const minPartSize = 5 << 20

// OpenS3 prepares a client. It does not call the store: see Probe.
func OpenS3(o S3Options) (*S3, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Endpoint == "" {
		o.Endpoint = "https://s3." + o.Region + ".amazonaws.com"
	}
	if o.Public == "" {
		o.Public = o.Endpoint
	}
	if o.Connections <= 0 {
		o.Connections = 64
	}
	transport, err := minio.DefaultTransport(strings.HasPrefix(o.Endpoint, "https:"))
	if err != nil {
		return nil, fmt.Errorf("open S3: %w", err)
	}
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = o.Connections, o.Connections
	client, err := newClient(o, o.Endpoint, transport)
	if err != nil {
		return nil, fmt.Errorf("open S3: %w", err)
	}
	public, err := newClient(o, o.Public, transport) // signs, and connects to nothing
	if err != nil {
		return nil, fmt.Errorf("open S3: %w", err)
	}
	s := &S3{
		core: minio.Core{Client: client}, public: public, bucket: o.Bucket,
		partSize: max(o.PartSize, minPartSize), idle: transport,
	}
	if o.Prefix != "" {
		s.prefix = o.Prefix + "/"
	}
	return s, nil
}

func newClient(o S3Options, endpoint string, transport http.RoundTripper) (*minio.Client, error) {
	secure := strings.HasPrefix(endpoint, "https:")
	host := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(endpoint, "https://"), "http://"), "/")
	return minio.New(host, &minio.Options{
		Creds:     credentials.NewStaticV4(o.AccessKey, o.SecretKey, o.SessionToken),
		Secure:    secure,
		Transport: transport,
		Region:    o.Region, // else every bucket is looked up first
		// The library's own retry of a PUT whose answer was lost ends in 412.
		MaxRetries: 1,
	})
}

// Close lets go of idle connections.
func (s *S3) Close() error {
	s.idle.CloseIdleConnections()
	return nil
}

// answer maps what the store said. Of a call that ended without an answer the
// outcome is unknown.
func answer(err error) error {
	if err == nil {
		return nil
	}
	switch r := minio.ToErrorResponse(err); {
	case r.StatusCode == http.StatusNotFound && (r.Code == minio.NoSuchKey || r.Code == "NotFound" || r.Code == ""):
		return ErrNotFound // a HEAD has no body to hold a code
	case r.StatusCode == http.StatusPreconditionFailed:
		return ErrExists
	case r.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return ErrRange
	case r.StatusCode == http.StatusConflict:
		return errConflict
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// errConflict: the store did nothing, because of another call under way.
var errConflict = fmt.Errorf("%w: conflict with another call", ErrUnavailable)

const attempts = 4

// again repeats a call that may be repeated, as long as retry likes its error.
func again(ctx context.Context, retry error, call func() error) error {
	wait := 25 * time.Millisecond
	for n := 1; ; n++ {
		err := call()
		if !errors.Is(err, retry) || n == attempts || ctx.Err() != nil {
			return err
		}
		timer := time.NewTimer(wait/2 + rand.N(wait))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w: %w", err, ctx.Err())
		}
		wait *= 3
	}
}

func (s *S3) check(ctx context.Context, key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	return ctx.Err()
}
