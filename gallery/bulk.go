package gallery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/tenant"
)

// abortRetry is the time to retry after a bulk that was given up although
// nothing is wrong with it.
const abortRetry = time.Second

// fanOut is how many images of a bulk are asked at once.
const fanOut = 16

// bulk is what is kept of a bulk as its verdict. Zero Parts are of a bulk on one
// image, which needs no coordinator.
type bulk struct {
	ID    easel.ID   `json:"id,omitempty"`
	Parts []easel.ID `json:"parts,omitempty"` // images
	IDs   []easel.ID `json:"ids"`             // of annotations, in the order of the items
}

// Bulk draws all items or none, also if they are on several images, and returns
// their ids in order. Items are checked (CodeInvalid with Details for
// "annotations[i]."), 1 to easel.MaxOps of them. An image that is missing or
// deleted fails all: CodeNotFound, CodeGone. CodeUnavailable means that the
// outcome may be either, but is the same on all images.
//
// Drawing on one image is one Apply. On several it is a two-phase commit: every
// image prepares, the tenant stores the decision, every image is told. If this
// process ends in between, images ask the tenant, and of a bulk that it does not
// know the answer is abort.
func (g *Gallery) Bulk(ctx context.Context, p easel.Principal, items []Item, once actors.Once) ([]easel.ID, error) {
	if err := checkItems(items); err != nil {
		return nil, err
	}
	hash, err := hashItems(items)
	if err != nil {
		return nil, err
	}
	c, err := g.claim(ctx, p.Tenant, onceKey("bulk", once.ID))
	if err != nil {
		return nil, err
	}
	if c.done != nil {
		return g.drawn(ctx, p.Tenant, *c.done, hash)
	}
	work, release := c.work(ctx)
	defer release()
	var done bulk
	if parts := split(items); len(parts) == 1 {
		done, err = g.drawOne(work, p, items, actors.Once{ID: onceKey("bulk", once.ID), Hash: hash}, c)
	} else {
		done, err = g.drawSeveral(work, p, parts, len(items), hash, c)
	}
	if err != nil {
		parting, cancel := g.parting(ctx, err)
		defer cancel()
		c.fail(parting, hash, err)
		return nil, err
	}
	return done.IDs, nil
}

func checkItems(items []Item) error {
	if len(items) < 1 || len(items) > easel.MaxOps {
		return easel.Invalid("annotations", fmt.Sprintf("must have 1 to %d entries", easel.MaxOps))
	}
	var broken []easel.Detail
	for i, item := range items {
		broken = append(broken, item.Draft.Validate(fmt.Sprintf("annotations[%d].", i))...)
	}
	if len(broken) > 0 {
		e := easel.Errorf(easel.CodeInvalid, "%s %s", broken[0].Path, broken[0].Message)
		e.Details = broken
		return e
	}
	for _, item := range items {
		if !item.Image.Valid() {
			return easel.Errorf(easel.CodeNotFound, "no such image")
		}
	}
	return nil
}

