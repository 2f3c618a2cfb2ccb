package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/tenant"
)

// Blobs is the part of a blob.Store that reading needs.
type Blobs interface {
	Get(ctx context.Context, key string, r blob.Range) (io.ReadCloser, blob.Info, error)
	List(ctx context.Context, prefix, after string, max int) ([]blob.Info, error)
}

// Export is one tenant on its way out of a home.
type Export struct {
	Histories journal.Reader
	Blobs     Blobs
	Tenant    string // as the operator calls it
	ID        easel.TenantID
	To        string // a folder, or a file whose name ends with .tar
	Scratch   string // a folder for one file at a time
	MadeBy    string
	Now       easel.Time
	Report    Report
}

// Summary is what came of an export or an import.
type Summary struct {
	Actors int   `json:"actors"`
	Blobs  int   `json:"blobs"`
	Bytes  int64 `json:"bytes"` // of all parts
	Moved  int   `json:"moved"` // parts; the others were there already
	// Wrong says what does not fit together: damage in the source, or a home that
	// was written meanwhile.
	Wrong []string `json:"wrong,omitempty"`
}

// ErrNoTenant is the error of an export of what the home does not hold.
var ErrNoTenant = errors.New("the store holds no such tenant")

// Run exports. What an earlier run has moved and what has not changed since is not
// moved again. The tenant's own file comes first and its blobs last, so that what
// rows name is there, unless it was removed meanwhile.
func (e Export) Run(ctx context.Context) (Summary, error) {
	out, err := openSink(e.To)
	if err != nil {
		return Summary{}, fmt.Errorf("open %s: %w", e.To, err)
	}
	x := &exporter{Export: e, out: out, meter: meter{report: e.Report}, parts: map[string]Part{}}
	sum, err := x.run(ctx)
	return sum, errors.Join(err, out.Close())
}

type exporter struct {
	Export
	out   sink
	meter meter
	sum   Summary
	list  []Part
	parts map[string]Part
	rows  []tenant.Holding
}

func (x *exporter) run(ctx context.Context) (Summary, error) {
	names, err := x.actors(ctx)
	if err != nil {
		return Summary{}, err
	}
	x.meter.phase("actors", int64(len(names)))
	for _, n := range names {
		if err := x.actor(ctx, n); err != nil {
			return x.sum, err
		}
	}
	if err := x.blobs(ctx); err != nil {
		return x.sum, err
	}
	x.compare()
	m := Manifest{Format: Format, Tenant: x.Tenant, ID: x.ID, MadeBy: x.MadeBy, MadeAt: x.Now, Parts: x.list}
	if err := x.out.finish(m); err != nil {
		return x.sum, fmt.Errorf("finish %s: %w", x.To, err)
	}
	return x.sum, nil
}

// actors returns the tenant's actors, its own first.
func (x *exporter) actors(ctx context.Context) ([]journal.Name, error) {
	var names []journal.Name
	for _, prefix := range []journal.Name{tenantName(x.ID), imagesOf(x.ID)} {
		var some []journal.Name
		err := x.Histories.Names(ctx, prefix, func(n journal.Name) bool {
			some = append(some, n)
			return ctx.Err() == nil
		})
		if err != nil {
			return nil, fmt.Errorf("list actors: %w", err)
		}
		slices.Sort(some)
		names = append(names, some...)
	}
	if len(names) == 0 || names[0] != tenantName(x.ID) {
		return nil, ErrNoTenant
	}
	return names, ctx.Err()
}

// actor moves one actor's file.
func (x *exporter) actor(ctx context.Context, n journal.Name) error {
	path := filepath.Join(x.Scratch, "actor")
	if err := sqlite.Remove(path); err != nil {
		return err
	}
	last, err := x.Histories.Copy(ctx, n, path)
	if err != nil {
		if errors.Is(err, journal.ErrNotFound) || errors.Is(err, journal.ErrErased) {
			x.wrong("%s was removed meanwhile", n)
			return nil
		}
		return fmt.Errorf("copy %s: %w", n, err)
	}
	defer func() { _ = sqlite.Remove(path) }() // the next one removes it too
	if n == tenantName(x.ID) {
		if err := x.holdings(path); err != nil {
			return err
		}
	}
	version, err := sqlite.Version(path)
	if err == nil {
		err = sqlite.SetMode(path, sqlite.Plain)
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", n, err)
	}
	p := Part{Name: actorPart(n, x.ID), At: "batch " + strconv.FormatUint(last, 10), Actor: n, Schema: version}
	x.sum.Actors++
	return x.move(p, func() (io.ReadCloser, int64, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, 0, err
		}
		info, err := f.Stat()
		if err != nil {
			return nil, 0, errors.Join(err, f.Close())
		}
		return f, info.Size(), nil
	})
}

// holdings notes what the tenant's file stands for. It works on a copy of the copy,
// because opening one brings it to the newest schema.
func (x *exporter) holdings(path string) error {
	return withCopy(path, tenant.FileSchema, func(db *sqlite.DB) error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		return errors.Join(tenant.EachHolding(tx, func(h tenant.Holding) error {
			x.rows = append(x.rows, h)
			return nil
		}), db.Rollback())
	})
}

