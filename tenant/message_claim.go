package tenant

import (
	"encoding/json"

	"github.com/easelhq/easel"
)

// Claim makes a request that takes several actors happen once: whoever holds the
// claim on its key may work on it; -> Claimed. Repeated by the same holder it
// extends the lease (Options.ClaimFor); while somebody else's lease lasts it is
// CodeConflict with RetryAfter. A lease that ran out is taken over, and what the
// old holder then tries to settle fails. So is one that the same Node got in an
// earlier Life, as that has ended.
type Claim struct {
	Key    string   `json:"key"`            // the Idempotency-Key, scoped by the caller
	Holder easel.ID `json:"holder"`         // of this attempt
	Node   string   `json:"node,omitempty"` // where it is worked on; "": not known
	Life   easel.ID `json:"life,omitempty"` // of the node's process
}

// MessageName implements actors.Message.
func (Claim) MessageName() string { return "tenant.claim" }

// Claimed answers Claim. If Done, the request has happened before and this is
// its verdict; else the asker holds the claim.
type Claimed struct {
	Done   bool            `json:"done"`
	Hash   string          `json:"hash,omitempty"` // of the request's content
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  *easel.Error    `json:"error,omitempty"`
}

// MessageName implements actors.Message.
func (Claimed) MessageName() string { return "tenant.claimed" }

// Settle ends a claim; -> Empty, also when repeated. With an Answer or an Error
// that is the verdict for later claims, kept 24 h; with neither the claim is
// given up and the key is free. CodeConflict if Holder does not hold it.
type Settle struct {
	Key    string          `json:"key"`
	Holder easel.ID        `json:"holder"`
	Hash   string          `json:"hash,omitempty"`
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  *easel.Error    `json:"error,omitempty"`
}

// MessageName implements actors.Message.
func (Settle) MessageName() string { return "tenant.settle" }
