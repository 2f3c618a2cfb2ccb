package wire

//go:generate sh -c "go build -o ../.tools/protoc-gen-go google.golang.org/protobuf/cmd/protoc-gen-go && protoc --plugin=../.tools/protoc-gen-go --go_out=. --go_opt=paths=source_relative wire.proto"

import (
	"errors"
	"fmt"
)

// The versions of this protocol that this build understands. Two nodes speak
// the highest that both do. Version 2 tells when a request was sent.
const (
	Version    = 2
	MinVersion = 1
)

// Bounds of what nodes send each other, in bytes.
const (
	// WholeBytes is the largest body that travels in one piece.
	WholeBytes = 192 << 10
	// PartBytes is how much of a larger body one message carries.
	PartBytes = 128 << 10
	// WindowBytes is how far a sender goes beyond what the receiver has
	// acknowledged of a body.
	WindowBytes = 1 << 20
	// BodyBytes is the largest body at all.
	BodyBytes = 64 << 20
	// FieldBytes bounds each name in an envelope.
	FieldBytes = 4 << 10
	// MemberBytes is the room that gossip has for a Member.
	MemberBytes = 512
)

// ErrVersion marks a message of a version that this build does not understand.
var ErrVersion = errors.New("wire: version not understood")

// Speak returns the highest version in both of two ranges; 0 if there is none.
func Speak(lowest, highest, theirLowest, theirHighest uint32) uint32 {
	v := min(highest, theirHighest)
	if v < lowest || v < theirLowest {
		return 0
	}
	return v
}

// Check reports what makes r unusable: only a request without such a fault may
// be acted on.
func (r *Request) Check() error {
	if err := checkVersion(r.GetVersion()); err != nil {
		return err
	}
	if r.GetId() == 0 {
		return errors.New("wire: request without id")
	}
	if err := r.GetOrigin().check(); err != nil {
		return err
	}
	if r.GetTo().GetKind() == "" || r.GetTo().GetId() == "" {
		return errors.New("wire: request to nobody")
	}
	p := r.GetPayload()
	if p.GetName() == "" {
		return errors.New("wire: request without a message")
	}
	return errors.Join(
		p.check(),
		short(r.To.Kind, r.To.Id, r.To.Node, r.From.GetKind(), r.From.GetId(), r.From.GetNode(),
			r.OnceId, r.OnceHash, r.Traceparent, r.Tracestate, p.Name),
	)
}

// Check reports what makes a unusable.
func (a *Answer) Check() error {
	if err := checkVersion(a.GetVersion()); err != nil {
		return err
	}
	if a.GetId() == 0 {
		return errors.New("wire: answer without id")
	}
	if err := a.GetOrigin().check(); err != nil {
		return err
	}
	p := a.GetPayload()
	switch a.GetOutcome() {
	case Outcome_OUTCOME_MESSAGE:
		if p.GetName() == "" {
			return errors.New("wire: answer without a message")
		}
	case Outcome_OUTCOME_ERROR:
		if p.GetSize() == 0 {
			return errors.New("wire: answer without its error")
		}
	case Outcome_OUTCOME_MOVED:
		return nil
	default:
		return fmt.Errorf("wire: answer with outcome %d", a.GetOutcome())
	}
	return errors.Join(p.check(), short(p.GetName()))
}

// Check reports what makes p unusable.
func (p *Part) Check() error {
	if err := checkVersion(p.GetVersion()); err != nil {
		return err
	}
	if len(p.GetBody()) == 0 || len(p.GetBody()) > WholeBytes {
		return fmt.Errorf("wire: part of %d bytes", len(p.GetBody()))
	}
	return p.GetTransfer().check()
}

// Check reports what makes c unusable.
func (c *Credit) Check() error {
	if err := checkVersion(c.GetVersion()); err != nil {
		return err
	}
	return c.GetTransfer().check()
}

func (t *Transfer) check() error {
	if t.GetId() == 0 || t.GetIncarnation() == "" {
		return errors.New("wire: transfer without a name")
	}
	return short(t.Incarnation)
}

func (o *Origin) check() error {
	if o.GetNode() == "" || o.GetIncarnation() == "" || o.GetAddress() == "" {
		return errors.New("wire: message without an origin")
	}
	return short(o.Node, o.Incarnation, o.Address)
}

func (p *Payload) check() error {
	n := uint64(len(p.GetBody()))
	switch {
	case n > WholeBytes:
		return fmt.Errorf("wire: %d bytes in one piece", n)
	case p.GetSize() < n:
		return fmt.Errorf("wire: %d bytes of a body of %d", n, p.GetSize())
	case p.GetSize() > BodyBytes:
		return fmt.Errorf("wire: body of %d bytes", p.GetSize())
	case p.GetSize() > n && (n == 0 || p.GetTransfer() == 0):
		return errors.New("wire: body without its first part or its name")
	}
	return nil
}

func checkVersion(v uint32) error {
	if v < MinVersion || v > Version {
		return fmt.Errorf("%w: %d", ErrVersion, v)
	}
	return nil
}

func short(fields ...string) error {
	for _, f := range fields {
		if len(f) > FieldBytes {
			return fmt.Errorf("wire: name of %d bytes", len(f))
		}
	}
	return nil
}
