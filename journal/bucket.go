package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal/fencing"
	"github.com/easelhq/easel/pages"
)

// DefaultDeadline is how long a bucket's append is tried.
const DefaultDeadline = 10 * time.Second

const (
	// compactSlots is how many slots are merged into one file.
	compactSlots = 64
	// maxChain is how many terms a head names before they are tidied up: as many
	// as there were crashes since the last compaction.
	maxChain = 8
	// maxSlot bounds what waits for one slot together, in bytes of pages.
	maxSlot = 4 << 20
	// retainBytes bounds the slots that are kept in memory for their compaction.
	retainBytes = 32 << 20
	// fetchers is how many objects one restore reads at once.
	fetchers = 16
	// compactors is how many actors are compacted at once.
	compactors = 4
	// probeTime is how long OpenBucket waits for the store.
	probeTime = 30 * time.Second
)

// BucketOptions say how OpenBucket keeps the actor logs of an S3-like home.
type BucketOptions struct {
	// Store holds the objects. Nothing but Buckets may write below Prefix.
	Store blob.Store
	// Prefix of all keys, without "/" at either end; may be empty.
	Prefix string
	// Owner is the node's name. Heads record it: for the eyes of operators, and so
	// that who claims knows whom to ask first.
	Owner string
	// Single allows a store that ignores conditional writes: it is used with a
	// warning, and the program must see to it that it is the only one.
	Single bool
	// Linger is how long an append waits for others to share its object: fewer
	// requests for later answers. 0 waits for nothing.
	Linger time.Duration
	// Deadline is how long the store is asked again while it does not answer,
	// before the term ends with ErrUnavailable; 0 means DefaultDeadline.
	Deadline time.Duration
	// MaxHeld is how many bytes of appends may wait; over it Append answers
	// ErrUnavailable. 0 means DefaultMaxHeld.
	MaxHeld int64
	// Log gets what an operator must know; nil means none.
	Log *slog.Logger
	// Registerer takes the metrics; nil means none.
	Registerer prometheus.Registerer
	// Now is the clock of the metrics and of Linger; nil means time.Now. Safety
	// does not rest on it.
	Now func() time.Time

	hooks bucketHooks
}

// bucketHooks plant faults that the model test must notice. They are all off.
type bucketHooks struct {
	bugs         fencing.Bugs
	compactSlots int // no fault: merge that many slots; 0 means compactSlots
	// No fault: draws instead of the random ones, for rounds that can be repeated.
	nonce  func() string
	jitter func(time.Duration) time.Duration
}

// Bucket is the home of actor logs in a store with conditional writes that many
// processes may share.
type Bucket struct {
	store    blob.Store
	prefix   string // with "/" at the end, or empty
	owner    string
	linger   time.Duration
	deadline time.Duration
	maxHeld  int64
	log      *slog.Logger
	now      func() time.Time
	metrics  *bucketMetrics
	hooks    bucketHooks
	ask      AskFirst // nil: nobody is asked

	// encoders hold *pages.Encoder: an append needs 40 KB of working memory for
	// some 600 bytes that it keeps.
	encoders sync.Pool
	held     atomic.Int64 // bytes of appends that were not answered
	retained atomic.Int64 // bytes of slots kept for compaction
	// compacting is held by those who compact, capacity compactors.
	compacting chan struct{}
	// life ends compactions when the bucket is closed.
	life context.Context //nolint:containedctx // compaction is nobody's request
	end  context.CancelFunc

	mu        sync.Mutex // guards what follows
	running   int        // goroutines
	rest      chan struct{}
	stopping  bool
	templates map[string][]byte // known to be durable, by id
	terms     map[Name]*bucketTerm
}

var _ Journal = (*Bucket)(nil)

// OpenBucket asks the store whether it keeps the conditions of writes, if it can
// tell (Probe), and starts nothing: an idle actor costs no goroutine.
func OpenBucket(opts BucketOptions) (*Bucket, error) {
	b := &Bucket{
		store: opts.Store, owner: opts.Owner, linger: opts.Linger, deadline: opts.Deadline,
		maxHeld: opts.MaxHeld, log: opts.Log, now: opts.Now, hooks: opts.hooks,
		compacting: make(chan struct{}, compactors), templates: map[string][]byte{},
		terms: map[Name]*bucketTerm{},
	}
	if b.store == nil {
		return nil, errors.New("journal: a bucket needs a store")
	}
	if opts.Prefix != "" {
		if err := blob.CheckKey(opts.Prefix); err != nil {
			return nil, fmt.Errorf("journal: prefix: %w", err)
		}
		b.prefix = opts.Prefix + "/"
	}
	if b.deadline <= 0 {
		b.deadline = DefaultDeadline
	}
	if b.maxHeld <= 0 {
		b.maxHeld = DefaultMaxHeld
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.now == nil {
		b.now = time.Now
	}
	if b.hooks.nonce == nil {
		b.hooks.nonce = newNonce
	}
	if b.hooks.jitter == nil {
		b.hooks.jitter = rand.N[time.Duration]
	}
	if b.hooks.compactSlots <= 0 {
		b.hooks.compactSlots = compactSlots
	}
	b.encoders.New = func() any { return new(pages.Encoder) }
	m, err := newBucketMetrics(opts.Registerer)
	if err != nil {
		return nil, err
	}
	b.metrics = m
	b.life, b.end = context.WithCancel(context.Background())
	if err := b.probe(opts.Single); err != nil {
		b.end()
		return nil, err
	}
	return b, nil
}

// prober is a store that knows whether it keeps the conditions of writes.
type prober interface {
	Probe(ctx context.Context) error
}

func (b *Bucket) probe(single bool) error {
	p, ok := b.store.(prober)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(b.life, probeTime)
	defer cancel()
	err := p.Probe(ctx)
	if errors.Is(err, blob.ErrUnconditional) && single {
		b.log.WarnContext(ctx, "the store ignores conditions of writes: nothing keeps a second process off this home", "err", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("open bucket: %w", err)
	}
	return nil
}

// hold notes the term that was claimed last of an actor, and ends the one before:
// whoever had it may just have dropped it.
func (b *Bucket) hold(t *bucketTerm) {
	b.mu.Lock()
	old := b.terms[t.name]
	if old != nil && old.number > t.number {
		old, t = t, old // two claims at once have passed each other
	}
	b.terms[t.name] = t
	b.mu.Unlock()
	if old != nil {
		old.mu.Lock()
		defer old.mu.Unlock()
		old.endLocked(ErrFenced)
	}
}

func (b *Bucket) forget(t *bucketTerm) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.terms[t.name] == t {
		delete(b.terms, t.name)
	}
}

// Shared implements Journal.
func (b *Bucket) Shared() bool { return true }

// open returns ErrClosed once Close was called.
func (b *Bucket) open() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopping {
		return ErrClosed
	}
	return nil
}

// spawn runs f on a goroutine that Close waits for.
func (b *Bucket) spawn(f func()) {
	b.mu.Lock()
	b.running++
	b.mu.Unlock()
	go func() {
		defer b.left()
		f()
	}()
}

func (b *Bucket) left() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running--; b.running == 0 && b.rest != nil {
		close(b.rest)
		b.rest = nil
	}
}

// Close implements Journal. Appends that were begun are answered first, which
// takes up to the deadline if the store does not answer.
func (b *Bucket) Close() error {
	b.mu.Lock()
	b.stopping = true
	if b.running > 0 && b.rest == nil {
		b.rest = make(chan struct{})
	}
	rest := b.rest
	b.mu.Unlock()
	b.end()
	if rest != nil {
		<-rest
	}
	return nil
}
