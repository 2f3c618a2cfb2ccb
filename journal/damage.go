package journal

import "fmt"

// damage is what is known to be missing from live segments. It never takes a
// history for shorter than it was: who might have lost a batch stays closed.
type damage struct {
	owners map[uint64]uint64     // hash of an actor's name: its last batch that cannot be read
	where  map[uint64][]*segment // what such batches keep from being removed, once each
	halves map[uint32]bool       // low halves of such hashes, where only those are known
	// anyone: records of unknown owners are missing. Only actors with a sound
	// batch after them, in an unbroken row, are known to have lost nothing.
	anyone bool
	proven map[Name]bool
	named  map[Name]error
}

// lostOwner notes that a batch of this owner in seg cannot be read.
func (d *damage) lostOwner(owner, seq uint64, seg *segment) {
	if d.owners == nil {
		d.owners, d.where = map[uint64]uint64{}, map[uint64][]*segment{}
	}
	d.owners[owner] = max(d.owners[owner], seq)
	d.where[owner] = append(d.where[owner], seg)
	seg.live++
}

// absolveLocked forgets the damage to an actor that was erased: its segments may
// go.
func (n *Node) absolveLocked(name Name) {
	owner := ownerOf(name)
	for _, seg := range n.damaged.where[owner] {
		seg.live--
		seg.erased = true
	}
	delete(n.damaged.where, owner)
	delete(n.damaged.owners, owner)
}

// overcome reports whether a batch that cannot be read is missed by nobody: its
// actor was erased, or has files that cover it. The head that says so is made
// durable first, as it is before any batch leaves the log.
func (n *Node) overcome(name Name, r record) bool {
	if name.Check() != nil || ownerOf(name) != r.owner {
		return false // whose it is cannot be read either
	}
	h, ok, err := n.readHead(name)
	return err == nil && ok && (h.Erased || h.Last >= r.seq) && n.putHead(h) == nil
}

// lose notes that count records are missing, the last one of an owner with this
// low half. Sound batches that were seen before prove nothing any more.
func (d *damage) lose(half uint32, count uint64) {
	if count == 1 {
		if d.halves == nil {
			d.halves = map[uint32]bool{}
		}
		d.halves[half] = true
	} else {
		d.anyone = true
	}
	d.proven = nil
}

// prove notes a sound batch of an actor after all that was lost so far. That
// its history has no gap before the batch is checked elsewhere.
func (d *damage) prove(name Name) {
	if !d.anyone && d.halves == nil {
		return
	}
	if d.proven == nil {
		d.proven = map[Name]bool{}
	}
	d.proven[name] = true
}

func (d *damage) concerns(name Name) bool { return d.check(name, 0) != nil }

// check returns ErrCorrupt if the actor, whose own files cover the batches up to
// last, may have lost something.
func (d *damage) check(name Name, last uint64) error {
	if err := d.named[name]; err != nil {
		return err
	}
	owner := ownerOf(name)
	switch {
	case d.owners[owner] > last:
		return fmt.Errorf("%w: %s: a record in the log is damaged", ErrCorrupt, name)
	case d.halves[uint32(owner)] && !d.proven[name]:
		return fmt.Errorf("%w: %s: a record in the log is lost", ErrCorrupt, name)
	case d.anyone && !d.proven[name]:
		return fmt.Errorf("%w: %s: records of unknown actors are lost in the log", ErrCorrupt, name)
	default:
		return nil
	}
}

// corruptActor notes that what is kept of an actor cannot be trusted and
// returns the error that says so. It stays closed until the journal is opened
// again.
func (n *Node) corruptActor(name Name, cause error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.corruptLocked(name, cause)
}

func (n *Node) corruptLocked(name Name, cause error) error {
	err := fmt.Errorf("%w: %s: %w", ErrCorrupt, name, cause)
	if n.damaged.named == nil {
		n.damaged.named = map[Name]error{}
	}
	if n.damaged.named[name] == nil {
		n.damaged.named[name] = err
		n.metrics.corrupt.Inc()
		n.log.Error("actor is corrupt", "actor", name, "err", cause)
	}
	return err
}
