package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/gallery"
)

// Program is one node of a checked configuration. Make it with NewProgram, start
// it with Run.
type Program struct {
	config Config
	lookup func(string) (string, bool)
	stdout io.Writer
	log    *slog.Logger

	listening chan struct{} // closed once addr is set
	addr      net.Addr
	started   chan struct{} // closed once requests are served
	serving   atomic.Bool   // what /ready says
}

// NewProgram returns a node that runs nothing yet. lookup reads the environment
// for what the standard variables of others say (OTEL_*).
func NewProgram(c Config, lookup func(string) (string, bool), stdout, stderr io.Writer) *Program {
	return &Program{
		config: c, lookup: lookup, stdout: stdout, log: newLogger(c.Log, stderr),
		listening: make(chan struct{}), started: make(chan struct{}),
	}
}

// Ready returns a channel that is closed once the node serves requests.
func (p *Program) Ready() <-chan struct{} { return p.started }

// Addr returns where the node listens. It waits until it does, or ctx ends: then
// it returns nil.
func (p *Program) Addr(ctx context.Context) net.Addr {
	select {
	case <-p.listening:
		return p.addr
	case <-ctx.Done():
		return nil
	}
}

// served reports whether the node has ever served requests.
func (p *Program) served() bool {
	select {
	case <-p.started:
		return true
	default:
		return false
	}
}

// Run opens the node's folders, wires its parts, serves until ctx ends, and then
// drains: /ready says 503, sockets are told to go, requests end, actors are
// released. It returns when everything has stopped: nil after a drain, or if ctx
// ended before it served; a *usageError if the configuration cannot be served.
func (p *Program) Run(ctx context.Context) (err error) {
	var down teardown
	defer func() {
		if ctx.Err() != nil && !p.served() {
			err = nil // told to stop while it started, which fails whatever it was about
		}
		err = errors.Join(err, down.run())
	}()

	h, err := openHouse(p.config, p.lookup)
	if err != nil {
		return err
	}
	down.add("folders", h.Close)
	region := p.config.Store.Region
	registry := newRegistry(h.node, region)
	traces, err := newTracing(ctx, p.lookup, h.node, region)
	if err != nil {
		return err
	}
	down.add("traces", func() error { return traces.flush(context.WithoutCancel(ctx)) })

	listener, err := p.listen(ctx)
	if err != nil {
		return err
	}
	door := openDoor(listener, p.log)
	down.add("server", door.Close)

	blobs, err := h.home.openBlobs()
	if err != nil {
		return err
	}
	down.add("blobs", blobs.Close)
	history, err := h.home.openJournal(h.node, p.config.Cluster.Bind == "", p.log, registry)
	if err != nil {
		return err
	}
	down.add("journal", history.Close)
	root, err := rootKey(ctx, blobs)
	if err != nil {
		return err
	}

	// Parts that must work until the drain has ended live longer than ctx.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	e := edge{bar: new(atomic.Pointer[func(easel.TenantID)])}
	down.add("life", func() error { end(); e.wait(); return nil })
	if e.member, err = p.newMember(h, registry); err != nil {
		return err
	}
	if e.member != nil {
		down.add("cluster", func() error { return p.leave(e.member) })
	}
	// The gallery reads image files for the actors and asks the actors for the
	// rows: one of the two has to be there first.
	late := &lateAsker{}
	e.gallery = gallery.New(p.galleryConfig(h.node, late, blobs, history))
	e.rooms = p.newRooms(registry, traces)
	e.chores = newChores(e.gallery, time.Now, p.log, registry)
	e.chores.asker = late
	if e.actors, err = p.newSystem(h, history, &e, registry, traces); err != nil {
		return err
	}
	late.System = e.actors
	e.rooms.Use(e.actors)
	e.actors.OnOwnersChanged(e.rooms.OwnersChanged)
	if err := e.actors.Start(life); err != nil {
		return fmt.Errorf("start actors: %w", err)
	}
	down.add("actors", func() error { return p.release(life, e.actors) })
	if e.cluster, err = p.join(ctx, h, &e); err != nil {
		return err
	}

	if e.auth, err = p.newAuth(life, h, root, e.actors); err != nil {
		return err
	}
	if e.copies, err = p.newCopies(h, history); err != nil {
		return badKey("data", "%v", err)
	}
	e.eraser = newErasures(p.newEraser(history, blobs, &e), e.barElsewhere)
	if _, err := e.eraser.Load(ctx); err != nil { // before anybody is let in
		return badKey("store", "%v", err)
	}
	e.sockets = p.newSockets(life, e, traces)
	if e.api, err = p.newAPI(h, root, e, registry, traces); err != nil {
		return err
	}
	p.log.InfoContext(ctx, "serving", "node", h.node, "addr", p.addr.String(), "home", h.home.String(), "version", buildVersion())
	return p.serve(ctx, life, door, e)
}

// release flushes and lets go of all actors. What is not done in time is
// recovered at the next start, so it is no failure.
func (p *Program) release(life context.Context, s *actors.System) error {
	ctx, cancel := context.WithTimeout(life, max(p.config.HTTP.Drain, time.Second))
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		p.log.WarnContext(life, "some actors were not released in time", "err", err)
	}
	return nil
}

// lateAsker is the node's actor system for those who were made before it.
type lateAsker struct{ *actors.System }

// teardown undoes what was started, the newest first.
type teardown []struct {
	what string
	stop func() error
}

func (t *teardown) add(what string, stop func() error) {
	*t = append(*t, struct {
		what string
		stop func() error
	}{what, stop})
}

func (t *teardown) run() error {
	var errs []error
	for i := len(*t) - 1; i >= 0; i-- {
		if err := (*t)[i].stop(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, fmt.Errorf("stop %s: %w", (*t)[i].what, err))
		}
	}
	return errors.Join(errs...)
}
