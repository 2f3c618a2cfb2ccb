package fencing

import (
	"errors"
	"fmt"
)

// Hold is the register of an actor as the owner of a term knows it.
type Hold struct {
	Name    string
	Dir     string
	Nonce   string
	Head    Head   // as last written by this term; zero until there is one
	Version string // of Head in the store
	Fences  []Fence

	bugs Bugs
}

// Number is that of the term.
func (h *Hold) Number() uint64 { return max(1, h.Head.Term) }

// First returns the head with which an actor's history begins.
func (h *Hold) First(owner string) Head {
	return Head{
		Name: h.Name, State: Live, Term: h.Number(), Nonce: h.Nonce, Owner: owner,
		Chain: []LogTerm{{Term: h.Number(), Nonce: h.Nonce}},
	}
}

// Write returns the request that makes next the head. Wrote takes the answer.
func (h *Hold) Write(next Head) (Write, error) {
	body, err := EncodeHead(next)
	return Write{HeadKey(h.Dir), body, h.Version}, err
}

// Written is what came of a head that was written.
type Written struct {
	Covered int      // so many of the oldest batches are covered by files now
	Debris  []string // keys that nobody needs any more; any time is right to delete them
	// Err is ErrFenced, *Damage, ErrAdopted or the answer's; nil: it is the head.
	Err error
}

// Wrote follows the answer to Write(next). made is the file that next names and
// the head before does not, if any; refs are the batches that are not covered.
func (h *Hold) Wrote(next Head, made string, refs []Ref, a Answer) Written {
	if a.Err == nil {
		return h.follow(next, a.Version, refs)
	}
	other, moved := errors.AsType[*Other](a.Err)
	if !moved {
		return Written{Err: a.Err}
	}
	there, err := DecodeHead(other.Body)
	if err != nil {
		return Written{Err: &Damage{fmt.Errorf("head: %w", err)}}
	}
	var w Written
	if there.Nonce == h.Nonce && there.State == Live {
		w = h.follow(there, other.Version, refs)
		w.Err = ErrAdopted
	} else {
		w.Err = ErrFenced
	}
	if made != "" && !there.Names(made) {
		// The head that would have named it can no longer be written.
		w.Debris = append(w.Debris, FileKey(h.Dir, made))
	}
	return w
}

// follow takes over a head that is in the store.
func (h *Hold) follow(next Head, version string, refs []Ref) Written {
	old := h.Head
	h.Head, h.Version = next, version
	w := Written{Covered: min(int(next.Last-old.Last), len(refs))}
	for _, r := range refs[:w.Covered] {
		w.Debris = append(w.Debris, r.Key(h.Dir))
	}
	for _, f := range old.Files() {
		if f.File != "" && !next.Names(f.File) {
			w.Debris = append(w.Debris, FileKey(h.Dir, f.File))
		}
	}
	for _, f := range h.Fences {
		if f.Torn && h.bugs.DeleteTorn || !f.Torn && h.bugs.DeleteSeals {
			w.Debris = append(w.Debris, f.Key)
		}
	}
	return w
}
