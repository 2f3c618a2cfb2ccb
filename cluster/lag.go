package cluster

import (
	"time"

	"github.com/easelhq/easel/wire"
)

// lateSlack is how much longer than its budget a request may be on its way and
// still be served: far less than verdicts are kept for repeats, and far more than
// what two clocks that measure the same minutes disagree by.
const lateSlack = time.Minute

// driftShare bounds how much faster than another a clock may run: what is set right
// gradually runs up to a tenth faster meanwhile.
const driftShare = 10

// lag estimates how long what comes from one run of a node was on its way, by the
// monotonic clocks of both, whose difference means nothing: what was faster than
// anything before it is taken to have taken no time. So it sees delays that differ,
// of a frame that lay in a socket while a process was paused, and not the usual one.
type lag struct {
	known bool
	least time.Duration // received minus sent, of the fastest
	at    time.Duration // when that was
}

// behind returns by how much longer than the fastest a message was on its way that
// was sent and received at these readings.
func (l *lag) behind(sent, received time.Duration) time.Duration {
	took := received - sent
	if l.known {
		l.least += max(0, received-l.at) / driftShare
	}
	if !l.known || took < l.least {
		l.known, l.least = true, took
	}
	l.at = max(l.at, received)
	return took - l.least
}

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
	behind := p.lag.behind(time.Duration(min(q.SentMs, longest))*time.Millisecond, n.uptime())
	p.mu.Unlock()
	if q.BudgetMs == 0 || behind <= time.Duration(min(q.BudgetMs, longest))*time.Millisecond+lateSlack {
		return 0
	}
	return behind
}
