package fencing

import "strings"

// Tidy finds what heads before this one superseded and a crash left behind. It is
// a Machine.
//
// A listing alone proves nothing: it may show what a newer owner made. So the
// head is looked at after it. If it is still the one that this term wrote, nobody
// has claimed the actor since, and of all that was listed
//   - a merge or snapshot of an older term that the head does not name is named by
//     no later head either: owners name what the head before named, and their
//     own. What this term made itself stays: a write of the head that was given
//     up may still arrive and name it;
//   - a batch that the head covers is covered by every later head. Seals and torn
//     slots are never deleted.
type Tidy struct {
	hold  Hold
	next  func(Answer) Request
	maybe []string // a covered batch, or what ends its log
	dead  []string
	err   error
}

// NewTidy prepares to tidy what a term holds. Nobody may write its head meanwhile.
func NewTidy(h Hold) *Tidy { return &Tidy{hold: h} }

// Result returns, once it is over, the keys of what is dead for ever.
func (t *Tidy) Result() (dead []string, err error) { return t.dead, t.err }

// Begin implements Machine.
func (t *Tidy) Begin() Request {
	t.next = t.listed
	return List{Prefix: t.hold.Dir}
}

// Step implements Machine.
func (t *Tidy) Step(a Answer) Request { return t.next(a) }

func (t *Tidy) listed(a Answer) Request {
	if a.Err != nil {
		t.err = a.Err
		return nil
	}
	if t.hold.bugs.TidyBlind {
		return t.judge(a.Names)
	}
	t.next = func(head Answer) Request {
		h, err := headOf(t.hold.Name, head)
		if err != nil {
			t.err = err
			return nil
		}
		if h.Nonce != t.hold.Nonce || head.Version != t.hold.Version {
			return nil
		}
		return t.judge(a.Names)
	}
	return Get{HeadKey(t.hold.Dir)}
}

// judge sorts what was listed under the own head.
func (t *Tidy) judge(names []string) Request {
	open := map[string]uint64{} // logs of the chain, with their first slot that is not covered
	for _, c := range t.hold.Head.Chain {
		open[LogKey("", c.Term, c.Nonce)] = c.From
	}
	own := LogKey("", t.hold.Number(), t.hold.Nonce)
	for _, name := range names {
		key := t.hold.Dir + name
		log, seq, slot := CutSlot(name)
		from, isOpen := open[log]
		switch {
		case slot && isOpen:
			if seq < from {
				t.dead = append(t.dead, key)
			}
		case slot && log != own:
			if term, _, err := CutLog(log); err == nil && term < t.hold.Number() {
				t.maybe = append(t.maybe, key)
			}
		case !slot && (strings.HasPrefix(name, "l1/") || strings.HasPrefix(name, "snap/")):
			if !t.named(key) && !strings.Contains(name, "-"+t.hold.Nonce+"-") {
				t.dead = append(t.dead, key)
			}
		}
	}
	if len(t.maybe) == 0 {
		return nil
	}
	t.next = t.batches
	return Read{t.maybe}
}

func (t *Tidy) named(key string) bool {
	for _, f := range t.hold.Head.Files() {
		if FileKey(t.hold.Dir, f.File) == key {
			return true
		}
	}
	return false
}

// batches picks those slots that hold a whole batch.
func (t *Tidy) batches(a Answer) Request {
	if a.Err != nil {
		t.dead, t.err = nil, a.Err
		return nil
	}
	for i, body := range a.Bodies {
		if f, _, _, err := DecodeSlot(body); body != nil && err == nil && f.Kind != Seal {
			t.dead = append(t.dead, t.maybe[i])
		}
	}
	return nil
}
