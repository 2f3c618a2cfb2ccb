package fencingtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/easelhq/easel/journal/fencing"
)

// CompactAt is how many slots an Owner covers with one file.
const CompactAt = 3

// linger is how long appends of one Owner in three wait for company.
const linger = 5 * time.Millisecond

// Owner is one term of one actor, in a process.
type Owner struct {
	// History is the entries that the term found.
	History []string
	// Term is its number.
	Term uint64

	p       *Process
	hold    fencing.Hold
	line    *fencing.Line[Entry]
	looks   fencing.Looks[func(error)]
	refs    []fencing.Ref // with their bodies
	covered []string      // what files hold
	files   int
	busy    bool
	queue   []func() // who waits for busy
	idle    []func() // who waits for the line to be at rest
	merging bool
	retryAt int // length of refs
}

// Entry is one append.
type Entry struct {
	Text string
	Done func(error)
}

// Claim makes the process the owner of an actor, which is born if birth says so,
// and tells what came of it.
func (p *Process) Claim(name string, birth bool, then func(*Owner, error)) {
	p.claim(name, birth, 16, then)
}

func (p *Process) claim(name string, birth bool, tries int, then func(*Owner, error)) {
	if tries == 0 {
		then(nil, errNoAnswer)
		return
	}
	p.nonces++
	c := fencing.NewClaim(fencing.Claimant{
		Name: name, Dir: "actors/" + strings.ReplaceAll(name, "/", ".") + "/", Owner: p.Name,
		Nonce: fmt.Sprintf("%08x%016x%08x", p.sim.Rand.Uint32(), p.sim.made, p.nonces), Birth: birth, Bugs: p.bugs,
	})
	p.run(c, func() {
		got, err := c.Result()
		if _, again := errors.AsType[*fencing.Other](err); again {
			p.Do(time.Duration(p.sim.Rand.IntN(50))*time.Millisecond, func() { p.claim(name, birth, tries-1, then) })
			return
		}
		if err != nil {
			p.sim.Note("%s claims %s: %v", p.Name, name, err)
			then(nil, err)
			return
		}
		p.sim.Note("%s owns %s in term %d", p.Name, name, got.Number())
		o := p.owner(got)
		o.restore(func(err error) {
			if err != nil {
				o = nil
			}
			then(o, err)
		})
	})
}

func (p *Process) owner(got fencing.Claimed) *Owner {
	o := &Owner{p: p, hold: got.Hold, refs: got.Refs, Term: got.Number(), looks: fencing.Looks[func(error)]{Bugs: p.bugs}, retryAt: CompactAt}
	opts := fencing.LineOptions[Entry]{
		Number: o.Term, Nonce: got.Nonce, Established: got.Was != "", Fresh: got.Fresh(), MaxSlot: 100, Bugs: p.bugs,
		Size:    func(e Entry) int { return len(e.Text) },
		Payload: func(birth bool, batch []Entry) ([]byte, error) { return encode(birth, batch), nil },
	}
	if p.sim.Rand.IntN(3) == 0 && !p.Calm {
		opts.Linger = linger
	}
	o.line = fencing.NewLine(opts)
	return o
}

// restore reads what the actor's files and slots hold.
func (o *Owner) restore(then func(error)) {
	var keys []string
	named := o.hold.Head.Files()
	for _, f := range named {
		keys = append(keys, fencing.FileKey(o.hold.Dir, f.File))
	}
	files := len(keys)
	for _, r := range o.refs {
		keys = append(keys, r.Key(o.hold.Dir))
	}
	if len(keys) == 0 {
		then(nil)
		return
	}
	o.p.Perform(fencing.Read{Keys: keys}, nil, func(a fencing.Answer) {
		if a.Err != nil {
			then(a.Err)
			return
		}
		for i, body := range a.Bodies {
			if i >= files && o.refs[i-files].Body != nil {
				body = o.refs[i-files].Body
			}
			if body == nil || i < files && int64(len(body)) != named[i].Size {
				o.missing(keys[i], then)
				return
			}
			if i < files {
				o.covered = append(o.covered, decode(body)...)
				continue
			}
			o.refs[i-files].Body = body
			o.History = append(o.History, batchOf(body)...)
		}
		o.History = append(o.covered[:len(o.covered):len(o.covered)], o.History...)
		then(nil)
	})
}

// missing judges that something is not there, or not whole: under a newer owner
// that is right.
func (o *Owner) missing(key string, then func(error)) {
	o.p.Perform(fencing.Get{Key: fencing.HeadKey(o.hold.Dir)}, nil, func(a fencing.Answer) {
		err := fencing.Owns(o.hold.Name, o.hold.Nonce, a)
		if err == nil {
			err = &fencing.Damage{Cause: errors.New(key + " is missing or torn")}
		}
		then(err)
	})
}

// Err returns why the term has ended, or nil.
func (o *Owner) Err() error { return o.line.Err() }

