package journal

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/easelhq/easel/journal/fencing"
)

// BucketFault is a planted fault.
type BucketFault int

// The planted faults that the fencing model must notice.
const (
	NoBucketFault BucketFault = iota
	NoSeal
	DeleteSeals
	DeleteTorn
	TrustConflict
	AckOutOfOrder
	NoRecheck
	TidyBlind
)

// WithFault returns the options with a fault planted.
func (o BucketOptions) WithFault(f BucketFault) BucketOptions {
	o.hooks.bugs = fencing.Bugs{
		NoSeal: f == NoSeal, DeleteSeals: f == DeleteSeals, DeleteTorn: f == DeleteTorn, TrustConflict: f == TrustConflict,
		AckOutOfOrder: f == AckOutOfOrder, NoRecheck: f == NoRecheck,
		TidyBlind: f == TidyBlind,
	}
	return o
}

// WithDraws returns the options with draws that depend on seed only.
func (o BucketOptions) WithDraws(seed uint64) BucketOptions {
	n := uint64(0)
	var mu sync.Mutex
	o.hooks.nonce = func() string {
		mu.Lock()
		defer mu.Unlock()
		n++
		return fmt.Sprintf("%016x%016x", seed, n)
	}
	o.hooks.jitter = func(d time.Duration) time.Duration { return d / 2 }
	return o
}

// WithCompactSlots returns the options with that many slots merged at once.
func (o BucketOptions) WithCompactSlots(n int) BucketOptions {
	o.hooks.compactSlots = n
	return o
}

// TermNumber returns the number of a Bucket's term.
func TermNumber(t Term) uint64 { return t.(*bucketTerm).number }

// CompactTerm covers with files what a Bucket's term has appended so far.
func CompactTerm(ctx context.Context, t Term) error { return t.(*bucketTerm).compactSome(ctx) }

// SealKind is what DecodeSlot says of a seal.
const SealKind = int(fencing.Seal)

// DecodeSlot returns what a slot holds, and whether it is whole.
func DecodeSlot(b []byte) (kind int, payload []byte, err error) {
	f, payload, _, err := fencing.DecodeSlot(b)
	return int(f.Kind), payload, err
}

// EncodeSlot returns a slot with these bytes.
func EncodeSlot(seq uint64, payload []byte) []byte {
	b, _ := fencing.EncodeSlot(fencing.Slot{Kind: fencing.Data, Term: 7, Seq: seq, Nonce: newNonce()}, payload)
	return b
}

// RecodeBucketHead decodes a head and encodes it again.
func RecodeBucketHead(b []byte) ([]byte, error) {
	h, err := decodeBucketHead(b)
	if err != nil {
		return nil, err
	}
	return fencing.EncodeHead(h)
}

// CompactTermIfChained waits for the compaction that a claim of a long chain has
// begun.
func CompactTermIfChained(ctx context.Context, t Term) error {
	b := t.(*bucketTerm)
	b.mu.Lock()
	busy := b.compacting
	b.mu.Unlock()
	if !busy {
		return nil
	}
	return b.compactSome(ctx)
}
