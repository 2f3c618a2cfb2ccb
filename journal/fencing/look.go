package fencing

import "errors"

// Looks are validations: those who ask whether a term is still the last are
// answered by a look at the head that began after they asked, one for all who
// waited then.
type Looks[W any] struct {
	Bugs Bugs

	running   bool
	now, next []W
}

// Ask enters one who asks. It reports whether a look begins with it: then the
// head has to be read, and Done called with what came of it.
func (l *Looks[W]) Ask(w W) (begin bool) {
	if l.running {
		if l.Bugs.JoinLook {
			l.now = append(l.now, w)
		} else {
			l.next = append(l.next, w)
		}
		return false
	}
	l.running, l.now = true, []W{w}
	return true
}

// Done returns those whom the look that ran answers, and whether the next begins.
func (l *Looks[W]) Done() (answered []W, begin bool) {
	answered, l.now, l.next = l.now, l.next, nil
	l.running = len(l.now) > 0
	return answered, l.running
}

// Valid judges what a look at the head showed to the owner of a term. Before an
// actor is born there is none.
func (h *Hold) Valid(established bool, a Answer) error {
	if !established && errors.Is(a.Err, ErrAbsent) {
		return nil
	}
	return Owns(h.Name, h.Nonce, a)
}
