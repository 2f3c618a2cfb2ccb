package main

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/auth"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/tenant"
	"github.com/easelhq/easel/web"
)

// Who --dev signs in.
const (
	demoTenant = "demo"
	demoUser   = "demo"
	demoTTL    = 24 * time.Hour
)

// dev fills the demo tenant, if it has no image, and prints the page's address.
// The token is in the fragment, which browsers keep to themselves.
func (p *Program) dev(ctx context.Context, e edge) error {
	token, err := e.auth.Sign(auth.Grant{User: demoUser, Tenant: demoTenant, Role: easel.Owner, Name: "Demo", TTL: demoTTL})
	if err != nil {
		return err
	}
	who, err := e.auth.Bearer(ctx, token)
	if err != nil {
		return err
	}
	if err := e.auth.Meet(ctx, who); err != nil {
		return err
	}
	// The address comes first: the page shows the samples as they arrive.
	fmt.Fprintf(p.stdout, "easel: open %s/#token=%s\n", p.url(), token)
	list, err := actors.Ask[tenant.ImagesReply](ctx, e.actors, actors.Request{To: tenant.Key(who.Tenant), Message: tenant.Images{Limit: 1}})
	if err != nil {
		return err
	}
	if len(list.Images) > 0 {
		return nil
	}
	return addSamples(ctx, e.gallery, who, web.Samples())
}

// addSamples uploads every file of a folder.
func addSamples(ctx context.Context, g *gallery.Gallery, who easel.Principal, samples fs.FS) error {
	return fs.WalkDir(samples, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		f, err := samples.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := g.Upload(ctx, who, gallery.Upload{Filename: name, Body: f}); err != nil {
			return fmt.Errorf("add sample %s: %w", name, err)
		}
		return nil
	})
}