// withCopy opens a copy of an actor's file, in the newest schema.
func withCopy(path string, schema func() (*sqlite.Schema, error), f func(*sqlite.DB) error) (err error) {
	s, err := schema()
	if err != nil {
		return err
	}
	again := path + ".open"
	if err := sqlite.Remove(again); err != nil {
		return err
	}
	b, err := os.Open(path)
	if err != nil {
		return err
	}
	err = writeSynced(again, b)
	if err = errors.Join(err, b.Close()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sqlite.Remove(again)) }()
	db, err := sqlite.Open(again, s)
	if err != nil {
		return err
	}
	return errors.Join(f(db), db.Close())
}

// move puts a part, unless the archive has it in this state.
func (x *exporter) move(p Part, open func() (io.ReadCloser, int64, error)) error {
	if old, ok := x.out.known(p.Name); ok && old.At == p.At {
		p.Size, p.SHA256 = old.Size, old.SHA256
	} else {
		r, size, err := open()
		if err != nil {
			return err
		}
		p.Size = size
		moved, err := x.out.put(p, r)
		if err = errors.Join(err, r.Close()); err != nil {
			return err
		}
		p = moved
		x.sum.Moved++
	}
	x.sum.Bytes += p.Size
	x.list = append(x.list, p)
	x.parts[p.Name] = p
	x.meter.step(p.Size)
	return nil
}

// blobs moves everything that lies below the tenant's id, whatever it is, but for
// tiles: they are large, and made again when somebody asks for them.
func (x *exporter) blobs(ctx context.Context) error {
	x.meter.phase("blobs", 0)
	return eachBlob(ctx, x.Blobs, x.ID, func(info blob.Info) error {
		if strings.HasPrefix(info.Key, "t/") && strings.HasSuffix(info.Key, "/tiles") {
			return nil
		}
		name, neutral := blobPart(info.Key, x.ID)
		x.sum.Blobs++
		p := Part{Name: name, At: "size " + strconv.FormatInt(info.Size, 10), Blob: neutral}
		err := x.move(p, func() (io.ReadCloser, int64, error) {
			r, now, err := x.Blobs.Get(ctx, info.Key, blob.All)
			return r, now.Size, err
		})
		if errors.Is(err, blob.ErrNotFound) {
			return nil // deleted meanwhile; whether a row names it is seen at the end
		}
		return err
	})
}

// listed is how many blobs are listed at once.
const listed = 1000

// eachBlob calls f for every blob of a tenant: those whose key has the tenant's id
// as its second segment.
func eachBlob(ctx context.Context, blobs interface {
	List(ctx context.Context, prefix, after string, max int) ([]blob.Info, error)
}, id easel.TenantID, f func(blob.Info) error,
) error {
	roots, err := rootsOf(ctx, blobs)
	if err != nil {
		return err
	}
	for _, root := range roots {
		prefix := root + "/" + string(id) + "/"
		for after := ""; ; {
			found, err := blobs.List(ctx, prefix, after, listed)
			if err != nil {
				return fmt.Errorf("list blobs: %w", err)
			}
			for _, info := range found {
				if err := f(info); err != nil {
					return err
				}
				after = info.Key
			}
			if len(found) < listed {
				break
			}
		}
	}
	return nil
}

// rootsOf returns the first segments of all keys, with one request for each.
func rootsOf(ctx context.Context, blobs interface {
	List(ctx context.Context, prefix, after string, max int) ([]blob.Info, error)
},
) ([]string, error) {
	var roots []string
	for after := ""; ; {
		found, err := blobs.List(ctx, "", after, 1)
		if err != nil {
			return nil, fmt.Errorf("list blobs: %w", err)
		}
		if len(found) == 0 {
			return roots, nil
		}
		root, _, nested := strings.Cut(found[0].Key, "/")
		if !nested {
			after = found[0].Key
			continue
		}
		roots = append(roots, root)
		after = root + "0" // "0" comes right after "/"
	}
}

// compare checks the parts against the tenant's rows.
func (x *exporter) compare() {
	for _, h := range x.rows {
		key, what := h.Blob, "file "+h.Name
		if h.Image != "" {
			key, what = originalKey(x.ID, h.Image), "image "+string(h.Image)
			if _, ok := x.parts["images/"+string(h.Image)+".sqlite"]; !ok {
				x.wrong("%s has no history", what)
			}
		}
		name, _ := blobPart(key, x.ID)
		p, ok := x.parts[name]
		switch {
		case !ok:
			x.wrong("%s: its content %s is missing", what, key)
		case p.SHA256 != h.SHA256 || p.Size != h.Size:
			x.wrong("%s: its content %s is not what the row says", what, key)
		}
	}
}

// originalKey is where an image's file is.
func originalKey(id easel.TenantID, image easel.ID) string {
	return "t/" + string(id) + "/i/" + string(image) + "/original"
}

func (x *exporter) wrong(format string, args ...any) {
	x.sum.Wrong = append(x.sum.Wrong, fmt.Sprintf(format, args...))
}
