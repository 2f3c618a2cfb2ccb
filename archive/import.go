package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/pages"
	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/tenant"
)

// Import is one tenant on its way into a home.
type Import struct {
	From    string // a folder, or a file whose name ends with .tar
	Journal interface {
		journal.Journal
		journal.Reader
	}
	Blobs   blob.Store
	Scratch string // a folder for one file at a time
	Report  Report
}

// Errors of imports that an operator can do something about.
var (
	// ErrTenantExists: the home has the tenant, and not from an import of the same
	// archive that did not end.
	ErrTenantExists = errors.New("the store has this tenant already")
	// ErrTenantUsed: somebody has used the tenant, or one of its images, since its
	// import began. Nothing of that was overwritten.
	ErrTenantUsed = errors.New("somebody has used the tenant before its import ended, and nothing of that was overwritten")
	// ErrNotArchive: what is to be imported was not made by an export.
	ErrNotArchive = errors.New("it is no archive of easel export")
	// ErrTenantErased: the tenant was erased in this home, for good.
	ErrTenantErased = errors.New("this tenant was erased in the store; its name is not used again")
)

// markerKey is the object that says which import of a tenant has begun.
func markerKey(id easel.TenantID) string { return "import/" + string(id) }

// Run imports. Each part is compared with its checksum while it is read. The
// tenant's own file comes last, so that the tenant is there when all of it is. A
// run that was interrupted goes on when it is started again with the same archive.
func (i Import) Run(ctx context.Context) (Manifest, Summary, error) {
	in, err := openSource(i.From)
	if err != nil {
		return Manifest{}, Summary{}, fmt.Errorf("%s: %w", i.From, err)
	}
	m, err := in.manifest()
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return Manifest{}, Summary{}, errors.Join(fmt.Errorf("read %s: %w", i.From, err), in.Close())
	}
	x := &importer{Import: i, in: in, m: m, meter: meter{report: i.Report}}
	err = x.run(ctx)
	return m, x.sum, errors.Join(err, in.Close())
}

type importer struct {
	Import
	in      source
	m       Manifest
	meter   meter
	sum     Summary
	resumed bool
	alarms  []actors.PendingAlarm
}

func (x *importer) run(ctx context.Context) error {
	var files, blobs []Part
	for _, p := range x.m.Parts {
		if p.Blob != "" {
			blobs = append(blobs, p)
			continue
		}
		if err := x.fits(p); err != nil {
			return err
		}
		files = append(files, p)
	}
	// The tenant's own file is the last.
	slices.SortFunc(files, func(a, b Part) int {
		if t := tenantName(x.m.ID); a.Actor == t || b.Actor == t {
			return map[bool]int{true: 1, false: -1}[a.Actor == t]
		}
		return strings.Compare(string(a.Actor), string(b.Actor))
	})
	if len(files) == 0 || files[len(files)-1].Actor != tenantName(x.m.ID) {
		return errors.New("the archive lacks the tenant's own file")
	}
	if err := x.begin(ctx); err != nil {
		return err
	}
	x.meter.phase("blobs", int64(len(blobs)))
	for _, p := range blobs {
		if err := x.blob(ctx, p); err != nil {
			return fmt.Errorf("import %s: %w", p.Name, err)
		}
		x.sum.Blobs++
	}
	x.meter.phase("actors", int64(len(files)))
	for _, p := range files {
		if err := x.actor(ctx, p); err != nil {
			return fmt.Errorf("import %s: %w", p.Name, err)
		}
		x.sum.Actors++
	}
	err := actors.EnterAlarms(ctx, actors.Config{Journal: x.Journal, Dir: filepath.Join(x.Scratch, "timers")}, x.alarms)
	if err != nil {
		return err
	}
	return x.Blobs.Delete(ctx, markerKey(x.m.ID))
}

// schemaOf returns what files of an actor's kind are migrated to.
func schemaOf(n journal.Name) (*sqlite.Schema, error) {
	if n.Below(tenant.KindName) {
		return tenant.FileSchema()
	}
	return canvas.FileSchema()
}

