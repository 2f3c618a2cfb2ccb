package gallery_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/tenant"
)

func TestUploadStoresListsAndServes(t *testing.T) {
	r := newRig(t, nil)
	data := picture(40, 30)
	sum := sha256.Sum256(data)
	got, err := r.Upload(t.Context(), anna, gallery.Upload{Filename: `C:\pics\cat.png`, Body: bytes.NewReader(data)})
	if err != nil {
		t.Fatal(err)
	}
	want := easel.Image{
		ID: got.ID, Filename: "cat.png", ContentType: "image/png", Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:]),
		Width: 40, Height: 30, UploadedBy: "anna", CreatedAt: got.CreatedAt, Metadata: []byte("{}"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]easel.Image{want}, r.listed()); diff != "" {
		t.Fatal(diff)
	}
	content, err := r.Image(t.Context(), vera, got.ID)
	if err != nil {
		t.Fatal(err)
	}
	body, err := content.Open(t.Context(), blob.Range{Offset: 1, Length: 3})
	if err != nil {
		t.Fatal(err)
	}
	part, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		t.Fatal(err)
	}
	if string(part) != "PNG" || content.Size != want.Size || content.ETag != want.SHA256 {
		t.Fatalf("served %q of %+v", part, content)
	}
	_, err = r.Image(t.Context(), other, got.ID)
	wantCode(t, err, easel.CodeNotFound)
	_, err = r.Image(t.Context(), anna, "../secret")
	wantCode(t, err, easel.CodeNotFound)
	width, height, err := r.Probe(t.Context(), homeTenant, got.ID)
	if err != nil || width != 40 || height != 30 {
		t.Fatalf("probe: %d x %d, %v", width, height, err)
	}
}

