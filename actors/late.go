package actors

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/easelhq/easel"
)

const (
	// ownLate is how much later than others of its origin a request with an id of the
	// runtime's own may come and still be handled. No repeat is sent later than an ask
	// lasts, but a node that was paused finds what was sent to it before, and the
	// verdict may be forgotten by then.
	ownLate = 10 * time.Minute
	// driftShare bounds how much faster than another a clock may run: what is set
	// right gradually runs up to a tenth faster meanwhile.
	driftShare = 10
	// mostOrigins bounds how many runs of nodes are remembered.
	mostOrigins = 1024
)

// Lag estimates how long what comes from one process was on its way, by the
// monotonic clocks of both, whose difference means nothing: what was faster than
// anything before it is taken to have taken no time. So it sees delays that differ,
// as of a frame that lay in a socket while a process was paused, whatever time it is
// for either. The zero Lag has seen nothing.
type Lag struct {
	known bool
	least time.Duration // received minus sent, of the fastest
	at    time.Duration // when something came last
}

// Behind returns by how much longer than the fastest a message was on its way that
// was sent and received at these readings of the two clocks.
func (l *Lag) Behind(sent, received time.Duration) time.Duration {
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

// lateness knows how late requests come that have an id of the runtime's own. Such an
// id ends with the run of its origin and when it was made, by the origin's clock.
type lateness struct {
	run   string    // of this process
	began time.Time // of its clock

	mu      sync.Mutex // guards origins
	origins map[string]*Lag
}

func (l *lateness) uptime() time.Duration { return time.Since(l.began) }

// stamp ends an id that is made now.
func (l *lateness) stamp() string {
	return "." + l.run + "." + strconv.FormatInt(l.uptime().Milliseconds(), 36)
}

// tooLate reports whether a verdict of this id might have been forgotten by now. Of an
// older node's id it cannot tell.
func (l *lateness) tooLate(id string) bool {
	rest, own := strings.CutPrefix(id, ownOnce)
	parts := strings.Split(rest, ".")
	if !own || len(parts) != 3 || parts[1] == l.run {
		return false
	}
	made, err := strconv.ParseInt(parts[2], 36, 64)
	if err != nil || made < 0 || made > 1<<41 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	origin := l.origins[parts[1]]
	if origin == nil {
		if len(l.origins) >= mostOrigins {
			clear(l.origins)
		}
		origin = &Lag{}
		l.origins[parts[1]] = origin
	}
	return origin.Behind(time.Duration(made)*time.Millisecond, l.uptime()) > ownLate
}

// errLate refuses what comes so late that nobody knows whether it came before.
var errLate = &easel.Error{
	Code: easel.CodeUnavailable, Message: "the request came too late; the outcome is unknown", RetryAfter: time.Second,
}
