package fencingtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/easelhq/easel/journal/fencing"
)

// template is the id of a file that nobody reads.
var template = strings.Repeat("00", 32)

// maxMerges is how many merges lie upon a snapshot.
const maxMerges = 3

// compact covers the batches that are durable with a file, off the line's way.
func (o *Owner) compact() {
	o.cover(false, func(err error) {
		o.merging = false
		o.retryAt = CompactAt
		if err != nil {
			o.retryAt = len(o.refs) + 1
		}
		if final(err) {
			o.do(o.line.End(err))
		}
		if err != nil || o.p.sim.Rand.IntN(3) > 0 {
			o.leave()
			return
		}
		o.tidy()
	})
}

// tidy deletes what crashes have left.
func (o *Owner) tidy() {
	m := fencing.NewTidy(o.hold)
	o.p.run(m, func() {
		if dead, err := m.Result(); err == nil && len(dead) > 0 {
			o.p.sim.Note("%s tidies %d", o.p.Name, len(dead))
			o.p.remove(dead)
		}
		o.leave()
	})
}

// Release gives the ownership up and tells when it is over.
func (o *Owner) Release(then func(error)) {
	o.p.sim.Note("%s releases term %d", o.p.Name, o.Term)
	o.do(o.line.Leave(o.p.sim.Now))
	quit := func() {
		o.enter(func() {
			if o.line.Err() != nil || !o.line.IsEstablished() {
				o.leave()
				then(o.line.Err())
				return
			}
			o.close(func(err error) {
				o.do(o.line.End(fencing.ErrClosed))
				o.leave()
				then(err)
			})
		})
	}
	if o.line.AtRest() {
		quit()
		return
	}
	o.idle = append(o.idle, quit)
}

func (o *Owner) close(then func(error)) {
	o.cover(true, func(err error) {
		if errors.Is(err, fencing.ErrAdopted) {
			o.close(then)
			return
		}
		then(err)
	})
}

// cover writes a file with the batches that are durable and the head that names it.
func (o *Owner) cover(closing bool, then func(error)) {
	refs := o.refs[:len(o.refs):len(o.refs)]
	if closing && o.p.sim.Rand.IntN(3) == 0 {
		refs = nil // no file could be made of them: the head says how many there are
	}
	old := o.hold.Head
	next := old
	next.Chain = old.Trim(refs)
	write := func(made string) {
		if closing {
			next = next.Close(o.hold.Nonce, o.line.Slots(), refs)
		}
		o.write(next, made, then)
	}
	if len(refs) == 0 {
		if !closing && len(next.Chain) == len(old.Chain) {
			then(nil)
			return
		}
		write("")
		return
	}
	var batch []string
	for _, r := range refs {
		batch = append(batch, batchOf(r.Body)...)
	}
	next.Template, next.Last = template, old.Last+uint64(len(refs))
	f := fencing.File{From: old.Last + 1, To: next.Last}
	kind := "l1"
	if closing || len(old.L1) >= maxMerges {
		kind, f.From, batch = "snap", 0, append(o.covered[:len(o.covered):len(o.covered)], batch...)
	}
	o.keep(kind, f, entries(batch), func(f fencing.File, err error) {
		if err != nil {
			then(err)
			return
		}
		if kind == "snap" {
			next.Snap, next.L1 = &f, nil
		} else {
			next.L1 = append(slices.Clone(old.L1), f)
		}
		write(f.File)
	})
}

func entries(texts []string) []byte {
	batch := make([]Entry, len(texts))
	for i, text := range texts {
		batch[i].Text = text
	}
	return encode(false, batch)
}

// keep stores a file under a name that nobody else uses.
func (o *Owner) keep(kind string, f fencing.File, body []byte, then func(fencing.File, error)) {
	o.files++
	f.File = fmt.Sprintf("%s-%016x-%016x-%s-%d", kind, f.From, f.To, o.hold.Nonce, o.files)
	f.Size = int64(len(body))
	key := fencing.FileKey(o.hold.Dir, f.File)
	o.p.Perform(fencing.Write{Key: key, Body: body}, nil, func(a fencing.Answer) {
		if _, torn := errors.AsType[*fencing.Other](a.Err); torn {
			o.p.remove([]string{key})
			o.keep(kind, f, body, then)
			return
		}
		then(f, a.Err)
	})
}

func (o *Owner) write(next fencing.Head, made string, then func(error)) {
	w, err := o.hold.Write(next)
	if err != nil {
		panic(err) // it is made of nothing that could fail
	}
	o.p.Perform(w, nil, func(a fencing.Answer) {
		done := o.hold.Wrote(next, made, o.refs, a)
		for _, r := range o.refs[:done.Covered] {
			o.covered = append(o.covered, batchOf(r.Body)...)
		}
		o.refs = o.refs[done.Covered:]
		o.p.remove(done.Debris)
		then(done.Err)
	})
}