// fits refuses what a newer program has written, before anything is changed.
func (x *importer) fits(p Part) error {
	s, err := schemaOf(p.Actor)
	if err != nil {
		return err
	}
	if p.Schema > s.Version() {
		return fmt.Errorf("%s has schema %d, this program knows up to %d: %w", p.Name, p.Schema, s.Version(), sqlite.ErrNewer)
	}
	return nil
}

// begin refuses to touch a tenant that is there, unless this import has begun it.
func (x *importer) begin(ctx context.Context) error {
	digest, err := x.m.digest()
	if err != nil {
		return err
	}
	key := markerKey(x.m.ID)
	body, _, err := x.Blobs.Get(ctx, key, blob.All)
	switch {
	case err == nil:
		old, err := io.ReadAll(body)
		if err = errors.Join(err, body.Close()); err != nil {
			return err
		}
		if string(old) != digest {
			return fmt.Errorf("%w in part, from another archive whose import did not end", ErrTenantExists)
		}
		x.resumed = true
		return nil
	case !errors.Is(err, blob.ErrNotFound):
		return err
	}
	for _, prefix := range []journal.Name{tenantName(x.m.ID), imagesOf(x.m.ID)} {
		found := false
		if err := x.Journal.Names(ctx, prefix, func(journal.Name) bool { found = true; return false }); err != nil {
			return err
		}
		if found {
			return ErrTenantExists
		}
	}
	// Names tells only of the living.
	_, err = x.Journal.Claim(ctx, tenantName(x.m.ID))
	if errors.Is(err, journal.ErrErased) {
		return ErrTenantErased
	}
	if !errors.Is(err, journal.ErrNotFound) {
		return errors.Join(err, ErrTenantExists)
	}
	_, err = x.Blobs.PutIfAbsent(ctx, key, []byte(digest))
	if errors.Is(err, blob.ErrExists) {
		return fmt.Errorf("%w: another import has begun just now", ErrTenantExists)
	}
	return err
}

// blob moves one blob. What an earlier run has put is whole.
func (x *importer) blob(ctx context.Context, p Part) error {
	key, err := blobKey(p.Blob, x.m.ID)
	if err == nil {
		err = blob.CheckKey(key)
	}
	if err != nil {
		return err
	}
	x.sum.Bytes += p.Size
	defer x.meter.step(p.Size)
	if x.resumed {
		if info, err := x.Blobs.Stat(ctx, key); err == nil && info.Size == p.Size {
			return nil
		}
	}
	r, err := x.in.open(p.Name)
	if err != nil {
		return err
	}
	_, err = x.Blobs.Put(ctx, key, newSums(r, &p))
	x.sum.Moved++
	return errors.Join(err, r.Close())
}

// actor moves one actor's file.
func (x *importer) actor(ctx context.Context, p Part) error {
	path := filepath.Join(x.Scratch, "actor")
	if err := sqlite.Remove(path); err != nil {
		return err
	}
	r, err := x.in.open(p.Name)
	if err != nil {
		return err
	}
	err = writeSynced(path, newSums(r, &p))
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	defer func() { _ = sqlite.Remove(path) }() // the next one removes it too
	if err := sqlite.SetMode(path, sqlite.WAL); err != nil {
		return err
	}
	x.sum.Bytes += p.Size
	defer x.meter.step(p.Size)
	if err := x.noteAlarm(p, path); err != nil {
		return err
	}
	return x.append(ctx, p, path)
}

// noteAlarm remembers when the actor has to be woken, and finds out whether its
// file can be opened at all.
func (x *importer) noteAlarm(p Part, path string) error {
	return withCopy(path, func() (*sqlite.Schema, error) { return schemaOf(p.Actor) }, func(db *sqlite.DB) error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		due, err := actors.NextAlarm(tx)
		if err != nil {
			return err
		}
		if kind, id, _ := strings.Cut(string(p.Actor), "/"); !due.IsZero() {
			x.alarms = append(x.alarms, actors.PendingAlarm{Key: actors.Key{Kind: kind, ID: id}, Due: due})
		}
		return db.Rollback()
	})
}

