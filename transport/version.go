package transport

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/live"
)

// aheadWait is how long a read waits for a version that its client has seen and
// that is not there yet; aheadPoll is how often it looks.
const (
	aheadWait = 2 * time.Second
	aheadPoll = 25 * time.Millisecond
)

// maxEpoch bounds the name of a history, in bytes.
const maxEpoch = 64

// wanted is what a request says about the version it may be answered from.
type wanted struct {
	epoch string
	ver   int64
	local bool // any replica will do
	// waited says that the version was waited for already.
	waited bool
}

// wants reads X-Easel-Version and X-Easel-Read.
func (c *call) wants() (wanted, error) {
	var w wanted
	if values := c.r.Header["X-Easel-Version"]; len(values) > 0 {
		epoch, digits, ok := strings.Cut(values[0], ":")
		ver, err := strconv.ParseInt(digits, 10, 64)
		if !ok || len(values) > 1 || err != nil || ver < 0 || digits[0] == '+' || !epochName(epoch) {
			return w, easel.Invalid("X-Easel-Version", "must be EPOCH:VER")
		}
		w.epoch, w.ver = epoch, ver
	}
	switch values := c.r.Header["X-Easel-Read"]; {
	case len(values) == 0:
	case len(values) == 1 && values[0] == "local":
		w.local = true
	default:
		return w, easel.Invalid("X-Easel-Read", "must be local")
	}
	return w, nil
}

func epochName(s string) bool {
	return s != "" && len(s) <= maxEpoch &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// readImage asks an image's actor for a read and says which version was
// answered. What the actor's owner answers is linearizable; a client that has seen
// a later version of the same history is given time for it to become readable, and
// then the owner's answer.
func readImage[R actors.Message](c *call, image easel.ID, m actors.Message, version func(R) (epoch string, ver int64)) (R, error) {
	w, err := c.wants()
	if err != nil {
		var none R
		return none, err
	}
	return readOwner(c, image, m, version, w)
}

func readOwner[R actors.Message](c *call, image easel.ID, m actors.Message, version func(R) (epoch string, ver int64), w wanted) (R, error) {
	r, err := askImage[R](c, image, m, actors.Once{})
	if err != nil {
		return r, err
	}
	epoch, ver := version(r)
	if w.epoch == epoch && w.ver > ver && !w.waited {
		if r, err = awaitVersion(c, image, m, r, version, w.ver); err != nil {
			return r, err
		}
		epoch, ver = version(r)
	}
	c.at(epoch, ver)
	if w.local {
		c.w.Header()["X-Easel-Age"] = fresh
	}
	return r, nil
}

// staleWait is how long the owner of an image is asked for a read that any copy
// may answer, if the copy on this node is too old: whoever reads locally would
// sooner hear that it cannot be had.
const staleWait = 2 * time.Second

// readCopy looks for a copy of an image on this node that may answer a read, and
// tells its version and age. Without one (ok is false) the owner has to be asked,
// with w as it is then. A copy answers only those who say that it may.
func (c *call) readCopy(image, one easel.ID, w *wanted) (v live.View, ok bool) {
	if c.c.Replicas == nil || !w.local && w.epoch == "" {
		return v, false
	}
	v = c.c.Replicas.Look(c.ctx, canvas.Key(c.p.Tenant, image), live.Position{Epoch: w.epoch, Ver: w.ver}, one)
	if !v.Good() {
		w.waited = v.Behind()
		if w.local && v.Stale() {
			c.timeout = staleWait
		}
		return v, false
	}
	c.at(v.Epoch, v.Ver)
	if w.local {
		c.w.Header()["X-Easel-Age"] = []string{strconv.FormatInt(v.Age.Milliseconds(), 10)}
	}
	return v, true
}

// fresh is the age of what the owner answers, in milliseconds.
var fresh = []string{"0"}

func awaitVersion[R actors.Message](c *call, image easel.ID, m actors.Message, last R, version func(R) (string, int64), want int64) (R, error) {
	ctx, cancel := context.WithTimeout(c.ctx, aheadWait)
	defer cancel()
	tick := time.NewTicker(aheadPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return last, c.ctx.Err()
		case <-tick.C:
		}
		r, err := askImage[R](c, image, m, actors.Once{})
		if err != nil {
			return r, err
		}
		if _, ver := version(r); ver >= want {
			return r, nil
		}
		last = r
	}
}

// readParams are the parameters of a read of an image, after its own.
func readParams(own ...Param) []Param {
	return append(own,
		Param{"X-Easel-Version", "header", "string", "EPOCH:VER that the answer must have reached; waited for up to 2 s."},
		Param{"X-Easel-Read", "header", "string", "local: any replica may answer, and says its age in X-Easel-Age."},
	)
}

// pageParams are the parameters of a list, after its own.
func pageParams(own ...Param) []Param {
	return append(own,
		Param{"limit", "query", "integer", "Items on a page: 100 by default, more than 1000 is taken as 1000."},
		Param{"cursor", "query", "string", "next_cursor of the page before."},
	)
}
