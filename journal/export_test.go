package journal

import "context"

// Fault is a planted fault.
type Fault int

// The planted faults that the model test must notice.
const (
	NoFault Fault = iota
	AckBeforeSync
	HeadBeforeSnap
	NoDirSync
	ReplayPastTorn
)

// WithFault returns the options with a fault planted.
func (o NodeOptions) WithFault(f Fault) NodeOptions {
	o.hooks = hooks{
		ackBeforeSync:  f == AckBeforeSync,
		headBeforeSnap: f == HeadBeforeSnap,
		noDirSync:      f == NoDirSync,
		replayPastTorn: f == ReplayPastTorn,
	}
	return o
}

// WithMaxMerges returns the options with snapshots made that soon.
func (o NodeOptions) WithMaxMerges(n int) NodeOptions {
	o.hooks.maxMerges = n
	return o
}

// Compact compacts every segment but the active one, and returns when it is
// done.
func (n *Node) Compact() error {
	n.mu.Lock()
	n.purging = true
	n.mu.Unlock()
	return n.compactOnce(context.Background())
}
