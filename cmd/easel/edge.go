package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/auth"
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

// serve answers requests until ctx ends, and then drains. life is the context of
// what must go on while that happens.
func (p *Program) serve(ctx, life context.Context, door net.Listener, e edge) error {
	server := transport.Server(e.api, p.log)
	var failed error
	var serving sync.WaitGroup
	over, stop := context.WithCancel(ctx)
	defer stop()
	serving.Go(func() {
		defer stop()
		if err := server.Serve(door); !errors.Is(err, http.ErrServerClosed) {
			failed = fmt.Errorf("serve: %w", err)
		}
	})
	if e.chores != nil {
		serving.Go(func() { e.chores.run(over) })
	}
	serving.Go(func() { e.rooms.Watch(over, keyLook, recheck(e.actors)) })
	p.serving.Store(true)
	close(p.started)
	fmt.Fprintln(p.stdout, "easel: listening on "+p.url())
	if p.config.Dev {
		if err := p.dev(over, e); err != nil && over.Err() == nil {
			p.log.ErrorContext(over, "demo is not complete", "err", err)
		}
	}
	<-over.Done()
	p.drain(life, server, e)
	serving.Wait()
	return failed
}

// drain ends the edge: balancers see /ready turn 503 for a moment, rooms say bye,
// and requests under way end. What takes longer than the configured time is cut.
func (p *Program) drain(life context.Context, server *http.Server, e edge) {
	p.log.InfoContext(life, "draining")
	p.serving.Store(false)
	ctx, cancel := context.WithTimeout(life, p.config.HTTP.Drain)
	defer cancel()
	notice := time.NewTimer(min(drainNotice, p.config.HTTP.Drain))
	defer notice.Stop()
	if err := e.rooms.Drain(ctx); err != nil {
		p.log.WarnContext(life, "some sockets did not leave in time", "err", err)
	}
	select {
	case <-notice.C:
	case <-ctx.Done():
	}
	if err := server.Shutdown(ctx); err != nil {
		p.log.WarnContext(life, "some requests did not end in time", "err", err)
		if err := server.Close(); err != nil {
			p.log.WarnContext(life, "close server", "err", err)
		}
	}
}

// drainNotice is how long /ready says 503 before connections are refused, so that
// whoever asks once in a while sees it.
const drainNotice = 500 * time.Millisecond

// edge is what serves clients, and what it serves them with.
type edge struct {
	api     *transport.API
	rooms   *live.Rooms
	sockets *ws.Server
	auth    *auth.Authenticator
	actors  *actors.System
	gallery *gallery.Gallery
	chores  *chores
}
