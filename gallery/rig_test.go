package gallery_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/tenant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	homeTenant  = easel.TenantID("0123456789abcdef0123456789abcdef")
	otherTenant = easel.TenantID("fedcba9876543210fedcba9876543210")
)

func principal(t easel.TenantID, user string, role easel.Role) easel.Principal {
	return easel.Principal{Tenant: t, User: user, Name: user, Role: role}
}

var (
	anna  = principal(homeTenant, "anna", easel.Annotator)
	vera  = principal(homeTenant, "vera", easel.Viewer)
	adam  = principal(homeTenant, "adam", easel.Admin)
	other = principal(otherTenant, "anna", easel.Owner)
)

var (
	// errCrash is what a process that is no more would have been told.
	errCrash = errors.New("the process has crashed")
	// errLost is what a living process is told when an answer does not come.
	errLost = &easel.Error{Code: easel.CodeUnavailable, Message: "no answer"}
)

// fuse ends the sagas' process at one of its steps: a request to an actor or to
// the blob store. A zero fuse never blows.
type fuse struct {
	mu    sync.Mutex
	steps int
	at    int  // the step that is the last; 0: none
	late  bool // the last step takes effect, but its answer is lost
	brief bool // the process lives on: only that step fails
	blown bool
}

// arm makes the fuse blow at the given step from now; 0: never.
func (f *fuse) arm(at int, late bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.steps, f.at, f.late, f.blown = 0, at, late, false
}

func (f *fuse) hasBlown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.blown
}

// step does one step.
func (f *fuse) step(do func() error) error {
	f.mu.Lock()
	if f.blown && !f.brief {
		f.mu.Unlock()
		return errCrash
	}
	f.steps++
	last, late := f.at > 0 && f.steps == f.at, f.late
	f.blown = f.blown || last
	failure := errCrash
	if f.brief {
		failure = errLost
	}
	f.mu.Unlock()
	if last && !late {
		return failure
	}
	err := do()
	if last {
		return failure
	}
	return err
}

// asker is a System behind a fuse.
type asker struct {
	fuse *fuse
	to   atomic.Pointer[actors.System]
	// loses reports whether the answer to a message gets lost. It is set while no
	// saga runs; nil: none does.
	loses func(actors.Message) bool
}

func (a *asker) Ask(ctx context.Context, r actors.Request) (m actors.Message, err error) {
	err = a.fuse.step(func() error {
		m, err = a.to.Load().Ask(ctx, r)
		if err == nil && a.loses != nil && a.loses(r.Message) {
			return errLost
		}
		return err
	})
	return m, err
}

// blobs is a store behind a fuse.
type blobs struct {
	blob.Store
	fuse *fuse
}

func (b *blobs) Put(ctx context.Context, key string, r io.Reader) (info blob.Info, err error) {
	err = b.fuse.step(func() error { info, err = b.Store.Put(ctx, key, r); return err })
	return info, err
}

func (b *blobs) Delete(ctx context.Context, key string) error {
	return b.fuse.step(func() error { return b.Store.Delete(ctx, key) })
}

func (b *blobs) List(ctx context.Context, prefix, after string, most int) (found []blob.Info, err error) {
	err = b.fuse.step(func() error { found, err = b.Store.List(ctx, prefix, after, most); return err })
	return found, err
}

// histories is a journal behind a fuse. Restarts replace the journal.
type histories struct {
	fuse *fuse
	to   atomic.Pointer[journal.Node]
}

func (h *histories) Names(ctx context.Context, prefix journal.Name, each func(journal.Name) bool) error {
	return h.fuse.step(func() error { return h.to.Load().Names(ctx, prefix, each) })
}

func (h *histories) Erase(ctx context.Context, name journal.Name) error {
	return h.fuse.step(func() error { return h.to.Load().Erase(ctx, name) })
}

// rig is a gallery on the real runtime and the real stores, in a folder.
type rig struct {
	*gallery.Gallery
	config    gallery.Config
	t         *testing.T
	dir       string
	fuse      *fuse
	asker     *asker
	blobs     *blobs
	histories *histories
	ahead     atomic.Int64 // nanoseconds that the clock is ahead of the machine's
	stop      func()
}

