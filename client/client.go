package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/easelhq/easel"
)

// Config says where a node is and who asks.
type Config struct {
	URL   string // of the node: scheme, host and port
	Token string // a JWT or a service key; "": none, for what needs none
	// HTTP makes the requests; nil: http.DefaultClient. Live sockets take the proxy, the
	// dialer and the TLS configuration of its Transport, if that is an *http.Transport.
	HTTP *http.Client
	// Patience is for how long a request is repeated that the server could not
	// answer; 0: 30 s. It ends earlier with its context.
	Patience time.Duration
}

// Client speaks with one node for one token.
type Client struct {
	c    Config
	base *url.URL
}

// New checks the configuration and makes a Client. It does not connect.
func New(c Config) (*Client, error) {
	base, err := url.Parse(c.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("client: %q is no URL of a node", c.URL)
	}
	if c.HTTP == nil {
		c.HTTP = http.DefaultClient
	}
	if c.Patience == 0 {
		c.Patience = 30 * time.Second
	}
	return &Client{c: c, base: base}, nil
}

// request is one call of the API.
type request struct {
	method string
	path   string // below the node's URL, escaped
	query  url.Values
	body   []byte      // nil: none
	media  string      // of the body; "": JSON
	header http.Header // besides what every request has; nil: none
}

// call sends r until its outcome is known, and decodes the answer into out unless
// that is nil. It returns the answer's header.
func (c *Client) call(ctx context.Context, r request, out any) (http.Header, error) {
	header := r.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if r.body != nil {
		header.Set("Content-Type", cmp.Or(r.media, "application/json"))
	}
	if r.method != http.MethodGet {
		header.Set("Idempotency-Key", string(easel.NewID()))
	}
	var answered http.Header
	err := c.repeat(ctx, func() error {
		var err error
		answered, err = c.once(ctx, r, header, out)
		return err
	})
	return answered, err
}

// open sends r until it is answered; who calls reads and closes the body.
func (c *Client) open(ctx context.Context, r request) (*http.Response, error) {
	var res *http.Response
	err := c.repeat(ctx, func() error {
		var err error
		if res, err = c.send(ctx, r, nil, http.Header{}); err != nil || res.StatusCode < http.StatusBadRequest {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			return &lostError{fmt.Errorf("read answer: %w", err)}
		}
		return failure(res, b)
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// repeat calls once until its outcome is known, or for as long as there is
// patience.
func (c *Client) repeat(ctx context.Context, once func() error) error {
	deadline := time.Now().Add(c.c.Patience)
	for tries := 0; ; tries++ {
		err := once()
		wait, again := retry(err, tries)
		if err == nil || !again || time.Now().Add(wait).After(deadline) || pause(ctx, wait) != nil {
			return err
		}
	}
}

// once sends r one time.
func (c *Client) once(ctx context.Context, r request, header http.Header, out any) (http.Header, error) {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	res, err := c.send(ctx, r, body, header)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, &lostError{fmt.Errorf("read answer: %w", err)}
	}
	if res.StatusCode >= http.StatusBadRequest {
		return res.Header, failure(res, b)
	}
	if out == nil || len(b) == 0 {
		return res.Header, nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return res.Header, fmt.Errorf("decode answer: %w", err)
	}
	return res.Header, nil
}

func (c *Client) send(ctx context.Context, r request, body io.Reader, header http.Header) (*http.Response, error) {
	u := *c.base
	u.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(ctx, r.method, strings.TrimSuffix(u.String(), "/"), body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	ref, err := url.Parse(strings.TrimSuffix(c.base.Path, "/") + r.path)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.URL.Path, req.URL.RawPath = ref.Path, ref.RawPath
	req.Header = header
	if c.c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.c.Token)
	}
	res, err := c.c.HTTP.Do(req)
	if err != nil {
		return nil, &lostError{err}
	}
	return res, nil
}

// lostError is a failure after which nobody knows whether the request arrived.
type lostError struct{ error }

func (e *lostError) Unwrap() error { return e.error }

// failure reads an error of the API.
func failure(res *http.Response, b []byte) error {
	var body struct {
		Error    easel.Code      `json:"error"`
		Message  string          `json:"message"`
		Details  []easel.Detail  `json:"details"`
		Current  json.RawMessage `json:"current"`
		Expected int64           `json:"expected"`
	}
	if err := json.Unmarshal(b, &body); err != nil || body.Error == "" {
		// A proxy, for instance.
		body.Error, body.Message = easel.CodeInternal, "the answer was "+res.Status
		if res.StatusCode == http.StatusBadGateway || res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusGatewayTimeout {
			body.Error = easel.CodeUnavailable
		}
	}
	e := &easel.Error{Code: body.Error, Message: body.Message, Details: body.Details, Current: body.Current, Expected: body.Expected}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

// retry says whether a request that failed so may be sent again, and when.
func retry(err error, tries int) (wait time.Duration, again bool) {
	wait = backoff(tries)
	if e, ok := errors.AsType[*easel.Error](err); ok {
		switch {
		case e.Code == easel.CodeConflict && e.RetryAfter > 0: // the first of this key still runs
		case !e.Code.Temporary() || e.Code == easel.CodeBadSeq || e.Code == easel.CodeInternal:
			return 0, false
		}
		return max(wait, e.RetryAfter), true
	}
	_, lost := errors.AsType[*lostError](err)
	return wait, lost && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// backoff returns the wait before try n (from 0): about 100 ms, doubled each time,
// about 5 s at most, and never the same for two who were cut off together.
func backoff(n int) time.Duration {
	most := min(100*time.Millisecond<<min(n, 10), 5*time.Second)
	return most/2 + rand.N(most)
}

// pause waits, or returns why it must not.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