func TestUploadRefusesAndLeavesNothing(t *testing.T) {
	r := newRig(t, func(c *gallery.Config) { c.MaxUpload = 4 << 10 })
	small := picture(8, 8)
	broken := errors.New("client went away")
	tests := []struct {
		name string
		by   easel.Principal
		body io.Reader
		code easel.Code
	}{
		{"viewer", vera, bytes.NewReader(small), easel.CodeForbidden},
		{"empty", anna, strings.NewReader(""), easel.CodeInvalid},
		{"text", anna, strings.NewReader("hello"), easel.CodeUnsupportedMedia},
		{"svg", anna, strings.NewReader(`<svg xmlns="http://www.w3.org/2000/svg"/>`), easel.CodeUnsupportedMedia},
		{"cut short", anna, bytes.NewReader(small[:len(small)-20]), easel.CodeUnsupportedMedia},
		{"only magic", anna, strings.NewReader("\x89PNG\r\n\x1a\n"), easel.CodeUnsupportedMedia},
		{"too large", anna, io.MultiReader(bytes.NewReader(small), bytes.NewReader(make([]byte, 5<<10))), easel.CodeTooLarge},
		{"body fails", anna, io.MultiReader(bytes.NewReader(small[:20]), failing{broken}), easel.CodeInternal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := r.Upload(t.Context(), tt.by, gallery.Upload{Filename: "x.png", Body: tt.body})
			wantCode(t, err, tt.code)
			if tt.name == "body fails" && !errors.Is(err, broken) {
				t.Fatalf("the body's error is lost: %v", err)
			}
			if left := r.stored(); len(left) > 0 {
				t.Fatalf("left %v", left)
			}
			if left := r.born(); len(left) > 0 {
				t.Fatalf("left %v", left)
			}
		})
	}
	r.upload(anna, "fits.png")
	if got := must[tenant.UsageReply](r, tenant.Key(homeTenant), tenant.Usage{}).Used; got.Images != 1 {
		t.Fatalf("used %+v", got)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestBaseName(t *testing.T) {
	long := strings.Repeat("é", 200)
	tests := []struct{ in, want string }{
		{"cat.png", "cat.png"},
		{"/tmp/../cat.png", "cat.png"},
		{`a\b/c.png`, "c.png"},
		{"", "image"},
		{"..", "image"},
		{"dir/", "image"},
		{"a\x00b\n.png", "ab.png"},
		{"bad\xff.png", "bad\ufffd.png"},
		{long + ".png", strings.Repeat("é", 125) + ".png"},
		{strings.Repeat("x", 300), strings.Repeat("x", 255)},
	}
	for _, tt := range tests {
		if got := gallery.BaseName(tt.in); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestUploadWithAKeyHappensOnce(t *testing.T) {
	r := newRig(t, nil)
	data := picture(20, 20)
	put := func(key string, body []byte) (easel.Image, error) {
		return r.Upload(t.Context(), anna, gallery.Upload{Filename: "a.png", Body: bytes.NewReader(body), Once: actors.Once{ID: key}})
	}
	first, err := put("k", data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := put("k", data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Fatal(diff)
	}
	_, err = put("k", picture(21, 20))
	wantCode(t, err, easel.CodeInvalid)
	if second, err := put("k2", data); err != nil || second.ID == first.ID {
		t.Fatalf("another key: %v, %v", second.ID, err)
	}
	if n := len(r.listed()); n != 2 {
		t.Fatalf("%d images", n)
	}
	// A failure frees the key.
	_, err = put("k3", []byte("no image"))
	wantCode(t, err, easel.CodeUnsupportedMedia)
	if _, err := put("k3", data); err != nil {
		t.Fatal(err)
	}
}

func TestUploadWithAKeyThatRunsIsAConflict(t *testing.T) {
	r := newRig(t, nil)
	reading, writing := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := r.Upload(t.Context(), anna, gallery.Upload{Body: reading, Once: actors.Once{ID: "k"}})
		done <- err
	}()
	data := picture(20, 20)
	if _, err := writing.Write(data[:30]); err != nil {
		t.Fatal(err)
	}
	_, err := r.Upload(t.Context(), anna, gallery.Upload{Body: bytes.NewReader(data), Once: actors.Once{ID: "k"}})
	wantCode(t, err, easel.CodeConflict)
	if e, ok := errors.AsType[*easel.Error](err); !ok || e.RetryAfter <= 0 {
		t.Fatalf("no time to retry: %v", err)
	}
	if _, err := writing.Write(data[30:]); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(writing.Close(), <-done); err != nil {
		t.Fatal(err)
	}
	if n := len(r.listed()); n != 1 {
		t.Fatalf("%d images", n)
	}
}

func TestUploadUsesConstantMemory(t *testing.T) {
	const size = 256 << 20
	r := newRig(t, func(c *gallery.Config) { c.MaxUpload = size })
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	// A whole picture with a very long tail.
	data := picture(8, 8)
	body := io.MultiReader(bytes.NewReader(data), io.LimitReader(zeros{}, size-int64(len(data))))
	m, err := r.Upload(t.Context(), anna, gallery.Upload{Filename: "big.png", Body: body})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if m.Size != size {
		t.Fatalf("stored %d bytes", m.Size)
	}
	if grown := int64(after.TotalAlloc) - int64(before.TotalAlloc); grown > size/8 {
		t.Fatalf("allocated %d bytes", grown)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// The upload's process ends before, or right after, each of its steps. Hours
// later there are whole images, listed, and nothing else.
func TestUploadCrashedAnywhereLeavesAllOrNothing(t *testing.T) {
	r := newRig(t, func(c *gallery.Config) { c.Grace = time.Hour })
	acknowledged := []string{}
	for _, key := range []string{"", "k"} {
		for step := 1; ; step++ {
			blown := false
			for _, late := range []bool{false, true} {
				name := fmt.Sprintf("%s-%d-%v.png", key, step, late)
				once := actors.Once{}
				if key != "" {
					once.ID = name
				}
				r.fuse.arm(step, late)
				_, err := r.Upload(t.Context(), anna, gallery.Upload{Filename: name, Body: bytes.NewReader(picture(9, 9)), Once: once})
				blown = blown || r.fuse.hasBlown()
				r.fuse.arm(0, false)
				if err == nil {
					acknowledged = append(acknowledged, name)
				}
			}
			if !blown {
				break
			}
		}
	}
	if len(acknowledged) == 0 {
		t.Fatal("no upload came through")
	}
	r.restart(2 * time.Hour)
	r.until("only whole images are left", func() bool {
		for _, chore := range []func() (gallery.Report, error){
			func() (gallery.Report, error) { return r.PurgeImages(t.Context()) },
			func() (gallery.Report, error) { return r.SweepOrphans(t.Context()) },
			func() (gallery.Report, error) { return r.DrainDrops(t.Context()) },
		} {
			if _, err := chore(); err != nil {
				t.Fatal(err)
			}
		}
		want, born := []string{}, []easel.ID{}
		for _, m := range r.listed() {
			want = append(want, "t/"+string(homeTenant)+"/i/"+string(m.ID)+"/original")
			born = append(born, m.ID)
		}
		slices.Sort(want)
		slices.Sort(born)
		return cmp.Equal(want, r.stored()) && cmp.Equal(born, slices.Sorted(slices.Values(r.born())))
	})
	listed := r.listed()
	for _, name := range acknowledged {
		if !slices.ContainsFunc(listed, func(m easel.Image) bool { return m.Filename == name }) {
			t.Errorf("acknowledged %s is not listed", name)
		}
	}
	used := must[tenant.UsageReply](r, tenant.Key(homeTenant), tenant.Usage{}).Used
	var size int64
	for _, m := range listed {
		size += m.Size
	}
	if used.Images != int64(len(listed)) || used.Bytes != size {
		t.Errorf("used %+v with %d images of %d bytes", used, len(listed), size)
	}
}

// The process lives on, and only one answer, or one request, is lost.
func TestUploadSurvivesOneLostStep(t *testing.T) {
	r := newRig(t, nil)
	r.fuse.brief = true
	for step := 1; ; step++ {
		blown := false
		for _, late := range []bool{false, true} {
			name := fmt.Sprint(step, late)
			r.fuse.arm(step, late)
			m, err := r.Upload(t.Context(), anna, gallery.Upload{Filename: name, Body: bytes.NewReader(picture(9, 9)), Once: actors.Once{ID: name}})
			blown = blown || r.fuse.hasBlown()
			r.fuse.arm(0, false)
			listed := slices.ContainsFunc(r.listed(), func(l easel.Image) bool { return l.Filename == name && (err != nil || l.ID == m.ID) })
			if (err == nil) != listed {
				t.Errorf("%s: upload %v, listed %v", name, err, listed)
			}
		}
		if !blown {
			break
		}
	}
	// What failed has cleaned up after itself, but for blobs that the sweep takes.
	if n := len(r.listed()); n != len(r.born()) {
		t.Errorf("%d images are listed, %d have a history", n, len(r.born()))
	}
}

func TestUploadWhoseListingIsNotHeardOfStays(t *testing.T) {
	r := newRig(t, nil)
	r.upload(anna, "before")
	r.hurry()
	r.asker.loses = func(m actors.Message) bool { _, ready := m.(tenant.Ready); return ready }
	_, err := r.Upload(t.Context(), anna, gallery.Upload{Filename: "a", Body: pictureReader()})
	wantCode(t, err, easel.CodeUnavailable)
	listed := r.listed()
	if len(listed) != 2 {
		t.Fatalf("%d images", len(listed))
	}
	if _, err := r.Image(t.Context(), anna, listed[0].ID); err != nil {
		t.Fatal(err)
	}
	if n := len(r.stored()); n != 2 {
		t.Fatalf("%d blobs", n)
	}
}