func hashItems(items []Item) (string, error) {
	b, err := json.Marshal(items)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

// part is one image's share of a bulk.
type part struct {
	image  easel.ID
	drafts []easel.Draft
	at     []int // places of the drafts among the items
	ids    []easel.ID
}

// split groups items by image, in the order in which images first appear.
func split(items []Item) []*part {
	var parts []*part
	known := map[easel.ID]*part{}
	for i, item := range items {
		s, ok := known[item.Image]
		if !ok {
			s = &part{image: item.Image}
			known[item.Image] = s
			parts = append(parts, s)
		}
		s.drafts = append(s.drafts, item.Draft)
		s.at = append(s.at, i)
		s.ids = append(s.ids, easel.NewID())
	}
	return parts
}

// drawn answers a repeat of a bulk that has its verdict. The images are told
// again, because the first request may have ended before it told them all.
func (g *Gallery) drawn(ctx context.Context, t easel.TenantID, done tenant.Claimed, hash string) ([]easel.ID, error) {
	if done.Hash != hash {
		return nil, errReused()
	}
	if done.Error != nil {
		return nil, done.Error
	}
	var b bulk
	if err := json.Unmarshal(done.Answer, &b); err != nil {
		return nil, err
	}
	if err := g.tell(ctx, t, b); err != nil {
		return nil, err
	}
	return b.IDs, nil
}

// drawOne draws on a single image.
func (g *Gallery) drawOne(ctx context.Context, p easel.Principal, items []Item, once actors.Once, c claim) (bulk, error) {
	ops := make([]easel.Op, 0, len(items))
	for i := range items {
		ops = append(ops, easel.Op{Kind: easel.OpPut, Draft: &items[i].Draft})
	}
	if once.ID == "" {
		once = actors.Once{}
	}
	applied, err := as[canvas.Applied](g.c.Asker.Ask(ctx, actors.Request{
		To:      canvas.Key(p.Tenant, items[0].Image),
		Message: canvas.Apply{By: drawer(p), Ops: ops},
		Once:    once,
	}))
	if err != nil {
		return bulk{}, err
	}
	if applied.Rejected != nil {
		return bulk{}, applied.Rejected
	}
	var b bulk
	for _, r := range applied.Results {
		b.IDs = append(b.IDs, r.ID)
	}
	answer, err := json.Marshal(b)
	if err != nil {
		return bulk{}, err
	}
	if settle := c.settle(once.Hash, answer); settle != nil {
		// It is drawn: if this fails, a repeat gets the image's own verdict.
		ending, cancel := g.ending(ctx)
		defer cancel()
		if _, err := g.tenant(ending, p.Tenant, *settle); err != nil {
			g.c.Log.DebugContext(ctx, "claim not settled", "err", err)
		}
	}
	return b, nil
}

// drawSeveral is the two-phase commit.
func (g *Gallery) drawSeveral(ctx context.Context, p easel.Principal, parts []*part, items int, hash string, c claim) (bulk, error) {
	b := bulk{ID: easel.NewID(), IDs: make([]easel.ID, items)}
	for _, s := range parts {
		b.Parts = append(b.Parts, s.image)
		for i, at := range s.at {
			b.IDs[at] = s.ids[i]
		}
	}
	answer, err := json.Marshal(b)
	if err != nil {
		return bulk{}, err
	}
	if err := g.prepare(ctx, p, b.ID, parts); err != nil {
		parting, cancel := g.parting(ctx, err)
		defer cancel()
		g.abort(parting, p.Tenant, b)
		return bulk{}, err
	}
	// The outcome is not the caller's any more: it is stored, and told.
	ctx, cancel := g.ending(ctx)
	defer cancel()
	decide := tenant.Decide{Bulk: b.ID, Commit: true, Images: b.Parts, Settle: c.settle(hash, answer)}
	decision, err := as[tenant.Decision](insist(ctx, func() (actors.Message, error) { return g.tenant(ctx, p.Tenant, decide) }))
	switch {
	case easel.CodeOf(err).Temporary():
		return bulk{}, err // nobody knows: images will ask
	case err != nil:
		g.abort(ctx, p.Tenant, b)
		return bulk{}, err
	case !decision.Commit:
		g.abort(ctx, p.Tenant, b)
		e := easel.Errorf(easel.CodeUnavailable, "the bulk took too long and was given up")
		e.RetryAfter = abortRetry
		return bulk{}, e
	}
	return b, g.tell(ctx, p.Tenant, b)
}

// prepare asks every image for its promise. The error is that of the first
// image, in the order of the items, that refused.
func (g *Gallery) prepare(ctx context.Context, p easel.Principal, id easel.ID, parts []*part) error {
	failures := make([]error, len(parts))
	var group errgroup.Group
	group.SetLimit(fanOut)
	for i, s := range parts {
		group.Go(func() error {
			_, failures[i] = g.canvas(ctx, p.Tenant, s.image, canvas.Prepare{
				Bulk: id, By: drawer(p), Drafts: s.drafts, IDs: s.ids, Coordinator: tenant.Key(p.Tenant),
			})
			return nil
		})
	}
	_ = group.Wait() // failures holds them, in order
	for i, err := range failures {
		if err != nil {
			return relocate(err, parts[i])
		}
	}
	return nil
}

// abort decides against a bulk and tells who may have prepared it. Nothing
// depends on it: images that hear nothing ask.
func (g *Gallery) abort(ctx context.Context, t easel.TenantID, b bulk) {
	decision, err := as[tenant.Decision](g.tenant(ctx, t, tenant.Decide{Bulk: b.ID}))
	if err != nil || decision.Commit {
		g.c.Log.DebugContext(ctx, "abort not stored", "commit", decision.Commit, "err", err)
		return
	}
	for _, image := range b.Parts {
		if _, err := g.canvas(ctx, t, image, canvas.Decide{Bulk: b.ID}); err != nil {
			g.c.Log.DebugContext(ctx, "abort not told", "err", err)
		}
	}
}

// tell tells every image that the bulk commits, and returns when all show it. If
// it fails, the tenant goes on telling.
func (g *Gallery) tell(ctx context.Context, t easel.TenantID, b bulk) error {
	ctx, cancel := g.ending(ctx)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(fanOut)
	for _, image := range b.Parts {
		group.Go(func() error {
			_, err := insist(ctx, func() (actors.Message, error) {
				return g.canvas(ctx, t, image, canvas.Decide{Bulk: b.ID, Commit: true})
			})
			if easel.CodeOf(err) == easel.CodeNotFound {
				return nil // of a repeat: the image, or its memory of the bulk, is gone by now
			}
			return err
		})
	}
	return group.Wait()
}

// relocate makes the paths of an image's complaints those of the bulk.
func relocate(err error, s *part) error {
	e, ok := err.(*easel.Error) //nolint:errorlint // only what the image itself said has paths
	if !ok || len(e.Details) == 0 {
		return err
	}
	moved := *e
	moved.Details = nil
	for _, d := range e.Details {
		var i int
		var field string
		if n, _ := fmt.Sscanf(d.Path, "annotations[%d].%s", &i, &field); n == 2 && i >= 0 && i < len(s.at) {
			d.Path = fmt.Sprintf("annotations[%d].%s", s.at[i], field)
		}
		moved.Details = append(moved.Details, d)
	}
	return &moved
}
