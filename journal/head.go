package journal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strconv"
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

// encodeHead returns a line with a checksum and a line of JSON, so that it can
// be read with the eyes.
func encodeHead(h head) ([]byte, error) {
	body, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	sum := crc32.Checksum(body, castagnoli)
	return fmt.Appendf(nil, "%s%08x\n%s\n", headPrefix, sum, body), nil
}

// decodeHead undoes encodeHead and checks what restoring relies on.
func decodeHead(b []byte) (head, error) {
	rest, ok := bytes.CutPrefix(b, []byte(headPrefix))
	if !ok || len(rest) < 10 || rest[8] != '\n' || rest[len(rest)-1] != '\n' {
		return head{}, errors.New("no head")
	}
	sum, err := strconv.ParseUint(string(rest[:8]), 16, 32)
	if err != nil || fmt.Sprintf("%08x", sum) != string(rest[:8]) {
		return head{}, errors.New("no checksum")
	}
	body := rest[9 : len(rest)-1]
	if crc32.Checksum(body, castagnoli) != uint32(sum) {
		return head{}, errors.New("bad checksum")
	}
	var h head
	if err := json.Unmarshal(body, &h); err != nil {
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
