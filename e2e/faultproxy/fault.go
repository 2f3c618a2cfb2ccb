package faultproxy

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Call is what a Plan sees of a request.
type Call struct {
	Method string
	Path   string // with the bucket in front, as it was sent
	Query  string
	// Conditional: it has If-Match or If-None-Match.
	Conditional bool
	Size        int64 // of the body, bytes; -1 if it was not said
}

func describe(r *http.Request) Call {
	return Call{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Size: r.ContentLength,
		Conditional: r.Header.Get("If-Match") != "" || r.Header.Get("If-None-Match") != "",
	}
}

// Kind names what goes wrong with a request.
type Kind string

// The kinds of faults. Delay is no kind: it goes with each.
const (
	// None passes the request and the answer on.
	None Kind = ""
	// Refused answers with Status and Code; the store is not asked.
	Refused Kind = "refused"
	// Dropped cuts the connection; the store is not asked.
	Dropped Kind = "dropped"
	// Hung never answers and does not ask the store, until Hold is over, the client
	// gives up or the plan changes; then the connection is cut.
	Hung Kind = "hung"
	// Lost asks the store and cuts the connection in place of its answer.
	Lost Kind = "lost"
	// CutRequest passes half of the body on and cuts both connections.
	CutRequest Kind = "request cut"
	// CutAnswer passes half of the answer back and cuts the connection.
	CutAnswer Kind = "answer cut"
	// Torn lets the store take half of the body for the whole, and cuts the
	// connection. Only stores that check neither length nor sum fall for it.
	Torn Kind = "torn"
	// Twice passes request and answer on, and Hold later the request once more.
	Twice Kind = "delivered twice"
	// Late cuts the connection at once and delivers the request Hold later.
	Late Kind = "delivered late"
)

// Fault is what happens to one request. The zero Fault is none.
type Fault struct {
	Kind Kind
	// Delay passes before anything else happens.
	Delay time.Duration
	// Hold is what Hung, Twice and Late wait.
	Hold time.Duration
	// Status and Code are what Refused answers.
	Status int
	Code   string
}

// Plan decides what happens to a request. It is called by many goroutines at
// once.
type Plan func(Call) Fault

// Calm lets nothing go wrong.
func Calm(Call) Fault { return Fault{} }

// Always does the same to every request.
func Always(f Fault) Plan { return func(Call) Fault { return f } }

// Refuse is a refusal as an S3 server writes it.
func Refuse(status int, code string) Fault { return Fault{Kind: Refused, Status: status, Code: code} }

// Only limits a plan to the calls that match; nothing happens to others.
func Only(match func(Call) bool, then Plan) Plan {
	return func(c Call) Fault {
		if !match(c) {
			return Fault{}
		}
		return then(c)
	}
}

// Puts matches uploads of whole objects.
func Puts(c Call) bool { return c.Method == http.MethodPut && c.Query == "" }

// Slots matches the batches of an actor's log.
func Slots(c Call) bool { return Puts(c) && strings.Contains(c.Path, "/log/") }

// OneIn does one of faults to about one in n requests, delays and holds being
// drawn up to theirs. The draws follow from seed; what they fall on depends on
// the order of requests.
func OneIn(seed uint64, n int, faults ...Fault) Plan {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	upTo := func(d time.Duration) time.Duration {
		if d <= 0 {
			return 0
		}
		return time.Duration(r.Int64N(int64(d)))
	}
	return func(Call) Fault {
		mu.Lock()
		defer mu.Unlock()
		if r.IntN(n) > 0 {
			return Fault{}
		}
		f := faults[r.IntN(len(faults))]
		f.Delay, f.Hold = upTo(f.Delay), upTo(f.Hold)
		return f
	}
}

// First returns the first fault that one of the plans has for a call. Only the
// plans up to that one are asked.
func First(plans ...Plan) Plan {
	return func(c Call) Fault {
		for _, p := range plans {
			if f := p(c); f != (Fault{}) {
				return f
			}
		}
		return Fault{}
	}
}

// label is what a fault is counted as.
func (f Fault) label() string {
	switch {
	case f.Kind == Refused:
		return fmt.Sprint(f.Status)
	case f.Kind == None && f.Delay > 0:
		return "slow"
	default:
		return string(f.Kind)
	}
}
