package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
)

// Defaults of NodeOptions.
const (
	DefaultCompactBytes = 64 << 20
	DefaultMaxHeld      = 64 << 20
	DefaultTidyAfter    = time.Minute
)

// NodeOptions say how OpenNode keeps the log of a folder home.
type NodeOptions struct {
	// Dir is the folder. It is made if it is not there; its parent must be.
	Dir string
	// FS is the file system; nil means OS.
	FS FS
	// Logger gets what an operator must know; nil means none.
	Logger *slog.Logger
	// Registerer takes the metrics; nil means none.
	Registerer prometheus.Registerer
	// CompactBytes is the size of the live segments over which they are split
	// into merges and snapshots; 0 means DefaultCompactBytes. It bounds how much
	// is read at start.
	CompactBytes int64
	// MaxHeld is how many bytes of appends may wait; over it Append answers
	// ErrUnavailable. 0 means DefaultMaxHeld.
	MaxHeld int64
	// TidyAfter is how long the log rests before what it holds of actors that
	// nobody owns moves to their own files, so that they cost neither memory nor
	// time at start; 0 means DefaultTidyAfter.
	TidyAfter time.Duration
	// Now is the clock of the metrics; nil means time.Now. No decision rests on it.
	Now func() time.Time

	hooks hooks
}

// hooks plant faults that the model test must notice. They are all off.
type hooks struct {
	ackBeforeSync  bool // answer an append before it is synced
	headBeforeSnap bool // do not sync a merge or snapshot before the head names it
	noDirSync      bool // do not sync directories
	replayPastTorn bool // go on after a record that was cut off
	maxMerges      int  // no fault: how many merges an actor may have; 0 means maxMerges
}

// gateCount is how many actors can be claimed, restored or compacted at once.
const gateCount = 1024

// Node is the log of a folder home, which one process owns (see LockDir).
type Node struct {
	fs           FS
	dir          string
	log          *slog.Logger
	metrics      *metrics
	now          func() time.Time
	compactBytes int64
	segmentBytes int64
	maxHeld      int64
	maxMerges    int
	tidyAfter    time.Duration
	hooks        hooks

	// A gate is held by whoever reads or changes what is kept of an actor.
	// It is a channel because it is held over I/O and waited for with a context.
	gates [gateCount]chan struct{}

	keeping singleflight.Group // of templates, by id

	wakeup  chan struct{}   // to the writer, capacity 1
	answers chan []*pending // from the writer to the answering goroutine
	compact chan struct{}   // to the compactor, capacity 1
	// compacting is held by the one that compacts; it is a channel like gates.
	compacting chan struct{}
	quit       chan struct{} // closed to end the compactor
	done       sync.WaitGroup
	// encoders hold *pages.Encoder: an append needs 40 KB of working memory for
	// some 600 bytes that it keeps.
	encoders sync.Pool
	late     sync.Mutex // serialises answers given after the journal was closed

	// The writer's own.
	buf         []byte
	nextLSN     uint64
	nextSegment uint64
	lastOwner   uint32 // low half of the last record's owner, for the next one
	marked      bool   // nothing was written since the last mark

	mu sync.Mutex // guards what follows, and terms' shared fields
	// active is written by the writer only, which may read it without mu.
	active    *segment
	queue     []*pending
	held      int64
	segments  []*segment // live ones, the oldest first; the last is active
	liveBytes int64
	compactAt int64 // liveBytes over which segments are compacted
	// segmentsAt is the number of segments over which they are.
	segmentsAt int
	purging    bool   // compact because of erased data
	tidying    bool   // compact what sleeps
	batches    uint64 // written since the log was opened
	rollWanted bool   // the writer is to begin a new segment
	index      map[Name]*chain
	terms      map[Name]*term
	templates  map[[32]byte]bool // known to be durable
	damaged    damage
	broken     error // why the log cannot be written at present
	stopping   bool
	stopped    bool
}

var _ Journal = (*Node)(nil)

// chain is what the live segments hold of one actor.
type chain struct {
	refs []ref
}

// gap returns an error unless the batches follow last without a gap.
func (c *chain) gap(last uint64) error {
	for _, r := range c.refs {
		if r.seq > last+1 {
			return fmt.Errorf("batches %d to %d are missing", last+1, r.seq-1)
		}
		last = max(last, r.seq)
	}
	return nil
}

