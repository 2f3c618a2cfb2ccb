package fencingtest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/easelhq/easel/journal/fencing"
)

// patience is how long a process asks the store for one thing.
const patience = 10 * time.Second

// Process is one process and its link to the store.
type Process struct {
	Name string
	// Calm: nothing goes wrong on the link and it takes no time.
	Calm bool
	// Cut: nothing reaches the store.
	Cut bool

	sim    *Sim
	store  *Store
	bugs   fencing.Bugs
	dead   bool
	until  time.Time // it is paused
	steps  int       // until it dies; 0: it does not
	nonces int
}

// NewProcess starts a process. Its name must be that of no other.
func NewProcess(sim *Sim, store *Store, name string, bugs fencing.Bugs) *Process {
	return &Process{Name: name, sim: sim, store: store, bugs: bugs}
}

// Kill ends the process: nothing happens in it any more. What it has sent may
// still arrive.
func (p *Process) Kill() {
	if !p.dead {
		p.sim.Note("%s dies", p.Name)
	}
	p.dead = true
}

// KillAfter lets the process die after so many more steps.
func (p *Process) KillAfter(steps int) { p.steps = steps }

// Dead reports whether the process has ended.
func (p *Process) Dead() bool { return p.dead }

// Pause stops the process for d, whatever it is at.
func (p *Process) Pause(d time.Duration) {
	p.sim.Note("%s stops for %s", p.Name, d)
	p.until = p.sim.Now.Add(d)
}

// Do lets f happen in the process after d, if it lives then and is not paused.
func (p *Process) Do(d time.Duration, f func()) {
	p.sim.After(d, func() {
		switch {
		case p.dead:
		case p.until.After(p.sim.Now):
			p.Do(p.until.Sub(p.sim.Now), f)
		default:
			if p.steps > 0 {
				if p.steps--; p.steps == 0 {
					p.Kill()
					return
				}
			}
			if !p.Calm && p.sim.Rand.IntN(300) == 0 { // at any step
				p.Pause(time.Duration(p.sim.Rand.IntN(3000)) * time.Millisecond)
				p.Do(p.until.Sub(p.sim.Now), f)
				return
			}
			f()
		}
	})
}

// Soon lets f happen in the process a moment from now.
func (p *Process) Soon(f func()) {
	if p.Calm {
		p.Do(0, f)
		return
	}
	p.Do(time.Duration(p.sim.Rand.IntN(2000))*time.Microsecond, f)
}

func (p *Process) delay() time.Duration {
	most := 4 * time.Millisecond
	switch p.sim.Rand.IntN(20) {
	case 0:
		most = 3 * time.Second
	case 1, 2:
		most = 80 * time.Millisecond
	}
	return 1 + time.Duration(p.sim.Rand.Int64N(int64(most)))
}

// call sends one request. do is its effect at the store, half that of a body which
// was cut off (nil: impossible); then gets the reply, which is Silent if there is
// none. What goes wrong is drawn here.
func (p *Process) call(what string, do, half func() fencing.Reply, then func(fencing.Reply)) {
	if p.Calm {
		p.Do(0, func() { then(do()) })
		return
	}
	there, back, later := p.delay(), p.delay(), time.Duration(p.sim.Rand.IntN(4000))*time.Millisecond
	silent := func() { p.Do(back, func() { then(fencing.Reply{}) }) }
	effect := func(f func() fencing.Reply, fate string) fencing.Reply {
		r := f()
		p.sim.Note("%s %s %s %d %s", p.Name, what, fate, r.Kind, r.Version)
		return r
	}
	draw := p.sim.Rand.Float64()
	p.sim.After(there, func() {
		switch {
		case p.Cut || draw < 0.04:
			p.sim.Note("%s %s failed", p.Name, what)
			silent()
		case draw < 0.09:
			effect(do, "answer lost")
			silent()
		case draw < 0.12:
			p.sim.After(later, func() { effect(do, "late") })
			silent()
		case draw < 0.15 && half != nil:
			effect(half, "cut off")
			silent()
		default:
			r := effect(do, "")
			p.Do(back, func() { then(r) })
		}
	})
}

var errNoAnswer = fmt.Errorf("%w: no answer", fencing.ErrUnavailable)

