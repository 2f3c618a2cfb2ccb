package journal

import "github.com/easelhq/easel/journal/fencing"

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

// headFile names one immutable LTX file of the actor, in a folder or a bucket.
type headFile = fencing.File

func encodeHead(h head) ([]byte, error) { return fencing.EncodeChecked(headPrefix, h) }

// decodeHead undoes encodeHead and checks what restoring relies on.
func decodeHead(b []byte) (head, error) {
	h, err := fencing.DecodeChecked[head](headPrefix, b)
	if err != nil {
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
	return fencing.CheckFiles(h.Template, h.Snap, h.L1, h.Last)
}