// ref says where a batch is.
type ref struct {
	seg  *segment
	off  int64 // of the payload
	len  uint32
	crc  uint32 // of name and payload
	kind kind
	seq  uint64
	term uint64
}

// OpenNode opens the log in a folder, replays what its live segments hold, and
// starts the goroutines that Close ends. It reads no directory of actors: the
// time it takes depends on the live segments only. Damage that concerns some
// actors is logged and counted and keeps those closed; OpenNode fails only if
// the folder cannot be read or written.
func OpenNode(opts NodeOptions) (*Node, error) {
	n, err := newNode(opts)
	if err != nil {
		return nil, err
	}
	n.done.Go(n.write)
	n.done.Go(n.answer)
	n.done.Go(n.compactor)
	n.wakeCompactor()
	return n, nil
}

// newNode reads the log and starts nothing.
func newNode(opts NodeOptions) (*Node, error) {
	n := &Node{
		fs: opts.FS, dir: opts.Dir, log: opts.Logger, now: opts.Now, hooks: opts.hooks,
		compactBytes: opts.CompactBytes, maxHeld: opts.MaxHeld, tidyAfter: opts.TidyAfter,
		wakeup: make(chan struct{}, 1), answers: make(chan []*pending, 4),
		compact: make(chan struct{}, 1), compacting: make(chan struct{}, 1), quit: make(chan struct{}),
		index: map[Name]*chain{}, terms: map[Name]*term{}, templates: map[[32]byte]bool{},
	}
	if n.fs == nil {
		n.fs = OS{}
	}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if n.now == nil {
		n.now = time.Now
	}
	if n.compactBytes <= 0 {
		n.compactBytes = DefaultCompactBytes
	}
	if n.maxHeld <= 0 {
		n.maxHeld = DefaultMaxHeld
	}
	if n.tidyAfter <= 0 {
		n.tidyAfter = DefaultTidyAfter
	}
	n.compactAt, n.segmentsAt = n.compactBytes, maxSegments
	n.maxMerges = maxMerges
	if n.hooks.maxMerges > 0 {
		n.maxMerges = n.hooks.maxMerges
	}
	n.segmentBytes = max(n.compactBytes/4, 4096)
	for i := range n.gates {
		n.gates[i] = make(chan struct{}, 1)
	}
	m, err := newMetrics(opts.Registerer)
	if err != nil {
		return nil, err
	}
	n.metrics = m
	if err := n.layout(); err != nil {
		return nil, fmt.Errorf("open node log: %w", err)
	}
	if err := n.replay(); err != nil {
		_ = n.closeSegments() // the replay's error says more
		return nil, fmt.Errorf("open node log: %w", err)
	}
	return n, nil
}

// layout makes the folders of an empty home.
func (n *Node) layout() error {
	if err := n.fs.Mkdir(n.dir); err != nil {
		return err
	}
	for _, d := range []string{"log", "actors", "templates"} {
		if err := n.fs.Mkdir(filepath.Join(n.dir, d)); err != nil {
			return err
		}
	}
	if n.hooks.noDirSync {
		return nil
	}
	if err := n.fs.SyncDir(n.dir); err != nil {
		return err
	}
	// A parent that may not be read was not changed by this process either.
	if err := n.fs.SyncDir(filepath.Dir(filepath.Clean(n.dir))); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// enterLocked adds a durable batch to the index.
func (n *Node) enterLocked(name Name, r ref) {
	c := n.index[name]
	if c == nil {
		c = &chain{}
		n.index[name] = c
	}
	c.refs = append(c.refs, r)
	r.seg.live++
	r.seg.names = append(r.seg.names, name)
}

// Close implements Journal.
func (n *Node) Close() error {
	n.mu.Lock()
	if n.stopping {
		n.mu.Unlock()
		n.done.Wait()
		return nil
	}
	n.stopping = true
	n.mu.Unlock()
	close(n.quit)
	n.wake()
	n.done.Wait()
	return n.closeSegments()
}

func (n *Node) closeSegments() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs []error
	for _, s := range n.segments {
		errs = append(errs, s.file.Close())
	}
	n.segments = nil
	return errors.Join(errs...)
}

// isNotExist is for what may rightly be missing.
func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

var _ io.Closer = (*Node)(nil)