func sameFile(a, b string) (bool, error) {
	x, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer x.Close()
	y, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer y.Close()
	p, q := make([]byte, 1<<17), make([]byte, 1<<17)
	for {
		n, err1 := io.ReadFull(x, p)
		m, err2 := io.ReadFull(y, q)
		if !bytes.Equal(p[:n], q[:m]) {
			return false, nil
		}
		if err1 != nil || err2 != nil {
			end := func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
			return end(err1) && end(err2), nil
		}
	}
}

// appendBytes is how much of a file is one batch.
const appendBytes = 4 << 20

// append makes the file the actor's history, unless it is that already. What anyone
// else has made of the actor is never overwritten: that nobody has is looked at as
// its owner, and whoever claims it after that fences this import.
//
// The pages that a new file has too come last and at once. Until then it is a new
// file with pages that nothing leads to, so that nobody ever finds half of it.
func (x *importer) append(ctx context.Context, p Part, path string) (err error) {
	schema, err := schemaOf(p.Actor)
	if err != nil {
		return err
	}
	template, err := schema.Template()
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	pageSize := sqlite.PageSizeOf(template.Bytes)
	var header [100]byte
	if _, err := f.ReadAt(header[:], 0); err != nil {
		return err
	}
	if got := sqlite.PageSizeOf(header[:]); got != pageSize || p.Size%int64(pageSize) != 0 {
		return fmt.Errorf("pages have %d bytes, not %d", got, pageSize)
	}
	term, err := x.Journal.Birth(ctx, p.Actor, template)
	if err != nil {
		return err
	}
	if !term.Fresh() {
		same, err := x.found(ctx, term, path, template.Bytes)
		if same || err != nil {
			return errors.Join(err, term.Release(ctx))
		}
	}
	x.sum.Moved++
	size := uint32(p.Size / int64(pageSize))
	last := min(size, uint32(len(template.Bytes)/int(pageSize)))
	for first := last + 1; first <= size; {
		n := min(appendBytes/pageSize, size-first+1)
		if err := appendPages(ctx, term, f, pages.Set{PageSize: pageSize, Size: size}, first, n); err != nil {
			return inUse(err)
		}
		first += n
	}
	if err := appendPages(ctx, term, f, pages.Set{PageSize: pageSize, Size: size}, 1, last); err != nil {
		return inUse(err)
	}
	return term.Release(ctx)
}

// inUse says what being fenced means to an import.
func inUse(err error) error {
	if errors.Is(err, journal.ErrFenced) {
		return fmt.Errorf("%w: %w", ErrTenantUsed, err)
	}
	return err
}

// found looks at an actor that is there, and reports whether it is the file at path.
// What an earlier run has begun is no error; ErrTenantUsed if it is anything else.
func (x *importer) found(ctx context.Context, term journal.Term, path string, template []byte) (same bool, err error) {
	there := path + ".there"
	if err := os.Remove(there); err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	if err := term.Restore(ctx, there); err != nil {
		return false, inUse(err)
	}
	defer func() { _ = os.Remove(there) }() // in the scratch folder
	if same, err := sameFile(path, there); same || err != nil {
		return same, err
	}
	begun, err := startsWith(there, template)
	if err == nil && !begun {
		err = ErrTenantUsed
	}
	return false, err
}

// startsWith reports whether a file begins with what a new one holds, so that nobody
// has ever written to it.
func startsWith(path string, template []byte) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	b := make([]byte, len(template))
	_, err = io.ReadFull(f, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return bytes.Equal(b, template), errors.Join(err, f.Close())
}

// appendPages appends n pages of a file as one batch.
func appendPages(ctx context.Context, term journal.Term, f io.ReaderAt, set pages.Set, first, n uint32) error {
	b := make([]byte, int64(n)*int64(set.PageSize))
	if _, err := f.ReadAt(b, int64(first-1)*int64(set.PageSize)); err != nil {
		return err
	}
	set.Pages = make([]pages.Page, n)
	for j := range n {
		at := j * set.PageSize
		set.Pages[j] = pages.Page{No: first + j, Data: b[at : at+set.PageSize : at+set.PageSize]}
	}
	done := make(chan error, 1)
	term.Append(set, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
