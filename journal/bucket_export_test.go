package journal

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
)

// WithFault returns the options with a fault planted.
func (o BucketOptions) WithFault(f BucketFault) BucketOptions {
	o.hooks.noSeal = f == NoSeal
	o.hooks.deleteSeals = f == DeleteSeals
	o.hooks.deleteTorn = f == DeleteTorn
	o.hooks.trustConflict = f == TrustConflict
	o.hooks.ackOutOfOrder = f == AckOutOfOrder
	o.hooks.noRecheck = f == NoRecheck
	return o
}

// WithCompactSlots returns the options with that many slots merged at once.
func (o BucketOptions) WithCompactSlots(n int) BucketOptions {
	o.hooks.compactSlots = n
	return o
}

// TermNumber returns the number of a Bucket's term.
func TermNumber(t Term) uint64 { return t.(*bucketTerm).number }
