package transport

import "sync"

// sharedBody is how long a list may be, in bytes, that its image keeps for all who
// ask. A longer one is made for each request, and stays in memory until its client
// has taken it.
const sharedBody = 2 << 20

// largeBodies bounds the memory of such lists, which otherwise anyone who may read
// a large image could fill by asking often and reading slowly.
type largeBodies struct {
	mu   sync.Mutex // guards left
	left int64      // bytes; below 0 if one alone exceeds the bound
	held int
}

// hold counts a body of n bytes, or reports that there are too many already. One
// alone is always let through.
func (l *largeBodies) hold(n int) bool {
	if n <= sharedBody {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held > 0 && l.left < int64(n) {
		return false
	}
	l.left -= int64(n)
	l.held++
	return true
}

// release gives back what was held.
func (l *largeBodies) release(n int) {
	if n <= sharedBody {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left += int64(n)
	l.held--
}
