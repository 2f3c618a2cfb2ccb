package auth

import (
	"container/list"
	"sync"
	"time"
)

// cache is a bounded map whose entries end at a time of their own. The least
// recently used entry makes room for a new one.
type cache[K comparable, V any] struct {
	limit int

	mu    sync.Mutex // guards what follows
	order *list.List // of *entry[K, V], most recently used first
	items map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key   K
	value V
	until time.Time
}

func newCache[K comparable, V any](limit int) *cache[K, V] {
	return &cache[K, V]{limit: limit, order: list.New(), items: make(map[K]*list.Element)}
}

// find returns the value of key if there is one that is still good at now.
func (c *cache[K, V]) find(key K, now time.Time) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var none V
	el, ok := c.items[key]
	if !ok {
		return none, false
	}
	e := el.Value.(*entry[K, V])
	if !now.Before(e.until) {
		c.order.Remove(el)
		delete(c.items, key)
		return none, false
	}
	c.order.MoveToFront(el)
	return e.value, true
}

// keep stores value until the given time.
func (c *cache[K, V]) keep(key K, value V, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.items[key]; ok {
		*el.Value.(*entry[K, V]) = entry[K, V]{key, value, until}
		c.order.MoveToFront(el)
		return
	}
	if c.order.Len() >= c.limit {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.items, last.Value.(*entry[K, V]).key)
	}
	c.items[key] = c.order.PushFront(&entry[K, V]{key, value, until})
}
