package actors

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

var (
	errMailboxFull   = errors.New("actors: mailbox full")
	errMailboxClosed = errors.New("actors: mailbox closed")
)

// envelope is a message in a mailbox.
type envelope struct {
	// A queued message is a call that has not been made yet, so it carries its
	// caller's context: for its end and for its trace.
	ctx     context.Context //nolint:containedctx // see above
	message Message
	from    Ref
	once    Once
	reply   func(Message, error) // nil: nobody waits for an answer, or it has been given
	at      time.Time
}

// answer gives the answer to whoever waits for it. What comes after the first is
// ignored.
func (e *envelope) answer(m Message, err error) {
	if reply := e.reply; reply != nil {
		e.reply = nil
		reply(m, err)
	}
}

// mailbox is what waits for one actor: messages, of which there may be so many
// and no more, and calls back to the actor, which are bounded by what it
// started itself and therefore always taken.
type mailbox struct {
	capacity int
	wake     func() // makes the actor drain the mailbox; called without the lock

	mu        sync.Mutex // guards all below
	messages  []*envelope
	calls     []func()
	scheduled bool // a wake is on its way or the actor is draining
	closed    bool
}

func (m *mailbox) push(e *envelope) error {
	m.mu.Lock()
	switch {
	case m.closed:
		m.mu.Unlock()
		return errMailboxClosed
	case len(m.messages) >= m.capacity:
		m.mu.Unlock()
		return errMailboxFull
	}
	m.messages = append(m.messages, e)
	m.unlockAndWake()
	return nil
}

// post makes f run on the actor's goroutine, before any waiting message. It
// reports whether the actor was still there to do so.
func (m *mailbox) post(f func()) bool {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return false
	}
	m.calls = append(m.calls, f)
	m.unlockAndWake()
	return true
}

func (m *mailbox) unlockAndWake() {
	first := !m.scheduled
	m.scheduled = true
	m.mu.Unlock()
	if first {
		m.wake()
	}
}

// take returns all calls or, if there are none, up to limit messages: never both,
// because a call may end the actor, which it may only do while all messages are
// still here. If there is nothing to return, the actor goes to sleep: ok is false
// and the next arrival wakes it.
func (m *mailbox) take(limit int) (calls []func(), messages []*envelope, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.calls) > 0 {
		calls, m.calls = m.calls, nil
		return calls, nil, true
	}
	if n := min(limit, len(m.messages)); n == len(m.messages) {
		messages, m.messages = m.messages, nil
	} else if n > 0 {
		messages = m.messages[:n:n]
		m.messages = m.messages[n:]
	}
	if len(messages) == 0 {
		m.scheduled = false
		return nil, nil, false
	}
	return nil, messages, true
}

// putBack makes messages that were taken the first to be taken again.
func (m *mailbox) putBack(messages []*envelope) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages = slices.Concat(messages, m.messages)
}

// close ends the mailbox if nothing waits in it, and reports whether it did.
func (m *mailbox) close() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.messages) > 0 || len(m.calls) > 0 {
		return false
	}
	m.closed = true
	return true
}

// abandon ends the mailbox and returns the messages that waited.
func (m *mailbox) abandon() []*envelope {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	rest := m.messages
	m.messages, m.calls = nil, nil
	return rest
}
