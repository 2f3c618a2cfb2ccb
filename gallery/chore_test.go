package gallery_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/tenant"
)

const day = 24 * time.Hour

// remove soft-deletes images and waits until the tenant knows.
func (r *rig) remove(ids ...easel.ID) {
	r.t.Helper()
	for _, id := range ids {
		must[canvas.Empty](r, canvas.Key(homeTenant, id), canvas.SoftDelete{By: canvas.Author{User: "adam", Role: easel.Admin}})
	}
	r.until("the tenant knows of the deletion", func() bool {
		return !slices.ContainsFunc(r.listed(), func(m easel.Image) bool { return slices.Contains(ids, m.ID) })
	})
}

func (r *rig) chore(run func(context.Context) (gallery.Report, error)) gallery.Report {
	r.t.Helper()
	report, err := run(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

func TestPurgeRemovesWhatWasDeletedLongAgo(t *testing.T) {
	r := newRig(t, nil)
	live, old, young := r.upload(anna, "live"), r.upload(anna, "old"), r.upload(anna, "young")
	if _, err := r.Thumbnail(t.Context(), anna, old.ID, 64); err != nil {
		t.Fatal(err)
	}
	r.remove(old.ID)
	r.restart(29 * day)
	r.remove(young.ID)
	if got := r.chore(r.PurgeImages); got != (gallery.Report{Tenants: 1}) {
		t.Fatalf("%+v", got)
	}
	r.restart(2 * day)
	if got := r.chore(r.PurgeImages); got != (gallery.Report{Tenants: 1, Done: 1}) {
		t.Fatalf("%+v", got)
	}
	want := []easel.ID{live.ID, young.ID}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(r.born()))); diff != "" {
		t.Fatal(diff)
	}
	if left := strings.Join(r.stored(), " "); strings.Contains(left, string(old.ID)) || !strings.Contains(left, string(young.ID)) {
		t.Fatalf("left %v", left)
	}
	_, err := r.ask(canvas.Key(homeTenant, old.ID), canvas.Restore{By: canvas.Author{User: "adam", Role: easel.Admin}})
	wantCode(t, err, easel.CodeNotFound)
	if _, err := r.ask(canvas.Key(homeTenant, young.ID), canvas.Restore{By: canvas.Author{User: "adam", Role: easel.Admin}}); err != nil {
		t.Fatal(err)
	}
	if used := must[tenant.UsageReply](r, tenant.Key(homeTenant), tenant.Usage{}).Used; used.Images != 2 {
		t.Fatalf("used %+v", used)
	}
}

// The tenant's row can be behind the image: the image's own word counts.
func TestPurgeLeavesRestoredImages(t *testing.T) {
	r := newRig(t, nil)
	m := r.upload(anna, "a")
	stale := m
	stale.DeletedAt = easel.At(r.now())
	r.restart(31 * day)
	must[tenant.Empty](r, tenant.Key(homeTenant), tenant.Sync{Image: stale, Seq: 1000})
	if got := r.chore(r.PurgeImages); got != (gallery.Report{Tenants: 1}) {
		t.Fatalf("%+v", got)
	}
	if _, err := r.Image(t.Context(), anna, m.ID); err != nil {
		t.Fatal(err)
	}
}

func TestPurgeCrashedAnywhereEndsInTheNextRun(t *testing.T) {
	r := newRig(t, nil)
	const images = 24
	var ids []easel.ID
	for range images {
		ids = append(ids, r.upload(anna, "a").ID)
	}
	r.remove(ids...)
	r.restart(31 * day)
	for step := 1; step <= images; step++ {
		r.fuse.arm(step, step%2 == 0)
		_, _ = r.PurgeImages(t.Context())
	}
	r.fuse.arm(0, false)
	r.chore(r.PurgeImages)
	if left := r.stored(); len(left) > 0 {
		t.Errorf("blobs left: %v", left)
	}
	if left := r.born(); len(left) > 0 {
		t.Errorf("histories left: %v", left)
	}
	if used := must[tenant.UsageReply](r, tenant.Key(homeTenant), tenant.Usage{}).Used; used.Images != 0 || used.Bytes != 0 {
		t.Errorf("used %+v", used)
	}
}

