package journal

import (
	"encoding/hex"
	"errors"
	"fmt"
)

const bucketHeadPrefix = "easel bucket 1 "

// The states of an actor in a bucket.
const (
	stateLive   = "live"   // the last term of the chain may append
	stateClosed = "closed" // it was released: nobody appends
	stateErased = "erased"
)

// bucketHead is the register that decides who owns an actor. It is only ever
// replaced by compare-and-set, and never deleted. An actor whose head names no
// file and whose logs hold no batch is not born yet.
type bucketHead struct {
	Name  Name   `json:"name"`
	State string `json:"state"`
	Term  uint64 `json:"term"`
	Nonce string `json:"nonce"` // of the last claim
	Owner string `json:"owner,omitempty"`
	// Last is the number of the last batch that files cover. Batches are numbered
	// from 1 over all terms, one for each DATA slot.
	Last     uint64 `json:"last"`
	Template string `json:"template,omitempty"`
	// Snap is absent while the history starts from the template.
	Snap *headFile  `json:"snap,omitempty"`
	L1   []headFile `json:"l1,omitempty"`
	// Chain is the terms that may hold batches after Last, the oldest first.
	Chain []logTerm `json:"chain,omitempty"`
}

// logTerm is one term of a head's chain.
type logTerm struct {
	Term  uint64 `json:"term"`
	Nonce string `json:"nonce"`
	// From is its first slot that files do not cover.
	From uint64 `json:"from"`
	// End is the number of its batches if it was released; nil if it may have
	// any number, so that it has to be sealed.
	End *uint64 `json:"end,omitempty"`
}

func (h bucketHead) files() []headFile {
	if h.Snap == nil {
		return h.L1
	}
	return append([]headFile{*h.Snap}, h.L1...)
}

func encodeBucketHead(h bucketHead) ([]byte, error) { return encodeChecked(bucketHeadPrefix, h) }

// decodeBucketHead undoes encodeBucketHead and checks what the rest relies on.
func decodeBucketHead(b []byte) (bucketHead, error) {
	var h bucketHead
	if err := decodeChecked(bucketHeadPrefix, b, &h); err != nil {
		return bucketHead{}, err
	}
	return h, h.check()
}

func (h bucketHead) check() error {
	if err := h.Name.Check(); err != nil {
		return err
	}
	if err := checkNonce(h.Nonce); err != nil {
		return err
	}
	switch h.State {
	case stateErased:
		return nil
	case stateLive, stateClosed:
	default:
		return fmt.Errorf("state %q", h.State)
	}
	if err := h.checkChain(); err != nil {
		return err
	}
	return h.checkFiles()
}

func (h bucketHead) checkChain() error {
	prev := uint64(0)
	for _, c := range h.Chain {
		if c.Term <= prev || c.Term > h.Term {
			return fmt.Errorf("term %d after %d of %d", c.Term, prev, h.Term)
		}
		prev = c.Term
		if err := checkNonce(c.Nonce); err != nil {
			return err
		}
		if c.End != nil && *c.End < c.From {
			return fmt.Errorf("term %d from %d to %d", c.Term, c.From, *c.End)
		}
	}
	if h.State == stateLive && (len(h.Chain) == 0 || h.Chain[len(h.Chain)-1].Nonce != h.Nonce) {
		return errors.New("the chain does not end in the owner's term")
	}
	return nil
}

func (h bucketHead) checkFiles() error {
	if h.Last == 0 && h.Template == "" && h.Snap == nil && len(h.L1) == 0 {
		return nil
	}
	if id, err := hex.DecodeString(h.Template); err != nil || len(id) != 32 {
		return fmt.Errorf("template %q", h.Template)
	}
	at := uint64(0)
	if h.Snap != nil {
		if err := h.Snap.check(); err != nil {
			return err
		}
		if h.Snap.File == "" {
			return errors.New("snapshot without a file")
		}
		at = h.Snap.To
	}
	for _, f := range h.L1 {
		if err := f.check(); err != nil {
			return err
		}
		if f.From != at+1 || f.To < f.From {
			return fmt.Errorf("file %s covers %d to %d after %d", f.File, f.From, f.To, at)
		}
		at = f.To
	}
	if at != h.Last || at == 0 {
		return fmt.Errorf("files end at %d, not at %d", at, h.Last)
	}
	return nil
}
