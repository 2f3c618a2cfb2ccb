package main

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/auth"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/cron"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/imaging"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/live"
	"github.com/easelhq/easel/tenant"
	"github.com/easelhq/easel/transport"
	"github.com/easelhq/easel/transport/sse"
	"github.com/easelhq/easel/transport/ws"
	"github.com/easelhq/easel/web"
)

// The parts of a node, each made of the fields of the configuration that it needs.

func (p *Program) galleryConfig(node string, a actors.Asker, blobs blob.Store, h journal.Journal) gallery.Config {
	c := p.config
	return gallery.Config{
		Asker: a, Blobs: blobs, Histories: h,
		Now: time.Now, Log: p.log,
		Region: c.Store.Region, MaxUpload: c.Limits.Upload, MaxFile: c.Limits.File, Retention: max(c.Life.Retention, time.Millisecond),
		Node: node,
	}
}

// newRooms makes the rooms of the node, which are not in use before
// live.Rooms.Use.
func (p *Program) newRooms(r prometheus.Registerer, t tracing) *live.Rooms {
	l := p.config.Limits
	return live.NewRooms(live.Options{Limits: live.Limits{
		ClientOps: l.ClientOps, ClientBurst: l.ClientBurst, Presence: l.ClientPresence,
		ImageOps: l.ImageOps, Sockets: l.ImageSockets, Annotations: l.ImageAnnotations,
		TenantOps: l.TenantOps, TenantSockets: l.TenantSockets, TenantImages: l.TenantImages, TenantBytes: l.TenantBytes,
		BodyBytes: l.Body,
	}, Tracer: t.tracer("live")}, p.log, r)
}

// newSystem makes the actors of the node: images, each with a feed beside it,
// tenants and rooms.
func (p *Program) newSystem(h *house, j journal.Journal, e *edge, r prometheus.Registerer, t tracing) (*actors.System, error) {
	l := p.config.Limits
	images, err := canvas.Kind(canvas.Options{
		MaxAnnotations: l.ImageAnnotations,
		OpLogKeep:      p.config.Life.OpLog, Archive: e.gallery.Archive(), History: max(p.config.Life.History, time.Millisecond),
		Retention: max(p.config.Life.Retention, time.Millisecond),
		Probe: func(ctx context.Context, tenant easel.TenantID, image easel.ID) (int, int, error) {
			return e.gallery.Probe(ctx, tenant, image)
		},
		Tile: func(ctx context.Context, tenant easel.TenantID, image easel.ID) error {
			return e.gallery.MakeTiles(ctx, tenant, image)
		},
		TileOver: imaging.TiledFrom,
	}, live.NewFeed)
	if err != nil {
		return nil, err
	}
	tenants, err := tenant.Kind(tenant.Options{MaxImages: int64(l.TenantImages), MaxBytes: l.TenantBytes})
	if err != nil {
		return nil, err
	}
	jobs, err := cron.Kind(e.chores.asker, e.chores.job())
	if err != nil {
		return nil, err
	}
	c := actors.Config{
		Node: h.node, Dir: h.work, Journal: j,
		Kinds:      []*actors.Kind{&images, &tenants, jobs},
		Ephemerals: []*actors.EphemeralKind{e.rooms.Kind(), deskKind(e)},
		Messages:   slices.Concat(canvas.Prototypes(), tenant.Prototypes(), live.Prototypes(), cron.Prototypes(), deskMessages()),
		CloseAfter: p.config.Life.CloseAfter, ReleaseAfter: p.config.Life.GiveUpAfter, OpenBytes: p.config.Life.OpenFiles, WorkBytes: p.config.Life.WorkFiles,
		InFlight: h.home.inFlight(),
		Log:      p.log, Registerer: r, Tracer: t.tracer("actors"),
	}
	if e.member != nil {
		c.Network, c.Proto = e.member, e.member.ActorSystem()
	}
	return actors.New(c)
}

