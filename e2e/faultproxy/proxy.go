package faultproxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Proxy is a running proxy. Its methods may be called by many goroutines at once.
type Proxy struct {
	upstream  *url.URL
	listener  *door
	server    *http.Server
	transport *http.Transport
	served    chan struct{}   // closed when the server has ended
	life      context.Context //nolint:containedctx // late deliveries are nobody's request
	end       context.CancelFunc

	late sync.WaitGroup // deliveries that nobody waits for

	mu      sync.Mutex // guards what follows
	plan    Plan
	changed chan struct{} // closed when the plan is
	seen    map[string]int
	conns   map[net.Conn]bool
	ended   bool
}

// Start serves on a free port of 127.0.0.1 and passes requests on to upstream, an
// address such as "http://127.0.0.1:9000".
func Start(upstream string) (*Proxy, error) {
	u, err := url.Parse(upstream)
	if err != nil {
		return nil, fmt.Errorf("start proxy: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start proxy: %w", err)
	}
	p := &Proxy{
		upstream: u, listener: &door{Listener: l}, served: make(chan struct{}), plan: Calm,
		changed: make(chan struct{}), seen: map[string]int{}, conns: map[net.Conn]bool{},
		transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
	}
	p.life, p.end = context.WithCancel(context.Background())
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: time.Minute, ConnState: p.state}
	go func() {
		defer close(p.served)
		_ = p.server.Serve(p.listener) // always ErrServerClosed
	}()
	return p, nil
}

// URL is where the proxy serves, without a slash at its end.
func (p *Proxy) URL() string { return "http://" + p.listener.Addr().String() }

// Use changes the plan. Requests that hang are let go.
func (p *Proxy) Use(plan Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = plan
	close(p.changed)
	p.changed = make(chan struct{})
}

// Down cuts all connections and refuses new ones until it is called with false.
func (p *Proxy) Down(down bool) {
	p.listener.refuse(down)
	if !down {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen["down"]++
	for c := range p.conns {
		_ = c.Close()
	}
}

// Seen returns how often each fault has happened since the last call, by name.
func (p *Proxy) Seen() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := maps.Clone(p.seen)
	clear(p.seen)
	return seen
}

// Close ends the proxy and what it still had to deliver.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.end()
	err := p.server.Close()
	<-p.served
	p.late.Wait()
	p.transport.CloseIdleConnections()
	return err
}

func (p *Proxy) state(c net.Conn, s http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch s {
	case http.StateNew:
		p.conns[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(p.conns, c)
	}
}

func (p *Proxy) decide(r *http.Request) (Fault, <-chan struct{}) {
	p.mu.Lock()
	plan, changed := p.plan, p.changed
	p.mu.Unlock()
	f := plan(describe(r))
	if f == (Fault{}) {
		return f, changed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[f.label()]++
	return f, changed
}

// errCut is what a body ends with that is cut.
var errCut = errors.New("cut by the fault proxy")

// ServeHTTP passes a request on, or what the plan leaves of it.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, changed := p.decide(r)
	pause(r.Context(), f.Delay, changed)
	switch f.Kind {
	case Refused:
		_, _ = io.Copy(io.Discard, r.Body)
		refuse(w, r, f)
		return
	case Dropped:
		panic(http.ErrAbortHandler)
	case Hung:
		pause(r.Context(), f.Hold, changed)
		panic(http.ErrAbortHandler)
	case CutRequest:
		p.cutRequest(r)
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	if f.Kind == Late {
		p.deliver(r, body, f.Hold)
		panic(http.ErrAbortHandler)
	}
	if f.Kind == Torn {
		body = body[:len(body)/2]
	}
	// Once it is on its way a request arrives, even if its client goes.
	res, err := p.pass(context.WithoutCancel(r.Context()), r, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	switch f.Kind {
	case Lost, Torn:
		panic(http.ErrAbortHandler)
	case Twice:
		p.deliver(r, body, f.Hold)
	}
	p.answer(w, res, f.Kind == CutAnswer)
}

// response is an answer of the store that was read whole.
type response struct {
	status int
	header http.Header
	body   []byte
	length int64 // as it was said; more than the body for HEAD
}

// pass sends a request to the store. The Host stays as it was signed.
func (p *Proxy) pass(ctx context.Context, r *http.Request, body []byte) (response, error) {
	res, err := p.transport.RoundTrip(p.outgoing(ctx, r, bytes.NewReader(body), int64(len(body))))
	if err != nil {
		return response{}, err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return response{}, err
	}
	return response{status: res.StatusCode, header: res.Header, body: got, length: res.ContentLength}, nil
}

func (p *Proxy) outgoing(ctx context.Context, r *http.Request, body io.Reader, size int64) *http.Request {
	out := r.Clone(ctx)
	out.URL.Scheme, out.URL.Host, out.RequestURI = p.upstream.Scheme, p.upstream.Host, ""
	out.Header.Del("Connection")
	out.Body, out.ContentLength = io.NopCloser(body), size
	if size == 0 {
		out.Body = http.NoBody
	}
	return out
}

// cutRequest lets half of a request reach the store.
func (p *Proxy) cutRequest(r *http.Request) {
	size := max(r.ContentLength, 0)
	half := make([]byte, size/2)
	if _, err := io.ReadFull(r.Body, half); err != nil || size == 0 {
		return // there is nothing to cut: the request is just lost
	}
	body := io.MultiReader(bytes.NewReader(half), failing{})
	if res, err := p.transport.RoundTrip(p.outgoing(context.WithoutCancel(r.Context()), r, body, size)); err == nil {
		_ = res.Body.Close() // the store has answered before it had everything
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errCut }

// deliver sends a request to the store later. Nobody hears of its answer.
func (p *Proxy) deliver(r *http.Request, body []byte, later time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	copied := r.Clone(p.life)
	p.late.Go(func() {
		pause(p.life, later, nil)
		if p.life.Err() == nil {
			_, _ = p.pass(p.life, copied, body)
		}
	})
}

// answer passes the store's answer on, or half of it.
func (p *Proxy) answer(w http.ResponseWriter, res response, cut bool) {
	maps.Copy(w.Header(), res.header)
	if res.length >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(res.length, 10))
	}
	if !cut {
		w.WriteHeader(res.status)
		_, _ = w.Write(res.body)
		return
	}
	if len(res.body) < 2 { // the head is all there is to cut
		if c, buffered, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = fmt.Fprintf(buffered, "HTTP/1.1 %d %s\r\nETag: \"", res.status, http.StatusText(res.status))
			_ = buffered.Flush()
			_ = c.Close()
		}
		return
	}
	w.WriteHeader(res.status)
	_, _ = w.Write(res.body[:len(res.body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func refuse(w http.ResponseWriter, r *http.Request, f Fault) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(f.Status)
	if r.Method != http.MethodHead {
		_, _ = fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>planted</Message></Error>", f.Code)
	}
}

// pause waits until d is over, ctx ends or changed is closed.
func pause(ctx context.Context, d time.Duration, changed <-chan struct{}) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-changed:
	}
}

// door is a listener that can turn everyone away.
type door struct {
	net.Listener
	mu   sync.Mutex // guards shut
	shut bool
}

func (d *door) refuse(shut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = shut
}

// Accept resets connections while the door is shut.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		d.mu.Lock()
		shut := d.shut
		d.mu.Unlock()
		if !shut {
			return c, nil
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}
