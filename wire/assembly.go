package wire

import (
	"errors"
	"fmt"
	"time"
)

// What an Assembly refuses.
var (
	// ErrFull: there is no room for the body now.
	ErrFull = errors.New("wire: no room for the body")
	// ErrUnknown: no such body is on its way here.
	ErrUnknown = errors.New("wire: part of an unknown body")
)

// Whole is a message whose body is complete. Exactly one of Request and Answer is
// set; its payload has no body, Body has.
type Whole struct {
	Request *Request
	Answer  *Answer
	Body    []byte
}

// Assembly puts bodies together that arrive in parts. It is not safe for
// concurrent use.
type Assembly struct {
	each, all int // bytes that bodies may have: of one incarnation, and together
	used      map[string]int
	total     int
	bodies    map[bodyKey]*body
}

type bodyKey struct {
	incarnation string
	id          uint64
}

type body struct {
	whole Whole
	size  int
	last  time.Time // when something arrived
}

// NewAssembly makes an Assembly that reserves at most each bytes for one
// incarnation and all bytes together.
func NewAssembly(each, all int) *Assembly {
	return &Assembly{each: each, all: all, used: map[string]int{}, bodies: map[bodyKey]*body{}}
}

// BeginRequest takes the first part of r's body. r has passed Check, and is kept.
func (a *Assembly) BeginRequest(r *Request, now time.Time) error {
	k := bodyKey{r.Origin.Incarnation, r.Payload.Transfer}
	return a.begin(k, Whole{Request: r}, r.Payload, now)
}

// BeginAnswer takes the first part of w's body. w has passed Check, and is kept.
func (a *Assembly) BeginAnswer(w *Answer, now time.Time) error {
	k := bodyKey{w.Origin.Incarnation, w.Payload.Transfer}
	return a.begin(k, Whole{Answer: w}, w.Payload, now)
}

func (a *Assembly) begin(k bodyKey, w Whole, p *Payload, now time.Time) error {
	if a.bodies[k] != nil {
		return fmt.Errorf("wire: body of %d begun twice", k.id)
	}
	if p.Size > BodyBytes {
		return fmt.Errorf("wire: body of %d bytes", p.Size)
	}
	size := int(p.Size)
	if a.used[k.incarnation]+size > a.each || a.total+size > a.all {
		return ErrFull
	}
	a.used[k.incarnation] += size
	a.total += size
	w.Body = p.Body
	p.Body = nil
	a.bodies[k] = &body{whole: w, size: size, last: now}
	return nil
}

// Add takes the next part of a body and returns how many bytes of it are here
// now. With the last part it returns the whole and forgets it; an error other
// than ErrUnknown drops the body.
func (a *Assembly) Add(p *Part, now time.Time) (whole *Whole, received uint64, err error) {
	k := bodyKey{p.GetTransfer().GetIncarnation(), p.GetTransfer().GetId()}
	b := a.bodies[k]
	if b == nil {
		return nil, 0, ErrUnknown
	}
	have := len(b.whole.Body)
	if p.GetOffset() != uint64(have) || len(p.GetBody()) > b.size-have || len(p.GetBody()) == 0 {
		a.drop(k)
		return nil, 0, fmt.Errorf("wire: %d bytes at %d where %d of %d are here", len(p.GetBody()), p.GetOffset(), have, b.size)
	}
	b.whole.Body = append(b.whole.Body, p.Body...)
	b.last = now
	received = uint64(len(b.whole.Body))
	if len(b.whole.Body) == b.size {
		a.drop(k)
		return &b.whole, received, nil
	}
	return nil, received, nil
}

// Expire drops the bodies of which nothing has arrived since before.
func (a *Assembly) Expire(before time.Time) (dropped int) {
	for k, b := range a.bodies {
		if b.last.Before(before) {
			a.drop(k)
			dropped++
		}
	}
	return dropped
}

// Forget drops all bodies that an incarnation was sending.
func (a *Assembly) Forget(incarnation string) {
	for k := range a.bodies {
		if k.incarnation == incarnation {
			a.drop(k)
		}
	}
}

// Reserved returns the bytes that bodies on their way may still come to.
func (a *Assembly) Reserved() int { return a.total }

func (a *Assembly) drop(k bodyKey) {
	b := a.bodies[k]
	delete(a.bodies, k)
	a.total -= b.size
	if a.used[k.incarnation] -= b.size; a.used[k.incarnation] == 0 {
		delete(a.used, k.incarnation)
	}
}
