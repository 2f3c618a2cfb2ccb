package archive

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/tenant"
)

// Verify is a walk over a whole home. It changes nothing.
type Verify struct {
	// Audit walks the journal: journal.Audit or journal.AuditBucket.
	Audit     func(context.Context, journal.Auditor) error
	Histories journal.Reader
	Blobs     Blobs
	Scratch   string // a folder for one file at a time
	Report    Report
	// Found is called with each finding as it comes.
	Found func(Finding)
}

// Finding is one thing that is wrong, or left over.
type Finding struct {
	What     string `json:"what"`
	Harmless bool   `json:"harmless"`
	Object   string `json:"object,omitempty"` // its path below the home
	Actor    string `json:"actor,omitempty"`
	Detail   string `json:"detail,omitempty"`
}

// Count is how many objects of a kind were looked at.
type Count struct {
	Objects int64 `json:"objects"`
	Bytes   int64 `json:"bytes"`
}

// Outcome is what a walk came to.
type Outcome struct {
	Checked   map[string]Count `json:"checked"`
	Problems  int              `json:"problems"`
	Leftovers int              `json:"leftovers"`
}

// What this package finds, besides what package journal does.
const (
	actorMissing  = "actor_missing"
	actorBehind   = "actor_behind"
	actorDamaged  = "actor_damaged"
	actorNewer    = "actor_newer"
	actorClosed   = "actor_closed"
	tenantMissing = "tenant_missing"
	blobMissing   = "blob_missing"
	blobDamaged   = "blob_damaged"
	rootDamaged   = "root_key_damaged"
	sumsDamaged   = "sums_damaged"
	thumbDamaged  = "thumbnail_damaged"
	blobUnnamed   = "blob_unnamed"
	imageUnlisted = "image_unlisted"
	importBegun   = "import_begun"
	eraseBegun    = "erase_begun"
)

// Meanings says what each kind of finding means.
func Meanings() map[string]string {
	out := map[string]string{
		actorMissing:  "a tenant lists an image whose history is not there",
		actorBehind:   "an image is older than its tenant has heard: acknowledged changes are lost",
		actorDamaged:  "the file that a history gives fails SQLite's own check",
		actorNewer:    "a newer program has written it: this one can neither open nor check it",
		actorClosed:   "the history cannot be put together; what is wrong with it is told beside",
		tenantMissing: "images or blobs are of a tenant whose own file is not there",
		blobMissing:   "a row names content that is not there",
		blobDamaged:   "content is not what its SHA-256 in a row or in its name says",
		sumsDamaged:   "content is what its row says, but not what the row's checksums of its blocks say: it is not served",
		thumbDamaged:  "a thumbnail is not what it was: it is not served, and made again when it is asked for",
		rootDamaged:   "the key that signs tickets and URLs is not 32 bytes",
		blobUnnamed:   "no row names it; the nightly sweep removes it after a day",
		imageUnlisted: "an upload that did not end; it is removed by itself",
		importBegun:   "an import of this tenant did not end: run it again",
		eraseBegun:    "a tenant is being erased",
	}
	for _, w := range []journal.What{
		journal.HeadDamaged, journal.HeadMissing, journal.FileMissing, journal.FileDamaged, journal.TemplateMissing,
		journal.TemplateDamaged, journal.LogDamaged, journal.SealMissing, journal.BatchesMissing,
		journal.Unreferenced, journal.Unborn, journal.ErasedRest, journal.Foreign,
	} {
		out[string(w)] = w.Meaning()
	}
	return out
}

// Run walks. An error means that the walk could not be ended, not that something
// is wrong with the home.
func (v Verify) Run(ctx context.Context) (Outcome, error) {
	w := &walk{
		Verify: v, ctx: ctx, meter: meter{report: v.Report}, out: Outcome{Checked: map[string]Count{}},
		closed: map[journal.Name]bool{}, tenants: map[easel.TenantID]bool{},
	}
	w.meter.phase("journal", 0)
	if err := v.Audit(ctx, w); err != nil {
		return w.out, fmt.Errorf("walk the journal: %w", err)
	}
	if err := w.files(); err != nil {
		return w.out, err
	}
	return w.out, w.rest()
}

// walk is one run.
type walk struct {
	Verify
	ctx     context.Context //nolint:containedctx // of the one run
	meter   meter
	out     Outcome
	closed  map[journal.Name]bool   // of which something was found already
	tenants map[easel.TenantID]bool // whose own file is there
}

// Checked implements journal.Auditor.
func (w *walk) Checked(kind journal.ObjectKind, bytes int64) { w.count(string(kind), bytes) }

