package fencing

// Machine is a state machine that asks the store for one thing after the other.
type Machine interface {
	// Begin returns the first request; nil: it is over.
	Begin() Request
	// Step takes the answer to the last request and returns the next.
	Step(a Answer) Request
}

// Request is what a machine asks of the store: Get, Read, List or Write. Whoever
// performs it asks until there is an answer or patience is at an end.
type Request interface{ request() }

// Get reads one object.
type Get struct{ Key string }

// Read reads objects at once.
type Read struct{ Keys []string }

// List names all objects below Prefix (which ends in "/") after the key After.
type List struct{ Prefix, After string }

// Write makes an object, or replaces its version Over. See Put.
type Write struct {
	Key  string
	Body []byte
	Over string
}

func (Get) request()   {}
func (Read) request()  {}
func (List) request()  {}
func (Write) request() {}

// Answer is what came of a Request.
type Answer struct {
	Body    []byte   // Get
	Version string   // Get, Write
	Names   []string // List: in order, without the prefix
	Bodies  [][]byte // Read: nil where there is no object
	// Err is ErrAbsent (Get), *Other (Write), or why there is no answer, which ends
	// the machine.
	Err error
}
