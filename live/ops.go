package live

import (
	"errors"
	"math"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// How op frames are delivered.
const (
	opTimeout = 5 * time.Second
	retryMin  = 100 * time.Millisecond
	retryMax  = time.Second
)

// unanswered is an op frame that the client waits for.
type unanswered struct {
	apply canvas.Apply
	since time.Time
	asked bool // an answer is on its way
}

// op sends a frame to the image. Frames of one client are sent in order and
// without waiting for each other; if the outcome of one is unknown, all that are
// unanswered are sent again in order, which is harmless because of their seq.
func (r *roomCore) op(now time.Time, m *member, f OpFrame) {
	if len(m.queue) >= r.opts.Limits.Unanswered {
		r.post(m, rej(f.Seq, slow("too many unanswered frames", retryMin)))
		return
	}
	n := max(len(f.Ops), 1)
	wait := m.ops.take(now, n)
	if wait == 0 {
		if wait = r.ops.take(now, n); wait > 0 {
			m.ops.giveBack(n)
		}
	}
	if wait > 0 {
		r.post(m, rej(f.Seq, slow("too many ops", wait)))
		return
	}
	u := &unanswered{since: now, apply: canvas.Apply{
		By: m.author(), Client: m.client, Seq: f.Seq, Conn: m.conn, Hash: f.Hash, Ops: f.Ops, Refused: f.Refused,
	}}
	if !m.who.Role.AtLeast(easel.Annotator) {
		u.apply.Conn = "" // the image does not know the connections of viewers
	}
	m.queue = append(m.queue, u)
	if !m.stalled && m.phase == present {
		r.deliver(m, u)
	}
}

func (r *roomCore) deliver(m *member, u *unanswered) {
	u.asked = true
	u.apply.By = m.author() // the role is the one at the moment of asking
	r.ask(u.apply, opTimeout, func(now time.Time, answer actors.Message, err error) []effect {
		u.asked = false
		if r.byConn[m.conn] == m {
			r.answered(now, m, u, answer, err)
		}
		return r.done()
	})
}

func (r *roomCore) answered(now time.Time, m *member, u *unanswered, answer actors.Message, err error) {
	i := 0
	for i < len(m.queue) && m.queue[i] != u {
		i++
	}
	if i == len(m.queue) {
		return
	}
	applied, ok := answer.(canvas.Applied)
	code := easel.CodeOf(err)
	switch {
	case err == nil && ok:
		m.retries, m.done = 0, max(m.done, u.apply.Seq)
		r.settleOp(m, i)
		if applied.Rejected != nil {
			r.post(m, rej(u.apply.Seq, applied.Rejected))
		} else {
			applied.Seq = u.apply.Seq
			r.post(m, ack(applied))
		}
		r.learn(now, applied.Epoch, applied.Ver)
	case errors.Is(err, canvas.ErrReplaced):
		r.expel(now, m, CloseReplaced)
		return
	case code == easel.CodeUnavailable || err == nil:
		m.stalled, m.patient = true, true
	case code == easel.CodeBadSeq && (i > 0 || expected(err) <= m.done):
		// It overtook the frame before it, on the way to an owner that had only just
		// taken over. Whatever is unanswered is sent again; the frame before it may
		// have been answered by now.
		m.stalled = true
	default:
		r.settleOp(m, i)
		r.post(m, rej(u.apply.Seq, asError(err)))
	}
	r.resend(now, m)
}

// expected returns the seq that the image waits for, by a CodeBadSeq.
func expected(err error) int64 {
	e, ok := errors.AsType[*easel.Error](err)
	if !ok || e.Expected == 0 {
		return math.MaxInt64
	}
	return e.Expected
}

// settleOp takes an answered frame out of the queue.
func (r *roomCore) settleOp(m *member, i int) { m.queue = append(m.queue[:i:i], m.queue[i+1:]...) }

// resend sends the whole queue again, once no answer is on its way any more.
func (r *roomCore) resend(_ time.Time, m *member) {
	if !m.stalled {
		return
	}
	for _, u := range m.queue {
		if u.asked {
			return
		}
	}
	wait := min(retryMin<<min(m.retries, 8), retryMax)
	if m.retries == 0 && !m.patient {
		wait = 0 // the image is there, and only the order was wrong
	}
	m.retries++
	r.after(wait, func(now time.Time) {
		if r.byConn[m.conn] != m || !m.stalled {
			return
		}
		m.stalled, m.patient = false, false
		if len(m.queue) > 0 && now.Sub(m.queue[0].since) > r.opts.Retry {
			r.giveUp(m)
			return
		}
		for _, u := range m.queue {
			r.deliver(m, u)
		}
	})
}

// giveUp tells the client that the outcome of its frames is unknown. It may send
// them again with the same seqs.
func (r *roomCore) giveUp(m *member) {
	queue := m.queue
	m.queue, m.retries = nil, 0
	for _, u := range queue {
		e := easel.Errorf(easel.CodeUnavailable, "the image cannot be reached; the outcome is unknown")
		e.RetryAfter = retryMax
		r.post(m, rej(u.apply.Seq, e))
	}
}
