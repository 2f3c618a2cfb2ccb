package gallery

import (
	"sync"

	"github.com/easelhq/easel"
)

// mostOrders is how many images may wait to be cut; the alarms of more come again.
const mostOrders = 10_000

// tileOrder is an image that is to be cut into tiles.
type tileOrder struct {
	tenant easel.TenantID
	image  easel.ID
}

// tileLine has images cut one at a time, and tenants take turns.
type tileLine struct {
	mu      sync.Mutex // guards the fields below
	busy    bool
	waiting map[tileOrder]bool
	by      map[easel.TenantID][]easel.ID
	turns   []easel.TenantID // of those in by, who comes next first
}

// enter reports whether the caller is to do the work now, and then to ask for next
// until there is none. Otherwise its order waits.
func (l *tileLine) enter(o tileOrder) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.busy {
		l.busy = true
		return true
	}
	if l.waiting[o] || len(l.waiting) >= mostOrders {
		return false
	}
	if l.waiting == nil {
		l.waiting, l.by = map[tileOrder]bool{}, map[easel.TenantID][]easel.ID{}
	}
	l.waiting[o] = true
	if len(l.by[o.tenant]) == 0 {
		l.turns = append(l.turns, o.tenant)
	}
	l.by[o.tenant] = append(l.by[o.tenant], o.image)
	return false
}

// next returns what is to be done next; without any, the caller's work is over.
func (l *tileLine) next() (o tileOrder, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.turns) == 0 {
		l.busy = false
		return tileOrder{}, false
	}
	t := l.turns[0]
	l.turns = l.turns[1:]
	o = tileOrder{t, l.by[t][0]}
	if l.by[t] = l.by[t][1:]; len(l.by[t]) > 0 {
		l.turns = append(l.turns, t)
	} else {
		delete(l.by, t)
	}
	delete(l.waiting, o)
	return o, true
}

// packsKept is of how many images the index of tiles is kept in memory, of some
// kilobytes each.
const packsKept = 256

// tilePacks remembers indexes of tiles.
type tilePacks struct {
	mu    sync.Mutex
	byKey map[string]*tilePack
}

func (c *tilePacks) get(key string) (*tilePack, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.byKey[key]
	return p, ok
}

func (c *tilePacks) drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byKey, key)
}

// put makes room by forgetting any other.
func (c *tilePacks) put(key string, p *tilePack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = make(map[string]*tilePack)
	}
	for other := range c.byKey {
		if len(c.byKey) < packsKept {
			break
		}
		delete(c.byKey, other)
	}
	c.byKey[key] = p
}
