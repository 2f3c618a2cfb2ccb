package tenant_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/tenant"
)

func blobKey(n int) string { return fmt.Sprintf("t/%s/f/%d", home, n) }

func (w *world) put(name string, blob int, size int64) tenant.FileReply {
	w.t.Helper()
	return must[tenant.FileReply](w, tenant.FilePut{
		By: admin, Blob: blobKey(blob), File: tenant.File{Name: name, ETag: fmt.Sprint("e", blob), Size: size},
	})
}

// queued returns the blobs that may be deleted now.
func (w *world) queued() []string {
	w.t.Helper()
	keys := []string{}
	for _, d := range must[tenant.DropsReply](w, tenant.Drops{Limit: 1000}).Drops {
		keys = append(keys, d.Blob)
	}
	return keys
}

func TestFileKeepsWhatItWasPutWith(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	f := tenant.File{
		Name: "u/x/report.pdf", ETag: "abc", Size: 5, ContentType: "application/pdf; a=b",
		Meta: map[string]string{"color": "rød", "empty": ""},
	}
	got := must[tenant.FileReply](w, tenant.FilePut{By: admin, File: f, Blob: blobKey(1)})
	f.UpdatedBy, f.UpdatedAt = admin.User, easel.At(w.now)
	want := tenant.FileReply{File: f, Blob: blobKey(1)}
	for _, got := range []tenant.FileReply{got, must[tenant.FileReply](w, tenant.FileGet{Name: f.Name})} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
	if diff := cmp.Diff([]tenant.File{f}, must[tenant.FileListReply](w, tenant.FileList{Prefix: "u/"}).Files); diff != "" {
		t.Fatal(diff)
	}
	if got := w.used(); got.Files != 1 || got.Bytes != 5 {
		t.Fatalf("used %+v", got)
	}
	w.refused(easel.CodeNotFound, tenant.FileGet{Name: "other"})
}

func TestFileRules(t *testing.T) {
	w := newWorld(t, tenant.Options{MaxBytes: 10})
	good := tenant.File{Name: "a", ETag: "e", Size: 1}
	tests := []struct {
		name   string
		adjust func(*tenant.FilePut)
		code   easel.Code
	}{
		{"no name", func(p *tenant.FilePut) { p.File.Name = "" }, easel.CodeInvalid},
		{"long name", func(p *tenant.FilePut) { p.File.Name = strings.Repeat("x", 513) }, easel.CodeInvalid},
		{"no etag", func(p *tenant.FilePut) { p.File.ETag = "" }, easel.CodeInvalid},
		{"long type", func(p *tenant.FilePut) { p.File.ContentType = strings.Repeat("x", 256) }, easel.CodeInvalid},
		{"much meta", func(p *tenant.FilePut) { p.File.Meta = map[string]string{"a": strings.Repeat("x", 8192)} }, easel.CodeInvalid},
		{"bad meta", func(p *tenant.FilePut) { p.File.Meta = map[string]string{"a": "\xff"} }, easel.CodeInvalid},
		{"foreign blob", func(p *tenant.FilePut) { p.Blob = "t/other/f/1" }, easel.CodeInvalid},
		{"an image's blob", func(p *tenant.FilePut) { p.Blob = "t/" + home + "/i/1/original" }, easel.CodeInvalid},
		{"over the quota", func(p *tenant.FilePut) { p.File.Size = 11 }, easel.CodeRateLimited},
		{"missing, if there", func(p *tenant.FilePut) { p.If.IfMatch = "*" }, easel.CodeConflict},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			put := tenant.FilePut{By: admin, File: good, Blob: blobKey(1)}
			tt.adjust(&put)
			w.refused(tt.code, put)
		})
	}
}

func TestReplacedBlobsAreQueuedOnce(t *testing.T) {
	w := newWorld(t, tenant.Options{DropAfter: time.Minute})
	w.put("a", 1, 10)
	w.put("a", 1, 10) // a repeat drops nothing
	w.put("a", 2, 4)
	if got := w.used(); got.Files != 1 || got.Bytes != 4 {
		t.Fatalf("used %+v", got)
	}
	if got := w.queued(); len(got) != 0 {
		t.Fatalf("readers have no time: %v", got)
	}
	w.pass(30 * time.Second)
	must[tenant.Empty](w, tenant.FileDelete{By: admin, Name: "a", If: tenant.Condition{IfMatch: "e2"}})
	w.refused(easel.CodeNotFound, tenant.FileDelete{By: admin, Name: "a"})
	w.pass(30 * time.Second)
	if diff := cmp.Diff([]string{blobKey(1)}, w.queued()); diff != "" {
		t.Fatal(diff)
	}
	w.pass(30 * time.Second)
	if diff := cmp.Diff([]string{blobKey(1), blobKey(2)}, w.queued()); diff != "" {
		t.Fatal(diff)
	}
	w.refused(easel.CodeGone, tenant.FilePut{By: admin, Blob: blobKey(2), File: tenant.File{Name: "b", ETag: "e"}})
	drops := must[tenant.DropsReply](w, tenant.Drops{Limit: 1}).Drops
	next := must[tenant.DropsReply](w, tenant.Drops{Limit: 1, After: drops[0].Seq}).Drops
	if drops[0].Blob != blobKey(1) || next[0].Blob != blobKey(2) {
		t.Fatalf("pages %v, %v", drops, next)
	}
	for range 2 {
		must[tenant.Empty](w, tenant.Dropped{Seqs: []int64{drops[0].Seq}})
	}
	if diff := cmp.Diff([]string{blobKey(2)}, w.queued()); diff != "" {
		t.Fatal(diff)
	}
	if got := w.used(); got.Files != 0 || got.Bytes != 0 {
		t.Fatalf("used %+v", got)
	}
}

func TestSweepQueuesOnlyWhatNoRowNames(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	w.put("a", 1, 1)
	w.put("b", 2, 1)
	must[tenant.Empty](w, tenant.FileDelete{By: admin, Name: "b"})
	m := w.list("image")
	waiting := easel.NewID()
	must[tenant.Empty](w, tenant.Reserve{ID: waiting, By: annotator})
	image := func(id easel.ID, name string) string { return "t/" + home + "/i/" + string(id) + "/" + name }
	unknown := easel.NewID()
	for want := 2; want >= 0; want -= 2 { // the second time all is known
		got := must[tenant.SweepReply](w, tenant.Sweep{Blobs: []string{
			blobKey(1), blobKey(2), blobKey(3), image(m.ID, "original"), image(m.ID, "thumb-64"), image(waiting, "original"),
			image(unknown, "original"), "t/other/f/1", "t/" + home + "x/f/1",
		}})
		if got.Queued != want {
			t.Fatalf("queued %d, want %d", got.Queued, want)
		}
	}
	if diff := cmp.Diff([]string{blobKey(3), image(unknown, "original")}, w.queued()); diff != "" {
		t.Fatal(diff)
	}
}

func TestFilesAreListedInPages(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	want := []string{}
	for i := range 7 {
		name := fmt.Sprintf("p/%d", i)
		want = append(want, name)
		w.put(name, i, 1)
	}
	w.put("q", 100, 1)
	got := []string{}
	for ask := (tenant.FileList{Prefix: "p/", Limit: 3}); ; {
		page := must[tenant.FileListReply](w, ask)
		for _, f := range page.Files {
			got = append(got, f.Name)
		}
		if ask.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}
