package actors

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/easelhq/easel/pages"
	"github.com/easelhq/easel/sqlite"
)

// maxCradles is how many cradles of a kind are kept while nothing is born.
const maxCradles = 4

// cradles are the files on which actors are born whose kind is BornAsleep.
type cradles struct {
	mu   sync.Mutex // guards what follows
	idle map[*Kind][]*sqlite.Cradle
	made int // names the next one
}

// take returns a cradle that nobody else has.
func (c *cradles) take(dir string, k *Kind) (*sqlite.Cradle, error) {
	c.mu.Lock()
	if idle := c.idle[k]; len(idle) > 0 {
		cradle := idle[len(idle)-1]
		c.idle[k] = slices.Delete(idle, len(idle)-1, len(idle))
		c.mu.Unlock()
		return cradle, nil
	}
	c.made++
	name := fmt.Sprintf("cradle-%d.db", c.made)
	c.mu.Unlock()
	dir = filepath.Join(dir, k.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return sqlite.OpenCradle(filepath.Join(dir, name), k.Schema)
}

// put gives a cradle back. An error says that it was closed, and did not close well.
func (c *cradles) put(k *Kind, cradle *sqlite.Cradle) error {
	c.mu.Lock()
	keep := cradle.Sound() && len(c.idle[k]) < maxCradles
	if keep {
		if c.idle == nil {
			c.idle = map[*Kind][]*sqlite.Cradle{}
		}
		c.idle[k] = append(c.idle[k], cradle)
	}
	c.mu.Unlock()
	if keep {
		return nil
	}
	return cradle.Close()
}

// close closes those that nobody has.
func (c *cradles) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, idle := range c.idle {
		for _, cradle := range idle {
			errs = append(errs, cradle.Close())
		}
	}
	c.idle = nil
	return errors.Join(errs...)
}

// bornAsleep reports whether the actor is being born without a file of its own.
func (a *durable) bornAsleep() bool {
	return a.kind.BornAsleep && a.commit == 0 && !a.restored && a.term.Fresh()
}

// lie makes the actor work on a cradle until it has committed something.
func (a *durable) lie() error {
	if a.cradle == nil {
		c, err := a.sys.cradles.take(a.sys.config.Dir, a.kind)
		if err != nil {
			return unwritable(fmt.Errorf("open cradle of %s: %w", a.key, err))
		}
		a.cradle, a.db = c, c.DB()
	}
	behavior := a.kind.New(a.key)
	t := &Turn{a: a, ctx: a.sys.ctx, now: a.sys.now()}
	err := a.guard(func() error { return behavior.Start(t) })
	if err == nil && (len(t.outputs) > 0 || len(t.alarms) > 0 || a.open != nil && a.cradle.Wrote()) {
		err = errors.New("it wrote or said something before there was a history")
	}
	a.undo()
	if err != nil {
		return unwritable(fmt.Errorf("start %s: %w", a.key, err))
	}
	a.behavior = behavior
	return nil
}

// rise gives the cradle back. What the behavior remembers is of no use without it.
func (a *durable) rise() {
	if a.open != nil {
		a.rollback()
	}
	if err := a.sys.cradles.put(a.kind, a.cradle); err != nil {
		a.log.Warn("cradle did not close", "err", err)
	}
	a.cradle, a.db, a.behavior = nil, nil, nil
}

// settling reports whether the actor was just born asleep and has no file yet: until
// its birth is durable, there is nothing to restore one from.
func (a *durable) settling() bool {
	return a.inFlight > 0 && a.db == nil && !a.restored
}

// capture ends the turn's transaction and returns what it has changed.
func (a *durable) capture() (pages.Set, error) {
	if a.cradle != nil {
		return a.cradle.Take()
	}
	if err := a.db.Commit(); err != nil {
		_ = a.db.Rollback() // the file is dropped in any case
		return pages.Set{}, err
	}
	return a.db.Capture()
}
