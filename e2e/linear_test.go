package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/linear"
	"github.com/easelhq/easel/e2e/tally"
)

func linearFlags() (seconds *float64, seed *uint64) {
	return flag.Float64("linear.seconds", 8, "how long TestLinear works"),
		flag.Uint64("linear.seed", 0, "seed of TestLinear's choices; 0 takes one from the clock")
}

var linearSeconds, linearSeed = linearFlags()

// TestLinear works on images over HTTP and WebSocket while their node is killed
// and started again, and looks for an order of all calls that explains what
// every client was told.
func TestLinear(t *testing.T) { // not beside others: the check may take only so long
	seed := *linearSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat the choices with -linear.seed %d (not the scheduling)", seed)
	data := t.TempDir()
	target := &process{tokens: map[string]string{}, sockets: map[int]socket{}}
	for i := range 2 {
		user := "user" + strconv.Itoa(i)
		target.tokens[user] = token(t, data, "--tenant=linear", "--user="+user, "--role=admin")
	}
	n := start(t, data)
	target.base = n.base
	random := rand.New(rand.NewPCG(seed, 0))
	began := time.Now()
	calls, unknown := 0, 0
	report := &tally.Report{Suite: "linearizability, folder"}
	for episode := uint64(0); episode == 0 || time.Since(began).Seconds() < *linearSeconds; episode++ {
		target.begin(newAPI(n.base, target.tokens["user0"]).upload(t, "linear.png", picture(20, 20, byte(episode))).ID)
		load := &linear.Load{Target: target, History: target.history, Clients: 9, Seed: seed + episode*1000, Most: 1500}
		ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			load.Run(ctx, nil)
		}()
		for crash := range 2 {
			until := (2*crash+1)*load.Most/4 + random.IntN(100)
			eventually(t, "the clients work", func() error {
				if have := target.history.Len(); have < until && ctx.Err() == nil {
					return fmt.Errorf("%d calls", have)
				}
				return nil
			})
			n.kill()
			target.history.Crashed()
			target.mu.Lock() // every request has failed by now, or does at once
			if random.IntN(2) == 0 {
				wipe(t, data)
			}
			n = start(t, data)
			target.base = n.base
			target.mu.Unlock()
		}
		<-finished
		load.Look(ctx)
		late := ctx.Err()
		cancel()
		target.end()
		if late != nil {
			t.Fatal("the clients were not done in time")
		}
		if err := target.history.Check(patience); err != nil {
			t.Fatalf("episode %d: %v", episode, err)
		}
		calls += target.history.Len()
		unknown += target.history.Unknown()
		report.Round, report.Acked = int(episode)+1, calls-unknown
		report.Count(map[string]int{"SIGKILL": 2})
		tell(t, report)
	}
	t.Logf("%d episodes of 2 kills: %d calls acknowledged and in order, %d more with an unknown outcome", report.Round, calls-unknown, unknown)
}

// process is a node behind HTTP and WebSocket.
type process struct {
	tokens map[string]string // by user

	mu      sync.RWMutex // held for writing while the node is away; guards what follows
	base    string
	image   string
	history *linear.History

	second atomic.Pointer[string] // another node of the same home, which gets half of the calls; nil: there is none
	tries  atomic.Int64

	lines   sync.Mutex // guards sockets
	sockets map[int]socket
}

// begin makes the image the one that is worked on.
func (p *process) begin(image string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.image, p.history = image, linear.NewHistory()
}

func (p *process) end() {
	p.lines.Lock()
	defer p.lines.Unlock()
	for i, s := range p.sockets {
		s.Close()
		delete(p.sockets, i)
	}
}

var _ linear.Target = (*process)(nil)

// Try implements linear.Target.
func (p *process) Try(ctx context.Context, a linear.Attempt) (answer linear.Answer, ok, done bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	user := a.By
	if user == "" {
		user = "user0"
	}
	base := p.base
	if second := p.second.Load(); second != nil && p.tries.Add(1)%2 == 0 {
		base = *second
	}
	client := newAPI(base, p.tokens[user])
	client.http = shared
	if a.Kind == linear.Write && a.Style == linear.Sequenced && a.Client%2 == 0 {
		return p.overSocket(ctx, client, a)
	}
	method, path, body, header := p.request(a)
	got, err := client.do(ctx, method, path, body, header...)
	if err != nil {
		// What was not let in was not asked. Taken for a call of unknown outcome, each
		// one made in the moments after a kill would double the orders to look at.
		return linear.Answer{}, false, !errors.Is(err, syscall.ECONNREFUSED)
	}
	var out struct {
		Error       string
		Current     *box
		Annotation  *box
		Annotations []box
		Results     []result
		Image       struct {
			Version int64
			Count   int64 `json:"annotation_count"`
		}
	}
	if got.status != http.StatusNoContent {
		if err := got.into(&out); err != nil {
			p.history.Wrong("%s %s: %v", method, path, err)
			return linear.Answer{}, false, true
		}
	}
	switch {
	case got.status == http.StatusTooManyRequests, got.status == http.StatusServiceUnavailable:
		return linear.Answer{}, false, got.status == http.StatusServiceUnavailable
	case got.status == http.StatusConflict && a.Style == linear.Keyed:
		return linear.Answer{}, false, true // the first attempt still runs
	case got.status >= http.StatusBadRequest:
		answer.Code = out.Error
		if out.Current != nil {
			answer.Current = out.Current.Rev
		}
		return answer, true, true
	}
	if _, ver, found := strings.Cut(got.header.Get("X-Easel-Version"), ":"); found {
		answer.Ver, err = strconv.ParseInt(ver, 10, 64)
	}
	if err != nil || answer.Ver == 0 && a.Kind == linear.Write {
		p.history.Wrong("%s %s: version %q", method, path, got.header.Get("X-Easel-Version"))
	}
	switch a.Kind {
	case linear.List:
		for _, b := range out.Annotations {
			answer.Boxes = append(answer.Boxes, p.box(b))
		}
	case linear.One:
		if out.Annotation == nil {
			p.history.Wrong("%s %s: %s", method, path, got)
			break
		}
		answer.Boxes = []linear.Box{p.box(*out.Annotation)}
	case linear.Count:
		answer.Count = out.Image.Count
		if out.Image.Version != answer.Ver {
			p.history.Wrong("the image's version is %d, its header says %d", out.Image.Version, answer.Ver)
		}
	default:
		if out.Annotation != nil {
			p.box(*out.Annotation)
			answer.Revs = []int64{out.Annotation.Rev}
		}
		p.results(a, out.Results, &answer)
	}
	return answer, true, true
}