func newRig(t *testing.T, adjust func(*gallery.Config)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), fuse: &fuse{}}
	store, err := blob.OpenDir(filepath.Join(r.dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	r.asker = &asker{fuse: r.fuse}
	r.blobs = &blobs{Store: store, fuse: r.fuse}
	r.histories = &histories{fuse: r.fuse}
	c := gallery.Config{
		Asker: r.asker, Blobs: r.blobs, Histories: r.histories, Now: r.now,
		Log: slog.New(slog.DiscardHandler), MaxUpload: 1 << 20, MaxFile: 1 << 20, Settle: 10 * time.Second,
	}
	if adjust != nil {
		adjust(&c)
	}
	r.config = c
	r.Gallery = gallery.New(c)
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

// hurry makes sagas give up soon from now on: what was made until then may take its
// time on a busy machine.
func (r *rig) hurry() {
	r.config.Settle = 3 * time.Second
	r.Gallery = gallery.New(r.config)
}

func (r *rig) now() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }

func (r *rig) start() {
	r.t.Helper()
	node, err := journal.OpenNode(journal.NodeOptions{Dir: filepath.Join(r.dir, "journal")})
	if err != nil {
		r.t.Fatal(err)
	}
	tenants, err := tenant.Kind(tenant.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	images, err := canvas.Kind(canvas.Options{Archive: r.Archive(), OpLogKeep: 10}, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	system, err := actors.New(actors.Config{
		Node: "n", Dir: filepath.Join(r.dir, "work"), Journal: node, Now: r.now,
		Kinds: []*actors.Kind{&tenants, &images}, Messages: append(tenant.Prototypes(), canvas.Prototypes()...),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := system.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.asker.to.Store(system)
	r.histories.to.Store(node)
	r.stop = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), 20*time.Second)
		defer cancel()
		if err := errors.Join(system.Stop(ctx), node.Close()); err != nil {
			r.t.Error(err)
		}
	}
}

// restart ends the process and starts it later: what came due meanwhile happens.
func (r *rig) restart(later time.Duration) {
	r.t.Helper()
	r.stop()
	r.fuse.arm(0, false)
	r.ahead.Add(int64(later))
	r.start()
}

// ask asks past the fuse.
func (r *rig) ask(to actors.Key, m actors.Message) (actors.Message, error) {
	r.t.Helper()
	return r.asker.to.Load().Ask(r.t.Context(), actors.Request{To: to, Message: m})
}

func must[R actors.Message](r *rig, to actors.Key, m actors.Message) R {
	r.t.Helper()
	answer, err := r.ask(to, m)
	if err != nil {
		r.t.Fatalf("%s to %s: %v", m.MessageName(), to, err)
	}
	return answer.(R)
}

// listed returns the images of the home tenant.
func (r *rig) listed() []easel.Image {
	r.t.Helper()
	return must[tenant.ImagesReply](r, tenant.Key(homeTenant), tenant.Images{Limit: 1000}).Images
}

// stored returns the keys of all blobs.
func (r *rig) stored() []string {
	r.t.Helper()
	found, err := r.blobs.Store.List(r.t.Context(), "", "", 10_000)
	if err != nil {
		r.t.Fatal(err)
	}
	keys := []string{}
	for _, o := range found {
		keys = append(keys, o.Key)
	}
	return keys
}

// born returns the ids of all images of the home tenant that have a history.
func (r *rig) born() []easel.ID {
	r.t.Helper()
	ids := []easel.ID{}
	prefix := "image/" + string(homeTenant) + "/"
	err := r.histories.to.Load().Names(r.t.Context(), "image", func(n journal.Name) bool {
		ids = append(ids, easel.ID(strings.TrimPrefix(string(n), prefix)))
		return true
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return ids
}

func (r *rig) upload(p easel.Principal, name string) easel.Image {
	r.t.Helper()
	m, err := r.Upload(r.t.Context(), p, gallery.Upload{Filename: name, Body: bytes.NewReader(picture(40, 30))})
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			r.t.Fatalf("never came true: %s", what)
		}
		select {
		case <-r.t.Context().Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// wantCode fails unless err has the code.
func wantCode(t *testing.T, err error, want easel.Code) {
	t.Helper()
	if got := easel.CodeOf(err); got != want {
		t.Fatalf("got %q (%v), want %q", got, err, want)
	}
}

// picture returns a PNG that is not too regular.
func picture(width, height int) []byte {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		m.Set(i%width, i/width, color.RGBA{R: uint8(i * 7), G: uint8(i * 13), B: uint8(i), A: 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func pictureReader() io.Reader { return bytes.NewReader(picture(40, 30)) }
