package gallery

import (
	"sync"

	"github.com/easelhq/easel/blob"
)

// oldSumsKept is of how many objects that were stored without sums those that were
// made since are kept in memory.
const oldSumsKept = 256

// oldSums remembers the sums of objects, which never change under one key.
type oldSums struct {
	mu    sync.Mutex
	byKey map[string]*blob.Sums
}

func (o *oldSums) get(key string) (*blob.Sums, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, ok := o.byKey[key]
	return s, ok
}

// put makes room by forgetting any other.
func (o *oldSums) put(key string, s *blob.Sums) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byKey == nil {
		o.byKey = make(map[string]*blob.Sums)
	}
	for other := range o.byKey {
		if len(o.byKey) < oldSumsKept {
			break
		}
		delete(o.byKey, other)
	}
	o.byKey[key] = s
}