// Perform asks the store as a Bucket does: until there is an answer, patience is
// at an end, or stopped (which may be nil) says that nobody needs it.
func (p *Process) Perform(r fencing.Request, stopped func() bool, then func(fencing.Answer)) {
	retry := p.retries(stopped, func() { then(fencing.Answer{Err: errNoAnswer}) })
	switch r := r.(type) {
	case fencing.Get:
		p.get(r.Key, retry, then)
	case fencing.Read:
		a, left := fencing.Answer{Bodies: make([][]byte, len(r.Keys))}, len(r.Keys)
		for i, key := range r.Keys {
			p.Perform(fencing.Get{Key: key}, stopped, func(one fencing.Answer) {
				if a.Bodies[i] = one.Body; one.Err != nil && !errors.Is(one.Err, fencing.ErrAbsent) {
					a.Err = one.Err
				}
				if left--; left == 0 {
					then(a)
				}
			})
		}
	case fencing.List:
		p.list(r, retry, then)
	case fencing.Write:
		put := &fencing.Put{Write: r, Bugs: p.bugs}
		p.send(put, retry, then)
	}
}

// retries returns a function that does something again after a while, or gives up.
func (p *Process) retries(stopped func() bool, giveUp func()) func(again func()) {
	deadline, wait := p.sim.Now.Add(patience), 10*time.Millisecond
	return func(again func()) {
		if stopped != nil && stopped() || p.sim.Now.Add(wait).After(deadline) {
			giveUp()
			return
		}
		p.Do(wait, again)
		wait = min(2*wait, time.Second)
	}
}

func (p *Process) get(key string, retry func(func()), then func(fencing.Answer)) {
	p.call("get "+key, func() fencing.Reply { return p.store.read(key) }, nil, func(r fencing.Reply) {
		switch r.Kind {
		case fencing.Found:
			then(fencing.Answer{Body: r.Body, Version: r.Version})
		case fencing.Missing:
			then(fencing.Answer{Err: fencing.ErrAbsent})
		default:
			retry(func() { p.get(key, retry, then) })
		}
	})
}

func (p *Process) list(r fencing.List, retry func(func()), then func(fencing.Answer)) {
	var names []string
	p.call("list "+r.Prefix, func() fencing.Reply {
		names = p.store.list(r.Prefix, r.After)
		return fencing.Reply{Kind: fencing.Found, Version: fmt.Sprint(len(names))}
	}, nil, func(reply fencing.Reply) {
		if reply.Kind != fencing.Found {
			retry(func() { p.list(r, retry, then) })
			return
		}
		then(fencing.Answer{Names: names})
	})
}

// send makes the moves of a Put.
func (p *Process) send(put *fencing.Put, retry func(func()), then func(fencing.Answer)) {
	var step func(fencing.Reply)
	send := func() {
		half := func() fencing.Reply {
			w := put.Write
			w.Body = w.Body[:p.sim.Rand.IntN(len(w.Body))]
			return p.store.write(w)
		}
		if strings.HasSuffix(put.Key, "/head") {
			half = nil // heads are stored whole or not at all
		}
		p.call("put "+put.Key, func() fencing.Reply { return p.store.write(put.Write) }, half, step)
	}
	step = func(r fencing.Reply) {
		switch put.Step(r) {
		case fencing.Send:
			send()
		case fencing.Look:
			p.call("look "+put.Key, func() fencing.Reply { return p.store.read(put.Key) }, nil, step)
		case fencing.Rest:
			retry(send)
		case fencing.Over:
			v, err := put.Result()
			then(fencing.Answer{Version: v, Err: err})
		}
	}
	send()
}

// remove deletes objects, each with one try.
func (p *Process) remove(keys []string) {
	for _, key := range keys {
		p.call("delete "+key, func() fencing.Reply {
			delete(p.store.objects, key)
			return fencing.Reply{Kind: fencing.Took}
		}, nil, func(fencing.Reply) {})
	}
}

// run drives a machine to its end.
func (p *Process) run(m fencing.Machine, over func()) {
	var step func(r fencing.Request)
	step = func(r fencing.Request) {
		if r == nil {
			over()
			return
		}
		p.Perform(r, nil, func(a fencing.Answer) { step(m.Step(a)) })
	}
	step(m.Begin())
}
