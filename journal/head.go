package journal

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
)

const (
	headPrefix = "easel head 1 "
	maxHead    = 1 << 20
)

// head is what an actor's directory says of it: the files that together are its
// history up to batch Last. It is replaced as a whole.
type head struct {
	Name     Name   `json:"name"`
	Term     uint64 `json:"term"`
	Last     uint64 `json:"last"`
	Template string `json:"template,omitempty"`
	Erased   bool   `json:"erased,omitempty"`
	// Snap is absent while the history starts from the template.
	Snap *headFile  `json:"snap,omitempty"`
	L1   []headFile `json:"l1,omitempty"`
}

// headFile names one immutable LTX file in the actor's directory.
type headFile struct {
	// File is empty if the batches changed nothing.
	File string `json:"file"`
	From uint64 `json:"from"` // first batch it covers; 0 for a snapshot
	To   uint64 `json:"to"`
	Size int64  `json:"size"`
	CRC  uint32 `json:"crc"` // CRC-32C of its bytes
}

func encodeHead(h head) ([]byte, error) { return encodeChecked(headPrefix, h) }

// decodeHead undoes encodeHead and checks what restoring relies on.
func decodeHead(b []byte) (head, error) {
	var h head
	if err := decodeChecked(headPrefix, b, &h); err != nil {
		return head{}, err
	}
	return h, h.check()
}

func (h head) check() error {
	if err := h.Name.Check(); err != nil {
		return err
	}
	if h.Erased {
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

func (f headFile) check() error {
	if f.File == "" && f.Size == 0 {
		return nil
	}
	if f.File == "" || f.File != filepath.Base(f.File) || f.File[0] == '.' {
		return fmt.Errorf("file name %q", f.File)
	}
	return nil
}

func unavailable(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, what, err)
}
