package e2e_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/auth"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
	"github.com/easelhq/easel/pages"
	"github.com/easelhq/easel/tenant"
)

// A forge makes homes that know many images, fast: tenants are real ones, and so
// is one image; the others are its history with another id, written by the
// journal itself, without a sync.

// perImage is how many annotations a forged image has.
const perImage = 3

// forgedTenants is how many tenants share so many images: enough in any case that
// all timers are there, and more with more images.
func forgedTenants(images int) int { return 200 + images/1000 }

// forgedTenant names the tenant that an image belongs to. Those of one follow each
// other, so that its turns are large.
func forgedTenant(i, images int) string {
	return fmt.Sprint("scale-", i*forgedTenants(images)/images)
}

// forge fills a journal with n images and returns the ids of the first and the
// last few of them, by their number. After every forgedAtOnce it calls rest, with how
// many there are.
func forge(t *testing.T, j journal.Journal, n int, rest func(made int)) map[int]easel.ID {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	images, err := canvas.Kind(canvas.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tenants, err := tenant.Kind(tenant.Options{MaxImages: 1 << 40, MaxBytes: 1 << 60})
	if err != nil {
		t.Fatal(err)
	}
	system, err := actors.New(actors.Config{
		Node: "forge", Dir: filepath.Join(t.TempDir(), "work"), Journal: j, ReleaseAfter: 5 * time.Second,
		Kinds: []*actors.Kind{&images, &tenants}, Messages: append(canvas.Prototypes(), tenant.Prototypes()...),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := system.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	mould := easel.NewID()
	ids := listImages(t, system, n, mould)
	drawMould(t, system, auth.Team("", forgedTenant(0, n)), mould)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if err := system.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	template, err := images.Schema.Template()
	if err != nil {
		t.Fatal(err)
	}
	some := map[int]easel.ID{}
	first := historyOf(t, j, canvas.Key(auth.Team("", forgedTenant(0, n)), mould).Name(), template)
	for at := 0; at < n; at += forgedAtOnce {
		var all sync.WaitGroup
		for w := range runtime.GOMAXPROCS(0) {
			all.Go(func() {
				for i := at + w; i < min(at+forgedAtOnce, n); i += runtime.GOMAXPROCS(0) {
					if id := ids[i]; id != mould {
						cast(t, j, canvas.Key(auth.Team("", forgedTenant(i, n)), id).Name(), template, renamed(first, mould, id))
					}
				}
			})
		}
		if all.Wait(); t.Failed() {
			t.FailNow()
		}
		rest(min(at+forgedAtOnce, n))
	}
	for _, i := range []int{0, 1, n - 2, n - 1} {
		some[i] = ids[i]
	}
	return some
}

// forgedAtOnce is how many images are made between two rests.
const forgedAtOnce = 20_000

// listImages makes the tenants and their rows of n images, the first of which is
// mould.
func listImages(t *testing.T, system *actors.System, n int, mould easel.ID) []easel.ID {
	t.Helper()
	by := tenant.Author{User: "scale", Role: easel.Owner}
	ids := make([]easel.ID, n)
	var all sync.WaitGroup
	room := make(chan struct{}, 1000) // what waits must fit in a mailbox
	for i := range ids {
		if ids[i] = easel.NewID(); i == 0 {
			ids[i] = mould
		}
		to := actors.Key{Kind: tenant.KindName, ID: string(auth.Team("", forgedTenant(i, n)))}
		image := easel.Image{ID: ids[i], Filename: "forged.png", ContentType: "image/png", Size: 100, UploadedBy: by.User, CreatedAt: easel.At(time.Now())}
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			for _, m := range []actors.Message{
				tenant.Reserve{ID: image.ID, By: by, Filename: image.Filename, Size: image.Size}, tenant.Ready{Image: image},
			} {
				if _, err := system.Ask(t.Context(), actors.Request{To: to, Message: m}); err != nil {
					t.Errorf("%s: %v", m.MessageName(), err)
				}
			}
		})
	}
	all.Wait()
	return ids
}

// drawMould makes the one image that the others are made of, and waits until its
// tenant has confirmed what it told.
func drawMould(t *testing.T, system *actors.System, owner easel.TenantID, id easel.ID) {
	t.Helper()
	ask := func(to actors.Key, m actors.Message) actors.Message {
		answer, err := system.Ask(t.Context(), actors.Request{To: to, Message: m})
		if err != nil {
			t.Fatalf("%s: %v", m.MessageName(), err)
		}
		return answer
	}
	image := canvas.Key(owner, id)
	ask(image, canvas.Birth{Image: easel.Image{ID: id, Filename: "forged.png", ContentType: "image/png", Size: 100, UploadedBy: "scale"}})
	ops := make([]easel.Op, perImage)
	for i := range ops {
		ops[i] = easel.Op{Kind: easel.OpPut, Draft: &easel.Draft{Label: fmt.Sprint("box ", i), Width: 0.5, Height: 0.5}}
	}
	ask(image, canvas.Apply{By: canvas.Author{User: "scale", Role: easel.Owner}, Ops: ops})
	eventually(t, "the tenant knows of the boxes", func() error {
		answer := ask(actors.Key{Kind: tenant.KindName, ID: string(owner)}, tenant.Images{Limit: 1000})
		for _, row := range answer.(tenant.ImagesReply).Images {
			if row.ID == id && row.AnnotationCount == perImage {
				return nil
			}
		}
		return errors.New("it does not")
	})
	ask(image, canvas.Look{}) // after the confirmation, which was told before the row was seen
}

// historyOf returns what an actor's file has more than its template.
func historyOf(t *testing.T, j journal.Journal, name journal.Name, template journal.Template) pages.Set {
	t.Helper()
	term, err := j.Claim(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := journaltest.Restored(t.Context(), term, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := term.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	size := int(binary.BigEndian.Uint16(raw[16:]))
	set := pages.Set{PageSize: uint32(size), Size: uint32(len(raw) / size)}
	for at := 0; at < len(raw); at += size {
		if at+size > len(template.Bytes) || !bytes.Equal(raw[at:at+size], template.Bytes[at:at+size]) {
			set.Pages = append(set.Pages, pages.Page{No: uint32(at/size + 1), Data: raw[at : at+size]})
		}
	}
	return set
}

// renamed returns a copy of a history in which an image has another id: its 16
// bytes, or their 32 digits.
func renamed(s pages.Set, from, to easel.ID) pages.Set {
	a, _ := hex.DecodeString(string(from))
	b, _ := hex.DecodeString(string(to))
	out := s
	out.Pages = make([]pages.Page, len(s.Pages))
	for i, p := range s.Pages {
		data := bytes.ReplaceAll(p.Data, a, b)
		out.Pages[i] = pages.Page{No: p.No, Data: bytes.ReplaceAll(data, []byte(from), []byte(to))}
	}
	return out
}

// cast gives an actor its history. It may run in any goroutine.
func cast(t *testing.T, j journal.Journal, name journal.Name, template journal.Template, s pages.Set) {
	t.Helper()
	term, err := j.Birth(t.Context(), name, template)
	if err != nil {
		t.Errorf("birth of %s: %v", name, err)
		return
	}
	term.Append(s, func(err error) {
		if err != nil {
			t.Errorf("append to %s: %v", name, err)
		}
	})
	if err := term.Release(t.Context()); err != nil {
		t.Errorf("release of %s: %v", name, err)
	}
}

// hasty is a file system that syncs nothing.
type hasty struct{ journal.OS }

func (hasty) SyncDir(string) error { return nil }

func (f hasty) Create(path string) (journal.File, error) {
	file, err := f.OS.Create(path)
	return hastyFile{file}, err
}

func (f hasty) Open(path string) (journal.File, error) {
	file, err := f.OS.Open(path)
	return hastyFile{file}, err
}

type hastyFile struct{ journal.File }

func (hastyFile) Sync() error { return nil }

// forgeFolder makes a folder home of n images that all sleep: their histories are
// in files of their own, none in the log. It says how many there are from time to time.
func forgeFolder(t *testing.T, home string, n int, made func(int)) map[int]easel.ID {
	t.Helper()
	dir := filepath.Join(home, "journal")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	j, err := journal.OpenNode(journal.NodeOptions{Dir: dir, FS: hasty{}, CompactBytes: 1 << 20, TidyAfter: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	segments := func(most int) []os.DirEntry {
		for ; ; time.Sleep(20 * time.Millisecond) {
			left, err := os.ReadDir(filepath.Join(dir, "log"))
			if err != nil {
				t.Fatal(err)
			}
			if len(left) <= most {
				return left
			}
		}
	}
	some := forge(t, j, n, func(so int) {
		segments(20) // else its index would be all that is collected
		made(so)
	})
	for {
		left := segments(1)
		if info, err := left[0].Info(); err == nil && info.Size() < 4096 {
			break
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return some
}