// newAuth makes what tells who somebody is. Key servers are asked as long as life
// lasts.
func (p *Program) newAuth(life context.Context, h *house, root []byte, a actors.Asker) (*auth.Authenticator, error) {
	id := p.config.Identity
	who, err := auth.New(life, auth.Config{
		Tokens: auth.TokenConfig{
			Secrets: h.secrets, JWKSURL: id.JWKS, Issuer: id.Issuer, Audience: id.Audience, Logger: p.log,
		},
		Root: root, Asker: a,
	})
	if err != nil {
		return nil, badKey("jwks-url", "%v", err)
	}
	return who, nil
}

// newAPI makes the edge: routes, sockets, event streams, the page.
func (p *Program) newAPI(h *house, root []byte, e edge, r *prometheus.Registry, t tracing) (*transport.API, error) {
	c := p.config
	events := &sse.Handler{Rooms: e.rooms, Error: transport.WriteError}
	config := transport.Config{
		Node:    transport.Node{Name: h.node, Region: c.Store.Region, Version: buildVersion(), Ready: p.serving.Load},
		Cluster: e.cluster, Auth: e.auth, Actors: e.actors, Images: e.gallery, Pictures: e.gallery, Files: e.gallery, Past: e.gallery,
		Copies: e.copies, Eraser: e.eraser,
		Live: func(w http.ResponseWriter, r *http.Request, who easel.Principal, image easel.ID) {
			e.sockets.Serve(w, r, canvas.Key(who.Tenant, image), who)
		},
		Events: func(w http.ResponseWriter, r *http.Request, who easel.Principal, image easel.ID) {
			events.Serve(w, r, canvas.Key(who.Tenant, image), who)
		},
		Page:    web.Handler(),
		Metrics: promhttp.HandlerFor(r, promhttp.HandlerOpts{Registry: r}),
		URLKey:  root, PublicURL: c.HTTP.Public, Origins: c.HTTP.Origins,
		Limits: transport.Limits{
			Body: c.Limits.Body, Upload: c.Limits.Upload, File: c.Limits.File,
			ClientOps: c.Limits.ClientOps, ClientBurst: c.Limits.ClientBurst, TenantOps: c.Limits.TenantOps,
		},
		Rates: p.rates(),
		Log:   p.log, Registry: r, Tracer: t.provider,
	}
	if e.member != nil {
		config.Replicas = e.rooms // alone, the owner is as near
	}
	return transport.New(config)
}

// rates are the limits that clients are told of.
func (p *Program) rates() transport.Rates {
	l := p.config.Limits
	return transport.Rates{
		ClientOps: l.ClientOps, ClientBurst: l.ClientBurst, ClientPresence: l.ClientPresence,
		ImageOps: l.ImageOps, ImageSockets: l.ImageSockets, ImageAnnotations: l.ImageAnnotations,
		TenantOps: l.TenantOps, TenantSockets: l.TenantSockets,
		FrameBytes: 64 << 10, BodyBytes: l.Body, UploadBytes: l.Upload, FileBytes: l.File,
	}
}

// newSockets makes the server of WebSockets, which end with life at the latest.
func (p *Program) newSockets(life context.Context, e edge, t tracing) *ws.Server {
	return ws.New(life, ws.Config{
		Rooms:        e.rooms,
		Authenticate: e.auth.Bearer,
		CheckOrigin:  func(*http.Request) bool { return true }, // the edge has checked it
		Error:        transport.WriteError,
		Log:          p.log,
		FrameRate:    frameRate(p.config.Limits),
		Tracer:       t.tracer("transport/ws"),
	})
}

// frameRate is how many frames a second are read of one socket: twice what its
// client may do, so that one at its limits is told so, and more is not worth the
// answers.
func frameRate(l LimitConfig) int { return max(1000, 2*(l.ClientOps+l.ClientPresence)) }