// Append makes text the next entry.
func (o *Owner) Append(text string, done func(error)) {
	o.do(o.line.Append(o.p.sim.Now, Entry{text, done}, nil))
}

// Validate tells whether the term is the last, as of a look that begins from now on.
func (o *Owner) Validate(then func(error)) {
	if err := o.line.Err(); err != nil {
		then(err)
		return
	}
	if o.looks.Ask(then) {
		o.look()
	}
}

func (o *Owner) look() {
	established := o.line.IsEstablished()
	o.p.Perform(fencing.Get{Key: fencing.HeadKey(o.hold.Dir)}, nil, func(a fencing.Answer) {
		err := o.hold.Valid(established, a)
		if ended := o.line.Err(); ended != nil {
			err = ended
		} else if final(err) {
			o.do(o.line.End(err))
		}
		answered, again := o.looks.Done()
		for _, then := range answered {
			then(err)
		}
		if again {
			o.look()
		}
	})
}

func final(err error) bool {
	return errors.Is(err, fencing.ErrFenced) || errors.Is(err, fencing.ErrCorrupt)
}

func (o *Owner) ended() bool { return o.line.Err() != nil }

// do sets going what the line wants done.
func (o *Owner) do(work fencing.Work[Entry]) {
	if work.Ended != nil {
		o.p.sim.Note("%s term %d ends: %v", o.p.Name, o.Term, work.Ended)
		o.refs = nil
	}
	if work.Establish {
		o.enter(o.establish)
	}
	for _, f := range work.Send {
		o.send(f)
	}
	if work.Linger > 0 {
		o.p.Do(work.Linger, func() { o.do(o.line.Wake(o.p.sim.Now, false)) })
	}
	if work.Deliver {
		o.p.Soon(o.deliver)
	}
	for _, e := range work.Early {
		o.p.Soon(func() { e.Done(nil) })
	}
}

func (o *Owner) establish() {
	first := o.hold.First(o.p.Name)
	w, err := o.hold.Write(first)
	if err != nil {
		panic(err) // it is made of nothing that could fail
	}
	o.p.Perform(w, o.ended, func(a fencing.Answer) {
		if a.Err == nil {
			a.Err = o.hold.Wrote(first, "", nil, a).Err
		}
		o.leave()
		o.do(o.line.Established(o.p.sim.Now, a.Err))
	})
}

func (o *Owner) send(f *fencing.Flight[Entry]) {
	w := fencing.Write{Key: fencing.LogKey(o.hold.Dir, o.Term, o.hold.Nonce) + fencing.SlotName(f.Seq), Body: f.Body}
	o.p.Perform(w, o.ended, func(a fencing.Answer) { o.do(o.line.Sent(o.p.sim.Now, f, a.Err)) })
}

// deliver answers one after the other, each a step of its own.
func (o *Owner) deliver() {
	d, work, ok := o.line.Deliver(o.p.sim.Now)
	o.do(work)
	if !ok {
		if o.line.AtRest() {
			idle := o.idle
			o.idle = nil
			for _, f := range idle {
				f()
			}
		}
		return
	}
	if d.Landed != nil {
		o.refs = append(o.refs, fencing.Ref{
			Term: o.Term, Nonce: o.hold.Nonce, Seq: d.Landed.Seq, Size: len(d.Landed.Body), Body: d.Landed.Body,
		})
		if len(o.refs) >= o.retryAt && !o.merging && !o.line.Leaving() {
			o.merging = true
			o.enter(o.compact)
		}
	}
	for _, e := range d.Waits {
		e.Done(d.Err)
	}
	o.p.Soon(o.deliver)
}

// enter calls f when nobody else works on the head; leave ends that.
func (o *Owner) enter(f func()) {
	if o.busy {
		o.queue = append(o.queue, f)
		return
	}
	o.busy = true
	f()
}

func (o *Owner) leave() {
	if len(o.queue) == 0 {
		o.busy = false
		return
	}
	next := o.queue[0]
	o.queue = o.queue[1:]
	o.p.Soon(next)
}

// encode makes the content of a slot. That of a birth begins with a template's id.
func encode(birth bool, batch []Entry) []byte {
	var b []byte
	if birth {
		b = make([]byte, 32)
	}
	for _, e := range batch {
		b = binary.AppendUvarint(b, uint64(len(e.Text)))
		b = append(b, e.Text...)
	}
	return b
}

func decode(b []byte) []string {
	var out []string
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		out = append(out, string(b[size:size+int(n)]))
		b = b[size+int(n):]
	}
	return out
}

// batchOf returns the entries of a slot that was found to be whole.
func batchOf(slot []byte) []string {
	f, payload, _, err := fencing.DecodeSlot(slot)
	switch {
	case err != nil:
		return []string{"damaged: " + err.Error()}
	case f.Kind == fencing.Birth:
		payload = payload[32:]
	}
	return decode(payload)
}
