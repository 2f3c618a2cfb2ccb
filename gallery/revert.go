package gallery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// Revert is what to bring back: the whole image to a version, one annotation to a
// version or to before its last change, or what it would be without what one user
// did. Exactly one of Version (without Annotation), Annotation and User says so.
type Revert struct {
	Version    *int64
	Annotation easel.ID
	User       string
	Since      canvas.Moment // with User: what came after it
	// Spend is asked before each batch for leave to apply so many ops. Nil: it is
	// given.
	Spend func(ctx context.Context, ops int) error
	Once  actors.Once // ID: as in Upload; Hash: of the request
}

// Reverted is what a revert did.
type Reverted struct {
	IDs   []easel.ID // of the annotations that changed, in the order of the batches
	Epoch string
	Ver   int64 // of the last batch; of the image, if there was none
}

// mostStep bounds one message of a revert, in bytes of JSON.
const mostStep = 128 << 10

// Revert plans a revert outside of turns, from states that no longer change, and
// applies it in batches: those that remove first, then those that change, then
// those that bring back. Each batch is all or none. If one fails, those before it
// stay; a repeat with the same Once.ID plans the same and goes on after them. What
// is changed by others while it runs stays as they leave it. CodeForbidden,
// CodeGone, CodeNotFound, CodeInvalid; CodeRateLimited if the image is full.
func (g *Gallery) Revert(ctx context.Context, p easel.Principal, id easel.ID, r Revert) (Reverted, error) {
	by := drawer(p)
	var (
		out  Reverted
		plan []canvas.Change
	)
	err := g.past(ctx, p, id, func(h history) error {
		begun, err := as[canvas.RevertBegun](h.ask(canvas.BeginRevert{By: by, Annotation: r.Annotation}, revertOnce(r.Once, 0)))
		if err != nil {
			return err
		}
		out = Reverted{IDs: []easel.ID{}, Epoch: begun.Epoch, Ver: begun.Ver}
		plan, err = h.plan(r, begun)
		return err
	})
	if err != nil {
		return Reverted{}, err
	}
	h := history{g: g, ctx: ctx, tenant: p.Tenant, image: id}
	for n, step := range steps(plan) {
		if r.Spend != nil {
			if err := r.Spend(ctx, len(step)); err != nil {
				return Reverted{}, err
			}
		}
		applied, err := as[canvas.Applied](h.ask(canvas.Revert{By: by, Changes: step}, revertOnce(r.Once, n+1)))
		if err != nil {
			return Reverted{}, err
		}
		for _, result := range applied.Results {
			out.IDs = append(out.IDs, result.ID)
		}
		out.Ver = applied.Ver
	}
	return out, nil
}

// revertOnce is the identity of one message of a revert.
func revertOnce(o actors.Once, n int) actors.Once {
	if o.ID == "" {
		return actors.Once{}
	}
	return actors.Once{ID: onceKey("revert", o.ID) + "/" + strconv.Itoa(n), Hash: o.Hash}
}

// plan finds what has to change. It follows from the request and where it began
// alone.
func (h history) plan(r Revert, begun canvas.RevertBegun) ([]canvas.Change, error) {
	switch {
	case r.User != "":
		return h.planUser(r, begun.Ver)
	case r.Annotation != "":
		return h.planOne(r, begun)
	default:
		return h.planAll(*r.Version, begun.Ver)
	}
}

func (h history) planAll(ver, now int64) ([]canvas.Change, error) {
	then, err := h.version("version", ver)
	if err != nil {
		return nil, err
	}
	present, err := h.version("", now)
	if err != nil {
		return nil, err
	}
	return canvas.Difference(present, then), nil
}

func (h history) planOne(r Revert, begun canvas.RevertBegun) ([]canvas.Change, error) {
	present, err := h.version("", begun.Ver)
	if err != nil {
		return nil, err
	}
	ver := int64(0)
	switch {
	case r.Version != nil:
		ver = *r.Version
	case begun.Deleted != 0:
		ver = begun.Deleted - 1
	case begun.UpdatedAt != 0:
		last, err := h.lastChange(r.Annotation, begun)
		if err != nil {
			return nil, err
		}
		ver = last - 1
	default:
		return nil, easel.Errorf(easel.CodeGone, "when the annotation was deleted is no longer known")
	}
	then, err := h.version("version", ver)
	if err != nil {
		return nil, err
	}
	return canvas.DifferenceOf(r.Annotation, present, then), nil
}

// lastChange returns the version that changed an annotation last, before the
// revert began.
func (h history) lastChange(id easel.ID, begun canvas.RevertBegun) (int64, error) {
	at, err := h.locate(canvas.Locate{Moment: canvas.Moment{At: begun.UpdatedAt - 1}, Since: true})
	if err != nil {
		return 0, err
	}
	last := int64(0)
	err = h.batches(at.Found, begun.Ver, func(m *easel.Batch) error {
		if m.At > begun.UpdatedAt {
			return errEnough
		}
		if slices.ContainsFunc(m.Ops, func(e easel.Effect) bool { return e.ID == id }) {
			last = m.Ver
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return 0, err
	}
	if last == 0 {
		return 0, fmt.Errorf("gallery: no batch changed annotation %s at %s", id, begun.UpdatedAt)
	}
	return last, nil
}

func (h history) planUser(r Revert, now int64) ([]canvas.Change, error) {
	m := canvas.Locate{Moment: r.Since, Since: true}
	if m.At != 0 {
		m.At-- // what was done in that very millisecond is undone too
	}
	s, _, err := h.scene(m)
	if err != nil {
		return nil, named("since", err)
	}
	u := canvas.NewUndoing(s, r.User)
	if err := h.batches(s.Ver, now, u.Apply); err != nil {
		return nil, err
	}
	return u.Changes(), nil
}

// version makes the scene of a version; what is wrong with the number is said of
// the named field of the request.
func (h history) version(field string, ver int64) (*canvas.Scene, error) {
	s, _, err := h.scene(canvas.Locate{Moment: canvas.Moment{Ver: ver}})
	return s, named(field, err)
}

// named makes an error about ?at= one about a field of a body.
func named(field string, err error) error {
	e, ok := errors.AsType[*easel.Error](err)
	if !ok || e.Code != easel.CodeInvalid || len(e.Details) == 0 || field == "" {
		return err
	}
	return easel.Invalid(field, e.Details[0].Message)
}

// steps splits a plan into what one batch and one message can hold.
func steps(plan []canvas.Change) [][]canvas.Change {
	slices.SortStableFunc(plan, func(a, b canvas.Change) int { return cmp.Compare(turnOf(a), turnOf(b)) })
	var out [][]canvas.Change
	from, size := 0, 0
	for i := range plan {
		n := plan[i].Size()
		if i > from && (i-from == easel.MaxOps || size+n > mostStep || turnOf(plan[i]) != turnOf(plan[from])) {
			out = append(out, plan[from:i])
			from, size = i, 0
		}
		size += n
	}
	if from < len(plan) {
		out = append(out, plan[from:])
	}
	return out
}

// turnOf orders what removes before what changes before what brings back, so that
// an image that is nearly full has room.
func turnOf(c canvas.Change) int {
	switch {
	case c.To == nil:
		return 0
	case c.From != nil:
		return 1
	default:
		return 2
	}
}