func (p *process) results(a linear.Attempt, results []result, answer *linear.Answer) {
	for i, r := range results {
		p.history.Is(r.ID, a.Changes[i].Name)
		answer.Revs = append(answer.Revs, r.Rev)
	}
}

// shared keeps connections for all of TestLinear's clients.
var shared = &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

func (p *process) box(b box) linear.Box {
	p.history.Is(b.ID, b.Label)
	return linear.Box{Name: b.Label, By: b.By, X: b.X, Rev: b.Rev}
}

func (p *process) request(a linear.Attempt) (method, path string, body any, header []string) {
	one := func(id string) string { return "/api/images/" + p.image + "/annotations/" + id }
	switch a.Kind {
	case linear.List:
		path = "/api/annotations/by-image/" + p.image
		if a.Name != "" {
			path += "?label=" + a.Name
		}
		return http.MethodGet, path, nil, nil
	case linear.One:
		return http.MethodGet, one(a.ID), nil, nil
	case linear.Count:
		return http.MethodGet, "/api/images/" + p.image, nil, nil
	}
	switch a.Style {
	case linear.Sequenced:
		return http.MethodPost, "/api/images/" + p.image + "/ops",
			map[string]any{"client": clientName(a), "seq": a.Seq, "ops": ops(a)}, nil
	case linear.Keyed:
		header = []string{"Idempotency-Key", a.Key}
	}
	c := a.Changes[0]
	if c.Base != 0 {
		header = append(header, "If-Match", `"`+strconv.FormatInt(c.Base, 10)+`"`)
	}
	switch c.Kind {
	case linear.Put:
		d := linearDraft(c)
		d["image_id"] = p.image
		return http.MethodPost, "/api/annotations", d, header
	case linear.Patch:
		return http.MethodPatch, one(c.ID), map[string]any{"x": c.X}, header
	default:
		return http.MethodDelete, one(c.ID), nil, header
	}
}

func clientName(a linear.Attempt) string { return "client" + strconv.Itoa(a.Client) }

func linearDraft(c linear.Change) map[string]any {
	return map[string]any{"label": c.Name, "x": c.X, "y": 0.25, "width": 0.25, "height": 0.25}
}

func ops(a linear.Attempt) []map[string]any {
	var out []map[string]any
	for _, c := range a.Changes {
		op := map[string]any{"k": c.Kind}
		if c.ID != "" {
			op["id"] = c.ID
		}
		if c.Base != 0 {
			op["base"] = c.Base
		}
		switch c.Kind {
		case linear.Put:
			op["annotation"] = linearDraft(c)
		case linear.Patch:
			op["set"] = map[string]any{"x": c.X}
		}
		out = append(out, op)
	}
	return out
}

// overSocket sends the frame on the client's socket, which stays open from one
// attempt to the next, and notes what it is shown meanwhile.
func (p *process) overSocket(ctx context.Context, client *api, a linear.Attempt) (answer linear.Answer, ok, done bool) {
	p.lines.Lock()
	s, open := p.sockets[a.Client]
	p.lines.Unlock()
	var err error
	if !open {
		dialled, failed := client.dial(ctx, p.image, clientName(a), nil)
		if failed != nil {
			if dialled.Conn != nil {
				dialled.Close()
			}
			return linear.Answer{}, false, true
		}
		s = dialled
	}
	if err = s.send(map[string]any{"t": "op", "seq": a.Seq, "ops": ops(a)}); err == nil {
		answer, err = p.answered(s, a)
	}
	p.lines.Lock()
	defer p.lines.Unlock()
	if err != nil {
		s.Close()
		delete(p.sockets, a.Client)
		return linear.Answer{}, false, true
	}
	p.sockets[a.Client] = s
	return answer, true, true
}

// answered reads until the answer to the attempt's frame.
func (p *process) answered(s socket, a linear.Attempt) (answer linear.Answer, err error) {
	for {
		if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return answer, err
		}
		_, raw, err := s.ReadMessage()
		if err != nil {
			return answer, err
		}
		var f struct {
			frame
			Current *box
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			return answer, err
		}
		switch {
		case f.T == "ops" || f.T == "snap":
			p.history.Saw(a.Client, f.Ver)
		case f.Seq != a.Seq:
		case f.T == "ack":
			answer.Ver = f.Ver
			p.results(a, f.Results, &answer)
			return answer, nil
		case f.T == "rej" && f.Temporary && f.Code != "bad_seq":
			return answer, fmt.Errorf("refused for now: %s", f.Code)
		case f.T == "rej":
			answer.Code = f.Code
			if f.Current != nil {
				answer.Current = f.Current.Rev
			}
			return answer, nil
		}
	}
}