func TestFilesCrashedAnywhereLeaveNoOrphans(t *testing.T) {
	r := newRig(t, func(c *gallery.Config) { c.Grace = time.Hour })
	put := func(name, body string) error {
		_, err := r.PutFile(t.Context(), adam, gallery.FileUpload{Name: name, Body: strings.NewReader(body)})
		return err
	}
	acknowledged := map[string]string{}
	for step := 1; step <= 5; step++ {
		for _, late := range []bool{false, true} {
			name := fmt.Sprint(step, late)
			for _, body := range []string{"first", "second"} {
				r.fuse.arm(step, late)
				if err := put(name, body); err == nil {
					acknowledged[name] = body
				}
			}
			_ = r.DeleteFile(t.Context(), adam, name+"?", tenant.Condition{}, actors.Once{})
		}
	}
	r.fuse.arm(0, false)
	if err := put("kept", "x"); err != nil {
		t.Fatal(err)
	}
	r.restart(2 * time.Hour)
	r.chore(r.SweepOrphans)
	for step := 1; step <= 6; step++ {
		r.fuse.brief = step > 3 // first the process crashes, then single steps fail
		r.fuse.arm(step, step%2 == 0)
		_, _ = r.DrainDrops(t.Context())
	}
	r.fuse.arm(0, false)
	r.chore(r.DrainDrops)
	files := must[tenant.FileListReply](r, tenant.Key(homeTenant), tenant.FileList{Limit: 1000}).Files
	if n := len(r.stored()); n != len(files) {
		t.Errorf("%d blobs of %d files", n, len(files))
	}
	for _, f := range files {
		_, c, err := r.File(t.Context(), adam, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := c.Open(t.Context(), blob.All); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		} else if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(acknowledged) == 0 {
		t.Error("no file came through")
	}
	for name := range acknowledged {
		if !slices.ContainsFunc(files, func(f tenant.File) bool { return f.Name == name }) {
			t.Errorf("acknowledged %s is not there", name)
		}
	}
}

func TestSweepLeavesYoungBlobsAlone(t *testing.T) {
	r := newRig(t, nil)
	r.upload(anna, "a")
	orphan := "t/" + string(homeTenant) + "/f/" + string(easel.NewID())
	foreign := "t/" + strings.Repeat("e", 32) + "/f/" + string(easel.NewID()) // of a tenant that never was
	for _, key := range []string{orphan, foreign} {
		if _, err := r.blobs.Store.Put(t.Context(), key, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	r.chore(r.SweepOrphans)
	r.chore(r.DrainDrops)
	if n := len(r.stored()); n != 3 {
		t.Fatalf("%d blobs are left", n)
	}
	r.restart(25 * time.Hour)
	if got := r.chore(r.SweepOrphans); got.Done != 2 {
		t.Fatalf("%+v", got)
	}
	if got := r.chore(r.DrainDrops); got != (gallery.Report{Tenants: 1, Done: 1}) {
		t.Fatalf("%+v", got)
	}
	if n := len(r.stored()); n != 1 {
		t.Fatalf("%d blobs are left", n)
	}
}

// blocking is a journal whose list of names comes when the test says so.
type blocking struct {
	gallery.Histories
	entered chan struct{}
	release chan struct{}
}

func (b blocking) Names(ctx context.Context, prefix journal.Name, each func(journal.Name) bool) error {
	b.entered <- struct{}{}
	<-b.release
	return b.Histories.Names(ctx, prefix, each)
}

func TestChoreRunsOneAtATime(t *testing.T) {
	b := blocking{entered: make(chan struct{}), release: make(chan struct{})}
	r := newRig(t, func(c *gallery.Config) {
		b.Histories = c.Histories
		c.Histories = b
	})
	done := make(chan error, 1)
	go func() {
		_, err := r.PurgeImages(t.Context())
		done <- err
	}()
	<-b.entered
	_, err := r.PurgeImages(t.Context())
	wantCode(t, err, easel.CodeConflict)
	close(b.release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestDrainKeepsWhatItCouldNotDelete(t *testing.T) {
	r := newRig(t, nil)
	r.fuse.brief = true
	for step := 1; step <= 6; step++ {
		for i := range 3 {
			if _, err := r.PutFile(t.Context(), adam, gallery.FileUpload{Name: fmt.Sprint(i), Body: strings.NewReader("x")}); err != nil {
				t.Fatal(err)
			}
			if err := r.DeleteFile(t.Context(), adam, fmt.Sprint(i), tenant.Condition{}, actors.Once{}); err != nil {
				t.Fatal(err)
			}
		}
		r.restart(time.Hour)
		r.fuse.arm(step, false)
		_, _ = r.DrainDrops(t.Context())
		r.fuse.arm(0, false)
		r.chore(r.DrainDrops)
		if left := r.stored(); len(left) > 0 {
			t.Fatalf("step %d: left %v", step, left)
		}
	}
}

// TestSweepLeavesATenantThatIsBeingImported: its blobs are there days before its
// own file, if the import is interrupted.
func TestSweepLeavesATenantThatIsBeingImported(t *testing.T) {
	r := newRig(t, nil)
	r.upload(anna, "a")
	foreign := strings.Repeat("e", 32)
	for _, key := range []string{"import/" + foreign, "t/" + foreign + "/f/" + string(easel.NewID())} {
		if _, err := r.blobs.Store.Put(t.Context(), key, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	r.restart(48 * time.Hour)
	if got := r.chore(r.SweepOrphans); got.Done != 0 {
		t.Fatalf("%+v", got)
	}
	if err := r.blobs.Store.Delete(t.Context(), "import/"+foreign); err != nil {
		t.Fatal(err)
	}
	if got := r.chore(r.SweepOrphans); got.Done != 1 {
		t.Fatalf("%+v", got)
	}
}
