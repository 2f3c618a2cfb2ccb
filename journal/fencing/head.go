package fencing

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
)

const headPrefix = "easel bucket 1 "

// The states of an actor in a bucket.
const (
	Live   = "live"   // the last term of the chain may append
	Closed = "closed" // it was released: nobody appends
	Erased = "erased"
)

// Head is the register that decides who owns an actor. It is only ever replaced by
// compare-and-set, and never deleted. An actor whose head names no file and whose
// logs hold no batch is not born yet.
type Head struct {
	Name  string `json:"name"`
	State string `json:"state"`
	Term  uint64 `json:"term"`
	Nonce string `json:"nonce"` // of the last claim
	Owner string `json:"owner,omitempty"`
	// Last is the number of the last batch that files cover. Batches are numbered
	// from 1 over all terms, one for each DATA slot.
	Last     uint64 `json:"last"`
	Template string `json:"template,omitempty"`
	// Snap is absent while the history starts from the template.
	Snap *File  `json:"snap,omitempty"`
	L1   []File `json:"l1,omitempty"`
	// Chain is the terms that may hold batches after Last, the oldest first.
	Chain []LogTerm `json:"chain,omitempty"`
}

// LogTerm is one term of a head's chain.
type LogTerm struct {
	Term  uint64 `json:"term"`
	Nonce string `json:"nonce"`
	// From is its first slot that files do not cover.
	From uint64 `json:"from"`
	// End is the number of its batches if it was released; nil if it may have
	// any number, so that it has to be sealed.
	End *uint64 `json:"end,omitempty"`
}

// File names one immutable file that covers batches.
type File struct {
	// File is empty if the batches changed nothing.
	File string `json:"file"`
	From uint64 `json:"from"` // first batch it covers; 0 for a snapshot
	To   uint64 `json:"to"`
	Size int64  `json:"size"`
	CRC  uint32 `json:"crc"` // CRC-32C of its bytes
}

// Check returns an error if f cannot be a file's.
func (f File) Check() error {
	if f.File == "" && f.Size == 0 {
		return nil
	}
	if f.File == "" || f.File != path.Base(f.File) || f.File[0] == '.' {
		return fmt.Errorf("file name %q", f.File)
	}
	return nil
}

// Files returns what the head names, the snapshot first.
func (h Head) Files() []File {
	if h.Snap == nil {
		return h.L1
	}
	return append([]File{*h.Snap}, h.L1...)
}

// Names reports whether the head names a file.
func (h Head) Names(file string) bool {
	return slices.ContainsFunc(h.Files(), func(f File) bool { return f.File == file })
}

// EncodeHead returns the object that DecodeHead reads.
func EncodeHead(h Head) ([]byte, error) { return EncodeChecked(headPrefix, h) }

// DecodeHead undoes EncodeHead and checks what the rest relies on. What a name
// may be is for the caller to say.
func DecodeHead(b []byte) (Head, error) {
	h, err := DecodeChecked[Head](headPrefix, b)
	if err != nil {
		return Head{}, err
	}
	return h, h.Check()
}

// Check returns an error if the head contradicts itself.
func (h Head) Check() error {
	if err := CheckNonce(h.Nonce); err != nil {
		return err
	}
	switch h.State {
	case Erased:
		return nil
	case Live, Closed:
	default:
		return fmt.Errorf("state %q", h.State)
	}
	if err := h.checkChain(); err != nil {
		return err
	}
	return h.checkFiles()
}

func (h Head) checkChain() error {
	prev := uint64(0)
	for _, c := range h.Chain {
		if c.Term <= prev || c.Term > h.Term {
			return fmt.Errorf("term %d after %d of %d", c.Term, prev, h.Term)
		}
		prev = c.Term
		if err := CheckNonce(c.Nonce); err != nil {
			return err
		}
		if c.End != nil && *c.End < c.From {
			return fmt.Errorf("term %d from %d to %d", c.Term, c.From, *c.End)
		}
	}
	if h.State == Live && (len(h.Chain) == 0 || h.Chain[len(h.Chain)-1].Nonce != h.Nonce) {
		return errors.New("the chain does not end in the owner's term")
	}
	return nil
}

func (h Head) checkFiles() error {
	if h.Last == 0 && h.Template == "" && h.Snap == nil && len(h.L1) == 0 {
		return nil
	}
	if h.Snap != nil && h.Snap.File == "" {
		return errors.New("snapshot without a file")
	}
	return CheckFiles(h.Template, h.Snap, h.L1, h.Last)
}

// CheckFiles returns an error unless the files, of a history that starts from a
// template, cover all batches up to last and no other: a snapshot, if there is one,
// and merges that follow each other without a gap.
func CheckFiles(template string, snap *File, merges []File, last uint64) error {
	if id, err := hex.DecodeString(template); err != nil || len(id) != 32 {
		return fmt.Errorf("template %q", template)
	}
	at := uint64(0)
	if snap != nil {
		if err := snap.Check(); err != nil {
			return err
		}
		at = snap.To
	}
	for _, f := range merges {
		if err := f.Check(); err != nil {
			return err
		}
		if f.From != at+1 || f.To < f.From {
			return fmt.Errorf("file %s covers %d to %d after %d", f.File, f.From, f.To, at)
		}
		at = f.To
	}
	if at != last || at == 0 {
		return fmt.Errorf("files end at %d, not at %d", at, last)
	}
	return nil
}

// Trim returns the chain without what refs cover. Terms that are over and have
// nothing more are left out; their seals stay.
func (h Head) Trim(refs []Ref) []LogTerm {
	out := slices.Clone(h.Chain)
	for _, r := range refs {
		for i := range out {
			if out[i].Nonce == r.Nonce {
				out[i].From = r.Seq + 1
			}
		}
	}
	return slices.DeleteFunc(out, func(c LogTerm) bool { return c.End != nil && c.From >= *c.End })
}

// Close returns the head that gives up the ownership of the term with nonce,
// which has end slots, after refs were covered.
func (h Head) Close(nonce string, end uint64, refs []Ref) Head {
	h.State = Closed
	h.Chain = h.Trim(refs)
	for i := range h.Chain {
		if h.Chain[i].Nonce == nonce {
			h.Chain[i].End = &end
		}
	}
	h.Chain = h.Trim(nil)
	return h
}

// headOf returns the head of an actor in the answer to a Get.
func headOf(name string, a Answer) (Head, error) {
	if a.Err != nil {
		return Head{}, a.Err
	}
	h, err := DecodeHead(a.Body)
	if err == nil && h.Name != name {
		err = fmt.Errorf("it is of %s", h.Name)
	}
	if err != nil {
		return Head{}, &Damage{fmt.Errorf("head: %w", err)}
	}
	return h, nil
}

// Owns judges an answer to a Get of the head: nil if the claim with nonce is
// still the last, ErrFenced if it is not.
func Owns(name, nonce string, a Answer) error {
	h, err := headOf(name, a)
	switch {
	case errors.Is(err, ErrAbsent):
		return &Damage{errors.New("its head is missing")}
	case err != nil:
		return err
	case h.Nonce != nonce || h.State != Live:
		return fmt.Errorf("%w: term %d of %q", ErrFenced, h.Term, h.Owner)
	}
	return nil
}
