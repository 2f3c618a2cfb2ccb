package cluster

import (
	"time"

	"github.com/easelhq/easel/wire"
)

// lateSlack is how much longer than its budget a request may be on its way and
// still be served: far less than verdicts are kept for repeats, and far more than
// what two clocks that measure the same minutes disagree by.
const lateSlack = time.Minute

// uptime returns how long the node runs, by the monotonic clock.
func (n *Node) uptime() time.Duration { return time.Since(n.began) }

// late returns how long q was on its way if that is longer than its origin waits;
// otherwise 0. Neither depends on what time it is for whom. A node of version 1
// does not tell.
func (n *Node) late(q *wire.Request) time.Duration {
	p := n.table.Load().runs[q.Origin.Incarnation]
	if p == nil || q.SentMs == 0 {
		return 0
	}
	const longest = 1 << 41 // milliseconds, 70 years: so that nothing overflows
	p.mu.Lock()
	behind := p.lag.Behind(time.Duration(min(q.SentMs, longest))*time.Millisecond, n.uptime())
	p.mu.Unlock()
	if q.BudgetMs == 0 || behind <= time.Duration(min(q.BudgetMs, longest))*time.Millisecond+lateSlack {
		return 0
	}
	return behind
}
