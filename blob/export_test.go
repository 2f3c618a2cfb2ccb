package blob

// Rounds is how writes share the sync of a folder.
type Rounds struct{ rounds rounds }

// Do is what sync calls.
func (r *Rounds) Do(work func() error) error { return r.rounds.do(work) }