func (w *walk) count(kind string, bytes int64) {
	c := w.out.Checked[kind]
	c.Objects, c.Bytes = c.Objects+1, c.Bytes+bytes
	w.out.Checked[kind] = c
	w.meter.step(bytes)
}

// Found implements journal.Auditor.
func (w *walk) Found(f journal.Finding) {
	if !f.What.Harmless() {
		w.closed[f.Actor] = true
	}
	w.note(Finding{What: string(f.What), Harmless: f.What.Harmless(), Object: "journal/" + f.Object, Actor: string(f.Actor), Detail: f.Detail})
}

func (w *walk) note(f Finding) {
	if f.Harmless {
		w.out.Leftovers++
	} else {
		w.out.Problems++
	}
	if w.Verify.Found != nil {
		w.Verify.Found(f)
	}
}

// files puts every tenant's and image's file together and looks into it.
func (w *walk) files() error {
	var ids []easel.TenantID
	err := w.Histories.Names(w.ctx, tenant.KindName, func(n journal.Name) bool {
		ids = append(ids, easel.TenantID(strings.TrimPrefix(string(n), tenant.KindName+"/")))
		return true
	})
	if err != nil {
		return fmt.Errorf("list tenants: %w", err)
	}
	w.meter.phase("tenants", int64(len(ids)))
	for _, id := range ids {
		w.tenants[id] = true
		if err := w.tenant(id); err != nil {
			return err
		}
	}
	// Images of tenants that are not there.
	lost := map[easel.TenantID]bool{}
	err = w.Histories.Names(w.ctx, tenant.ImageKind, func(n journal.Name) bool {
		parts := strings.Split(string(n), "/")
		if id := easel.TenantID(parts[1]); len(parts) == 3 && !w.tenants[id] && !lost[id] {
			lost[id] = true
			w.lostTenant(id, string(n))
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("list images: %w", err)
	}
	return nil
}

// lostTenant tells of something of a tenant whose own file is not there.
func (w *walk) lostTenant(id easel.TenantID, object string) {
	if _, err := w.size(eraseKey(id)); err == nil {
		return // it is told of as such
	}
	if _, err := w.size(markerKey(id)); err == nil {
		return
	}
	w.note(Finding{What: tenantMissing, Actor: string(tenantName(id)), Object: object})
}

func (w *walk) size(key string) (int64, error) {
	r, info, err := w.Blobs.Get(w.ctx, key, blob.All)
	if err != nil {
		return 0, err
	}
	return info.Size, r.Close()
}

// open puts an actor's file together and lets f look into it. What is wrong with it
// is noted, and then ok is false.
func (w *walk) open(n journal.Name, schema func() (*sqlite.Schema, error), f func(*sqlite.Tx) error) (ok bool, err error) {
	path := filepath.Join(w.Scratch, "actor")
	if err := sqlite.Remove(path); err != nil {
		return false, err
	}
	defer func() { _ = sqlite.Remove(path) }() // the next one removes it too
	_, err = w.Histories.Copy(w.ctx, n, path)
	switch {
	case errors.Is(err, journal.ErrNotFound), errors.Is(err, journal.ErrErased):
		return false, nil // gone since it was listed
	case errors.Is(err, journal.ErrCorrupt):
		if !w.closed[n] {
			w.note(Finding{What: actorClosed, Actor: string(n), Detail: err.Error()})
		}
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read %s: %w", n, err)
	}
	s, err := schema()
	if err != nil {
		return false, err
	}
	db, err := sqlite.Open(path, s)
	if errors.Is(err, sqlite.ErrNewer) {
		w.note(Finding{What: actorNewer, Actor: string(n), Detail: err.Error()})
		return false, nil
	}
	if err != nil {
		w.note(Finding{What: actorDamaged, Actor: string(n), Detail: err.Error()})
		return false, nil
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	wrong, err := db.Check()
	for _, line := range wrong {
		w.note(Finding{What: actorDamaged, Actor: string(n), Detail: line})
	}
	if err != nil || len(wrong) > 0 {
		return false, err
	}
	tx, err := db.Begin()
	if err != nil {
		return false, err
	}
	w.count("file", 0)
	return true, errors.Join(f(tx), db.Rollback())
}

// expected is what a tenant's and its images' files say of blobs.
type expected struct {
	sha  map[string]string           // by key
	size map[string]int64            // by key
	sums map[string][]byte           // of blocks, by key; none: not known
	hist map[string]bool             // objects of history, by key
	rows map[easel.ID]tenant.Holding // of images
}

func (w *walk) tenant(id easel.TenantID) error {
	x := &expected{sha: map[string]string{}, size: map[string]int64{}, sums: map[string][]byte{}, hist: map[string]bool{}, rows: map[easel.ID]tenant.Holding{}}
	known, err := w.open(tenantName(id), tenant.FileSchema, func(tx *sqlite.Tx) error {
		return tenant.EachHolding(tx, func(h tenant.Holding) error {
			key := h.Blob
			if h.Image != "" {
				key = originalKey(id, h.Image)
				x.rows[h.Image] = h
			}
			x.sha[key], x.size[key], x.sums[key] = h.SHA256, h.Size, h.Sums
			return nil
		})
	})
	if err != nil {
		return err
	}
	var images []journal.Name
	if err := w.Histories.Names(w.ctx, imagesOf(id), func(n journal.Name) bool { images = append(images, n); return true }); err != nil {
		return fmt.Errorf("list images: %w", err)
	}
	seen := map[easel.ID]bool{}
	for _, n := range images {
		image := easel.ID(strings.TrimPrefix(string(n), string(imagesOf(id))+"/"))
		seen[image] = true
		if err := w.image(id, image, n, x, known); err != nil {
			return err
		}
	}
	for image := range x.rows {
		if !seen[image] {
			w.note(Finding{What: actorMissing, Actor: string(imagesOf(id)) + "/" + string(image)})
		}
	}
	if err := w.blobs(id, x, known); err != nil {
		return err
	}
	w.meter.step(0)
	return nil
}

func (w *walk) image(id easel.TenantID, image easel.ID, n journal.Name, x *expected, known bool) error {
	_, err := w.open(n, canvas.FileSchema, func(tx *sqlite.Tx) error {
		f, err := canvas.ReadFacts(tx)
		if err != nil || !f.Born || f.Purged {
			return err
		}
		row, listed := x.rows[image]
		switch {
		case known && !listed:
			w.note(Finding{What: imageUnlisted, Harmless: true, Actor: string(n)})
		case listed && f.Image.Version < row.Version:
			w.note(Finding{
				What: actorBehind, Actor: string(n),
				Detail: fmt.Sprintf("version %d, the tenant knows %d", f.Image.Version, row.Version),
			})
		}
		if listed {
			key := originalKey(id, image)
			x.sha[key], x.size[key], x.sums[key] = f.Image.SHA256, f.Image.Size, f.Sums
		}
		for _, o := range f.Objects {
			x.hist[historyKey(id, image, o)] = true
		}
		return nil
	})
	return err
}

// historyKey is where an object of an image's history is.
func historyKey(id easel.TenantID, image easel.ID, name string) string {
	return "t/" + string(id) + "/i/" + string(image) + "/hist-" + name
}

// rest looks at the blobs that are of no tenant that is there.
func (w *walk) rest() error {
	w.meter.phase("blobs", 0)
	roots, err := rootsOf(w.ctx, w.Blobs)
	if err != nil {
		return err
	}
	for _, root := range roots {
		for after := ""; ; {
			found, err := w.Blobs.List(w.ctx, root+"/", after, 1)
			if err != nil {
				return fmt.Errorf("list blobs: %w", err)
			}
			if len(found) == 0 {
				break
			}
			key := found[0].Key
			second, _, nested := strings.Cut(strings.TrimPrefix(key, root+"/"), "/")
			after = key
			if nested { // all of one tenant at once
				after = root + "/" + second + "0"
				if id := easel.TenantID(second); easel.ID(id).Valid() && !w.tenants[id] {
					w.lostTenant(id, "blobs/"+root+"/"+second+"/")
				}
				continue
			}
			if err := w.other(root, second, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// other judges a blob that is no tenant's.
func (w *walk) other(root, name, key string) error {
	size, err := w.size(key)
	if errors.Is(err, blob.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	w.count("blob", size)
	switch {
	case key == "keys/root" && size != 32:
		w.note(Finding{What: rootDamaged, Object: "blobs/" + key, Detail: fmt.Sprintf("%d bytes", size)})
	case root == "import":
		w.note(Finding{What: importBegun, Harmless: true, Object: "blobs/" + key, Actor: string(tenantName(easel.TenantID(name)))})
	case root == "erase":
		w.note(Finding{What: eraseBegun, Harmless: true, Object: "blobs/" + key, Actor: string(tenantName(easel.TenantID(name)))})
	}
	return nil
}

// eraseKey is the object that says that a tenant is to be erased.
func eraseKey(id easel.TenantID) string { return "erase/" + string(id) }
