package transport

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"github.com/easelhq/easel"
)

// maxKey is the longest Idempotency-Key, in bytes.
const maxKey = 255

// inflight holds the idempotency keys of the requests that run on this node.
type inflight struct {
	mu   sync.Mutex // guards keys
	keys map[string]struct{}
}

func (f *inflight) start(key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.keys[key]; ok {
		return false
	}
	f.keys[key] = struct{}{}
	return true
}

func (f *inflight) end(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.keys, key)
}

// idempotent reads the Idempotency-Key and scopes it to the tenant, the user, the
// method and the path. The actor that the request is for keeps the verdict; here
// is only known which requests still run. The caller calls release at the end.
func (c *call) idempotent() (release func(), err error) {
	values := c.r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return func() {}, nil
	}
	key := values[0]
	if len(values) > 1 || key == "" || len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, easel.Invalid("Idempotency-Key", "must be one header of 1 to 255 printable ASCII characters")
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{
		"easel once", string(c.p.Tenant), c.p.User, c.r.Method, c.r.URL.EscapedPath(), key,
	}, "\x00")))
	c.key = hex.EncodeToString(sum[:])
	if !c.running.start(c.key) {
		return nil, &easel.Error{
			Code: easel.CodeConflict, RetryAfter: time.Second,
			Message: "a request with this Idempotency-Key still runs",
		}
	}
	return func() { c.running.end(c.key) }, nil
}
