package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/archive"
	"github.com/easelhq/easel/auth"
	"github.com/easelhq/easel/cluster"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/live"
	"github.com/easelhq/easel/transport"
	"github.com/easelhq/easel/transport/ws"
)

// listen takes the configured address, with TLS if there is a certificate.
func (p *Program) listen(ctx context.Context) (net.Listener, error) {
	c := p.config.HTTP
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return nil, badKey("addr", "%v", err)
	}
	p.addr = l.Addr()
	close(p.listening)
	l = newCrowd(l, mostConnections(fileLimit(), p.config.Life.OpenFiles))
	if c.TLSCert == "" {
		return l, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, errors.Join(badKey("tls-cert", "%v", err), l.Close())
	}
	// HTTP/2 has no WebSocket with the library in use, and browsers ask for HTTP/1.1
	// when they open one.
	return tls.NewListener(l, &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}), nil
}

// url returns where a person finds the node.
func (p *Program) url() string {
	scheme := "http"
	if p.config.HTTP.TLSCert != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(p.addr.String())
	if err != nil {
		return scheme + "://" + p.addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// door is the HTTP server. It stands from the moment that the address is taken:
// until the API is there, it says that the node is starting.
type door struct {
	server *http.Server
	api    atomic.Pointer[transport.API]
	leaves atomic.Bool   // answers close their connections
	ended  chan struct{} // closed when the server has stopped
	failed error         // why, if it was not asked to; read after ended
}

// openDoor serves the listener until Close or a Shutdown of the server.
func openDoor(l net.Listener, log *slog.Logger) *door {
	d := &door{ended: make(chan struct{})}
	d.server = transport.Server(d, log)
	go func() {
		defer close(d.ended)
		if err := d.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.failed = fmt.Errorf("serve: %w", err)
		}
	}()
	return d
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.leaves.Load() {
		// The client comes back on another connection, and not on this one just when
		// it is closed.
		w.Header().Set("Connection", "close")
	}
	if api := d.api.Load(); api != nil {
		api.ServeHTTP(w, r)
		return
	}
	w.Header().Set("X-Request-Id", string(easel.NewID()))
	transport.WriteError(w, r, &easel.Error{Code: easel.CodeUnavailable, Message: "the node is starting", RetryAfter: time.Second})
}

// Close cuts all connections and waits for the server's end.
func (d *door) Close() error {
	err := d.server.Close()
	<-d.ended
	return err
}

// serve answers requests until ctx ends, and then drains. life is the context of
// what must go on while that happens.
func (p *Program) serve(ctx, life context.Context, d *door, e edge) error {
	over, stop := context.WithCancel(ctx)
	defer stop()
	var beside sync.WaitGroup
	beside.Go(func() { e.chores.arm(over, e.actors, p.config.Life.Chores) })
	beside.Go(func() { e.rooms.Watch(over, keyLook, recheck(e.actors)) })
	beside.Go(func() { e.eraser.run(over, p) })
	d.api.Store(e.api)
	p.serving.Store(true)
	close(p.started)
	fmt.Fprintln(p.stdout, "easel: listening on "+p.url())
	if p.config.Dev {
		if err := p.dev(over, e); err != nil && over.Err() == nil {
			p.log.ErrorContext(over, "demo is not complete", "err", err)
		}
	}
	var failed error
	select {
	case <-over.Done():
		d.leaves.Store(true)
		p.drain(life, d.server, e)
	case failed = <-e.failed():
	case <-d.ended:
	}
	stop()
	beside.Wait()
	if failed != nil {
		return errors.Join(failed, d.Close())
	}
	<-d.ended
	return d.failed
}

// drainNotice is how long /ready says 503 before connections are refused, so that
// whoever asks once in a while sees it. byeTime bounds how long sockets may take
// to leave, so that one that hangs does not keep requests from ending.
const (
	drainNotice = 500 * time.Millisecond
	byeTime     = 5 * time.Second
)

// drain ends the edge: balancers see /ready turn 503 for a moment in which everything
// is still served, then connections are refused, sockets are told to come back and
// requests under way end. What takes longer than the configured time is cut.
//
// In a cluster the other nodes are told first: what this one owns belongs to them
// from then on, and moves while the edge still serves, and so do the sockets.
func (p *Program) drain(life context.Context, server *http.Server, e edge) {
	p.log.InfoContext(life, "draining")
	p.serving.Store(false)
	ctx, cancel := context.WithTimeout(life, p.config.HTTP.Drain)
	defer cancel()
	notice := time.NewTimer(min(drainNotice, p.config.HTTP.Drain))
	defer notice.Stop()
	if e.member != nil {
		if err := e.member.Drain(ctx); err != nil {
			p.log.WarnContext(ctx, "the cluster was not told in time that this node drains", "err", err)
		}
	}
	if e.othersServe() {
		if err := e.rooms.Disperse(ctx); err != nil {
			p.log.WarnContext(ctx, "not every socket was sent elsewhere in time", "err", err)
		}
	}
	select {
	case <-notice.C:
	case <-ctx.Done():
	}
	gone := make(chan struct{})
	server.RegisterOnShutdown(func() { // once nobody can connect any more
		defer close(gone)
		p.sayBye(ctx, e.rooms)
	})
	if err := server.Shutdown(ctx); err != nil {
		p.log.WarnContext(life, "some requests did not end in time", "err", err)
		if err := server.Close(); err != nil {
			p.log.WarnContext(life, "close server", "err", err)
		}
	}
	<-gone
}

func (p *Program) sayBye(ctx context.Context, rooms *live.Rooms) {
	ctx, cancel := context.WithTimeout(ctx, byeTime)
	defer cancel()
	if err := rooms.Drain(ctx); err != nil {
		p.log.WarnContext(ctx, "some sockets did not leave in time", "err", err)
	}
}

// edge is what serves clients, and what it serves them with.
type edge struct {
	api     *transport.API
	rooms   *live.Rooms
	sockets *ws.Server
	auth    *auth.Authenticator
	actors  *actors.System
	gallery *gallery.Gallery
	copies  *archive.Copies
	eraser  *erasures
	chores  *chores
	cluster transport.Cluster
	member  *cluster.Node                         // nil: the node is alone
	bar     *atomic.Pointer[func(easel.TenantID)] // lets nobody of a tenant in any more; holds nil until there is auth
}

// othersServe reports whether there is another node for clients to go to.
func (e *edge) othersServe() bool {
	return e.member != nil && slices.ContainsFunc(e.member.Members(), func(m cluster.Member) bool {
		return !m.Self && !m.Draining && !m.Joining
	})
}

// wait returns when no socket is left. Their life has ended by then.
func (e *edge) wait() {
	if e.sockets != nil {
		e.sockets.Wait()
	}
}
