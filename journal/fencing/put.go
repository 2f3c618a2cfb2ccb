package fencing

import "bytes"

// Put is one conditional write, over a link that loses requests and answers. The
// object is made if Over is "", else it replaces that version. The same bytes
// are sent until the store takes or refuses them; refused, a look tells whether
// they are there already, of an attempt whose answer was lost. So every object
// that is written this way must differ from all that were ever at its key.
type Put struct {
	Write
	Bugs Bugs

	silent  bool // an attempt had no answer
	looking bool
	version string
	err     error
}

// Move is what a Put wants next.
type Move int

// The moves of a Put.
const (
	Send Move = iota + 1 // the write, once
	Look                 // a read of the key, once
	Rest                 // a while without asking, then Send
	Over                 // nothing: Result tells
)

// Reply is what came of one Send or Look.
type Reply struct {
	Kind    ReplyKind
	Body    []byte // Found
	Version string // Took, Found
}

// ReplyKind tells replies apart.
type ReplyKind int

// The kinds of replies.
const (
	// Silent: no answer, or one that says nothing about what is there: a timeout, an
	// error of the server (5xx), a conflict of requests (409).
	Silent  ReplyKind = iota
	Took              // to Send: written
	Refused           // to Send: the key holds something, or another version (412)
	Found             // to Look
	Missing           // to Look: nothing is there
)

// Step takes the reply to the last move.
func (p *Put) Step(r Reply) Move {
	looking := p.looking
	p.looking = false
	switch {
	case r.Kind == Took:
		p.version = r.Version
		return Over
	case r.Kind == Refused && p.silent && p.Bugs.TrustConflict:
		return Over
	case r.Kind == Refused:
		p.looking = true
		return Look
	case looking && r.Kind == Found && p.own(r.Body):
		p.version = r.Version
		return Over
	case looking && r.Kind == Found:
		p.err = &Other{Key: p.Key, Body: r.Body, Version: r.Version}
		return Over
	case looking && r.Kind == Missing:
		p.err = &Other{Key: p.Key} // and gone again: somebody else is at work here
		return Over
	default:
		p.silent = true
		return Rest
	}
}

func (p *Put) own(there []byte) bool {
	if p.Bugs.TrustTorn && bytes.HasPrefix(p.Body, there) {
		return true
	}
	return bytes.Equal(there, p.Body)
}

// Result returns, once Step said Over, the version that is there now, or *Other
// if the key holds something else.
func (p *Put) Result() (version string, err error) { return p.version, p.err }
